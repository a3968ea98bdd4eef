// See multixact.h.
#include "txn/multixact.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <string>

#include "model/model.h"
#include "shmem/lwlock.h"
#include "shmem/proc_array.h"
#include "storage/slru.h"
#include "support/bytes.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/log_areas.h"
#include "txn/multixact_pages.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/insert.h"

namespace cofork {

namespace {

/// Ids are refused when fewer than so many are left of the half circle.
constexpr MultiXactId kStopMargin = 3'000'000;
constexpr int64_t kOffsetNotThereYetUs = 1000;
constexpr size_t kRemembered = 256;

/// The multixacts of this transaction that it has made or read.
struct MultiXactTask {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kMultiXact;
  struct Known {
    MultiXactId multi;
    std::vector<MultiXactMember> members;  ///< sorted
  };
  std::vector<Known> known;  ///< oldest first
};

MultiXactTask& multixact_task() {
  Task& task = this_task();
  if (auto* mine = task.slot<MultiXactTask>()) return *mine;
  auto* mine = std::make_unique<MultiXactTask>().release();
  task.set_slot(mine);
  task.on_proc_exit([mine](Task& ending, int) {
    ending.set_slot<MultiXactTask>(nullptr);
    delete mine;
  });
  return *mine;
}

MultiXactShared& shared() {
  return shared_memory().area<MultiXactShared>();
}

constexpr MultiXactId multi_after(MultiXactId multi) {
  return multi + 1 < kFirstMultiXactId ? kFirstMultiXactId : multi + 1;
}

void sort_members(std::vector<MultiXactMember>& members) {
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return a.xid != b.xid ? a.xid < b.xid : a.status < b.status;
  });
}

void remember(MultiXactId multi, std::vector<MultiXactMember> members) {
  std::vector<MultiXactTask::Known>& known = multixact_task().known;
  if (known.size() == kRemembered) known.erase(known.begin());
  known.push_back({multi, std::move(members)});
}

/// "739 (sh), 740 (upd)", for an error.
std::string member_text(std::span<const MultiXactMember> members) {
  static constexpr const char* kNames[] = {"keysh",  "sh",       "fornokeyupd",
                                           "forupd", "nokeyupd", "upd"};
  std::string text;
  for (const MultiXactMember& member : members) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", member.xid,
                        kNames[static_cast<size_t>(member.status)]);
  }
  return text;
}

/// The next id, and room for its members; their first position goes to `offset`.
MultiXactId give_out(int32_t members, MultiXactOffset& offset) {
  MultiXactShared& state = shared();
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kExclusive);
  MultiXactId multi = std::max(state.next, kFirstMultiXactId);
  if (multi - state.oldest > (MultiXactId{1} << 31) - kStopMargin) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "database is not accepting commands that generate new MultiXactIds to avoid "
                "wraparound data loss in database with OID {}",
                state.oldest_database)
        .hint(
            "Execute a database-wide VACUUM in that database.\nYou might also need to commit or "
            "roll back old prepared transactions, or drop stale replication slots.");
  }
  extend_multixact_offsets(multi);
  offset = state.next_offset;
  if (offset == 0) {
    // Position 0 stands for "not written yet": it is never given out.
    offset = 1;
    ++members;
  }
  extend_multixact_members(state.next_offset, members);
  state.next = multi_after(multi);
  state.next_offset += static_cast<MultiXactOffset>(members);
  return multi;
}

/// A place of this task in what holds truncation back.
MultiXactShared::PerProc& my_oldest() {
  return shared().procs()[my_proc_number()];
}

/// Ids older than what anybody may still look at have no running member
/// (MultiXactIdSetOldestVisible).
MultiXactId oldest_visible_to_me() {
  MultiXactShared::PerProc& mine = my_oldest();
  if (mine.oldest_visible != kInvalidMultiXactId) return mine.oldest_visible;
  std::vector<int32_t> numbers = proc_array_numbers();
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kExclusive);
  MultiXactId oldest = std::max(shared().next, kFirstMultiXactId);
  for (int32_t n : numbers) {
    MultiXactId member = shared().procs()[n].oldest_member;
    if (member != kInvalidMultiXactId && multixact_precedes(member, oldest)) oldest = member;
  }
  mine.oldest_visible = oldest;
  return oldest;
}

/// Where the members of a multixact stand.
struct MemberRange {
  MultiXactOffset first;
  int32_t count;
};
MemberRange range_of(MultiXactId multi) {
  MultiXactId oldest, next;
  MultiXactOffset next_offset;
  {
    LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kShared);
    oldest = shared().oldest;
    next = shared().next;
    next_offset = shared().next_offset;
  }
  if (multixact_precedes(multi, oldest)) {
    throw Error(sqlstate::kInternalError,
                "MultiXactId {} does no longer exist -- apparent wraparound", multi);
  }
  if (!multixact_precedes(multi, next)) {
    throw Error(sqlstate::kInternalError,
                "MultiXactId {} has not been created yet -- apparent wraparound", multi);
  }
  MultiXactOffset first = read_multixact_offset(multi);
  MultiXactId after = multi_after(multi);
  if (after == next) return {first, static_cast<int32_t>(next_offset - first)};
  // Its end is where the next one begins. That one may have been given out and not been written.
  MultiXactOffset end;
  while ((end = read_multixact_offset(after)) == 0) {
    this_task().check_interrupts();
    this_task().model().pause_us(this_task(), kOffsetNotThereYetUs);
  }
  return {first, static_cast<int32_t>(end - first)};
}

}  // namespace

size_t MultiXactShared::size(const Limits& limits) {
  return sizeof(MultiXactShared) + sizeof(PerProc) * static_cast<size_t>(limits.procs());
}

// --- making

void multixact_set_oldest_member() {
  MultiXactShared::PerProc& mine = my_oldest();
  if (mine.oldest_member != kInvalidMultiXactId) return;
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kShared);
  mine.oldest_member = std::max(shared().next, kFirstMultiXactId);
}

MultiXactId multixact_create(MultiXactMember a, MultiXactMember b) {
  MultiXactMember members[] = {a, b};
  return multixact_create(members);
}

MultiXactId multixact_create(std::span<const MultiXactMember> given) {
  std::vector<MultiXactMember> members(given.begin(), given.end());
  sort_members(members);
  for (const auto& known : multixact_task().known) {
    if (known.members == members) return known.multi;
  }
  auto updates = std::count_if(members.begin(), members.end(), [](const MultiXactMember& member) {
    return multixact_status_is_update(member.status);
  });
  if (updates > 1) {
    throw Error(sqlstate::kInternalError, "new multixact has more than one updating member: {}",
                member_text(members));
  }
  auto count = static_cast<int32_t>(members.size());
  MultiXactOffset offset;
  // From the moment the id is given out until it is written nothing may fail: others wait for it.
  MultiXactId multi = give_out(count, offset);
  CriticalSection critical;
  std::vector<MultiXactWalMember> bodies = members_to_wal(members);
  MultiXactCreateRecord head{multi, offset, count};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerMultiXact, kMultiXactCreateId, my_transaction().current_xid_if_any());
  record.add_main(&head, sizeof head);
  record.add_main(bodies.data(), bodies.size() * sizeof(MultiXactWalMember));
  wal_insert(record);
  write_multixact(multi, offset, members);
  critical.end();
  remember(multi, std::move(members));
  return multi;
}

MultiXactId multixact_expand(MultiXactId multi, TransactionId xid, MultiXactStatus status) {
  std::vector<MultiXactMember> members = multixact_members(multi, false);
  MultiXactMember added{xid, status};
  if (std::find(members.begin(), members.end(), added) != members.end()) return multi;
  // Who has ended locks no longer; but an update that has committed stays known by its xid.
  std::erase_if(members, [](const MultiXactMember& member) {
    return !xid_in_progress(member.xid) &&
           !(multixact_status_is_update(member.status) && xid_did_commit(member.xid));
  });
  members.push_back(added);
  return multixact_create(members);
}

// --- asking

std::vector<MultiXactMember> multixact_members(MultiXactId multi, bool lock_only) {
  if (multi == kInvalidMultiXactId) return {};
  for (const auto& known : multixact_task().known) {
    if (known.multi == multi) return known.members;
  }
  MultiXactId visible = oldest_visible_to_me();
  if (lock_only && multixact_precedes(multi, visible)) return {};
  MemberRange range = range_of(multi);
  std::vector<MultiXactMember> members = read_multixact_members(range.first, range.count);
  sort_members(members);
  remember(multi, members);
  return members;
}

bool multixact_is_running(MultiXactId multi, bool lock_only) {
  std::vector<MultiXactMember> members = multixact_members(multi, lock_only);
  Transaction& own = my_transaction();
  auto is_own = [&](const MultiXactMember& member) { return own.is_current_xid(member.xid); };
  if (std::any_of(members.begin(), members.end(), is_own)) return true;
  return std::any_of(members.begin(), members.end(),
                     [](const MultiXactMember& member) { return xid_in_progress(member.xid); });
}

MultiXactId oldest_multixact() {
  std::vector<int32_t> numbers = proc_array_numbers();
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kShared);
  MultiXactId oldest = std::max(shared().next, kFirstMultiXactId);
  for (int32_t n : numbers) {
    const MultiXactShared::PerProc& one = shared().procs()[n];
    for (MultiXactId held : {one.oldest_member, one.oldest_visible}) {
      if (held != kInvalidMultiXactId && multixact_precedes(held, oldest)) oldest = held;
    }
  }
  return oldest;
}

MultiXactId next_multixact() {
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kShared);
  return std::max(shared().next, kFirstMultiXactId);
}

void multixact_end_transaction() {
  MultiXactTask* mine = this_task().slot<MultiXactTask>();
  if (mine != nullptr) mine->known.clear();
  // Read by others under a lock that these stores need not take: old is safe.
  my_oldest() = {};
}

// --- counters, start-up, redo

MultiXactCounters multixact_counters() {
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kShared);
  const MultiXactShared& state = shared();
  return {state.next, state.next_offset, state.oldest, state.oldest_database};
}

void set_multixact_counters(const MultiXactCounters& counters) {
  LwLockGuard guard(LwTranche::kMultiXactGen, LwMode::kExclusive);
  MultiXactShared& state = shared();
  state.next = counters.next;
  state.next_offset = counters.next_offset;
  state.oldest = counters.oldest;
  state.oldest_database = counters.oldest_database;
}

void redo_multixact(const DecodedRecord& record) {
  switch (record.own_info()) {
    case kMultiXactZeroOffsetsPage:
    case kMultiXactZeroMembersPage:
      return redo_multixact_zero_page(record);
    case kMultiXactCreateId:
      break;
    default:
      throw Error(sqlstate::kInternalError, "multixact_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
  MultiXactCreateRecord head;
  std::vector<MultiXactMember> members = members_of_record(record, head);
  write_multixact(head.multi, head.offset, members);
  MultiXactCounters counters = multixact_counters();
  MultiXactId after = multi_after(head.multi);
  MultiXactOffset end = head.offset + static_cast<MultiXactOffset>(head.count);
  if (multixact_precedes(counters.next, after)) counters.next = after;
  if (static_cast<int32_t>(counters.next_offset - end) < 0) counters.next_offset = end;
  set_multixact_counters(counters);
  TransactionId newest = record.header.xid;
  for (const MultiXactMember& member : members) {
    if (xid_precedes(newest, member.xid)) newest = member.xid;
  }
  advance_next_xid_past(newest);
}

}  // namespace cofork
