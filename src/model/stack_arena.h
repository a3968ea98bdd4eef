// Memory for stacks: single mapped stacks, and the arena of small slots that fibers live on.
//
// The arena is one reservation of address space without memory behind it, cut into equal slots. A
// guard page lies below each slot. Where the kernel has MADV_GUARD_INSTALL (6.13) a guard costs no
// mapping of its own, so a hundred thousand of them do not use up vm.max_map_count; elsewhere the
// first kMprotectGuards slots are guarded with mprotect and the rest rely on with_stack()'s checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cofork {

/// One stack of its own, with a guard page at its lower end. Movable, unmapped when it goes.
class MappedStack {
 public:
  MappedStack() = default;
  explicit MappedStack(size_t bytes);  ///< throws Error 53200 when there is no address space
  MappedStack(MappedStack&& other) noexcept { swap(other); }
  MappedStack& operator=(MappedStack&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MappedStack();

  char* bottom() const { return bottom_; }  ///< lowest usable address
  char* top() const { return bottom_ + size_; }
  size_t size() const { return size_; }
  /// Gives the memory back to the kernel; the addresses stay.
  void forget_pages();

 private:
  void swap(MappedStack& other) {
    std::swap(bottom_, other.bottom_);
    std::swap(size_, other.size_);
  }
  char* bottom_ = nullptr;
  size_t size_ = 0;
};

class StackArena {
 public:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
  static constexpr size_t kSlotBytes = size_t{256} << 10;
#else
  static constexpr size_t kSlotBytes = size_t{64} << 10;
#endif
  static constexpr size_t kGuardBytes = 4096;
  static constexpr size_t kMprotectGuards = 10000;

  /// Reserves address space for `slots` stacks; memory comes as they are touched.
  explicit StackArena(size_t slots);
  ~StackArena();
  StackArena(const StackArena&) = delete;

  /// Lowest usable address of a free slot, or null when all are taken.
  char* take();
  void give_back(char* bottom);
  /// Lets go of the pages below `sp` that the slot has touched: an idle session keeps what it uses.
  static void forget_below(char* bottom, const char* sp);
  /// How much memory a slot holds right now.
  static size_t resident_bytes(char* bottom);
  static constexpr size_t usable_bytes() {
    return kSlotBytes - kGuardBytes;
  }
  bool contains(const void* address) const {
    return address >= base_ && address < base_ + slots_ * kSlotBytes;
  }

 private:
  void install_guard(char* slot);

  char* base_ = nullptr;
  size_t slots_ = 0;
  size_t fresh_ = 0;  ///< slots never used so far: [fresh_, slots_)
  std::vector<char*> free_;
};

}  // namespace cofork
