// Locking the newer versions of a row that is locked. Inside access/.
#pragma once

#include "access/heap.h"

namespace cofork {

/// Locks every version after `tid`, whose ctid is `next`, in the name of the running transaction;
/// waits for whoever holds one of them. kUpdated or kDeleted when that has been changed in a way
/// that conflicts. Holds no page lock on entry. (heap_lock_updated_tuple)
TmResult lock_newer_versions(Relation& relation, const ItemPointer& tid, const ItemPointer& next,
                             LockTupleMode mode);

}  // namespace cofork
