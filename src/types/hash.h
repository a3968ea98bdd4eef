// Hashing of values: not PostgreSQL's numbers (nothing on disk holds them), but fast and well
// mixed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "support/bytes.h"

namespace cofork {

/// A bijection whose output bits all depend on all input bits (the finaliser of MurmurHash3).
inline uint64_t hash_word(uint64_t word) {
  word = (word ^ (word >> 33)) * 0xff51afd7ed558ccdull;
  word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return word ^ (word >> 33);
}

inline uint64_t hash_combine(uint64_t seed, uint64_t hash) {
  return hash_word(seed * 31 + hash);
}

inline uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = 0x9e3779b97f4a7c15ull ^ bytes.size();
  while (bytes.size() >= 8) {
    hash = hash_word(hash ^ load_le<uint64_t>(bytes.data()));
    bytes.remove_prefix(8);
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes.data(), bytes.size());
  return hash_word(hash ^ tail);
}

}  // namespace cofork
