// The directories of databases as part of transactions: CREATE DATABASE by copying files, and DROP
// DATABASE (dbcommands.c, dbcommands_xlog.h, 15; strategy FILE_COPY).
//
// Files are copied below the buffer pool, so a checkpoint has to come before (the files must hold
// what the pool holds) and after (redo must not copy again what may have changed since).
#pragma once

#include <cstdint>
#include <string>

#include "wal/record.h"

namespace cofork {

inline constexpr uint8_t kManagerDatabase = 4;
enum DatabaseRecord : uint8_t {
  kDatabaseCreateFileCopy = 0x00,
  kDatabaseCreateWalLog = 0x10,
  kDatabaseDrop = 0x20,
};

/// Copies base/`source` to base/`target`, on disk when it returns, with its record.
void copy_database_directory(uint32_t source, uint32_t target);
/// Removes base/`database` and what the buffer pool and the checkpointer know of it. `logged`:
/// with its record.
void remove_database_directory(uint32_t database, bool logged);

void database_redo(const DecodedRecord& record);

}  // namespace cofork
