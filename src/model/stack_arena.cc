// See stack_arena.h.
#include "model/stack_arena.h"

#include <sys/mman.h>

#include <cerrno>

#include "support/bytes.h"
#include "support/error.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13; glibc 2.36 does not know it yet
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace cofork {

namespace {

char* reserve(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error(sqlstate::kOutOfMemory, "could not map {} bytes for stacks: {}", bytes,
                errno_text(errno));
  }
  // One touched page must stay one page: a huge page would cost an idle fiber 2 MiB.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

/// A reused stack holds the sanitizer's marks of frames that are gone.
void unpoison([[maybe_unused]] char* bottom, [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(bottom, bytes);
#endif
}

}  // namespace

MappedStack::MappedStack(size_t bytes) {
  size_t guard = StackArena::kGuardBytes;
  size_t usable = align_up(bytes, guard);
  char* memory = reserve(usable + guard);
  mprotect(memory, guard, PROT_NONE);
  bottom_ = memory + guard;
  size_ = usable;
}

MappedStack::~MappedStack() {
  if (bottom_ != nullptr)
    munmap(bottom_ - StackArena::kGuardBytes, size_ + StackArena::kGuardBytes);
}

void MappedStack::forget_pages() {
  madvise(bottom_, size_, MADV_DONTNEED);
  unpoison(bottom_, size_);
}

StackArena::StackArena(size_t slots) : base_(reserve(slots * kSlotBytes)), slots_(slots) {}

StackArena::~StackArena() {
  munmap(base_, slots_ * kSlotBytes);
}

void StackArena::install_guard(char* slot) {
  if (madvise(slot, kGuardBytes, MADV_GUARD_INSTALL) == 0) return;
  if (static_cast<size_t>(slot - base_) / kSlotBytes < kMprotectGuards) {
    mprotect(slot, kGuardBytes, PROT_NONE);
  }
}

char* StackArena::take() {
  if (!free_.empty()) {
    char* bottom = free_.back();
    free_.pop_back();
    unpoison(bottom, usable_bytes());
    return bottom;
  }
  if (fresh_ == slots_) return nullptr;
  char* slot = base_ + fresh_++ * kSlotBytes;
  install_guard(slot);
  return slot + kGuardBytes;
}

void StackArena::give_back(char* bottom) {
  free_.push_back(bottom);
}

void StackArena::forget_below(char* bottom, const char* sp) {
  // The page of sp itself and a red zone below it stay.
  auto end = (reinterpret_cast<uintptr_t>(sp) - 256) & ~uintptr_t{4095};
  auto start = reinterpret_cast<uintptr_t>(bottom);
  if (end > start) madvise(bottom, end - start, MADV_DONTNEED);
}

size_t StackArena::resident_bytes(char* bottom) {
  constexpr size_t kPage = 4096;
  unsigned char pages[kSlotBytes / kPage];
  if (mincore(bottom, usable_bytes(), pages) != 0) return 0;
  size_t resident = 0;
  for (size_t i = 0; i < usable_bytes() / kPage; ++i) resident += (pages[i] & 1) * kPage;
  return resident;
}

}  // namespace cofork
