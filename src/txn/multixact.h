// Multixacts: one id for several transactions that lock, or lock and update, the same row (as
// multixact.c, 15).
//
//   pg_multixact/offsets/0000 …   for each id the number of its first member, four bytes
//   pg_multixact/members/0000 …   groups of four members: four status bytes, then four xids
//
// A row's xmax has room for one id; when a second transaction locks a row that is locked, both are
// made members of a multixact. It never changes: a third locker makes a new one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "txn/xid.h"
#include "wal/record.h"

namespace cofork {

enum class MultiXactStatus : uint8_t {
  kForKeyShare = 0,
  kForShare = 1,
  kForNoKeyUpdate = 2,
  kForUpdate = 3,
  kNoKeyUpdate = 4,  ///< an update that leaves the key
  kUpdate = 5,       ///< an update of the key, or a delete
};
constexpr bool multixact_status_is_update(MultiXactStatus status) {
  return status >= MultiXactStatus::kNoKeyUpdate;
}

struct MultiXactMember {
  TransactionId xid;
  MultiXactStatus status;
  friend bool operator==(const MultiXactMember&, const MultiXactMember&) = default;
};

/// To be called before a task puts its xid into a multixact, or reads one from a page: holds back
/// truncation until the transaction ends.
void multixact_set_oldest_member();
/// One of two; the same members as a recent one give the same id (MultiXactIdCreate).
MultiXactId multixact_create(MultiXactMember a, MultiXactMember b);
/// Of several: at most one may be an update. Throws as MultiXactIdCreateFromMembers.
MultiXactId multixact_create(std::span<const MultiXactMember> members);
/// `multi` with one more member; those who have ended are left out (MultiXactIdExpand).
MultiXactId multixact_expand(MultiXactId multi, TransactionId xid, MultiXactStatus status);
/// Its members; empty for one so old that nobody can be running. `lock_only`: the row's infomask
/// says that all only lock. Throws XX001 for an id that was never given out.
std::vector<MultiXactMember> multixact_members(MultiXactId multi, bool lock_only);
/// Is any member still running? May wait.
bool multixact_is_running(MultiXactId multi, bool lock_only);
/// The oldest id that may still be asked about (GetOldestMultiXactId); vacuum's horizon.
MultiXactId oldest_multixact();
MultiXactId next_multixact();

// --- start-up, checkpoints, redo: as in txn/commit_log.h
inline constexpr uint8_t kManagerMultiXact = 6;
enum MultiXactInfo : uint8_t {
  kMultiXactZeroOffsetsPage = 0x00,
  kMultiXactZeroMembersPage = 0x10,
  kMultiXactCreateId = 0x20,
  kMultiXactTruncateId = 0x30,
};
void multixact_startup();
void multixact_trim();
void multixact_checkpoint();
/// The end of the task's transaction (AtEOXact_MultiXact).
void multixact_end_transaction();
void redo_multixact(const DecodedRecord& record);

}  // namespace cofork
