// See shared_memory.h.
#include "postmaster/shared_memory.h"

#include <fmt/core.h>

#include <array>
#include <cerrno>

#include "access/btree_vacuum_state.h"
#include "catalog/invalidation.h"
#include "os/process.h"
#include "recovery/cluster_state.h"
#include "shmem/backend_status.h"
#include "shmem/background_worker.h"
#include "shmem/lwlock.h"
#include "shmem/pm_signal.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "shmem/proc_signal.h"
#include "shmem/stats.h"
#include "shmem/task_table.h"
#include "shmem/wait_profile.h"
#include "storage/buffer_descriptor.h"
#include "txn/lock_table.h"
#include "txn/log_areas.h"
#include "txn/multixact_pages.h"
#include "txn/variable_cache.h"
#include "wal/checkpoint_request.h"
#include "wal/shared.h"

namespace cofork {

namespace {

// In the order of Area, which is the order in memory.
constexpr std::array kAreas = {
    area_spec<WalShared>(),
    area_spec<ControlFileShared>(),
    area_spec<RecoveryShared>(),
    area_spec<VariableCache>(),
    area_spec<CommitLogArea>(),
    area_spec<SubtransArea>(),
    area_spec<MultiXactOffsetArea>(),
    area_spec<MultiXactMemberArea>(),
    area_spec<MultiXactShared>(),
    area_spec<BufferDescriptorArea>(),
    area_spec<BufferBlockArea>(),
    area_spec<BufferIoCondition>(),
    area_spec<CheckpointEntry>(),
    area_spec<BufferMap>(),
    area_spec<BufferStrategy>(),
    area_spec<LwLockArea>(),
    area_spec<ProcHeader>(),
    area_spec<Procs>(),
    area_spec<ProcArray>(),
    area_spec<ProcSubxids>(),
    area_spec<LockTable>(),
    area_spec<LockHolders>(),
    area_spec<StrongLocks>(),
    area_spec<LockProcs>(),
    area_spec<BackendStatusArray>(),
    area_spec<StatusApplicationName>(),
    area_spec<StatusClientHostname>(),
    area_spec<StatusActivity>(),
    area_spec<WorkerArray>(),
    area_spec<PmSignalState>(),
    area_spec<ProcSignalHeader>(),
    area_spec<Invalidations>(),
    area_spec<CheckpointerShared>(),
    area_spec<SharedStats>(),
    area_spec<TaskTable>(),
    area_spec<WaitProfile>(),
    area_spec<BtreeVacuumArea>(),
};

}  // namespace

std::span<const AreaSpec> all_areas() {
  return kAreas;
}

Limits limits_from(const SettingsView& settings) {
  Limits limits;
  limits.max_connections = settings.get(setting::kMaxConnections);
  limits.autovacuum_max_workers = settings.get(setting::kAutovacuumMaxWorkers);
  limits.max_worker_processes = settings.get(setting::kMaxWorkerProcesses);
  limits.max_wal_senders = settings.get(setting::kMaxWalSenders);
  limits.max_prepared_transactions = settings.get(setting::kMaxPreparedTransactions);
  limits.max_locks_per_transaction = settings.get(setting::kMaxLocksPerTransaction);
  limits.track_activity_query_size = settings.get(setting::kTrackActivityQuerySize);
  limits.shared_buffers = settings.get(setting::kSharedBuffers);
  limits.wal_buffers = settings.get(setting::kWalBuffers);
  if (limits.max_backends() > kMaxBackendsCeiling) {
    throw Error(sqlstate::kInternalError, "too many backends configured");
  }
  return limits;
}

int shared_memory_size_mb(const Limits& limits) {
  constexpr size_t kMegabyte = 1024 * 1024;
  return static_cast<int>((segment_size(all_areas(), limits) + kMegabyte - 1) / kMegabyte);
}

int shared_memory_size_in_huge_pages(const Limits& limits, int page_kb) {
  size_t page = page_kb > 0 ? static_cast<size_t>(page_kb) * 1024 : preferred_huge_page_bytes();
  if (page == 0) return -1;
  return static_cast<int>((segment_size(all_areas(), limits) + page - 1) / page);
}

void ServerMemory::create(const Limits& limits, Pid postmaster) {
  limits_ = limits;
  postmaster_ = postmaster;
  bytes_ = segment_size(all_areas(), limits);
  int error = 0;
  void* base = map_shared_memory(bytes_, error);
  if (base == nullptr) {
    Error failed(sqlstate::kInternalError, "could not map anonymous shared memory: {}",
                 errno_text(error));
    if (error == ENOMEM) {
      throw std::move(failed)
          .hint(
              "This error usually means that PostgreSQL's request for a shared memory segment "
              "exceeded available memory, swap space, or huge pages. To reduce the request size "
              "(currently {} bytes), reduce PostgreSQL's shared memory usage, perhaps by reducing "
              "shared_buffers or max_connections.",
              bytes_)
          .fatal();
    }
    throw std::move(failed).fatal();
  }
  segment_ = SharedMemory(base);
  struct stat directory {};
  files_.stat(".", directory);
  lay_out_segment(base, bytes_, all_areas(), limits_, postmaster_, directory.st_dev,
                  directory.st_ino);
}

void ServerMemory::create_again() {
  uint64_t device = segment_.header().data_directory_device;
  uint64_t inode = segment_.header().data_directory_inode;
  clear_shared_memory(segment_.base(), bytes_);
  lay_out_segment(segment_.base(), bytes_, all_areas(), limits_, postmaster_, device, inode);
}

void ServerMemory::create_interlock(Pid postmaster) {
  struct stat directory {};
  files_.stat(".", directory);
  InterlockHeader header{SegmentHeader::kMagic, postmaster, directory.st_dev, directory.st_ino, {}};
  const char* step = "";
  auto first_key = static_cast<uint32_t>(directory.st_ino);
  int error = -cofork::create_interlock(first_key, header, interlock_, step);
  if (error != 0) {
    throw Error(sqlstate::kInternalError, "could not create shared memory segment: {}",
                errno_text(error))
        .detail("Failed system call was {}(key={}, size={}).", step, first_key, sizeof header)
        .fatal();
  }
}

void ServerMemory::adopt_interlock(const Interlock& interlock) {
  interlock_ = interlock;
  int error = -attach_interlock(interlock_);
  if (error != 0) {
    throw Error(sqlstate::kInternalError, "could not attach to existing shared memory: {}",
                errno_text(error))
        .fatal();
  }
}

void ServerMemory::remove() {
  remove_interlock(interlock_);
}

std::string ServerMemory::lock_file_line() const {
  return fmt::format("{:9} {:9}", interlock_.key, interlock_.id);
}

}  // namespace cofork
