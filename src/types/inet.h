// inet and cidr: an IPv4 or IPv6 address with a netmask length.
//
// In memory a varlena of PostgreSQL's form: family (2 IPv4, 3 IPv6), mask bits, 4 or 16 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

struct Inet {
  static constexpr uint8_t kIpv4 = 2, kIpv6 = 3;
  uint8_t family = kIpv4;
  uint8_t bits = 32;
  uint8_t bytes[16] = {};

  int size() const { return family == kIpv4 ? 4 : 16; }
  int max_bits() const { return size() * 8; }
};

Inet inet_at(Datum value);
Datum inet_datum(Arena& arena, const Inet& value);
/// 22P02; a cidr may have no bits right of its mask.
Inet parse_inet(std::string_view text, bool is_cidr);
/// inet leaves out /32 and /128, cidr never.
void append_inet(std::string& out, const Inet& value, bool with_bits);
void append_address(std::string& out, const Inet& value);
Inet receive_inet(std::string_view bytes, bool is_cidr);
void send_inet(std::string& out, const Inet& value, bool is_cidr);
/// By family, then the network's bits, then mask length, then the address.
int compare_inet(const Inet& a, const Inet& b);
/// True when the first `bits` bits are the same.
bool same_prefix(const Inet& a, const Inet& b, int bits);
/// The address with the bits right of the mask set to zero.
Inet network_of(Inet value);

}  // namespace cofork
