// Arena: memory that is given back all at once, as a memory context of PostgreSQL.
//
// A statement, a tuple, a parsed tree each own one; values inside are plain bytes or trivially
// destructible objects and are never freed one by one. reset() keeps the first block, so that a
// loop over tuples settles into no allocation at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cofork {

class Arena {
 public:
  explicit Arena(size_t first_block_bytes = 1024) : next_block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes, size_t alignment = 8) {
    auto start = (reinterpret_cast<uintptr_t>(cursor_) + alignment - 1) & ~(alignment - 1);
    if (cursor_ == nullptr || start + bytes > reinterpret_cast<uintptr_t>(limit_)) {
      return allocate_in_new_block(bytes, alignment);
    }
    cursor_ = reinterpret_cast<char*>(start + bytes);
    return reinterpret_cast<void*>(start);
  }

  template <typename T, typename... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  template <typename T>
  T* make_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    return new (allocate(sizeof(T) * count, alignof(T))) T[count]{};
  }

  std::string_view copy(std::string_view text) {
    char* to = static_cast<char*>(allocate(text.size() + 1, 1));
    std::memcpy(to, text.data(), text.size());
    to[text.size()] = '\0';
    return {to, text.size()};
  }

  /// Forgets everything; the first block stays for reuse.
  void reset();
  /// Bytes held from the allocator, used or not.
  size_t footprint_bytes() const { return footprint_bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  void* allocate_in_new_block(size_t bytes, size_t alignment);

  std::vector<Block> blocks_;
  char* cursor_ = nullptr;
  char* limit_ = nullptr;
  size_t next_block_bytes_;
  size_t footprint_bytes_ = 0;
};

}  // namespace cofork
