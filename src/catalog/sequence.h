// Sequences: numbers that never come twice, whatever becomes of the transaction (as sequence.c,
// 15).
//
// A sequence is a relation with one row {last_value, log_cnt, is_called} that is overwritten in
// place. To write WAL only now and then, a record says that 32 more values are used up; after a
// crash the sequence goes on behind them. Values a task has taken ahead (CACHE) are its own.
#pragma once

#include <cstdint>

#include "catalog/relation_cache.h"

namespace cofork {

/// Takes the next value. Throws 2200H `nextval: reached maximum value of sequence "%s" (%s)`; 42809
/// `"%s" is not a sequence`; 42501.
int64_t sequence_next(Oid sequence);
/// The last value this session took. 55000 `currval of sequence "%s" is not yet defined in this
/// session`.
int64_t sequence_current(Oid sequence);
/// lastval(): of whichever sequence was used last. 55000 `lastval is not yet defined in this
/// session`.
int64_t sequence_last();
/// DISCARD SEQUENCES: the session has taken no value.
void forget_sequences();
/// 22003 `setval: value %s is out of bounds for sequence "%s" (%s..%s)`.
void sequence_set(Oid sequence, int64_t value, bool is_called);
/// TRUNCATE … RESTART IDENTITY, ALTER SEQUENCE RESTART: in a new file, undone with the transaction.
void sequence_restart(Oid sequence, int64_t value);
/// What SELECT shows of the row.
struct SequenceState {
  int64_t last_value;
  int64_t log_count;
  bool is_called;
};
SequenceState read_sequence(Oid sequence);
/// The sequence behind a serial or identity column, 0: none (pg_get_serial_sequence,
/// getIdentitySequence).
Oid sequence_of_column(Oid table, int16_t column);

}  // namespace cofork
