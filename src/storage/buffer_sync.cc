// Writing dirty pages in advance: at a checkpoint all of them, in the background those that the
// clock hand will come to (as BufferSync and BgBufferSync in bufmgr.c, 15).
#include <algorithm>
#include <cmath>
#include <queue>
#include <tuple>

#include "settings/setting.h"
#include "storage/buffer_access.h"
#include "storage/setting_or.h"
#include "storage/writeback.h"
#include "wal/checkpoint_request.h"

namespace cofork {

using namespace buffer_state;

namespace {

struct SyncOne {
  bool reusable = false;  ///< nobody has it pinned or has used it lately
  bool written = false;
};

/// Writes a buffer if it is dirty; with `skip_used` only if it could be replaced now.
/// (SyncOneBuffer)
SyncOne sync_one(BufferAccess& access, int32_t number, bool skip_used, Writeback& writeback,
                 int flush_after) {
  SyncOne result;
  if (number >= access.used_count()) {
    result.reusable = true;  // never used: its memory is left alone
    return result;
  }
  BufferDescriptor& descriptor = access.descriptor(number);
  access.reserve_pin();
  uint32_t state = descriptor.lock_header();
  result.reusable = pins(state) == 0 && uses(state) == 0;
  bool dirty = (state & (kValid | kDirty)) == (kValid | kDirty);
  if (!dirty || (skip_used && !result.reusable)) {
    descriptor.unlock_header(state);
    return result;
  }
  BufferTag tag = descriptor.tag;
  access.flush_locked(descriptor, state);
  writeback.add(tag, flush_after);
  result.written = true;
  return result;
}

/// Marks what is dirty now, and lists it; how many. Later dirtied pages have their records after
/// the redo pointer: they are not this checkpoint's business.
int32_t mark_dirty_buffers(BufferAccess& access, uint32_t flags, CheckpointEntry* entries) {
  bool unlogged_too =
      (flags & (kCheckpointIsShutdown | kCheckpointEndOfRecovery | kCheckpointFlushAll)) != 0;
  uint32_t mask = kDirty | (unlogged_too ? 0 : kPermanent);
  int32_t count = 0;
  for (int32_t i = 0, end = access.used_count(); i < end; ++i) {
    BufferDescriptor& descriptor = access.descriptor(i);
    uint32_t state = descriptor.lock_header();
    if ((state & mask) == mask) {
      state |= kCheckpointNeeded;
      const BufferTag& tag = descriptor.tag;
      entries[count++] = {tag.file.tablespace, tag.file.number, tag.fork, tag.block, i};
    }
    descriptor.unlock_header(state);
  }
  std::sort(entries, entries + count, [](const CheckpointEntry& a, const CheckpointEntry& b) {
    return std::tie(a.tablespace, a.number, a.fork, a.block) <
           std::tie(b.tablespace, b.number, b.fork, b.block);
  });
  return count;
}

/// One tablespace's part of the list. The one that is least far along writes next, so that all
/// disks are busy until the end.
struct Run {
  const CheckpointEntry* next;
  const CheckpointEntry* end;
  double slice;  ///< progress an entry makes: all runs end at the same one
  double progress = 0;
  bool operator<(const Run& other) const { return progress > other.progress; }
};

std::priority_queue<Run> runs_of(const CheckpointEntry* entries, int32_t count) {
  std::priority_queue<Run> runs;
  for (int32_t i = 0; i < count;) {
    int32_t end = i;
    while (end < count && entries[end].tablespace == entries[i].tablespace) ++end;
    runs.push({entries + i, entries + end, static_cast<double>(count) / (end - i)});
    i = end;
  }
  return runs;
}

}  // namespace

int buffers_sync(uint32_t flags, const std::function<void(double)>& pause) {
  BufferAccess& access = buffer_access();
  auto* entries = static_cast<CheckpointEntry*>(shared_memory().at(Area::kCheckpointBuffers));
  int32_t count = mark_dirty_buffers(access, flags, entries);
  Writeback writeback;
  int flush_after = setting_or(setting::kCheckpointFlushAfter, 0);
  int written = 0;
  int32_t processed = 0;
  for (auto runs = runs_of(entries, count); !runs.empty();) {
    Run run = runs.top();
    runs.pop();
    int32_t number = run.next->buffer;
    // Without the lock: somebody else may have written it, then the mark is gone.
    uint32_t state = access.descriptor(number).state.load(std::memory_order_relaxed);
    if ((state & kCheckpointNeeded) != 0 &&
        sync_one(access, number, false, writeback, flush_after).written) {
      ++written;
    }
    run.progress += run.slice;
    if (++run.next != run.end) runs.push(run);
    pause(static_cast<double>(++processed) / count);
  }
  writeback.issue();
  return written;
}

// --- background writer

namespace {

constexpr float kSmoothingSamples = 16;
constexpr double kWholeScanMs = 120000.0;  ///< the pool is looked through about once in this time

struct Hand {
  int32_t buffer;
  uint32_t passes;
  int32_t allocated;  ///< since the last call
};

/// StrategySyncStart.
Hand read_hand(BufferAccess& access) {
  BufferStrategy& strategy = access.strategy();
  SpinGuard guard(strategy.mutex);
  uint32_t hand = strategy.hand.load(std::memory_order_relaxed);
  auto count = static_cast<uint32_t>(access.count());
  return {static_cast<int32_t>(hand % count), strategy.complete_passes + hand / count,
          static_cast<int32_t>(strategy.allocated.exchange(0, std::memory_order_relaxed))};
}

struct Lap {
  int64_t hand_moved;    ///< since the last round
  int32_t buffers_left;  ///< until we are a whole turn ahead of the hand
};

/// Where we stand against the clock hand; we start again from it when it has overtaken us.
Lap compare_with_hand(SweepHistory& history, const Hand& hand, int32_t count) {
  Lap lap{0, count};
  bool ahead = false;
  if (history.valid) {
    auto passes = static_cast<int32_t>(hand.passes - history.strategy_passes);
    lap.hand_moved = hand.buffer - history.strategy_buffer + int64_t{passes} * count;
    auto passes_ahead = static_cast<int32_t>(history.next_passes - hand.passes);
    if (passes_ahead > 0) {
      lap.buffers_left = hand.buffer - history.next_to_clean;
      ahead = true;
    } else if (passes_ahead == 0 && history.next_to_clean >= hand.buffer) {
      lap.buffers_left = count - (history.next_to_clean - hand.buffer);
      ahead = true;
    }
  }
  if (!ahead) {
    history.next_to_clean = hand.buffer;
    history.next_passes = hand.passes;
  }
  history.strategy_buffer = hand.buffer;
  history.strategy_passes = hand.passes;
  history.valid = true;
  return lap;
}

/// How many buffers should be ready for the allocations of the next round.
int32_t estimate_need(SweepHistory& history, int32_t allocated, int32_t reusable_ahead,
                      int32_t count) {
  // Follows a rise at once and a fall slowly.
  if (history.smoothed_alloc <= static_cast<float>(allocated)) {
    history.smoothed_alloc = static_cast<float>(allocated);
  } else {
    history.smoothed_alloc +=
        (static_cast<float>(allocated) - history.smoothed_alloc) / kSmoothingSamples;
  }
  double multiplier = setting_or(setting::kBgwriterLruMultiplier, 2.0);
  auto need = static_cast<int32_t>(static_cast<double>(history.smoothed_alloc) * multiplier);
  if (need == 0) history.smoothed_alloc = 0;  // no denormal numbers
  double rounds = kWholeScanMs / setting_or(setting::kBgwriterDelay, 200);
  auto scan_at_least = static_cast<int32_t>(count / rounds);
  return std::max(need, scan_at_least + reusable_ahead);
}

}  // namespace

SweepResult bgwriter_sweep(SweepHistory& history) {
  BufferAccess& access = buffer_access();
  SweepResult result;
  Hand hand = read_hand(access);
  result.buffers_allocated = hand.allocated;
  int32_t maximum = setting_or(setting::kBgwriterLruMaxpages, 100);
  if (maximum <= 0) {
    history.valid = false;
    result.may_hibernate = true;
    return result;
  }
  int32_t count = access.count();
  Lap lap = compare_with_hand(history, hand, count);
  // How far the hand goes for one allocation tells how many buffers ahead of it are reusable.
  if (lap.hand_moved > 0 && hand.allocated > 0) {
    float scanned = static_cast<float>(lap.hand_moved) / static_cast<float>(hand.allocated);
    history.smoothed_density += (scanned - history.smoothed_density) / kSmoothingSamples;
  }
  auto reusable_ahead =
      static_cast<int32_t>(static_cast<float>(count - lap.buffers_left) / history.smoothed_density);
  int32_t need = estimate_need(history, hand.allocated, reusable_ahead, count);

  Writeback writeback;
  int flush_after = setting_or(setting::kBgwriterFlushAfter, 0);
  int32_t left = lap.buffers_left;
  int32_t reusable = reusable_ahead;
  while (left > 0 && reusable < need) {
    SyncOne one = sync_one(access, history.next_to_clean, true, writeback, flush_after);
    if (++history.next_to_clean >= count) {
      history.next_to_clean = 0;
      ++history.next_passes;
    }
    --left;
    if (one.reusable) ++reusable;
    if (one.written && ++result.buffers_written >= maximum) {
      result.stopped_at_maximum = true;
      break;
    }
  }
  writeback.issue();
  int32_t scanned = lap.buffers_left - left;
  int32_t found = reusable - reusable_ahead;
  if (scanned > 0 && found > 0) {
    float density = static_cast<float>(scanned) / static_cast<float>(found);
    history.smoothed_density += (density - history.smoothed_density) / kSmoothingSamples;
  }
  result.may_hibernate = lap.buffers_left == 0 && hand.allocated == 0;
  return result;
}

}  // namespace cofork
