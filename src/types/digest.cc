// MD5 (RFC 1321) and SHA-2 (FIPS 180-4). See digest.h.
#include "types/digest.h"

#include <bit>
#include <cmath>

#include "support/bytes.h"

namespace cofork {

namespace {

/// The message with its padding: a one bit, zeros, and the length in bits at the end of a block.
std::string padded(std::string_view bytes, size_t block, size_t length_bytes, bool big_endian) {
  std::string message(bytes);
  message += '\x80';
  while (message.size() % block != block - length_bytes) message += '\0';
  uint64_t bits = uint64_t{bytes.size()} * 8;
  if (length_bytes == 16) message.append(8, '\0');
  char length[8];
  if (big_endian) {
    store_be(length, bits);
  } else {
    store_le(length, bits);
  }
  return message.append(length, 8);
}

// The constants of SHA-2 are the first bits of the fractional parts of roots of primes. 64 bits of
// them are too many for a double, so they are found by integer search.
struct Primes {
  int values[80] = {};
  constexpr Primes() {
    int count = 0;
    for (int n = 2; count < 80; ++n) {
      bool prime = true;
      for (int d = 2; d * d <= n; ++d) prime &= n % d != 0;
      if (prime) values[count++] = n;
    }
  }
};
constexpr Primes kPrimes;

__extension__ using Wide = unsigned __int128;

/// floor(root * 2^64) of a prime's square or cube root, modulo 2^64: bit by bit.
constexpr uint64_t root_fraction(int prime, int degree) {
  // The root is below 2^9: a number of 73 bits whose power is compared with prime << (64 * degree).
  Wide low = 0, high = Wide{512} << 64;
  auto at_most = [&](Wide root) {
    // root^degree <= prime * 2^(64*degree), in limbs of 32 bits.
    uint64_t product[12] = {1};
    for (int k = 0; k < degree; ++k) {
      uint64_t next[12] = {};
      for (int i = 0; i < 8; ++i) {
        uint64_t carry = 0;
        for (int j = 0; j < 3; ++j) {
          uint64_t digit = static_cast<uint32_t>(root >> (32 * j));
          uint64_t sum = next[i + j] + product[i] * digit + carry;
          next[i + j] = sum & 0xffffffffu;
          carry = sum >> 32;
        }
        for (int j = i + 3; carry != 0 && j < 12; ++j) {
          uint64_t sum = next[j] + carry;
          next[j] = sum & 0xffffffffu;
          carry = sum >> 32;
        }
      }
      for (int i = 0; i < 12; ++i) product[i] = next[i];
    }
    uint64_t target[12] = {};
    target[2 * degree] = static_cast<uint64_t>(prime);
    for (int i = 11; i >= 0; --i) {
      if (product[i] != target[i]) return product[i] < target[i];
    }
    return true;
  };
  while (high - low > 1) {
    Wide middle = low + (high - low) / 2;
    (at_most(middle) ? low : high) = middle;
  }
  return static_cast<uint64_t>(low);
}

struct RoundConstants {
  uint64_t values[80] = {};
  RoundConstants() {
    for (int i = 0; i < 80; ++i) values[i] = root_fraction(kPrimes.values[i], 3);
  }
};
const RoundConstants& round_constants() {
  static const RoundConstants constants;
  return constants;
}

/// One SHA-2 of word type W: the rotations are all that differs besides the word size.
template <typename W>
struct Sha2 {
  static constexpr bool kLong = sizeof(W) == 8;
  static constexpr int kRounds = kLong ? 80 : 64;
  W state[8];

  static W constant(int i) {
    return static_cast<W>(round_constants().values[i] >> (64 - 8 * sizeof(W)));
  }

  void block(const char* bytes) {
    W w[kRounds];
    for (int i = 0; i < 16; ++i) w[i] = load_be<W>(bytes + i * sizeof(W));
    for (int i = 16; i < kRounds; ++i) {
      W a = w[i - 15], b = w[i - 2];
      W s0 = kLong ? std::rotr(a, 1) ^ std::rotr(a, 8) ^ (a >> 7)
                   : std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3);
      W s1 = kLong ? std::rotr(b, 19) ^ std::rotr(b, 61) ^ (b >> 6)
                   : std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    W v[8];
    for (int i = 0; i < 8; ++i) v[i] = state[i];
    for (int i = 0; i < kRounds; ++i) {
      W e = v[4], a = v[0];
      W s1 = kLong ? std::rotr(e, 14) ^ std::rotr(e, 18) ^ std::rotr(e, 41)
                   : std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      W s0 = kLong ? std::rotr(a, 28) ^ std::rotr(a, 34) ^ std::rotr(a, 39)
                   : std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      W t1 = v[7] + s1 + ((e & v[5]) ^ (~e & v[6])) + constant(i) + w[i];
      W t2 = s0 + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
      for (int k = 7; k > 0; --k) v[k] = v[k - 1];
      v[4] += t1;
      v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; ++i) state[i] += v[i];
  }

  std::string run(std::string_view bytes, size_t digest_bytes) {
    constexpr size_t kBlock = 16 * sizeof(W);
    std::string message = padded(bytes, kBlock, kLong ? 16 : 8, true);
    for (size_t at = 0; at < message.size(); at += kBlock) block(message.data() + at);
    std::string digest;
    for (W word : state) append_be(digest, word);
    digest.resize(digest_bytes);
    return digest;
  }
};

}  // namespace

std::string sha2_digest(std::string_view bytes, int bits) {
  // Initial states: square roots of the first eight primes (256, 512), of the ninth to sixteenth
  // (384, and their second words for 224).
  int first = bits == 224 || bits == 384 ? 8 : 0;
  auto digest_bytes = static_cast<size_t>(bits / 8);
  if (bits > 256) {
    Sha2<uint64_t> sha;
    for (int i = 0; i < 8; ++i) sha.state[i] = root_fraction(kPrimes.values[first + i], 2);
    return sha.run(bytes, digest_bytes);
  }
  Sha2<uint32_t> sha;
  for (int i = 0; i < 8; ++i) {
    uint64_t root = root_fraction(kPrimes.values[first + i], 2);
    sha.state[i] = static_cast<uint32_t>(bits == 224 ? root : root >> 32);
  }
  return sha.run(bytes, digest_bytes);
}

std::array<uint8_t, 16> md5_digest(std::string_view bytes) {
  static constexpr int kShifts[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::string message = padded(bytes, 64, 8, false);
  for (size_t at = 0; at < message.size(); at += 64) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 64; ++i) {
      uint32_t f;
      int word;
      switch (i / 16) {
        case 0:
          f = (b & c) | (~b & d);
          word = i;
          break;
        case 1:
          f = (d & b) | (~d & c);
          word = (5 * i + 1) % 16;
          break;
        case 2:
          f = b ^ c ^ d;
          word = (3 * i + 5) % 16;
          break;
        default:
          f = c ^ (b | ~d);
          word = 7 * i % 16;
      }
      auto constant =
          static_cast<uint32_t>(static_cast<int64_t>(std::fabs(std::sin(i + 1)) * 4294967296.0));
      uint32_t sum =
          a + f + constant + load_le<uint32_t>(message.data() + at + 4 * static_cast<size_t>(word));
      a = d;
      d = c;
      c = b;
      b += std::rotl(sum, kShifts[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
  std::array<uint8_t, 16> digest;
  for (int i = 0; i < 4; ++i) store_le(digest.data() + 4 * i, state[i]);
  return digest;
}

}  // namespace cofork
