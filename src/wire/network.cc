// See network.h.
#include "wire/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cofork {

bool parse_address(const std::string& text, HbaNetwork& network) {
  // These compute; they ask nobody. inet_aton() takes "10.1" for 10.0.0.1, as the resolver does.
  network.address.fill(0);
  in_addr ipv4;
  if (inet_aton(text.c_str(), &ipv4) == 1) {
    std::memcpy(network.address.data(), &ipv4, sizeof ipv4);
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

std::vector<HbaNetwork> networks_of(const std::vector<InterfaceAddress>& interfaces) {
  std::vector<HbaNetwork> networks;
  for (const InterfaceAddress& interface : interfaces) {
    HbaNetwork network;
    network.family = interface.address.family;
    std::memcpy(network.address.data(), interface.address.bytes, network.address.size());
    std::memcpy(network.mask.data(), interface.mask, network.mask.size());
    networks.push_back(network);
  }
  return networks;
}

bool host_name_matches(std::string_view wanted, std::string_view host_name) {
  if (host_name.empty()) return false;
  if (wanted.starts_with('.')) {
    if (host_name.size() < wanted.size()) return false;
    host_name.remove_prefix(host_name.size() - wanted.size());
  }
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  return std::equal(wanted.begin(), wanted.end(), host_name.begin(), host_name.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
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
