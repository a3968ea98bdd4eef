// See sync_request.h.
#include "storage/sync_request.h"

#include <fcntl.h>

#include <cerrno>
#include <unordered_set>
#include <utility>

#include "io/durable.h"
#include "log/log.h"
#include "model/model.h"
#include "settings/setting.h"
#include "shmem/proc.h"
#include "shmem/stats.h"
#include "storage/relation_files.h"
#include "storage/task_state.h"

namespace cofork {

namespace {

constexpr int kSyncsPerAbsorb = 10;     // FSYNCS_PER_ABSORB
constexpr int kRemovalsPerAbsorb = 10;  // UNLINKS_PER_ABSORB
constexpr int64_t kRetryMs = 10;

uint64_t mix(uint64_t hash, uint64_t word) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  hash = (hash ^ word) * kOdd;
  return hash ^ (hash >> 32);
}

size_t hash_tag(const SyncTag& tag) {
  uint64_t hash = mix(static_cast<uint64_t>(tag.handler), static_cast<uint64_t>(tag.fork));
  hash = mix(hash, (static_cast<uint64_t>(tag.file.tablespace) << 32) | tag.file.database);
  return mix(hash, (static_cast<uint64_t>(tag.file.number) << 32) | tag.segment);
}

struct RequestHash {
  size_t operator()(const SyncRequest& request) const {
    return mix(hash_tag(request.tag), static_cast<uint64_t>(request.type));
  }
};

/// ForwardSyncRequest. False: no checkpointer, or no room.
bool forward(const SyncRequest& request) {
  CheckpointerShared& shared = checkpointer_shared();
  int32_t capacity = CheckpointerShared::request_capacity(shared_memory().limits());
  int32_t checkpointer =
      shared_memory().area<ProcHeader>().checkpointer.load(std::memory_order_acquire);
  bool counts = my_proc().type != BackendType::kBackgroundWriter;
  bool half_full;
  {
    LwLockGuard guard(LwTranche::kCheckpointerComm, LwMode::kExclusive);
    shared.backend_writes += counts ? 1 : 0;
    if (shared.request_count >= capacity && this_task().critical_section == 0) {
      // (Compacting allocates, which must not fail inside a critical section.)
      shared.request_count = compact_requests(shared.requests(), shared.request_count);
    }
    if (checkpointer == kNoProc || shared.request_count >= capacity) {
      shared.backend_syncs += counts ? 1 : 0;
      return false;
    }
    shared.requests()[shared.request_count++] = request;
    half_full = shared.request_count >= capacity / 2;
  }
  if (half_full) set_latch(all_procs()[checkpointer].latch);
  return true;
}

bool submit(const SyncRequest& request) {
  if (PendingSyncs* mine = my_pending_syncs()) {
    mine->remember(request);
    return true;
  }
  return forward(request);
}

void submit_patiently(const SyncRequest& request) {
  while (!submit(request)) {
    wait_latch(kWaitTimeout | kWaitExitOnPostmasterDeath, kRetryMs,
               WaitEventId::kRegisterSyncRequest);
  }
}

const char* directory_of(SyncHandler handler) {
  switch (handler) {
    case SyncHandler::kClog:
      return "pg_xact";
    case SyncHandler::kCommitTs:
      return "pg_commit_ts";
    case SyncHandler::kMultiXactOffset:
      return "pg_multixact/offsets";
    case SyncHandler::kMultiXactMember:
      return "pg_multixact/members";
    case SyncHandler::kRelation:
    case SyncHandler::kNone:
      break;
  }
  throw Error(sqlstate::kInternalError, "invalid sync handler: {}", static_cast<int>(handler));
}

/// Opens and syncs a file by its name: 0 or -errno.
int sync_file(const std::string& path) {
  File file;
  int error = file.open(path, O_RDWR);
  return error != 0 ? error : file.sync(WaitEventId::kDataFileSync);
}

}  // namespace

std::string sync_tag_path(const SyncTag& tag) {
  if (tag.handler == SyncHandler::kRelation) return relation_path(tag.file, tag.fork, tag.segment);
  return fmt::format("{}/{:04X}", directory_of(tag.handler), tag.segment);
}

bool request_sync(const SyncTag& tag) {
  return submit({SyncRequestType::kSync, tag});
}
void request_unlink(const SyncTag& tag) {
  submit_patiently({SyncRequestType::kUnlink, tag});
}
void forget_sync(const SyncTag& tag) {
  submit_patiently({SyncRequestType::kForget, tag});
}
void forget_database_syncs(uint32_t database) {
  SyncTag tag;
  tag.file.database = database;
  submit_patiently({SyncRequestType::kFilter, tag});
  // And whoever has its files open lets go of them.
  checkpointer_shared().files_removed.fetch_add(1, std::memory_order_acq_rel);
}

int32_t compact_requests(SyncRequest* requests, int32_t count) {
  // From the end: the last of equal requests is the one that stays.
  std::unordered_set<SyncRequest, RequestHash> seen;
  seen.reserve(static_cast<size_t>(count));
  int32_t kept_from = count;
  for (int32_t i = count; i-- > 0;) {
    if (seen.insert(requests[i]).second) requests[--kept_from] = requests[i];
  }
  if (kept_from == 0) return count;
  std::move(requests + kept_from, requests + count, requests);
  log(Severity::kDebug1, "compacted fsync request queue from {} entries to {} entries", count,
      count - kept_from);
  return count - kept_from;
}

size_t PendingSyncs::TagHash::operator()(const SyncTag& tag) const {
  return hash_tag(tag);
}

PendingSyncs::PendingSyncs() {
  storage_task().pending_syncs = this;
}
PendingSyncs::~PendingSyncs() {
  // At the end of the task its storage state may have gone first.
  if (auto* mine = this_task().slot<StorageTask>()) mine->pending_syncs = nullptr;
}

PendingSyncs* my_pending_syncs() {
  auto* mine = this_task().slot<StorageTask>();
  return mine == nullptr ? nullptr : mine->pending_syncs;
}

void PendingSyncs::absorb() {
  CheckpointerShared& shared = checkpointer_shared();
  CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
  std::vector<SyncRequest> taken;
  {
    LwLockGuard guard(LwTranche::kCheckpointerComm, LwMode::kExclusive);
    taken.assign(shared.requests(), shared.requests() + shared.request_count);
    shared.request_count = 0;
    stats.backend_writes += std::exchange(shared.backend_writes, 0u);
    stats.backend_syncs += std::exchange(shared.backend_syncs, 0u);
  }
  // A request that got lost here would be an fsync that never happens.
  CriticalSection critical;
  for (const SyncRequest& request : taken) remember(request);
  critical.end();
}

void PendingSyncs::remember(const SyncRequest& request) {
  const SyncTag& tag = request.tag;
  switch (request.type) {
    case SyncRequestType::kSync: {
      auto [found, is_new] = files_.try_emplace(tag, Entry{sync_cycle_, false});
      // One that is waiting keeps its cycle: it must be synced by the round that it came before.
      if (!is_new && found->second.cancelled) found->second = {sync_cycle_, false};
      break;
    }
    case SyncRequestType::kUnlink:
      removals_.push_back({tag, checkpoint_cycle_, false});
      break;
    case SyncRequestType::kForget:
      if (auto found = files_.find(tag); found != files_.end()) found->second.cancelled = true;
      break;
    case SyncRequestType::kFilter:
      for (auto& [file, entry] : files_) {
        if (file.handler == SyncHandler::kRelation && file.file.database == tag.file.database) {
          entry.cancelled = true;
        }
      }
      for (Removal& removal : removals_) {
        if (removal.tag.file.database == tag.file.database) removal.cancelled = true;
      }
      break;
  }
}

void PendingSyncs::before_checkpoint() {
  absorb();
  ++checkpoint_cycle_;
}

/// True when the file is on disk, or no longer needs to be.
bool PendingSyncs::sync_one(const SyncTag& tag, SyncFigures& figures) {
  std::string path = sync_tag_path(tag);
  Clock& clock = this_task().os().clock;
  for (int failures = 0;; ++failures) {
    auto found = files_.find(tag);
    if (found == files_.end() || found->second.cancelled) return true;
    int64_t begin = clock.monotonic_ns();
    int error = sync_file(path);
    if (error == 0) {
      int64_t took = clock.monotonic_ns() - begin;
      ++figures.files;
      figures.total_ns += took;
      figures.longest_ns = std::max(figures.longest_ns, took);
      log(Severity::kDebug1, "checkpoint sync: number={} file={} time={:.3f} ms", figures.files,
          path, static_cast<double>(took) / 1e6);
      return true;
    }
    // Gone: then a cancellation must be on its way. Once.
    if (error != -ENOENT || failures > 0) {
      throw file_error("fsync", path, error).severity(data_sync_severity(Severity::kError));
    }
    log(Severity::kDebug1, "could not fsync file \"{}\" but retrying: {}", path,
        errno_text(-error));
    absorb();
  }
}

SyncFigures PendingSyncs::sync_all() {
  absorb();
  // After a failure old entries might look as new as those to come.
  if (syncing_) {
    for (auto& [tag, entry] : files_) entry.cycle = sync_cycle_;
  }
  ++sync_cycle_;
  syncing_ = true;
  std::vector<SyncTag> due;
  due.reserve(files_.size());
  for (const auto& [tag, entry] : files_) due.push_back(tag);
  SyncFigures figures;
  int until_absorb = kSyncsPerAbsorb;
  for (const SyncTag& tag : due) {
    if (fsync_is_enabled()) {
      // The queue must not run full while we are busy.
      if (--until_absorb <= 0) {
        absorb();
        until_absorb = kSyncsPerAbsorb;
      }
      sync_one(tag, figures);
    }
    // Written again meanwhile? It was synced after that, or the request is in the queue again.
    if (auto found = files_.find(tag);
        found != files_.end() && (found->second.cycle != sync_cycle_ || found->second.cancelled)) {
      files_.erase(found);
    }
  }
  syncing_ = false;
  return figures;
}

void PendingSyncs::after_checkpoint() {
  FileSystem& files = task_files();
  int until_absorb = kRemovalsPerAbsorb;
  size_t done = 0;
  bool removed = false;
  // Entries of this cycle came after the checkpoint began. absorb() may append meanwhile.
  for (; done < removals_.size() && removals_[done].cycle != checkpoint_cycle_; ++done) {
    if (removals_[done].cancelled) continue;
    std::string path = sync_tag_path(removals_[done].tag);
    int error = files.unlink(path);
    removed |= error == 0;
    if (error != 0 && error != -ENOENT) {
      ErrorData warning = std::move(file_error("remove", path, error).data());
      warning.severity = Severity::kWarning;
      report(warning);
    }
    if (--until_absorb <= 0) {
      absorb();
      until_absorb = kRemovalsPerAbsorb;
    }
  }
  removals_.erase(removals_.begin(), removals_.begin() + static_cast<std::ptrdiff_t>(done));
  if (removed) checkpointer_shared().files_removed.fetch_add(1, std::memory_order_acq_rel);
}

}  // namespace cofork
