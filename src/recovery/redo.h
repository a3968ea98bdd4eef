// Redo: doing again what WAL says, by a table of resource managers (as xlogrecovery.c and rmgr.c,
// 15).
//
// Adding a resource manager is one row: its number, its name, its redo function. What a record
// means is known there and nowhere else.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "recovery/control_file.h"
#include "wal/file_pages.h"
#include "wal/reader.h"

namespace cofork {

/// What redo functions change besides pages.
struct RedoContext {
  bool full_page_writes = true;  ///< as the WAL last said
  TimelineId timeline = 1;
  Lsn overwritten_record;  ///< the reader passed over an incomplete record here
};

struct ResourceManager {
  uint8_t id;
  const char* name;  ///< pg_waldump's
  void (*redo)(const DecodedRecord& record, RedoContext& context);
};
/// Null when there is no such manager here.
const ResourceManager* find_resource_manager(uint8_t id);

/// Applies one record. Throws with the CONTEXT "WAL redo at X/X for …"; PANIC when there is no
/// manager for it.
void redo_record(const DecodedRecord& record, RedoContext& context);

/// The checkpoint record at `at`, if it is there and whole. Logs what is wrong otherwise, in
/// PostgreSQL's words for a primary checkpoint (ReadCheckpointRecord).
std::optional<CheckPoint> read_checkpoint_record(WalReader& reader, Lsn at, bool& was_shutdown);

}  // namespace cofork
