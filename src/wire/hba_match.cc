// Which line of pg_hba.conf decides about a connection (as check_hba in hba.c, 15).
#include <algorithm>

#include "wire/hba.h"

namespace cofork {

namespace {

bool connection_matches(HbaConnection connection, const PeerAddress& peer) {
  bool is_local = peer.family == PeerAddress::Family::kUnix;
  switch (connection) {
    case HbaConnection::kLocal:
      return is_local;
    case HbaConnection::kHost:
    case HbaConnection::kHostNoSsl:
    case HbaConnection::kHostNoGss:
      return !is_local;
    case HbaConnection::kHostSsl:
    case HbaConnection::kHostGss:
      return false;  // no connection here is encrypted
  }
  return false;
}

bool address_matches(const HbaLine& line, const HbaRequest& request) {
  switch (line.address) {
    case HbaAddress::kAll:
      return true;
    case HbaAddress::kNetwork:
      return line.network.contains(request.peer);
    case HbaAddress::kHostName:
      return request.has_host_name(line.host_name);
    case HbaAddress::kSameHost:
    case HbaAddress::kSameNet:
      break;
  }
  std::vector<HbaNetwork> networks = request.interfaces();
  return std::any_of(networks.begin(), networks.end(), [&](HbaNetwork& network) {
    if (line.address == HbaAddress::kSameHost) network.mask.fill(0xff);
    return network.contains(request.peer);
  });
}

bool database_matches(const std::vector<ConfigToken>& tokens, const HbaRequest& request) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const ConfigToken& token) {
    if (token.is_keyword("all")) return true;
    if (token.is_keyword("sameuser")) return request.database == request.user;
    if (token.is_keyword("samegroup") || token.is_keyword("samerole")) {
      return request.is_member(request.database);
    }
    if (token.is_keyword("replication")) return false;  // means WAL senders, not this connection
    return token.text == request.database;
  });
}

bool role_matches(const std::vector<ConfigToken>& tokens, const HbaRequest& request) {
  return std::any_of(tokens.begin(), tokens.end(), [&](const ConfigToken& token) {
    if (!token.quoted && token.text.starts_with('+')) {
      return request.is_member(std::string_view(token.text).substr(1));
    }
    return token.is_keyword("all") || token.text == request.user;
  });
}

}  // namespace

const HbaLine* find_hba_line(const HbaConfig& config, const HbaRequest& request) {
  for (const HbaLine& line : config.lines) {
    if (!connection_matches(line.connection, request.peer)) continue;
    if (line.connection != HbaConnection::kLocal && !address_matches(line, request)) continue;
    if (!database_matches(line.databases, request)) continue;
    if (!role_matches(line.roles, request)) continue;
    return &line;
  }
  return nullptr;
}

}  // namespace cofork
