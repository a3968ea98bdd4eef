// See arena.h.
#include "support/arena.h"

#include <algorithm>

namespace cofork {

namespace {
constexpr size_t kLargestBlockBytes = size_t{1} << 20;
}

void* Arena::allocate_in_new_block(size_t bytes, size_t alignment) {
  size_t size = std::max(next_block_bytes_, bytes + alignment);
  next_block_bytes_ = std::min(next_block_bytes_ * 2, kLargestBlockBytes);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  footprint_bytes_ += size;
  cursor_ = blocks_.back().bytes.get();
  limit_ = cursor_ + size;
  return allocate(bytes, alignment);
}

void Arena::reset() {
  if (blocks_.empty()) return;
  blocks_.resize(1);
  footprint_bytes_ = blocks_[0].size;
  cursor_ = blocks_[0].bytes.get();
  limit_ = cursor_ + blocks_[0].size;
}

}  // namespace cofork
