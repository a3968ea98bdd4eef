// See crc32c.h.
#include "support/crc32c.h"

#include <array>

#include "support/bytes.h"

namespace cofork {

namespace {

constexpr uint32_t kReflectedPolynomial = 0x82F63B78u;

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kReflectedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

using Extend = uint32_t (*)(uint32_t, const void*, size_t);
const Extend kExtend = crc32c_hardware_available() ? crc32c_extend_hardware : crc32c_extend_table;

}  // namespace

bool crc32c_hardware_available() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2");
#else
  return false;
#endif
}

uint32_t crc32c_extend_table(uint32_t state, const void* bytes, size_t count) {
  const auto* at = static_cast<const uint8_t*>(bytes);
  for (; count > 0; --count) state = kTable[(state ^ *at++) & 0xFF] ^ (state >> 8);
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_extend_hardware(uint32_t state, const void* bytes,
                                                                  size_t count) {
  const auto* at = static_cast<const char*>(bytes);
  uint64_t crc = state;
  for (; count >= 8; count -= 8, at += 8) {
    crc = __builtin_ia32_crc32di(crc, load_le<uint64_t>(at));
  }
  auto rest = static_cast<uint32_t>(crc);
  if (count >= 4) {
    rest = __builtin_ia32_crc32si(rest, load_le<uint32_t>(at));
    at += 4;
    count -= 4;
  }
  for (; count > 0; --count) rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*at++));
  return rest;
}
#else
uint32_t crc32c_extend_hardware(uint32_t state, const void* bytes, size_t count) {
  return crc32c_extend_table(state, bytes, count);
}
#endif

uint32_t crc32c_extend(uint32_t state, const void* bytes, size_t count) {
  return kExtend(state, bytes, count);
}

}  // namespace cofork
