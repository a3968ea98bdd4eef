// Real sockets: listening on TCP and unix addresses, accepting, non-blocking I/O.
#include "os/real_os.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cofork {

namespace {

const sockaddr* raw_address(const ListenAddress& address) {
  return reinterpret_cast<const sockaddr*>(address.raw.data());
}

PeerAddress peer_from(const sockaddr_storage& from) {
  PeerAddress peer;
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    peer.family = PeerAddress::Family::kIpv4;
    std::memcpy(peer.bytes, &in.sin_addr, 4);
    peer.port = ntohs(in.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    peer.family = PeerAddress::Family::kIpv6;
    std::memcpy(peer.bytes, &in.sin6_addr, 16);
    peer.port = ntohs(in.sin6_port);
  }
  return peer;
}

std::string text_of(int family, const void* address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, text, sizeof text);
  return text;
}

}  // namespace

std::string PeerAddress::host() const {
  switch (family) {
    case Family::kUnix:
      return "[local]";
    case Family::kIpv4:
      return text_of(AF_INET, bytes);
    case Family::kIpv6:
      return text_of(AF_INET6, bytes);
  }
  return "";
}

std::string RealSockets::resolve(const std::string& host, int port,
                                 std::vector<ListenAddress>& out) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  std::string service = std::to_string(port);
  int error = getaddrinfo(host == "*" ? nullptr : host.c_str(), service.c_str(), &hints, &found);
  if (error != 0) return gai_strerror(error);
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
    bool v4 = a->ai_family == AF_INET;
    const void* bytes =
        v4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(a->ai_addr)->sin_addr)
           : static_cast<const void*>(
                 &reinterpret_cast<const sockaddr_in6*>(a->ai_addr)->sin6_addr);
    out.push_back({v4 ? PeerAddress::Family::kIpv4 : PeerAddress::Family::kIpv6,
                   text_of(a->ai_family, bytes),
                   std::string(reinterpret_cast<const char*>(a->ai_addr), a->ai_addrlen)});
  }
  freeaddrinfo(found);
  return "";
}

ListenAddress RealSockets::unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return {PeerAddress::Family::kUnix, path,
          std::string(reinterpret_cast<const char*>(&address), sizeof address)};
}

int RealSockets::bind(const ListenAddress& address, const char*& step) {
  step = "create";
  int fd = ::socket(raw_address(address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  auto fail = [&] {
    int error = errno;
    ::close(fd);
    return -error;
  };
  int on = 1;
  if (address.family != PeerAddress::Family::kUnix) {
    // A restarted server must not wait for the old connections' TIME_WAIT to pass.
    step = "setsockopt(SO_REUSEADDR)";
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return fail();
  }
  if (address.family == PeerAddress::Family::kIpv6) {
    step = "setsockopt(IPV6_V6ONLY)";
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) return fail();
  }
  step = "bind";
  if (::bind(fd, raw_address(address), static_cast<socklen_t>(address.raw.size())) < 0)
    return fail();
  return fd;
}

int RealSockets::listen(int fd, int backlog) {
  return ::listen(fd, backlog) == 0 ? 0 : -errno;
}

int RealSockets::accept(int listen_fd, PeerAddress& peer) {
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  int fd = ::accept4(listen_fd, reinterpret_cast<sockaddr*>(&from), &length,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return -errno;
  peer = peer_from(from);
  if (peer.family != PeerAddress::Family::kUnix) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  return fd;
}

ssize_t RealSockets::recv(int fd, void* bytes, size_t count) {
  for (;;) {
    ssize_t got = ::recv(fd, bytes, count, MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

ssize_t RealSockets::send(int fd, const void* bytes, size_t count) {
  for (;;) {
    ssize_t sent = ::send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

bool RealSockets::peer_closed(int fd) {
  char byte;
  return ::recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

int RealSockets::close(int fd) {
  return ::close(fd) == 0 ? 0 : -errno;
}

std::vector<InterfaceAddress> RealSockets::interfaces() {
  std::vector<InterfaceAddress> result;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return result;
  for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_netmask == nullptr) continue;
    InterfaceAddress found;
    if (at->ifa_addr->sa_family == AF_INET) {
      found.address.family = PeerAddress::Family::kIpv4;
      std::memcpy(found.address.bytes, &reinterpret_cast<sockaddr_in*>(at->ifa_addr)->sin_addr, 4);
      std::memcpy(found.mask, &reinterpret_cast<sockaddr_in*>(at->ifa_netmask)->sin_addr, 4);
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      found.address.family = PeerAddress::Family::kIpv6;
      std::memcpy(found.address.bytes, &reinterpret_cast<sockaddr_in6*>(at->ifa_addr)->sin6_addr,
                  16);
      std::memcpy(found.mask, &reinterpret_cast<sockaddr_in6*>(at->ifa_netmask)->sin6_addr, 16);
    } else {
      continue;
    }
    result.push_back(found);
  }
  freeifaddrs(all);
  return result;
}

std::string RealSockets::name_of(const PeerAddress& peer) {
  sockaddr_storage address{};
  socklen_t length = 0;
  if (peer.family == PeerAddress::Family::kIpv4) {
    auto& in = reinterpret_cast<sockaddr_in&>(address);
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, peer.bytes, 4);
    length = sizeof in;
  } else if (peer.family == PeerAddress::Family::kIpv6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(address);
    in.sin6_family = AF_INET6;
    std::memcpy(&in.sin6_addr, peer.bytes, 16);
    length = sizeof in;
  } else {
    return "";
  }
  char name[NI_MAXHOST] = "";
  if (getnameinfo(reinterpret_cast<sockaddr*>(&address), length, name, sizeof name, nullptr, 0,
                  NI_NAMEREQD) != 0) {
    return "";
  }
  return name;
}

OperatingSystem& real_operating_system() {
  static RealClock clock;
  static RealEntropy entropy;
  static RealFileSystem files;
  static RealSockets sockets;
  static OperatingSystem bundle{clock, entropy, files, sockets};
  return bundle;
}

}  // namespace cofork
