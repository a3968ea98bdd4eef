// See multixact_pages.h.
#include "txn/multixact_pages.h"

#include <algorithm>
#include <cstring>

#include "shmem/lwlock.h"
#include "storage/slru.h"
#include "support/bytes.h"
#include "support/error.h"
#include "txn/log_areas.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr uint32_t kOffsetsPerPage = kPageBytes / sizeof(MultiXactOffset);
/// Four status bytes, then the four xids they belong to.
constexpr uint32_t kMembersPerGroup = 4;
constexpr uint32_t kGroupBytes = kMembersPerGroup + kMembersPerGroup * sizeof(TransactionId);
constexpr uint32_t kGroupsPerPage = kPageBytes / kGroupBytes;
constexpr uint32_t kMembersPerPage = kGroupsPerPage * kMembersPerGroup;

constexpr int32_t offsets_page(MultiXactId multi) {
  return static_cast<int32_t>(multi / kOffsetsPerPage);
}
constexpr uint32_t offsets_place(MultiXactId multi) {
  return multi % kOffsetsPerPage * sizeof(MultiXactOffset);
}
constexpr int32_t members_page(MultiXactOffset offset) {
  return static_cast<int32_t>(offset / kMembersPerPage);
}
constexpr uint32_t group_place(MultiXactOffset offset) {
  return offset / kMembersPerGroup % kGroupsPerPage * kGroupBytes;
}
constexpr uint32_t status_place(MultiXactOffset offset) {
  return group_place(offset) + offset % kMembersPerGroup;
}
constexpr uint32_t xid_place(MultiXactOffset offset) {
  return group_place(offset) + kMembersPerGroup + offset % kMembersPerGroup * sizeof(TransactionId);
}

/// Is a page of `per_page` entries before another on their circle?
template <uint32_t per_page>
bool page_precedes(int32_t a, int32_t b) {
  uint32_t first = static_cast<uint32_t>(a) * per_page + 1;
  uint32_t second = static_cast<uint32_t>(b) * per_page + 1;
  return static_cast<int32_t>(first - second) < 0 &&
         static_cast<int32_t>(first - (second + per_page - 1)) < 0;
}

constexpr SlruKind kOffsets = {
    .area = Area::kMultiXactOffset,
    .directory = "pg_multixact/offsets",
    .control_lock = LwTranche::kMultiXactOffsetSlru,
    .buffer_tranche = LwTranche::kMultiXactOffsetBuffer,
    .slots = 8,
    .sync = SyncHandler::kMultiXactOffset,
    .precedes = page_precedes<kOffsetsPerPage>,
};
constexpr SlruKind kMembers = {
    .area = Area::kMultiXactMember,
    .directory = "pg_multixact/members",
    .control_lock = LwTranche::kMultiXactMemberSlru,
    .buffer_tranche = LwTranche::kMultiXactMemberBuffer,
    .slots = 16,
    .sync = SyncHandler::kMultiXactMember,
    .precedes = page_precedes<kMembersPerPage>,
};

void make_page(const SlruKind& kind, int32_t page, uint8_t info) {
  Slru slru(kind);
  LwLockGuard guard(slru.control_lock(), LwMode::kExclusive);
  slru.zero_page(page);
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerMultiXact, info);
  record.add_main(&page, sizeof page);
  wal_insert(record);
}

[[noreturn]] void complain(const DecodedRecord& record) {
  throw Error(sqlstate::kDataCorrupted, "record with invalid length at {}", record.start)
      .severity(Severity::kPanic);
}

}  // namespace

size_t MultiXactOffsetArea::size(const Limits&) {
  return slru_bytes(kOffsets);
}
void MultiXactOffsetArea::init(void* memory, const Limits&) {
  slru_init(memory, kOffsets);
}
size_t MultiXactMemberArea::size(const Limits&) {
  return slru_bytes(kMembers);
}
void MultiXactMemberArea::init(void* memory, const Limits&) {
  slru_init(memory, kMembers);
}

// --- WAL

std::vector<MultiXactWalMember> members_to_wal(std::span<const MultiXactMember> members) {
  std::vector<MultiXactWalMember> bodies;
  bodies.reserve(members.size());
  for (const MultiXactMember& member : members) {
    bodies.push_back({member.xid, static_cast<int32_t>(member.status)});
  }
  return bodies;
}

std::vector<MultiXactMember> members_of_record(const DecodedRecord& record,
                                               MultiXactCreateRecord& head) {
  if (record.main_data.size() < sizeof head) complain(record);
  std::memcpy(&head, record.main_data.data(), sizeof head);
  auto count = static_cast<size_t>(std::max(head.count, 0));
  if (record.main_data.size() < sizeof head + count * sizeof(MultiXactWalMember)) complain(record);
  const char* from = record.main_data.data() + sizeof head;
  std::vector<MultiXactMember> members;
  for (size_t i = 0; i < count; ++i, from += sizeof(MultiXactWalMember)) {
    auto body = load_le<MultiXactWalMember>(from);
    members.push_back({body.xid, static_cast<MultiXactStatus>(body.status)});
  }
  return members;
}

void redo_multixact_zero_page(const DecodedRecord& record) {
  int32_t page;
  if (record.main_data.size() < sizeof page) complain(record);
  std::memcpy(&page, record.main_data.data(), sizeof page);
  Slru slru(record.own_info() == kMultiXactZeroOffsetsPage ? kOffsets : kMembers);
  LwLockGuard guard(slru.control_lock(), LwMode::kExclusive);
  slru.write_page(slru.zero_page(page));
}

// --- pages

void extend_multixact_offsets(MultiXactId multi) {
  if (offsets_place(multi) != 0 && multi != kFirstMultiXactId) return;
  make_page(kOffsets, offsets_page(multi), kMultiXactZeroOffsetsPage);
}

void extend_multixact_members(MultiXactOffset offset, int32_t count) {
  // One page after the other, and round the end of all positions, where the last page is short.
  while (count > 0) {
    if (offset % kMembersPerPage == 0) {
      make_page(kMembers, members_page(offset), kMultiXactZeroMembersPage);
    }
    uint32_t to_next_page = kMembersPerPage - offset % kMembersPerPage;
    if (offset + to_next_page < offset) to_next_page = 0u - offset;
    count -= static_cast<int32_t>(std::min(to_next_page, uint32_t{1} << 30));
    offset += to_next_page;
  }
}

void write_multixact(MultiXactId multi, MultiXactOffset offset,
                     std::span<const MultiXactMember> members) {
  {
    Slru offsets(kOffsets);
    LwLockGuard guard(offsets.control_lock(), LwMode::kExclusive);
    int slot = offsets.read_page(offsets_page(multi), true, multi);
    store_le(offsets.page(slot) + offsets_place(multi), offset);
    offsets.mark_dirty(slot);
  }
  Slru pages(kMembers);
  LwLockGuard guard(pages.control_lock(), LwMode::kExclusive);
  int32_t page = -1;
  int slot = 0;
  for (const MultiXactMember& member : members) {
    if (members_page(offset) != page) {
      page = members_page(offset);
      slot = pages.read_page(page, true, multi);
    }
    pages.page(slot)[status_place(offset)] = static_cast<char>(member.status);
    store_le(pages.page(slot) + xid_place(offset), member.xid);
    pages.mark_dirty(slot);
    ++offset;
  }
}

MultiXactOffset read_multixact_offset(MultiXactId multi) {
  Slru offsets(kOffsets);
  int slot = offsets.read_page_shared(offsets_page(multi), multi);
  auto offset = load_le<MultiXactOffset>(offsets.page(slot) + offsets_place(multi));
  offsets.control_lock().release();
  return offset;
}

std::vector<MultiXactMember> read_multixact_members(MultiXactOffset first, int32_t count) {
  std::vector<MultiXactMember> members;
  Slru pages(kMembers);
  LwLockGuard guard(pages.control_lock(), LwMode::kExclusive);
  int32_t page = -1;
  int slot = 0;
  for (MultiXactOffset offset = first; count > 0; --count, ++offset) {
    if (members_page(offset) != page) {
      page = members_page(offset);
      slot = pages.read_page(page, true, 0);
    }
    auto xid = load_le<TransactionId>(pages.page(slot) + xid_place(offset));
    if (xid == kInvalidXid) continue;  // position 0, which nobody has
    auto status = static_cast<uint8_t>(pages.page(slot)[status_place(offset)]);
    members.push_back({xid, static_cast<MultiXactStatus>(status)});
  }
  return members;
}

// --- start-up and checkpoints

void multixact_startup() {
  MultiXactCounters counters = multixact_counters();
  {
    Slru offsets(kOffsets);
    LwLockGuard guard(offsets.control_lock(), LwMode::kExclusive);
    offsets.set_latest_page(offsets_page(counters.next));
  }
  Slru members(kMembers);
  LwLockGuard guard(members.control_lock(), LwMode::kExclusive);
  members.set_latest_page(members_page(counters.next_offset));
}

void multixact_trim() {
  multixact_startup();
  MultiXactCounters counters = multixact_counters();
  // What a crashed server wrote for ids that this one will give out again.
  if (uint32_t place = offsets_place(counters.next); place != 0) {
    Slru offsets(kOffsets);
    LwLockGuard guard(offsets.control_lock(), LwMode::kExclusive);
    int slot = offsets.read_page(offsets_page(counters.next), true, counters.next);
    std::memset(offsets.page(slot) + place, 0, kPageBytes - place);
    offsets.mark_dirty(slot);
  }
  if (counters.next_offset % kMembersPerPage == 0) return;
  Slru members(kMembers);
  LwLockGuard guard(members.control_lock(), LwMode::kExclusive);
  int slot = members.read_page(members_page(counters.next_offset), true, counters.next_offset);
  uint32_t place = xid_place(counters.next_offset);
  std::memset(members.page(slot) + place, 0, kPageBytes - place);
  members.mark_dirty(slot);
}

void multixact_checkpoint() {
  Slru(kOffsets).write_all();
  Slru(kMembers).write_all();
}

}  // namespace cofork
