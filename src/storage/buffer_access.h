// A task's way to the buffer pool: its private pin counts, and the steps that buffer_pool.h is made
// of. Inside storage/ only.
//
// Shared is only whether a task pins a buffer at all; how often, it counts itself. Nearly all tasks
// pin a handful of buffers, so the counts are an array searched from its start, with a hash table
// for the rest (PrivateRefCountArray in bufmgr.c).
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <utility>

#include "shmem/stats.h"
#include "storage/buffer_descriptor.h"
#include "storage/writeback.h"

namespace cofork {

class BufferAccess {
 public:
  BufferAccess();
  ~BufferAccess();
  BufferAccess(const BufferAccess&) = delete;

  BufferDescriptor& descriptor(int32_t number) { return descriptors_[number]; }
  int32_t number_of(const BufferDescriptor& descriptor) const {
    return static_cast<int32_t>(&descriptor - descriptors_);
  }
  char* page(int32_t number) { return blocks_ + static_cast<size_t>(number) * kPageBytes; }
  int32_t count() const { return count_; }
  /// Buffers that were ever used: the others need no looking at.
  int32_t used_count() const {
    return std::min(count_, strategy_.fresh.load(std::memory_order_acquire));
  }
  BufferMap& map() { return map_; }
  BufferStrategy& strategy() { return strategy_; }

  // --- buffer_pool.cc
  /// The buffer with the tag, pinned, if there is one; `valid`: its page is there.
  BufferDescriptor* pin_if_mapped(const BufferTag& tag, uint32_t hash, bool use_once, bool& valid);
  /// The same without the mapping's lock. Null means nothing: it may have missed a change.
  BufferDescriptor* pin_if_seen(const BufferTag& tag, uint32_t hash, bool use_once, bool& valid);
  /// A buffer for the tag, pinned; one that has it, or a replaced one without a page yet.
  BufferDescriptor& allocate(const BufferTag& tag, uint32_t hash, AccessStrategy* strategy,
                             bool& valid);
  Buffer read(const BufferTag& tag, ReadMode mode, AccessStrategy* strategy);
  Buffer find(const BufferTag& tag);
  Buffer extend(const RelationFile& file, ForkNumber fork, AccessStrategy* strategy);

  // --- pins: buffer_pins.cc
  /// Adds a pin; the state before. `use_once`: a ring's buffer does not become popular.
  uint32_t pin(BufferDescriptor& descriptor, bool use_once);
  /// The same when the header lock is held, which it gives back; not a use.
  void pin_locked(BufferDescriptor& descriptor, uint32_t state);
  void unpin(BufferDescriptor& descriptor);
  int32_t my_pins(int32_t number) const;
  /// Counts another pin if this task has one.
  bool pin_again(int32_t number);
  /// Makes room for a pin to come, so that nothing can fail once it is taken.
  void reserve_pin();
  void lock_for_cleanup(BufferDescriptor& descriptor);

  // --- replacing: buffer_replace.cc
  /// A buffer without tag and page, pinned by this task alone (GetVictimBuffer).
  BufferDescriptor& take_victim(AccessStrategy* strategy);
  void give_to_free_list(BufferDescriptor& descriptor);

  // --- I/O: buffer_io.cc
  /// Becomes the one who reads (`input`) or writes; false when that has been done meanwhile. Waits
  /// for another's I/O. (StartBufferIO)
  bool start_io(BufferDescriptor& descriptor, bool input);
  void end_io(BufferDescriptor& descriptor, bool clear_dirty, uint32_t set_bits);
  void wait_for_io(BufferDescriptor& descriptor);
  /// Reads the page of a pinned buffer from disk, or makes it zeros. After start_io().
  void read_page(BufferDescriptor& descriptor, ReadMode mode);
  /// Writes it if it is dirty. With a pin and at least a shared content lock. (FlushBuffer)
  void flush(BufferDescriptor& descriptor);
  /// Pins, locks, flushes a dirty buffer whose header lock is held.
  void flush_locked(BufferDescriptor& descriptor, uint32_t state);
  /// A page's worth of private memory.
  char* scratch();

  static Buffer wrap(BufferAccess& access, BufferDescriptor& descriptor) {
    return {&descriptor, access.page(access.number_of(descriptor))};
  }
  BufferUsage& usage() { return usage_; }

 private:
  struct Pins {
    int32_t buffer = 0;  ///< number + 1; 0: free place
    int32_t count = 0;
  };
  Pins* find_pins(int32_t number);
  void forget_pins(int32_t number);
  bool reject_ring_buffer(AccessStrategy& strategy, BufferDescriptor& descriptor);
  BufferDescriptor* take_from_ring(AccessStrategy& strategy, uint32_t& state);
  BufferDescriptor& choose_victim(AccessStrategy* strategy, uint32_t& state);
  BufferDescriptor* take_fresh(uint32_t& state);
  BufferDescriptor* take_free(uint32_t& state);
  BufferDescriptor& sweep(uint32_t& state);
  uint32_t tick();
  bool make_clean(BufferDescriptor& descriptor, uint32_t state, AccessStrategy* strategy);
  bool unmap(BufferDescriptor& descriptor);

  BufferDescriptor* descriptors_;
  char* blocks_;
  BufferIoCondition* conditions_;
  BufferMap& map_;
  BufferStrategy& strategy_;
  int32_t count_;
  BufferUsage& usage_;
  std::array<Pins, 8> pins_{};
  std::unordered_map<int32_t, int32_t> more_pins_;  ///< buffer number → count
  std::unique_ptr<char[]> scratch_;
  Writeback writeback_;  ///< of pages written to make room
};

/// The running task's; made at first use.
BufferAccess& buffer_access();

/// Holds a buffer's I/O between start_io() and its end; an ERROR in between says so to those who
/// wait.
class BufferIo {
 public:
  BufferIo(BufferAccess& access, BufferDescriptor& descriptor)
      : access_(access), descriptor_(descriptor) {}
  ~BufferIo() {
    if (!ended_) access_.end_io(descriptor_, false, buffer_state::kIoError);
  }
  BufferIo(const BufferIo&) = delete;
  void end(bool clear_dirty, uint32_t set_bits) {
    ended_ = true;
    access_.end_io(descriptor_, clear_dirty, set_bits);
  }

 private:
  BufferAccess& access_;
  BufferDescriptor& descriptor_;
  bool ended_ = false;
};

/// A pin of this scope, for code that has no Buffer to give away.
class ScopedPin {
 public:
  ScopedPin(BufferAccess& access, BufferDescriptor& descriptor)
      : access_(access), descriptor_(&descriptor) {}
  ~ScopedPin() { release(); }
  ScopedPin(const ScopedPin&) = delete;
  void keep() { descriptor_ = nullptr; }
  void release() {
    if (descriptor_ != nullptr) access_.unpin(*std::exchange(descriptor_, nullptr));
  }

 private:
  BufferAccess& access_;
  BufferDescriptor* descriptor_;
};

}  // namespace cofork
