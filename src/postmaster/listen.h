// The sockets a server listens on: TCP addresses from listen_addresses, unix sockets from
// unix_socket_directories, each with its line in the log, its complaint when it fails, and its lock
// file. One working address of each kind that is asked for is enough.
//
// As StreamServerPort, Lock_AF_UNIX and Setup_AF_UNIX in pqcomm.c and the middle of PostmasterMain
// in postmaster.c, 15.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "postmaster/lock_file.h"

namespace cofork {

struct Listener {
  int fd = -1;
  PeerAddress::Family family = PeerAddress::Family::kUnix;
  std::string text;  ///< the address, or the socket's path
};

struct ListenSettings {
  std::string listen_addresses;         ///< names and addresses, separated by commas; "*" for all
  std::string unix_socket_directories;  ///< separated by commas
  int port = 5432;
  int backlog = 200;  ///< cut to 10000 (PG_SOMAXCONN)
  mode_t unix_socket_permissions = 0777;
  std::string unix_socket_group;
};

class ListenSockets {
 public:
  static constexpr size_t kListenersMax = 64;  // MAXLISTEN

  ListenSockets(OperatingSystem& os, LockFiles& locks) : os_(os), locks_(locks) {}
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;

  /// Opens what the settings ask for and fills lines 5 and 6 of postmaster.pid. Throws FATAL when a
  /// whole kind has failed.
  void open(const ListenSettings& settings);
  /// Takes over sockets that this same process has opened before it was born again.
  void adopt(std::vector<Listener> listeners) { listeners_ = std::move(listeners); }
  const std::vector<Listener>& all() const { return listeners_; }

  /// Keeps /tmp cleaners from removing the sockets.
  void touch();
  /// Closes them all and removes the unix sockets' files.
  void close();

 private:
  bool open_tcp(const ListenSettings& settings, const std::string& host);
  bool open_unix(const ListenSettings& settings, const std::string& directory);
  bool open_address(const ListenSettings& settings, const ListenAddress& address);
  bool give_to_group(const ListenSettings& settings, const std::string& path);

  OperatingSystem& os_;
  LockFiles& locks_;
  std::vector<Listener> listeners_;
};

/// Splits a list as these two settings have it: commas, blanks around elements, double quotes
/// around elements that contain either. False when the quoting is wrong or an element is missing.
bool split_setting_list(std::string_view list, std::vector<std::string>& elements);

}  // namespace cofork
