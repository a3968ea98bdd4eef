// The pages of multixacts, and their WAL records: the lower half of multixact.cc. Inside txn/ only,
// but for the counters that checkpoints record.
#pragma once

#include <span>
#include <vector>

#include "shmem/segment.h"
#include "txn/multixact.h"

namespace cofork {

struct MultiXactShared {
  static constexpr Area kArea = Area::kMultiXactState;
  static constexpr const char* kName = "Shared MultiXact State";
  static size_t size(const Limits& limits);
  static void init(void*, const Limits&) {}

  // Guarded by MultiXactGenLock.
  MultiXactId next;
  MultiXactOffset next_offset;
  MultiXactId oldest;  ///< older ones cannot be asked about
  uint32_t oldest_database;

  /// Written by the owner. `oldest_member`: it may be a member of this one and newer ones.
  /// `oldest_visible`: it may ask about this one and newer ones. 0: no statement.
  struct PerProc {
    MultiXactId oldest_member;
    MultiXactId oldest_visible;
  };
  PerProc* procs() { return reinterpret_cast<PerProc*>(this + 1); }
};

struct MultiXactCounters {
  MultiXactId next;
  MultiXactOffset next_offset;
  MultiXactId oldest;
  uint32_t oldest_database;
};
MultiXactCounters multixact_counters();
/// Only start-up, in recovery.
void set_multixact_counters(const MultiXactCounters& counters);

/// CREATE_ID: this, then the members.
struct MultiXactCreateRecord {
  MultiXactId multi;
  MultiXactOffset offset;
  int32_t count;
};
struct MultiXactWalMember {
  TransactionId xid;
  int32_t status;
};
static_assert(sizeof(MultiXactCreateRecord) == 12 && sizeof(MultiXactWalMember) == 8);
std::vector<MultiXactWalMember> members_to_wal(std::span<const MultiXactMember> members);
/// Throws PANIC for a record that is too short.
std::vector<MultiXactMember> members_of_record(const DecodedRecord& record,
                                               MultiXactCreateRecord& head);

/// Makes the pages that new ids reach first; MultiXactGenLock is held exclusively.
void extend_multixact_offsets(MultiXactId multi);
void extend_multixact_members(MultiXactOffset offset, int32_t count);

void write_multixact(MultiXactId multi, MultiXactOffset offset,
                     std::span<const MultiXactMember> members);
/// 0: not written yet.
MultiXactOffset read_multixact_offset(MultiXactId multi);
std::vector<MultiXactMember> read_multixact_members(MultiXactOffset first, int32_t count);

void redo_multixact_zero_page(const DecodedRecord& record);

}  // namespace cofork
