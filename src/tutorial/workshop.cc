// See workshop.h.
#include "tutorial/workshop.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "os/launch.h"
#include "os/os.h"
#include "os/process.h"
#include "os/user.h"

namespace cofork::tutorial {

namespace {

constexpr const char* kOwnedMark = "OWNED-BY-COFORK-TUTORIAL";
/// A Unix socket's path has at most 107 characters; ours end in "/3-coroutine/.s.PGSQL.54320".
constexpr size_t kRootPathMax = 75;
constexpr int kFirstPort = 54320;
constexpr int kPortsTried = 200;
/// Where Debian and others put the programs of PostgreSQL that have no place on PATH.
constexpr const char* kPostgresPrograms = "/usr/lib/postgresql/15/bin";

/// True when nobody listens on this port of the loopback interface.
bool port_is_free(int port) {
  Sockets& sockets = real_operating_system().sockets;
  std::vector<ListenAddress> addresses;
  if (!sockets.resolve("127.0.0.1", port, addresses).empty() || addresses.empty()) return false;
  const char* step = "";
  const int fd = sockets.bind(addresses[0], step);
  if (fd < 0) return false;
  const bool free = sockets.listen(fd, 1) == 0;
  sockets.close(fd);
  return free;
}

int find_free_port(int number) {
  for (int port = kFirstPort + number; port < kFirstPort + kPortsTried; ++port) {
    if (port_is_free(port)) return port;
  }
  throw std::runtime_error(fmt::format("no port from {} to {} is free", kFirstPort + number,
                                       kFirstPort + kPortsTried - 1));
}

std::string environment_text(const Place& place, const Progress& progress) {
  const std::string self = executable_path();
  const std::string programs = self.substr(0, self.rfind('/'));
  std::string text = fmt::format(
      "# Lesson {} in mode {}: come in with `. {}/env`\n"
      "cd {}\n"
      "export PGDATA={} PGHOST={} PGPORT={}\n"
      "export SERVE=\"--mode={} -p $PGPORT -k $PGHOST -h localhost\"\n"
      "export PGUSER=postgres PGDATABASE=postgres PSQLRC=/dev/null PSQL_PAGER=cat\n"
      "case :$PATH: in *:{}:*) ;; *) export PATH={}:$PATH ;; esac\n",
      place.number, place.mode, place.directory, shell_quoted(place.directory),
      shell_quoted(place.directory + "/data"), shell_quoted(place.directory), progress.port,
      place.mode, programs, shell_quoted(programs));
  if (std::filesystem::exists(kPostgresPrograms)) {
    text += fmt::format("export PG={}\nexport PATH=$PATH:$PG\n", kPostgresPrograms);
  }
  return text;
}

}  // namespace

std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::optional<std::string> read_text(const std::string& path) {
  FileSystem& files = real_operating_system().files;
  const int fd = files.open(path, O_RDONLY);
  if (fd < 0) return std::nullopt;
  std::string text;
  char chunk[8192];
  ssize_t got;
  while ((got = files.read(fd, chunk, sizeof chunk)) > 0) {
    text.append(chunk, static_cast<size_t>(got));
  }
  files.close(fd);
  if (got < 0) return std::nullopt;
  return text;
}

void write_text(const std::string& path, const std::string& text) {
  FileSystem& files = real_operating_system().files;
  const std::string half_made = path + ".new";
  const int fd = files.open(half_made, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const bool written =
      fd >= 0 && files.write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) files.close(fd);
  if (!written || files.rename(half_made, path) != 0) {
    throw std::runtime_error("could not write " + path);
  }
}

std::string workshop_root() {
  const std::string name = "/cofork-tutorial";
  if (const auto state = environment_variable("XDG_STATE_HOME"); state && !state->empty()) {
    return *state + name;
  }
  const auto home = environment_variable("HOME");
  if (!home || home->empty()) throw std::runtime_error("neither XDG_STATE_HOME nor HOME is set");
  return *home + "/.local/state" + name;
}

bool is_workshop(const std::string& root) {
  return std::filesystem::exists(root + "/" + kOwnedMark);
}

void claim_workshop(const std::string& root) {
  if (effective_user_id() == 0) {
    throw std::runtime_error(
        "a server does not run as root, so a lesson does not either\n"
        "hint: Become another user: su -s /bin/bash nobody");
  }
  if (is_workshop(root)) return;
  if (root.size() > kRootPathMax) {
    throw std::runtime_error(
        fmt::format("{} is too long for the path of a Unix socket\n"
                    "hint: Choose a shorter place: XDG_STATE_HOME=/tmp/lessons cofork tutorial …",
                    root));
  }
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) throw std::runtime_error(fmt::format("could not make {}: {}", root, error.message()));
  if (!std::filesystem::is_empty(root, error) || error) {
    throw std::runtime_error(root +
                             " exists and was not made by this tutorial: it stays untouched");
  }
  write_text(root + "/" + kOwnedMark,
             "Everything in this directory was made by \"cofork tutorial\" and can be removed.\n");
}

Place place_of(const std::string& root, int number, const std::string& mode) {
  return {root, fmt::format("{}/{}-{}", root, number, mode), number, mode};
}

std::optional<Place> current_place(const std::string& root) {
  const auto text = read_text(root + "/current");
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  int number = 0;
  std::string mode;
  if (!(words >> number >> mode)) return std::nullopt;
  return place_of(root, number, mode);
}

void set_current_place(const Place& place) {
  write_text(place.root + "/current", fmt::format("{} {}\n", place.number, place.mode));
}

void prepare_place(const Place& place, Progress& progress) {
  std::filesystem::create_directories(place.directory);
  const bool running = std::filesystem::exists(place.directory + "/data/postmaster.pid");
  if (progress.port == 0 || (!running && !port_is_free(progress.port))) {
    progress.port = find_free_port(place.number);
  }
  write_text(place.directory + "/env", environment_text(place, progress));
  write_progress(place, progress);
  set_current_place(place);
}

Progress read_progress(const Place& place) {
  Progress progress;
  const auto text = read_text(place.directory + "/progress");
  if (!text) return progress;
  for (const std::string& line : split_lines(*text)) {
    std::istringstream words(line);
    std::string what;
    int first = 0;
    if (!(words >> what >> first)) continue;
    if (what == "port") progress.port = first;
    if (what == "done") progress.done.insert(first);
    if (what == "hint") words >> progress.hints[first];
  }
  return progress;
}

void write_progress(const Place& place, const Progress& progress) {
  std::string text = fmt::format("port {}\n", progress.port);
  for (const int step : progress.done) text += fmt::format("done {}\n", step);
  for (const auto& [step, shown] : progress.hints) text += fmt::format("hint {} {}\n", step, shown);
  write_text(place.directory + "/progress", text);
}

void remove_place(const Place& place) {
  if (!is_workshop(place.root) || !std::filesystem::exists(place.directory)) return;
  if (std::filesystem::exists(place.directory + "/env")) {
    run_shell(enter_place(place) + stop_server_script(), "/dev/null", 60'000);
  }
  std::filesystem::remove_all(place.directory);
}

std::string enter_place(const Place& place) {
  return fmt::format(". {}/env && ", shell_quoted(place.directory));
}

std::string start_server_script() {
  return "cofork ctl status > status 2>&1 || {\n"
         "  if [ ! -f data/PG_VERSION ]; then\n"
         "    rm -rf data\n"
         "    cofork init -N -U postgres -A trust -E UTF8 --locale=C.UTF-8 > init.log 2>&1 ||\n"
         "      { cat init.log >&2; exit 1; }\n"
         "  fi\n"
         "  cofork ctl start -s -l log -o \"$SERVE\" || { tail -n 20 log >&2; exit 1; }\n"
         "}\n";
}

std::string stop_server_script() {
  return "if [ -f data/postmaster.pid ]; then\n"
         "  cofork ctl stop -s -m fast -t 15 2> /dev/null ||\n"
         "    cofork ctl stop -s -m immediate -t 15 2> /dev/null\n"
         "fi\n"
         "[ ! -f real/postmaster.pid ] || \"$PG/pg_ctl\" -D real -m immediate -s stop 2> "
         "/dev/null\n"
         "true\n";
}

}  // namespace cofork::tutorial
