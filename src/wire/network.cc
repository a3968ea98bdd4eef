#include "wire/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cofork {

bool parse_address(const std::string& text, HbaNetwork& network) {
  // inet_pton() computes; it asks nobody.
  network.address.fill(0);
  if (inet_pton(AF_INET, text.c_str(), network.address.data()) == 1) {
    network.family = PeerAddress::Family::kIpv4;
    return true;
  }
  if (inet_pton(AF_INET6, text.c_str(), network.address.data()) == 1) {
    network.family = PeerAddress::Family::kIpv6;
    return true;
  }
  return false;
}

bool set_mask_bits(const std::string& text, HbaNetwork& network) {
  int bits = 0;
  const char* end = text.data() + text.size();
  auto [stop, failure] = std::from_chars(text.data(), end, bits);
  int most = network.family == PeerAddress::Family::kIpv4 ? 32 : 128;
  if (failure != std::errc{} || stop != end || bits < 0 || bits > most) return false;
  network.mask.fill(0);
  for (int i = 0; i < bits; ++i) {
    network.mask[static_cast<size_t>(i / 8)] |= static_cast<uint8_t>(0x80 >> (i % 8));
  }
  return true;
}

bool HbaNetwork::contains(const PeerAddress& peer) const {
  if (peer.family != family) return false;
  size_t bytes = family == PeerAddress::Family::kIpv4 ? 4 : 16;
  for (size_t i = 0; i < bytes; ++i) {
    if ((peer.bytes[i] ^ address[i]) & mask[i]) return false;
  }
  return true;
}

}  // namespace cofork
