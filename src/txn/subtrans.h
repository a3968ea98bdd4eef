// Which transaction a subtransaction belongs to: the parent's xid for each xid (as subtrans.c, 15).
//
//   pg_subtrans/0000 …   four bytes each, 2048 to a page; 0: no parent
//
// Asked only when a list of running subtransactions has overflowed, or a commit is half visible.
// Nothing of it survives a crash or needs to: only running transactions matter, so it is not in
// WAL, and start-up zeroes the pages of what could still be running.
#pragma once

#include "txn/xid.h"

namespace cofork {

/// Records the parent, which must precede the child. Called before anybody can see the child.
void subtrans_set_parent(TransactionId xid, TransactionId parent);
/// The parent; 0 for a transaction that has none. Not for xids older than any running snapshot.
TransactionId subtrans_parent(TransactionId xid);
/// The transaction at the top; never older than `xmin` (SubTransGetTopmostTransaction). Who
/// precedes `xmin` is given back as it is.
TransactionId subtrans_topmost(TransactionId xid, TransactionId xmin);

/// As their namesakes in txn/commit_log.h.
void subtrans_extend(TransactionId xid);
void subtrans_startup(TransactionId oldest_active, TransactionId next_xid);
void subtrans_checkpoint();
void subtrans_truncate(TransactionId oldest_running);

}  // namespace cofork
