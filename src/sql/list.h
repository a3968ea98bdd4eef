// List: a growable array in an arena, for trees that are built once and dropped as a whole. Growing
// leaves the old array behind in the arena, which costs at most as much again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "support/arena.h"

namespace cofork {

template <typename T>
class List {
 public:
  void push(Arena& arena, const T& item) {
    if (size_ == capacity_) {
      size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
      T* grown = arena.make_array<T>(capacity);
      std::copy_n(items_, size_, grown);
      items_ = grown;
      capacity_ = capacity;
    }
    items_[size_++] = item;
  }
  void pop() { --size_; }
  void truncate(size_t size) { size_ = size; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return items_[i]; }
  const T& operator[](size_t i) const { return items_[i]; }
  T& back() { return items_[size_ - 1]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }
  operator std::span<T>() { return {items_, size_}; }
  operator std::span<const T>() const { return {items_, size_}; }

 private:
  T* items_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace cofork
