// See buffer_pool.h: from a block to its buffer (as ReadBuffer_common and BufferAlloc, 15).
#include "storage/buffer_pool.h"

#include <cstring>

#include "storage/buffer_access.h"
#include "storage/relation_files.h"
#include "support/error.h"

namespace cofork {

using namespace buffer_state;

namespace {

/// Longest walk along a chain without the mapping's lock: one that changes under us could lead
/// anywhere.
constexpr int kUnlockedSteps = 8;

/// What a caller that will fill the page itself gets.
void lock_for(Buffer& buffer, ReadMode mode) {
  if (mode == ReadMode::kZeroAndLock) buffer.lock_exclusive();
  if (mode == ReadMode::kZeroAndCleanupLock) buffer.lock_for_cleanup();
}

}  // namespace

BufferDescriptor* BufferAccess::pin_if_seen(const BufferTag& tag, uint32_t hash, bool use_once,
                                            bool& valid) {
  int32_t n = map_.head(hash).load(std::memory_order_acquire);
  for (int steps = 0; n != 0 && steps < kUnlockedSteps; ++steps) {
    BufferDescriptor& descriptor = descriptors_[n - 1];
    if (descriptor.hash.load(std::memory_order_relaxed) != hash) {
      n = descriptor.next.load(std::memory_order_acquire);
      continue;
    }
    if (pin_again(n - 1)) {
      // Ours already: so its tag stands still.
      if (descriptor.tag == tag) {
        valid = (descriptor.state.load(std::memory_order_acquire) & kValid) != 0;
        return &descriptor;
      }
    } else {
      uint32_t old = pin(descriptor, use_once);
      // With a tag when we pinned it, it keeps that tag: now it can be looked at.
      if ((old & kTagValid) != 0 && descriptor.tag == tag) {
        valid = (old & kValid) != 0;
        return &descriptor;
      }
    }
    unpin(descriptor);
    return nullptr;
  }
  return nullptr;
}

BufferDescriptor* BufferAccess::pin_if_mapped(const BufferTag& tag, uint32_t hash, bool use_once,
                                              bool& valid) {
  int32_t number = map_.find(descriptors_, tag, hash);
  if (number < 0) return nullptr;
  BufferDescriptor& descriptor = descriptors_[number];
  uint32_t state = pin_again(number) ? descriptor.state.load(std::memory_order_acquire)
                                     : pin(descriptor, use_once);
  valid = (state & kValid) != 0;
  return &descriptor;
}

BufferDescriptor& BufferAccess::allocate(const BufferTag& tag, uint32_t hash,
                                         AccessStrategy* strategy, bool& valid) {
  LwLock& partition = map_.partition(hash);
  {
    LwLockGuard guard(partition, LwMode::kShared);
    BufferDescriptor* found = pin_if_mapped(tag, hash, strategy != nullptr, valid);
    if (found != nullptr) return *found;
  }
  // No lock while a victim is looked for: writing it may take long.
  BufferDescriptor& victim = take_victim(strategy);
  ScopedPin pinned(*this, victim);
  LwLockGuard guard(partition, LwMode::kExclusive);
  if (BufferDescriptor* found = pin_if_mapped(tag, hash, strategy != nullptr, valid)) {
    // Somebody was faster.
    guard.release();
    pinned.release();
    give_to_free_list(victim);
    return *found;
  }
  uint32_t state = victim.lock_header();
  victim.tag = tag;
  // Every page counts as permanent: whether its relation is in WAL is not known down here. For an
  // unlogged one that costs a write at checkpoints and now and then an image, never data.
  victim.unlock_header(state | kTagValid | kPermanent | kUse);
  map_.insert(descriptors_, number_of(victim), hash);
  pinned.keep();
  valid = false;
  return victim;
}

Buffer BufferAccess::read(const BufferTag& tag, ReadMode mode, AccessStrategy* strategy) {
  uint32_t hash = BufferMap::hash(tag);
  bool valid = false;
  BufferDescriptor* found = pin_if_seen(tag, hash, strategy != nullptr, valid);
  if (found == nullptr) found = &allocate(tag, hash, strategy, valid);
  Buffer buffer = wrap(*this, *found);
  if (valid || !start_io(*found, true)) [[likely]] {
    ++usage_.hit;
    if (mode != ReadMode::kNormal) lock_for(buffer, mode);
    return buffer;
  }
  BufferIo io(*this, *found);
  read_page(*found, mode);
  // Locked before anybody can see that there is a page.
  lock_for(buffer, mode);
  io.end(false, kValid);
  return buffer;
}

Buffer BufferAccess::find(const BufferTag& tag) {
  uint32_t hash = BufferMap::hash(tag);
  bool valid = false;
  BufferDescriptor* found = pin_if_seen(tag, hash, false, valid);
  if (found == nullptr) {
    LwLockGuard guard(map_.partition(hash), LwMode::kShared);
    found = pin_if_mapped(tag, hash, false, valid);
  }
  if (found == nullptr) return {};
  Buffer buffer = wrap(*this, *found);
  if (!valid) return {};
  ++usage_.hit;
  return buffer;
}

Buffer BufferAccess::extend(const RelationFile& file, ForkNumber fork, AccessStrategy* strategy) {
  BufferTag tag{file, fork, fork_blocks(file, fork)};
  bool valid = false;
  BufferDescriptor& descriptor = allocate(tag, BufferMap::hash(tag), strategy, valid);
  Buffer buffer = wrap(*this, descriptor);
  if (valid && !page_is_new(buffer.page())) {
    throw Error(sqlstate::kDataCorrupted, "unexpected data beyond EOF in block {} of relation {}",
                tag.block, relation_path(file, fork))
        .hint("This has been seen to occur with buggy kernels; consider updating your system.");
  }
  // A page may be left over from an extension that failed half way: it is not valid yet.
  do {
    uint32_t state = descriptor.lock_header();
    descriptor.unlock_header(state & ~kValid);
  } while (!start_io(descriptor, true));
  BufferIo io(*this, descriptor);
  std::memset(buffer.page(), 0, kPageBytes);
  extend_fork(file, fork, tag.block, buffer.page());
  buffer.lock_exclusive();
  io.end(false, kValid);
  return buffer;
}

Buffer read_buffer(const RelationFile& file, ForkNumber fork, BlockNumber block, ReadMode mode,
                   AccessStrategy* strategy) {
  return buffer_access().read({file, fork, block}, mode, strategy);
}

Buffer buffer_if_cached(const RelationFile& file, ForkNumber fork, BlockNumber block) {
  return buffer_access().find({file, fork, block});
}

Buffer extend_relation(const RelationFile& file, ForkNumber fork, AccessStrategy* strategy) {
  return buffer_access().extend(file, fork, strategy);
}

BlockNumber relation_blocks(const RelationFile& file, ForkNumber fork) {
  return fork_blocks(file, fork);
}

void prefetch_buffer(const RelationFile& file, ForkNumber fork, BlockNumber block) {
  BufferAccess& access = buffer_access();
  BufferTag tag{file, fork, block};
  uint32_t hash = BufferMap::hash(tag);
  {
    LwLockGuard guard(access.map().partition(hash), LwMode::kShared);
    if (access.map().find(&access.descriptor(0), tag, hash) >= 0) return;
  }
  prefetch_block(file, fork, block);
}

BufferRow buffer_row(int32_t id) {
  BufferAccess& access = buffer_access();
  if (id > access.used_count()) return {id, false, {}, false, 0, 0};
  BufferDescriptor& descriptor = access.descriptor(id - 1);
  uint32_t state = descriptor.lock_header();
  BufferRow row{id,
                (state & kTagValid) != 0 && (state & kValid) != 0,
                descriptor.tag,
                (state & kDirty) != 0,
                static_cast<int32_t>(uses(state)),
                static_cast<int32_t>(pins(state))};
  descriptor.unlock_header(state);
  return row;
}

}  // namespace cofork
