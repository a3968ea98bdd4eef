// inet and cidr. See inet.h. As network.c and inet_net_pton.c, PostgreSQL 15.
#include "types/inet.h"

#include <algorithm>
#include <charconv>

#include "support/error.h"
#include "types/binary_reader.h"
#include "types/scalar.h"

namespace cofork {

Inet inet_at(Datum value) {
  std::string_view payload = varlena_view(value);
  Inet inet;
  inet.family = static_cast<uint8_t>(payload[0]);
  inet.bits = static_cast<uint8_t>(payload[1]);
  std::memcpy(inet.bytes, payload.data() + 2, static_cast<size_t>(inet.size()));
  return inet;
}

Datum inet_datum(Arena& arena, const Inet& value) {
  auto size = static_cast<size_t>(value.size());
  char* bytes = allocate_varlena(arena, size + 2);
  bytes[4] = static_cast<char>(value.family);
  bytes[5] = static_cast<char>(value.bits);
  std::memcpy(bytes + 6, value.bytes, size);
  return datum_from_pointer(bytes);
}

namespace {

bool parse_number(std::string_view text, int most, int base, int& value) {
  if (text.empty() || text.size() > 4) return false;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return problem == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= most;
}

/// Dotted decimals; a cidr may leave out trailing ones. The number of octets, or 0.
int parse_ipv4(std::string_view text, uint8_t* bytes) {
  for (int count = 0; count < 4;) {
    size_t dot = text.find('.');
    int value;
    if (!parse_number(text.substr(0, dot), 255, 10, value)) return 0;
    bytes[count++] = static_cast<uint8_t>(value);
    if (dot == std::string_view::npos) return count;
    text.remove_prefix(dot + 1);
  }
  return 0;
}

bool parse_ipv6(std::string_view text, uint8_t* bytes) {
  uint8_t head[16], tail[16];
  int head_size = 0, tail_size = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    uint8_t* part = gap ? tail : head;
    int& size = gap ? tail_size : head_size;
    size_t colon = text.find(':');
    std::string_view group = text.substr(0, colon);
    int value;
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      if (head_size + tail_size > 12 || parse_ipv4(group, part + size) != 4) return false;
      size += 4;
    } else {
      if (head_size + tail_size > 14 || !parse_number(group, 0xffff, 16, value)) return false;
      part[size++] = static_cast<uint8_t>(value >> 8);
      part[size++] = static_cast<uint8_t>(value);
    }
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;
    }
  }
  int size = head_size + tail_size;
  if (gap ? size > 14 : size != 16) return false;
  std::fill(bytes, bytes + 16, uint8_t{0});
  std::copy(head, head + head_size, bytes);
  std::copy(tail, tail + tail_size, bytes + 16 - tail_size);
  return true;
}

bool has_bits_right_of_mask(const Inet& v) {
  Inet network = network_of(v);
  return !std::equal(v.bytes, v.bytes + v.size(), network.bytes);
}

Error bits_right_of_mask(std::string_view text) {
  return Error(sqlstate::kInvalidTextRepresentation, "invalid cidr value: \"{}\"", text)
      .detail("Value has bits set to right of mask.");
}

}  // namespace

Inet network_of(Inet v) {
  for (int bit = v.bits; bit < v.max_bits(); ++bit) {
    v.bytes[bit / 8] = static_cast<uint8_t>(v.bytes[bit / 8] & ~(0x80 >> (bit % 8)));
  }
  return v;
}

Inet parse_inet(std::string_view text, bool is_cidr) {
  const char* type = is_cidr ? "cidr" : "inet";
  Inet inet;
  size_t slash = text.find('/');
  std::string_view address = text.substr(0, slash);
  int octets = 4;
  if (address.find(':') != std::string_view::npos) {
    inet.family = Inet::kIpv6;
    if (!parse_ipv6(address, inet.bytes)) throw invalid_input(type, text);
  } else {
    octets = parse_ipv4(address, inet.bytes);
    if (octets == 0 || (octets < 4 && !is_cidr)) throw invalid_input(type, text);
  }
  int bits = inet.max_bits();
  if (slash != std::string_view::npos) {
    if (!parse_number(text.substr(slash + 1), inet.max_bits(), 10, bits))
      throw invalid_input(type, text);
  } else if (octets < 4) {
    // The class of the network, as of old, and at least the octets that are written.
    int first = inet.bytes[0];
    int by_class = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
    bits = std::max(by_class, octets * 8);
  }
  inet.bits = static_cast<uint8_t>(bits);
  if (is_cidr && has_bits_right_of_mask(inet)) throw bits_right_of_mask(text);
  return inet;
}

void append_address(std::string& out, const Inet& v) {
  if (v.family == Inet::kIpv4) {
    fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", v.bytes[0], v.bytes[1], v.bytes[2],
                   v.bytes[3]);
    return;
  }
  int groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = v.bytes[2 * i] << 8 | v.bytes[2 * i + 1];
  int best = -1, best_size = 1;  // the longest run of zero groups, two at least, becomes ::
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_size) {
      best = i;
      best_size = end - i;
    }
    i = std::max(end, i + 1);
  }
  bool mapped_ipv4 = best == 0 && (best_size == 6 || (best_size == 5 && groups[5] == 0xffff));
  for (int i = 0; i < 8; ++i) {
    if (best >= 0 && i >= best && i < best + best_size) {
      if (i == best) out += ':';
      continue;
    }
    if (i > 0) out += ':';
    if (i == 6 && mapped_ipv4) {
      fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", v.bytes[12], v.bytes[13], v.bytes[14],
                     v.bytes[15]);
      return;
    }
    fmt::format_to(std::back_inserter(out), "{:x}", groups[i]);
  }
  if (best >= 0 && best + best_size == 8) out += ':';
}

void append_inet(std::string& out, const Inet& value, bool with_bits) {
  append_address(out, value);
  if (with_bits || value.bits != value.max_bits())
    fmt::format_to(std::back_inserter(out), "/{}", value.bits);
}

Inet receive_inet(std::string_view bytes, bool is_cidr) {
  BinaryReader reader(bytes);
  const char* type = is_cidr ? "cidr" : "inet";
  auto bad = [&](const char* what) {
    return Error(sqlstate::kInvalidBinaryRepresentation, "invalid {} in external \"{}\" value",
                 what, type);
  };
  Inet inet;
  inet.family = reader.take<uint8_t>();
  if (inet.family != Inet::kIpv4 && inet.family != Inet::kIpv6) throw bad("address family");
  inet.bits = reader.take<uint8_t>();
  if (inet.bits > inet.max_bits()) throw bad("bits");
  reader.take<uint8_t>();  // is_cidr, which the type says already
  if (reader.take<uint8_t>() != inet.size()) throw bad("length");
  std::memcpy(inet.bytes, reader.take_bytes(static_cast<size_t>(inet.size())).data(),
              static_cast<size_t>(inet.size()));
  if (is_cidr && has_bits_right_of_mask(inet)) {
    throw Error(sqlstate::kInvalidBinaryRepresentation, "invalid external \"cidr\" value")
        .detail("Value has bits set to right of mask.");
  }
  return inet;
}

void send_inet(std::string& out, const Inet& v, bool is_cidr) {
  out += static_cast<char>(v.family);
  out += static_cast<char>(v.bits);
  out += is_cidr ? '\1' : '\0';
  out += static_cast<char>(v.size());
  out.append(reinterpret_cast<const char*>(v.bytes), static_cast<size_t>(v.size()));
}

bool same_prefix(const Inet& a, const Inet& b, int bits) {
  int whole = bits / 8;
  if (std::memcmp(a.bytes, b.bytes, static_cast<size_t>(whole)) != 0) return false;
  int rest = bits % 8;
  return rest == 0 || (a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest) == 0;
}

int compare_inet(const Inet& a, const Inet& b) {
  if (a.family != b.family) return a.family < b.family ? -1 : 1;
  int common = std::min(a.bits, b.bits);
  if (!same_prefix(a, b, common)) {
    return std::memcmp(a.bytes, b.bytes, static_cast<size_t>(a.size()));
  }
  if (a.bits != b.bits) return a.bits < b.bits ? -1 : 1;
  return std::memcmp(a.bytes, b.bytes, static_cast<size_t>(a.size()));
}

}  // namespace cofork
