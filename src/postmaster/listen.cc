// See listen.h.
#include "postmaster/listen.h"

#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "log/log.h"
#include "os/user.h"

namespace cofork {

namespace {

constexpr int kBacklogMax = 10000;
constexpr size_t kUnixPathMax = sizeof(sockaddr_un::sun_path) - 1;

const char* family_name(PeerAddress::Family family) {
  switch (family) {
    case PeerAddress::Family::kUnix:
      return "Unix";
    case PeerAddress::Family::kIpv4:
      return "IPv4";
    case PeerAddress::Family::kIpv6:
      return "IPv6";
  }
  return "???";
}

void log_socket_error(int error, std::string message, std::string hint = "") {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate_for_file_errno(error);
  data.message = std::move(message);
  data.hint = std::move(hint);
  report(data);
}

void log_bind_error(int error, const ListenAddress& address, int port) {
  std::string hint;
  if (error == EADDRINUSE) {
    hint = fmt::format("Is another postmaster already running on port {}?", port);
    if (address.family != PeerAddress::Family::kUnix) {
      hint += " If not, wait a few seconds and retry.";
    }
  }
  log_socket_error(error,
                   fmt::format("could not bind {} address \"{}\": {}", family_name(address.family),
                               address.text, errno_text(error)),
                   hint);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  size_t from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

/// Takes one element off the front of `rest`, up to a comma outside quotes.
bool take_element(std::string_view& rest, std::string& element) {
  rest = trimmed(rest);
  if (!rest.empty() && rest.front() == '"') {
    size_t end = rest.find('"', 1);
    if (end == std::string_view::npos) return false;
    element = rest.substr(1, end - 1);
    rest = trimmed(rest.substr(end + 1));
    return rest.empty() || rest.front() == ',';
  }
  size_t end = std::min(rest.find(','), rest.size());
  element = trimmed(rest.substr(0, end));
  rest.remove_prefix(end);
  return !element.empty();
}

std::vector<std::string> split_or_throw(const char* setting, std::string_view list) {
  std::vector<std::string> elements;
  if (split_setting_list(list, elements)) return elements;
  throw Error(sqlstate::kInvalidParameterValue, "invalid list syntax in parameter \"{}\"", setting)
      .fatal();
}

}  // namespace

bool split_setting_list(std::string_view list, std::vector<std::string>& elements) {
  std::string_view rest = trimmed(list);
  if (rest.empty()) return true;
  for (;;) {
    std::string element;
    if (!take_element(rest, element)) return false;
    elements.push_back(std::move(element));
    if (rest.empty()) return true;
    rest.remove_prefix(1);  // the comma
  }
}

void ListenSockets::open(const ListenSettings& settings) {
  std::vector<std::string> hosts = split_or_throw("listen_addresses", settings.listen_addresses);
  std::string first_host;
  bool any = false;
  for (const std::string& host : hosts) {
    if (open_tcp(settings, host)) {
      if (!any) first_host = host;
      any = true;
    } else {
      log(Severity::kWarning, "could not create listen socket for \"{}\"", host);
    }
  }
  if (!any && !hosts.empty()) {
    throw Error(sqlstate::kInternalError, "could not create any TCP/IP sockets").fatal();
  }

  std::vector<std::string> directories =
      split_or_throw("unix_socket_directories", settings.unix_socket_directories);
  any = false;
  for (const std::string& directory : directories) {
    if (open_unix(settings, directory)) {
      if (!any) locks_.set_line(LockFileLine::kSocketDirectory, directory);
      any = true;
    } else {
      log(Severity::kWarning, "could not create Unix-domain socket in directory \"{}\"", directory);
    }
  }
  if (!any && !directories.empty()) {
    throw Error(sqlstate::kInternalError, "could not create any Unix-domain sockets").fatal();
  }
  if (listeners_.empty()) {
    throw Error(sqlstate::kInternalError, "no socket created for listening").fatal();
  }
  locks_.set_line(LockFileLine::kListenAddress, first_host);
}

bool ListenSockets::open_tcp(const ListenSettings& settings, const std::string& host) {
  std::vector<ListenAddress> addresses;
  std::string error = os_.sockets.resolve(host, settings.port, addresses);
  if (!error.empty()) {
    log(Severity::kLog, "could not translate host name \"{}\", service \"{}\" to address: {}", host,
        settings.port, error);
    return false;
  }
  bool any = false;
  for (const ListenAddress& address : addresses) {
    if (open_address(settings, address)) any = true;
  }
  return any;
}

bool ListenSockets::open_unix(const ListenSettings& settings, const std::string& directory) {
  std::string path = fmt::format("{}/.s.PGSQL.{}", directory, settings.port);
  if (path.size() > kUnixPathMax) {
    log(Severity::kLog, "Unix-domain socket path \"{}\" is too long (maximum {} bytes)", path,
        kUnixPathMax);
    return false;
  }
  locks_.lock_socket(path, directory);
  // Ours now: a socket file that is still there belongs to nobody.
  os_.files.unlink(path);
  return open_address(settings, os_.sockets.unix_address(path));
}

bool ListenSockets::open_address(const ListenSettings& settings, const ListenAddress& address) {
  if (listeners_.size() >= kListenersMax) {
    log(Severity::kLog, "could not bind to all requested addresses: MAXLISTEN ({}) exceeded",
        kListenersMax);
    return false;
  }
  const char* family = family_name(address.family);
  const char* step = "";
  int fd = os_.sockets.bind(address, step);
  if (fd < 0) {
    if (std::strcmp(step, "bind") == 0) {
      log_bind_error(-fd, address, settings.port);
    } else if (std::strcmp(step, "create") == 0) {
      log_socket_error(-fd, fmt::format("could not create {} socket for address \"{}\": {}", family,
                                        address.text, errno_text(-fd)));
    } else {
      log_socket_error(-fd, fmt::format("{} failed for {} address \"{}\": {}", step, family,
                                        address.text, errno_text(-fd)));
    }
    return false;
  }
  bool is_unix = address.family == PeerAddress::Family::kUnix;
  if (is_unix && !give_to_group(settings, address.text)) {
    os_.sockets.close(fd);
    return false;
  }
  int error = os_.sockets.listen(fd, std::min(settings.backlog, kBacklogMax));
  if (error < 0) {
    log_socket_error(-error, fmt::format("could not listen on {} address \"{}\": {}", family,
                                         address.text, errno_text(-error)));
    os_.sockets.close(fd);
    return false;
  }
  if (is_unix) {
    log(Severity::kLog, "listening on Unix socket \"{}\"", address.text);
  } else {
    log(Severity::kLog, "listening on {} address \"{}\", port {}", family, address.text,
        settings.port);
  }
  listeners_.push_back({fd, address.family, address.text});
  return true;
}

bool ListenSockets::give_to_group(const ListenSettings& settings, const std::string& path) {
  if (!settings.unix_socket_group.empty()) {
    gid_t gid;
    if (!group_id_of(settings.unix_socket_group, gid)) {
      log(Severity::kLog, "group \"{}\" does not exist", settings.unix_socket_group);
      return false;
    }
    int error = -change_group(path, gid);
    if (error != 0) {
      log_socket_error(
          error, fmt::format("could not set group of file \"{}\": {}", path, errno_text(error)));
      return false;
    }
  }
  int error = -os_.files.chmod(path, settings.unix_socket_permissions);
  if (error != 0) {
    log_socket_error(error, fmt::format("could not set permissions of file \"{}\": {}", path,
                                        errno_text(error)));
    return false;
  }
  return true;
}

void ListenSockets::touch() {
  for (const Listener& listener : listeners_) {
    if (listener.family == PeerAddress::Family::kUnix) os_.files.utime_now(listener.text);
  }
}

void ListenSockets::close() {
  for (const Listener& listener : listeners_) {
    os_.sockets.close(listener.fd);
    if (listener.family == PeerAddress::Family::kUnix) os_.files.unlink(listener.text);
  }
  listeners_.clear();
}

}  // namespace cofork
