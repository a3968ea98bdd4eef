// The one page of a sequence and its WAL record (the storage half of sequence.c, 15).
//
//   heap page with one tuple {last_value int8, log_cnt int8, is_called bool}; special space of 8
//   bytes that begins with a magic number
//
// The tuple is overwritten in place and is always frozen. A record carries the whole tuple; redo
// makes the page anew.
#pragma once

#include <cstdint>

#include "access/relation.h"
#include "storage/buffer_pool.h"
#include "wal/record.h"

namespace cofork {

inline constexpr uint8_t kManagerSequence = 15;
enum SequenceRecord : uint8_t { kSequenceLog = 0x00 };

struct SequenceRow {
  int64_t last_value = 1;
  int64_t log_count = 0;  ///< values WAL says are used up, beyond last_value
  bool is_called = false;
};

/// The page of a new, empty relation file, with its record.
void sequence_create(Relation& relation, const SequenceRow& row, ForkNumber fork);
/// The row of a page, locked. Throws XX000 `bad magic number in sequence "%s": %08X`.
SequenceRow sequence_read(const Relation& relation, const Buffer& buffer);
/// Overwrites it; the buffer is locked exclusively. `logged`: what WAL shall say, null: nothing is
/// written to WAL (it has said enough already).
void sequence_write(Relation& relation, Buffer& buffer, const SequenceRow& row,
                    const SequenceRow* logged);

void sequence_redo(const DecodedRecord& record);

}  // namespace cofork
