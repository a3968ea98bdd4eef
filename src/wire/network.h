// IP addresses and masks as pg_hba.conf writes and compares them (as pg_range_sockaddr and
// pg_sockaddr_cidr_mask in ifaddr.c, 15). Pure; names are resolved elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/hba.h"

namespace cofork {

/// "192.168.0.1" or "fe80::1" into address and family. False for anything else, host names too.
bool parse_address(const std::string& text, HbaNetwork& network);
/// "24": sets that many leading bits of the mask. False when it is no number or too large.
bool set_mask_bits(const std::string& text, HbaNetwork& network);
/// The interfaces' networks, each with the interface's own address.
std::vector<HbaNetwork> networks_of(const std::vector<InterfaceAddress>& interfaces);
/// Does a name from pg_hba.conf mean this host? Without case; ".example.com" means all below it.
bool host_name_matches(std::string_view wanted, std::string_view host_name);

}  // namespace cofork
