// RandomState: a session's generator for random() and setseed(): xoroshiro128**, the generator
// PostgreSQL 15 has, so that setseed(x) starts the same sequence in both.
//
// As pg_prng.c, PostgreSQL 15.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace cofork {

struct RandomState {
  uint64_t s0 = 0;  ///< both zero: not seeded yet
  uint64_t s1 = 0;

  bool is_seeded() const { return (s0 | s1) != 0; }

  /// A full state from one word, by splitmix64.
  void seed(uint64_t word) {
    auto next = [&word] {
      word += 0x9e3779b97f4a7c15ull;
      uint64_t z = word;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
      return z ^ (z >> 31);
    };
    s0 = next();
    s1 = next();
  }
  /// setseed(): `value` from -1 to 1.
  void seed_from(double value) {
    seed(static_cast<uint64_t>(static_cast<int64_t>(((uint64_t{1} << 52) - 1) * value)));
  }

  uint64_t next() {
    uint64_t a = s0, b = s1 ^ s0;
    uint64_t result = std::rotl(a * 5, 7) * 9;
    s0 = std::rotl(a, 24) ^ b ^ (b << 16);
    s1 = std::rotl(b, 37);
    return result;
  }
  /// Uniform in [0, 1).
  double next_double() { return std::ldexp(static_cast<double>(next() >> (64 - 52)), -52); }
};

}  // namespace cofork
