// Functions and operators of inet and cidr. As network.c, PostgreSQL 15.
#include <algorithm>

#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "support/error.h"
#include "types/inet.h"

namespace cofork {

using namespace type_oid;

template <>
struct Convert<Inet> {
  static Inet from(Datum d) { return inet_at(d); }
  static Datum to(Arena& arena, const Inet& value) { return inet_datum(arena, value); }
};

namespace {

bool eq(Inet a, Inet b) {
  return compare_inet(a, b) == 0;
}
bool ne(Inet a, Inet b) {
  return compare_inet(a, b) != 0;
}
bool lt(Inet a, Inet b) {
  return compare_inet(a, b) < 0;
}
bool le(Inet a, Inet b) {
  return compare_inet(a, b) <= 0;
}
bool gt(Inet a, Inet b) {
  return compare_inet(a, b) > 0;
}
bool ge(Inet a, Inet b) {
  return compare_inet(a, b) >= 0;
}
int32_t order(Inet a, Inet b) {
  return compare_inet(a, b);
}
Inet larger(Inet a, Inet b) {
  return compare_inet(a, b) > 0 ? a : b;
}
Inet smaller(Inet a, Inet b) {
  return compare_inet(a, b) < 0 ? a : b;
}

bool inside_or_equal(Inet a, Inet b) {
  return a.family == b.family && a.bits >= b.bits && same_prefix(a, b, b.bits);
}
bool inside(Inet a, Inet b) {
  return a.bits > b.bits && inside_or_equal(a, b);
}
bool around(Inet a, Inet b) {
  return inside(b, a);
}
bool around_or_equal(Inet a, Inet b) {
  return inside_or_equal(b, a);
}
bool overlap(Inet a, Inet b) {
  return a.family == b.family && same_prefix(a, b, std::min(a.bits, b.bits));
}
bool same_family(Inet a, Inet b) {
  return a.family == b.family;
}

std::string host(Inet v) {
  std::string text;
  append_address(text, v);
  return text;
}
std::string show(Inet v) {
  std::string text;
  append_inet(text, v, true);
  return text;
}
int32_t family(Inet v) {
  return v.family == Inet::kIpv4 ? 4 : 6;
}
int32_t mask_length(Inet v) {
  return v.bits;
}
Inet network(Inet v) {
  return network_of(v);
}

Inet mask(Inet v, bool of_hosts) {
  for (int bit = 0; bit < v.max_bits(); ++bit) {
    bool set = (bit < v.bits) != of_hosts;
    uint8_t one = static_cast<uint8_t>(0x80 >> (bit % 8));
    v.bytes[bit / 8] = static_cast<uint8_t>(set ? v.bytes[bit / 8] | one : v.bytes[bit / 8] & ~one);
  }
  v.bits = static_cast<uint8_t>(v.max_bits());
  return v;
}
Inet netmask(Inet v) {
  return mask(v, false);
}
Inet hostmask(Inet v) {
  return mask(v, true);
}
Inet broadcast(Inet v) {
  Inet hosts = mask(v, true);
  for (int i = 0; i < v.size(); ++i) v.bytes[i] |= hosts.bytes[i];
  return v;
}
Inet set_mask_length(Inet v, int32_t bits) {
  if (bits == -1) bits = v.max_bits();
  if (bits < 0 || bits > v.max_bits()) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid mask length: {}", bits);
  }
  v.bits = static_cast<uint8_t>(bits);
  return v;
}
Inet set_cidr_length(Inet v, int32_t bits) {
  return network_of(set_mask_length(v, bits));
}

constexpr BuiltinFunction kRows[] = {
    {920, "network_eq", kBool, {kInet, kInet}, fn<eq>},
    {925, "network_ne", kBool, {kInet, kInet}, fn<ne>},
    {921, "network_lt", kBool, {kInet, kInet}, fn<lt>},
    {922, "network_le", kBool, {kInet, kInet}, fn<le>},
    {923, "network_gt", kBool, {kInet, kInet}, fn<gt>},
    {924, "network_ge", kBool, {kInet, kInet}, fn<ge>},
    {926, "network_cmp", kInt4, {kInet, kInet}, fn<order>},
    {3562, "network_larger", kInet, {kInet, kInet}, fn<larger>},
    {3563, "network_smaller", kInet, {kInet, kInet}, fn<smaller>},
    {927, "network_sub", kBool, {kInet, kInet}, fn<inside>},
    {928, "network_subeq", kBool, {kInet, kInet}, fn<inside_or_equal>},
    {929, "network_sup", kBool, {kInet, kInet}, fn<around>},
    {930, "network_supeq", kBool, {kInet, kInet}, fn<around_or_equal>},
    {3551, "network_overlap", kBool, {kInet, kInet}, fn<overlap>},
    {4071, "inet_same_family", kBool, {kInet, kInet}, fn<same_family>},
    {699, "host", kText, {kInet}, fn<host>},
    {730, "text", kText, {kInet}, fn<show>},
    {711, "family", kInt4, {kInet}, fn<family>},
    {697, "masklen", kInt4, {kInet}, fn<mask_length>},
    {683, "network", kCidr, {kInet}, fn<network>},
    {696, "netmask", kInet, {kInet}, fn<netmask>},
    {1362, "hostmask", kInet, {kInet}, fn<hostmask>},
    {698, "broadcast", kInet, {kInet}, fn<broadcast>},
    {605, "set_masklen", kInet, {kInet, kInt4}, fn<set_mask_length>},
    {635, "set_masklen", kCidr, {kCidr, kInt4}, fn<set_cidr_length>},
    {1715, "cidr", kCidr, {kInet}, fn<network>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kNetworkFunctions = kRows;

}  // namespace cofork
