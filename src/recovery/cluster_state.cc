// See cluster_state.h.
#include "recovery/cluster_state.h"

#include "io/file.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "support/error.h"
#include "txn/multixact_pages.h"
#include "txn/variable_cache.h"
#include "wal/shared.h"

namespace cofork {

namespace {

ControlFileData& shared_control() {
  return shared_memory().area<ControlFileShared>().data;
}

}  // namespace

void load_cluster_state() {
  ControlFileData control = read_control_file();
  {
    LwLockGuard guard(LwTranche::kControlFile, LwMode::kExclusive);
    shared_control() = control;
  }
  WalShared& wal = wal_shared();
  wal.segment_bytes = control.wal_segment_bytes;
  wal.system_identifier = control.system_identifier;
  wal.page_checksums = control.data_checksum_version != 0;
  wal.timeline = control.checkpoint_copy.timeline;
}

ControlFileData control_file_copy() {
  LwLockGuard guard(LwTranche::kControlFile, LwMode::kShared);
  return shared_control();
}

void update_control_file(const std::function<void(ControlFileData&)>& change) {
  LwLockGuard guard(LwTranche::kControlFile, LwMode::kExclusive);
  ControlFileData& control = shared_control();
  change(control);
  write_control_file(control, task_os().clock.realtime_us() / 1000000);
}

ClusterCounters cluster_counters(bool announced) {
  ClusterCounters counters;
  VariableCache& cache = variable_cache();
  {
    LwLockGuard guard(LwTranche::kXidGen, LwMode::kShared);
    counters.next_xid = next_full_xid().value;
    counters.oldest_xid = cache.oldest_xid;
    counters.oldest_xid_database = cache.oldest_xid_database;
  }
  {
    LwLockGuard guard(LwTranche::kOidGen, LwMode::kShared);
    counters.next_oid = cache.next_oid + (announced ? cache.oids_announced : 0);
  }
  {
    LwLockGuard guard(LwTranche::kCommitTs, LwMode::kShared);
    counters.oldest_commit_timestamp_xid = cache.oldest_commit_timestamp_xid;
    counters.newest_commit_timestamp_xid = cache.newest_commit_timestamp_xid;
  }
  MultiXactCounters multi = multixact_counters();
  counters.next_multi = multi.next;
  counters.next_multi_offset = multi.next_offset;
  counters.oldest_multi = multi.oldest;
  counters.oldest_multi_database = multi.oldest_database;
  return counters;
}

void set_cluster_counters(const ClusterCounters& counters) {
  VariableCache& cache = variable_cache();
  {
    LwLockGuard guard(LwTranche::kXidGen, LwMode::kExclusive);
    cache.next_xid.store(counters.next_xid, std::memory_order_release);
  }
  {
    LwLockGuard guard(LwTranche::kOidGen, LwMode::kExclusive);
    cache.next_oid = counters.next_oid;
    cache.oids_announced = 0;
  }
  {
    LwLockGuard guard(LwTranche::kCommitTs, LwMode::kExclusive);
    cache.oldest_commit_timestamp_xid = counters.oldest_commit_timestamp_xid;
    cache.newest_commit_timestamp_xid = counters.newest_commit_timestamp_xid;
  }
  set_xid_limits(counters.oldest_xid, counters.oldest_xid_database);
  set_multixact_counters({counters.next_multi, counters.next_multi_offset, counters.oldest_multi,
                          counters.oldest_multi_database});
}

void counters_to_checkpoint(const ClusterCounters& counters, CheckPoint& checkpoint) {
  checkpoint.next_xid = counters.next_xid;
  checkpoint.next_oid = counters.next_oid;
  checkpoint.next_multi = counters.next_multi;
  checkpoint.next_multi_offset = counters.next_multi_offset;
  checkpoint.oldest_xid = counters.oldest_xid;
  checkpoint.oldest_xid_database = counters.oldest_xid_database;
  checkpoint.oldest_multi = counters.oldest_multi;
  checkpoint.oldest_multi_database = counters.oldest_multi_database;
  checkpoint.oldest_commit_timestamp_xid = counters.oldest_commit_timestamp_xid;
  checkpoint.newest_commit_timestamp_xid = counters.newest_commit_timestamp_xid;
}

ClusterCounters counters_of_checkpoint(const CheckPoint& checkpoint) {
  return {.next_xid = checkpoint.next_xid,
          .next_oid = checkpoint.next_oid,
          .next_multi = checkpoint.next_multi,
          .next_multi_offset = checkpoint.next_multi_offset,
          .oldest_xid = checkpoint.oldest_xid,
          .oldest_xid_database = checkpoint.oldest_xid_database,
          .oldest_multi = checkpoint.oldest_multi,
          .oldest_multi_database = checkpoint.oldest_multi_database,
          .oldest_commit_timestamp_xid = checkpoint.oldest_commit_timestamp_xid,
          .newest_commit_timestamp_xid = checkpoint.newest_commit_timestamp_xid};
}

void check_wal_size_settings(const ControlFileData& control) {
  auto check = [&](IntegerSetting id, const char* name) {
    int64_t segments = (int64_t{settings().get(id)} << 20) / control.wal_segment_bytes;
    if (segments >= 2) return;
    throw Error(sqlstate::kInvalidParameterValue,
                "\"{}\" must be at least twice \"wal_segment_size\"", name)
        .fatal();
  };
  check(setting::kMinWalSize, "min_wal_size");
  check(setting::kMaxWalSize, "max_wal_size");
}

}  // namespace cofork
