// See write.h.
#include "wal/write.h"

#include <algorithm>
#include <array>

#include "io/durable.h"
#include "model/model.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "support/error.h"
#include "support/unordered.h"
#include "wal/checkpoint_request.h"
#include "wal/insert.h"
#include "wal/segments.h"
#include "wal/task_state.h"

namespace cofork {

namespace {

constexpr int64_t kMegabyte = 1 << 20;

/// Runs of neighbouring buffers that go to one segment file with one job: the writes, then, if it
/// is time, the sync. One trip to another thread instead of several.
class WriteJob {
 public:
  void add(const char* bytes, size_t count, uint32_t offset) {
    if (runs_ > 0) {
      Run& last = runs_list_[runs_ - 1];
      if (last.bytes + last.count == bytes && last.offset + last.count == offset) {
        last.count += count;
        return;
      }
    }
    runs_list_[runs_++] = {bytes, count, offset};
  }
  bool is_full() const { return runs_ == runs_list_.size(); }
  bool is_empty() const { return runs_ == 0; }
  void perform(WalTask& task, bool sync);

 private:
  struct Run {
    const char* bytes;
    size_t count;
    uint32_t offset;
  };
  // The ring wraps once at most within a segment's worth of pages: two runs.
  std::array<Run, 2> runs_list_;
  size_t runs_ = 0;
};

void count_io(size_t writes, bool synced, int64_t write_ns, int64_t sync_ns) {
  PendingStats& stats = my().stats;
  stats.wal_writes += static_cast<int64_t>(writes);
  stats.wal_syncs += synced ? 1 : 0;
  if (settings().get(setting::kTrackWalIoTiming)) {
    stats.wal_write_time_us += write_ns / 1000;
    stats.wal_sync_time_us += sync_ns / 1000;
  }
}

void WriteJob::perform(WalTask& task, bool sync) {
  WalSyncCall call = sync ? wal_sync_call() : WalSyncCall::kNone;
  if (runs_ == 0 && call == WalSyncCall::kNone) return;
  OperatingSystem& os = this_task().os();
  int fd = task.segment_file.descriptor();
  ssize_t written = 0;
  size_t failed_run = 0;
  int synced = 0;
  int64_t begin = 0, middle = 0, end = 0;
  wait_for_io(call == WalSyncCall::kNone ? WaitEventId::kWalWrite : WaitEventId::kWalSync, [&] {
    begin = os.clock.monotonic_ns();
    // The last page is written as far as it goes: behind the end others go on copying records in.
    RacyReads behind_the_end;
    for (size_t i = 0; i < runs_ && written >= 0; ++i) {
      failed_run = i;
      written = File::write_fully(os.files, fd, runs_list_[i].bytes, runs_list_[i].count,
                                  runs_list_[i].offset);
    }
    middle = os.clock.monotonic_ns();
    if (written >= 0 && call == WalSyncCall::kFdatasync) synced = os.files.fdatasync(fd);
    if (written >= 0 && call == WalSyncCall::kFsync) synced = os.files.fsync(fd);
    end = os.clock.monotonic_ns();
  });
  std::string name = wal_shared().geometry().segment_name(wal_shared().timeline, task.segment);
  if (written < 0) {
    const Run& run = runs_list_[failed_run];
    throw Error(sqlstate_for_file_errno(static_cast<int>(-written)),
                "could not write to log file {} at offset {}, length {}: {}", name, run.offset,
                run.count, errno_text(static_cast<int>(-written)))
        .severity(Severity::kPanic);
  }
  if (synced < 0) {
    throw file_error("fsync", task.segment_file.path(), synced).severity(Severity::kPanic);
  }
  count_io(runs_, call != WalSyncCall::kNone, middle - begin, end - middle);
  runs_ = 0;
}

void open_segment(WalShared& wal, WalTask& task, WalSegmentNo segment) {
  if (task.segment_file.is_open() && task.segment == segment) return;
  task.segment_file.close();
  task.segment_file = open_wal_segment(wal.timeline, segment);
  task.segment = segment;
}

/// The last page of a segment has been written and synced: the segment is complete.
void segment_finished(WalShared& wal, WalSegmentNo segment) {
  wal.segment_switch_s = this_task().os().clock.realtime_us() / 1000000;
  wal.segment_switch_lsn = wal.flushed.load(std::memory_order_relaxed);
  if (!recovery_in_progress() && wal_checkpoint_needed(segment)) {
    request_checkpoint(kCheckpointCauseXlog);
  }
}

/// Everything that is written counts as written; and as flushed when it has been synced.
void publish(WalShared& wal, WalTask& task) {
  raise_position(wal.write_request, task.written.value);
  wal.written.store(task.written.value, std::memory_order_release);
  wal.flushed.store(task.flushed.value, std::memory_order_release);
}

bool enough_siblings_are_busy(int siblings) {
  if (siblings <= 0) return true;
  return shared_memory().area<ProcArray>().running_count.load(std::memory_order_relaxed) > siblings;
}

}  // namespace

void write_wal(WalShared& wal, WalWriteRequest request, bool flexible) {
  WalTask& task = wal_task();
  WalGeometry geometry = wal.geometry();
  refresh_wal_positions(wal, task);
  CriticalSection critical;
  WriteJob job;
  bool stopped = false;
  while (task.written < request.write && !stopped) {
    // The page the next unwritten byte lies in, and how much of it there is.
    Lsn page{wal_page_start(task.written.value)};
    Lsn page_end = page + kWalPageBytes;
    uint32_t buffer = wal.buffer_of(page.value);
    WalSegmentNo segment = geometry.segment_of(page);
    if (job.is_empty()) open_segment(wal, task, segment);
    bool partial = request.write < page_end;
    size_t used = partial ? request.write - page : kWalPageBytes;
    // A partly filled page is written whole: the rest of it is zeros, and so is the file's.
    job.add(wal.page_in(buffer), kWalPageBytes, geometry.offset_in_segment(page));
    task.written = page + used;

    bool finishes_segment = !partial && geometry.offset_in_segment(page_end) == 0;
    bool last = task.written >= request.write;
    bool wraps = buffer == wal.buffers - 1;
    if (finishes_segment) {
      job.perform(task, true);
      task.flushed = task.written;
      publish(wal, task);
      segment_finished(wal, segment);
    } else if (!last && flexible && wraps) {
      job.perform(task, false);
      stopped = true;
    } else if (!last && job.is_full() && wraps) {
      job.perform(task, false);
    }
  }
  bool sync = task.flushed < request.flush && task.flushed < task.written;
  if (!job.is_empty() || sync) {
    // When somebody else has written, the file to be synced may not be the one open here.
    if (job.is_empty()) open_segment(wal, task, geometry.segment_before(task.written));
    job.perform(task, sync);
  }
  if (sync) task.flushed = task.written;
  publish(wal, task);
  critical.end();
}

void wal_flush(Lsn upto) {
  if (!wal_insert_allowed()) return;
  WalShared& wal = wal_shared();
  WalTask& task = wal_task();
  if (upto <= task.flushed) return;

  CriticalSection critical;
  LwLock& write_lock = main_lwlock(LwTranche::kWalWrite);
  for (;;) {
    Lsn target = std::max(upto, Lsn{wal.write_request.load(std::memory_order_acquire)});
    refresh_wal_positions(wal, task);
    if (upto <= task.flushed) break;
    Lsn inserted = wait_for_insertions(wal, target);
    // Not obtained: the holder was at work, and has probably done ours too.
    if (!write_lock.acquire_or_wait(LwMode::kExclusive)) continue;
    refresh_wal_positions(wal, task);
    if (upto <= task.flushed) {
      write_lock.release();
      break;
    }
    int delay_us = settings().get(setting::kCommitDelay);
    if (delay_us > 0 && fsync_is_enabled() &&
        enough_siblings_are_busy(settings().get(setting::kCommitSiblings))) {
      // Let others finish, so that one sync serves them too; they need not wait for us.
      this_task().model().pause_us(this_task(), delay_us);
      inserted = wait_for_insertions(wal, inserted);
    }
    write_wal(wal, {inserted, inserted}, false);
    write_lock.release();
    break;
  }
  critical.end();

  if (task.flushed < upto) {
    throw Error(sqlstate::kInternalError,
                "xlog flush request {} is not satisfied --- flushed only to {}", upto,
                task.flushed);
  }
}

Lsn wal_flushed() {
  WalShared& wal = wal_shared();
  WalTask& task = wal_task();
  refresh_wal_positions(wal, task);
  return task.flushed;
}

Lsn wal_written() {
  refresh_wal_positions(wal_shared(), wal_task());
  return wal_task().written;
}

bool wal_background_flush() {
  if (recovery_in_progress()) return false;
  WalShared& wal = wal_shared();
  WalTask& task = wal_task();
  bool flexible = true;
  Lsn target{wal_page_start(wal.write_request.load(std::memory_order_acquire))};
  refresh_wal_positions(wal, task);
  if (target <= task.flushed) {
    // No full page is waiting: an asynchronous commit may be, in the middle of one.
    target = {wal.async_commit.load(std::memory_order_acquire)};
    flexible = false;
  }
  if (target <= task.flushed) {
    if (task.segment_file.is_open() &&
        wal.geometry().segment_before(task.written) != task.segment) {
      task.segment_file.close();
    }
    return false;
  }

  int64_t now = this_task().os().clock.monotonic_ns();
  int flush_after_pages = settings().get(setting::kWalWriterFlushAfter);
  int64_t delay_ns = int64_t{settings().get(setting::kWalWriterDelay)} * 1000000;
  uint64_t pages_behind = target.value / kWalPageBytes - task.flushed.value / kWalPageBytes;
  bool flush = flush_after_pages == 0 || task.last_background_flush_ns == 0 ||
               now - static_cast<int64_t>(task.last_background_flush_ns) >= delay_ns ||
               pages_behind >= static_cast<uint64_t>(flush_after_pages);
  if (flush) task.last_background_flush_ns = static_cast<uint64_t>(now);

  CriticalSection critical;
  wait_for_insertions(wal, target);
  {
    LwLockGuard guard(LwTranche::kWalWrite, LwMode::kExclusive);
    refresh_wal_positions(wal, task);
    if (target > task.written || (flush && target > task.flushed)) {
      write_wal(wal, {std::max(target, task.written), flush ? target : Lsn{}}, flexible);
    }
  }
  critical.end();
  advance_wal_buffers(wal, {}, true);
  return true;
}

bool wal_note_async_commit(Lsn lsn) {
  WalShared& wal = wal_shared();
  raise_position(wal.async_commit, lsn.value);
  // Awake, it will come by soon; it need not come earlier for less than a page.
  if (wal.writer_sleeping.load(std::memory_order_seq_cst)) return true;
  return wal_page_start(lsn.value) > wal.flushed.load(std::memory_order_acquire);
}

void wal_set_writer_sleeping(bool sleeping) {
  wal_shared().writer_sleeping.store(sleeping, std::memory_order_seq_cst);
}

int wal_checkpoint_segments() {
  int64_t segment_bytes = wal_shared().segment_bytes.load(std::memory_order_relaxed);
  int64_t max_segments = settings().get(setting::kMaxWalSize) * kMegabyte / segment_bytes;
  double target = settings().get(setting::kCheckpointCompletionTarget);
  return std::max(1, static_cast<int>(static_cast<double>(max_segments) / (1.0 + target)));
}

bool wal_checkpoint_needed(WalSegmentNo segment) {
  WalSegmentNo redo_segment = wal_shared().geometry().segment_of(wal_redo());
  return segment >= redo_segment + static_cast<WalSegmentNo>(wal_checkpoint_segments()) - 1;
}

}  // namespace cofork
