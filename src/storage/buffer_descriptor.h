// The buffer pool's shared memory: inside storage/ only (as buf_internals.h, 15).
//
// A descriptor's state word holds everything that changes often, so that a pin is one
// compare-and-swap:
//
//   31 PERMANENT          30 CHECKPOINT_NEEDED   29 PIN_COUNT_WAITER   28 JUST_DIRTIED
//   27 IO_ERROR           26 IO_IN_PROGRESS      25 TAG_VALID          24 VALID
//   23 DIRTY              22 LOCKED              18…21 usage count     0…17 pins
//
// LOCKED is the header's spinlock. Its holder may write the word back whole; everybody else changes
// it by compare-and-swap, after waiting for LOCKED to go. Under it, the tag changes and only then.
// A buffer with a pin keeps its tag: replacing it takes a pin count of one, the replacer's own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "shmem/condition_variable.h"
#include "shmem/lwlock.h"
#include "shmem/segment.h"
#include "storage/buffer_pool.h"

namespace cofork {

namespace buffer_state {
inline constexpr uint32_t kPin = 1;
inline constexpr uint32_t kPinMask = (1u << 18) - 1;
inline constexpr uint32_t kUse = 1u << 18;
inline constexpr uint32_t kUseMask = 0xFu << 18;
inline constexpr uint32_t kUseMax = 5;  ///< BM_MAX_USAGE_COUNT
inline constexpr uint32_t kLocked = 1u << 22;
inline constexpr uint32_t kDirty = 1u << 23;
inline constexpr uint32_t kValid = 1u << 24;
inline constexpr uint32_t kTagValid = 1u << 25;
inline constexpr uint32_t kIoInProgress = 1u << 26;
inline constexpr uint32_t kIoError = 1u << 27;
inline constexpr uint32_t kJustDirtied = 1u << 28;
inline constexpr uint32_t kPinCountWaiter = 1u << 29;
inline constexpr uint32_t kCheckpointNeeded = 1u << 30;
inline constexpr uint32_t kPermanent = 1u << 31;
inline constexpr uint32_t kFlagMask = ~(kPinMask | kUseMask);

constexpr uint32_t pins(uint32_t state) {
  return state & kPinMask;
}
constexpr uint32_t uses(uint32_t state) {
  return (state & kUseMask) / kUse;
}
}  // namespace buffer_state

struct alignas(64) BufferDescriptor {
  BufferTag tag;
  std::atomic<uint32_t> state;
  // The place in the mapping, changed under its partition's lock, read by lookups without it.
  std::atomic<uint32_t> hash;  ///< of the tag
  std::atomic<int32_t> next;   ///< in the chain: buffer number + 1, 0 at its end
  int32_t waiter;              ///< Proc that wants the last pin; under the header lock
  int32_t free_next;           ///< in the free list, as `next`; under the strategy's spinlock
  LwLock content_lock;         ///< made when the buffer is first used

  /// Takes the header lock; the state as it is now, LOCKED included.
  uint32_t lock_header();
  /// Gives it back with a new state.
  void unlock_header(uint32_t new_state) {
    state.store(new_state & ~buffer_state::kLocked, std::memory_order_release);
  }
  /// The state, once nobody holds the header lock.
  uint32_t unlocked_state();
};
static_assert(sizeof(BufferDescriptor) == 64, "one cache line");

struct BufferDescriptorArea {
  static constexpr Area kArea = Area::kBufferDescriptors;
  static constexpr const char* kName = "Buffer Descriptors";
  static size_t size(const Limits& limits) {
    return static_cast<size_t>(limits.shared_buffers) * sizeof(BufferDescriptor);
  }
  static void init(void*, const Limits&) {}
};

struct BufferBlockArea {
  static constexpr Area kArea = Area::kBufferBlocks;
  static constexpr const char* kName = "Buffer Blocks";
  static size_t size(const Limits& limits) {
    return static_cast<size_t>(limits.shared_buffers) * kPageBytes;
  }
  static void init(void*, const Limits&) {}
};

/// Who waits for somebody else's I/O on a buffer.
struct alignas(16) BufferIoCondition {
  static constexpr Area kArea = Area::kBufferIoConditions;
  static constexpr const char* kName = "Buffer IO Condition Variables";
  static size_t size(const Limits& limits) {
    return static_cast<size_t>(limits.shared_buffers) * sizeof(BufferIoCondition);
  }
  static void init(void*, const Limits&) {}
  ConditionVariable condition;
};

/// What a checkpoint is going to write; here, so that no memory has to be found for it.
struct CheckpointEntry {
  static constexpr Area kArea = Area::kCheckpointBuffers;
  static constexpr const char* kName = "Checkpoint BufferIds";
  static size_t size(const Limits& limits) {
    return static_cast<size_t>(limits.shared_buffers) * sizeof(CheckpointEntry);
  }
  static void init(void*, const Limits&) {}
  uint32_t tablespace;
  uint32_t number;
  ForkNumber fork;
  BlockNumber block;
  int32_t buffer;
};
static_assert(sizeof(CheckpointEntry) == 20);

/// The mapping from tags to buffers: a hash table whose chains run through the descriptors. An
/// entry is added or removed under the lock of its partition; lookups try without it first.
struct BufferMap {
  static constexpr Area kArea = Area::kBufferMap;
  static constexpr const char* kName = "Shared Buffer Lookup Table";
  static constexpr uint32_t kPartitions = 128;
  static constexpr uint32_t kExtensionLocks = 16;
  static uint32_t bucket_count(const Limits& limits);
  static size_t size(const Limits& limits) {
    return sizeof(BufferMap) + bucket_count(limits) * sizeof(std::atomic<int32_t>);
  }
  static void init(void* memory, const Limits& limits);
  static uint32_t hash(const BufferTag& tag);

  std::atomic<int32_t>& head(uint32_t hash_value) { return heads()[hash_value & bucket_mask]; }
  LwLock& partition(uint32_t hash_value) { return partitions[hash_value % kPartitions].lock; }
  /// Under the partition's lock: the buffer's number, or -1.
  int32_t find(BufferDescriptor* descriptors, const BufferTag& tag, uint32_t hash_value);
  void insert(BufferDescriptor* descriptors, int32_t number, uint32_t hash_value);
  void remove(BufferDescriptor* descriptors, int32_t number);

  /// Held by who makes a map fork of the relation longer.
  LwLock& extension_lock(uint32_t relation) {
    return extension_locks[relation % kExtensionLocks].lock;
  }

  std::array<PaddedLwLock, kPartitions> partitions;
  std::array<PaddedLwLock, kExtensionLocks> extension_locks;
  alignas(kAreaAlignment) uint32_t bucket_mask;

 private:
  std::atomic<int32_t>* heads() { return reinterpret_cast<std::atomic<int32_t>*>(this + 1); }
};

/// Which buffer to replace next (BufferStrategyControl).
struct BufferStrategy {
  static constexpr Area kArea = Area::kBufferStrategy;
  static constexpr const char* kName = "Buffer Strategy Status";
  static size_t size(const Limits&) { return sizeof(BufferStrategy); }
  static void init(void*, const Limits&) {}

  SpinLock mutex;                   ///< guards the free list and complete_passes
  std::atomic<int32_t> first_free;  ///< buffer number + 1; 0: none
  uint32_t complete_passes;         ///< of the clock hand
  /// Buffers from here on were never used: nobody has touched their memory.
  std::atomic<int32_t> fresh;
  std::atomic<uint32_t> hand;       ///< runs past the number of buffers, is brought back then
  std::atomic<uint32_t> allocated;  ///< buffers given out since the background writer asked
  std::atomic<int32_t> notify;      ///< Proc number + 1 to wake at the next allocation; 0: nobody
};

}  // namespace cofork
