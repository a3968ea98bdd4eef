// The commit log: how every transaction ended, two bits each (as clog.c and transam.c, 15).
//
//   pg_xact/0000 …   page = xid / 32768, byte = xid % 32768 / 4, shift = xid % 4 * 2
//
// A transaction is committed when its record in WAL is flushed and its bits here say so; bits of a
// page may reach the disk only after the WAL that justifies them. So every page remembers, for each
// 32 xids, the newest asynchronous commit's LSN, and its write is preceded by a flush up to the
// newest of them. "In progress" and not running means: crashed, that is, aborted.
//
// A commit with subtransactions on several pages is made visible at once by two steps: the children
// elsewhere become kSubCommitted, which means "ask the parent" (txn/subtrans.h); then the page of
// the parent is set; then the children's.
#pragma once

#include <cstdint>
#include <span>

#include "support/lsn.h"
#include "txn/xid.h"
#include "wal/record.h"

namespace cofork {

struct Limits;

enum class XidStatus : uint8_t {
  kInProgress = 0,
  kCommitted = 1,
  kAborted = 2,
  kSubCommitted = 3,
};

inline constexpr uint8_t kManagerClog = 3;
enum ClogInfo : uint8_t { kClogZeroPage = 0x00, kClogTruncate = 0x10 };

/// What the log says about an xid; the ids outside the circle are committed. `lsn` is set to a
/// position that must be flushed before a hint bit may rely on a commit, invalid when none is. May
/// wait (reads a page).
XidStatus xid_status(TransactionId xid, Lsn* lsn = nullptr);

/// Did it commit, or abort, as far as the log knows? False to both: still running, or crashed.
/// For one that committed as a subtransaction the parents decide. May wait.
/// Ask "is it running?" (xid_in_progress, txn/snapshot.h) first: a transaction sets its bits before
/// it leaves the list of running ones.
bool xid_did_commit(TransactionId xid);
bool xid_did_abort(TransactionId xid);

/// Before a hint bit "committed" may be set on a page: this much WAL must be flushed, or the page
/// must be newer than that (TransactionIdGetCommitLSN). Invalid: nothing to wait for.
Lsn xid_commit_lsn(TransactionId xid);

/// Ends a transaction and its children in the log. `lsn` is the commit record's end when it was not
/// flushed (asynchronous commit), else invalid. Only whoever runs the transaction, or redo.
void clog_set_tree(TransactionId xid, std::span<const TransactionId> children, XidStatus status,
                   Lsn lsn = {});

/// The page for a new xid exists from now on; XidGenLock is held exclusively (ExtendCLOG).
void clog_extend(TransactionId xid);

/// Start-up, before and after redo (StartupCLOG, TrimCLOG): the latter clears what lies behind the
/// next xid on its page.
void clog_startup(TransactionId next_xid);
void clog_trim(TransactionId next_xid);
/// Writes and syncs what was changed.
void clog_checkpoint();
/// Removes whole files in which every xid is older than `oldest` (TruncateCLOG).
void clog_truncate(TransactionId oldest, uint32_t oldest_database);

void redo_clog(const DecodedRecord& record);

}  // namespace cofork
