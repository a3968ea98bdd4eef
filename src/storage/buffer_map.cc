// The mapping from tags to buffers, and the header lock (as buf_table.c, 15).
#include <algorithm>
#include <bit>

#include "shmem/spinlock.h"
#include "storage/buffer_descriptor.h"

namespace cofork {

uint32_t BufferDescriptor::lock_header() {
  uint32_t old = state.fetch_or(buffer_state::kLocked, std::memory_order_acquire);
  if ((old & buffer_state::kLocked) != 0) [[unlikely]] {
    SpinDelay delay(CodePlace::here());
    do {
      while ((state.load(std::memory_order_relaxed) & buffer_state::kLocked) != 0) delay.pause();
      old = state.fetch_or(buffer_state::kLocked, std::memory_order_acquire);
    } while ((old & buffer_state::kLocked) != 0);
    delay.finish();
  }
  return old | buffer_state::kLocked;
}

uint32_t BufferDescriptor::unlocked_state() {
  uint32_t seen = state.load(std::memory_order_acquire);
  if ((seen & buffer_state::kLocked) == 0) [[likely]]
    return seen;
  SpinDelay delay(CodePlace::here());
  do {
    delay.pause();
    seen = state.load(std::memory_order_acquire);
  } while ((seen & buffer_state::kLocked) != 0);
  delay.finish();
  return seen;
}

uint32_t BufferMap::bucket_count(const Limits& limits) {
  // One bucket a buffer or more; a bucket never spans partitions.
  return std::bit_ceil(std::max(static_cast<uint32_t>(limits.shared_buffers), kPartitions));
}

void BufferMap::init(void* memory, const Limits& limits) {
  auto* map = static_cast<BufferMap*>(memory);
  map->bucket_mask = bucket_count(limits) - 1;
  for (PaddedLwLock& partition : map->partitions) {
    partition.lock.init(LwTranche::kBufferMapping);
  }
  for (PaddedLwLock& extension : map->extension_locks) {
    extension.lock.init(LwTranche::kBufferMapping);
  }
}

uint32_t BufferMap::hash(const BufferTag& tag) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t word = (static_cast<uint64_t>(tag.file.number) << 32) | tag.block;
  uint64_t mixed = (word ^ (word >> 29)) * kOdd;
  mixed ^= (static_cast<uint64_t>(tag.file.database) << 32) | tag.file.tablespace;
  mixed ^= static_cast<uint64_t>(tag.fork) << 30;
  mixed = (mixed ^ (mixed >> 32)) * kOdd;
  return static_cast<uint32_t>(mixed >> 32);
}

int32_t BufferMap::find(BufferDescriptor* descriptors, const BufferTag& tag, uint32_t hash_value) {
  for (int32_t n = head(hash_value).load(std::memory_order_relaxed); n != 0;) {
    BufferDescriptor& descriptor = descriptors[n - 1];
    if (descriptor.hash.load(std::memory_order_relaxed) == hash_value && descriptor.tag == tag) {
      return n - 1;
    }
    n = descriptor.next.load(std::memory_order_relaxed);
  }
  return -1;
}

void BufferMap::insert(BufferDescriptor* descriptors, int32_t number, uint32_t hash_value) {
  BufferDescriptor& descriptor = descriptors[number];
  std::atomic<int32_t>& first = head(hash_value);
  descriptor.hash.store(hash_value, std::memory_order_relaxed);
  descriptor.next.store(first.load(std::memory_order_relaxed), std::memory_order_release);
  first.store(number + 1, std::memory_order_release);
}

void BufferMap::remove(BufferDescriptor* descriptors, int32_t number) {
  BufferDescriptor& descriptor = descriptors[number];
  std::atomic<int32_t>* link = &head(descriptor.hash.load(std::memory_order_relaxed));
  while (link->load(std::memory_order_relaxed) != number + 1) {
    link = &descriptors[link->load(std::memory_order_relaxed) - 1].next;
  }
  // Its own link stays: a lookup without the lock that stands here walks on.
  link->store(descriptor.next.load(std::memory_order_relaxed), std::memory_order_release);
}

}  // namespace cofork
