// CRC-32C (Castagnoli): the checksum of WAL records, the control file and the relation map.
//
//   Crc32c crc;
//   crc.add(body, body_bytes);
//   crc.add(header, 20);
//   store(crc.value());
//
// Reflected polynomial 0x82F63B78, initial value and final xor all ones, so that "123456789" gives
// 0xE3069283 (as port/pg_crc32c.h of PostgreSQL 15). The processor's own instruction is used where
// it has one (SSE 4.2); elsewhere a table of 256 entries.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cofork {

/// Continues a raw (not yet inverted) CRC over `count` bytes.
uint32_t crc32c_extend(uint32_t state, const void* bytes, size_t count);

/// The two ways there are, for the test that holds them equal. The first needs SSE 4.2.
uint32_t crc32c_extend_hardware(uint32_t state, const void* bytes, size_t count);
uint32_t crc32c_extend_table(uint32_t state, const void* bytes, size_t count);
bool crc32c_hardware_available();

class Crc32c {
 public:
  Crc32c& add(const void* bytes, size_t count) {
    state_ = crc32c_extend(state_, bytes, count);
    return *this;
  }
  uint32_t value() const { return state_ ^ 0xFFFFFFFFu; }

 private:
  uint32_t state_ = 0xFFFFFFFFu;
};

inline uint32_t crc32c(const void* bytes, size_t count) {
  return Crc32c().add(bytes, count).value();
}

}  // namespace cofork
