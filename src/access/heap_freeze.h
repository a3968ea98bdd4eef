// Freezing: rows that everybody sees stop depending on their xid, which will mean another
// transaction one day (heap_prepare_freeze_tuple in heapam.c, 15).
//
// A frozen xmin is a combination of hint bits; an xmax that no longer matters is taken out; a
// multixact with old members is replaced by what is left of it. What is to be done is found out
// for all tuples of a page first, then done in one critical section with one WAL record.
#pragma once

#include <span>

#include "access/heap.h"
#include "access/heap_wal.h"
#include "txn/multixact.h"

namespace cofork {

/// From what on a relation's ids are, and which are to be replaced.
struct FreezeLimits {
  TransactionId relation_xid;  ///< relfrozenxid: an older one is damage
  MultiXactId relation_multi;  ///< relminmxid
  TransactionId cutoff_xid;    ///< older ones are frozen
  MultiXactId cutoff_multi;
};
/// The oldest ids that stay in the table: its next relfrozenxid and relminmxid.
struct OldestKept {
  TransactionId xid;
  MultiXactId multi;
};

struct FreezeAnswer {
  bool needed = false;          ///< the plan changes something
  bool totally_frozen = false;  ///< afterwards nothing of it will ever have to be looked at again
};
/// What freezing would do to a tuple; `plan` is filled in, offset aside. Throws XX001 for ids that
/// should not be there. May wait.
FreezeAnswer plan_freeze(const HeapTupleHeader& header, const FreezeLimits& limits,
                         FreezePlan& plan, OldestKept& kept);
/// Is there anything in the tuple older than the cutoffs? Where it is left as it is, `kept` goes
/// back to it (heap_tuple_would_freeze).
bool would_freeze(const HeapTupleHeader& header, const FreezeLimits& limits, OldestKept& kept);
/// Changes the tuples as planned and logs that; the page is exclusively locked and in a critical
/// section of the caller (heap_freeze_execute and log_heap_freeze).
void freeze_page(Relation& relation, Buffer& buffer, TransactionId cutoff_xid,
                 std::span<const FreezePlan> plans);

}  // namespace cofork
