// Starting, watching and stopping the server under test; see server.h.
#include "server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <thread>

#include "client.h"

namespace cofork::test {
namespace fs = std::filesystem;
namespace {

constexpr const char* kReferenceBin = "/usr/lib/postgresql/15/bin";

std::string binary_under_test() {
  const char* path = std::getenv("COFORK_BINARY");
  return path == nullptr ? "" : path;
}

std::string cofork_bin() {
  return test_root() + "/bin";
}

/// Starts a program with its output in the given descriptors.
pid_t spawn_process(const std::vector<std::string>& command,
                    const std::vector<std::string>& environment, int out, int err) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  for (int fd = 3; fd < 256; ++fd) ::close(fd);
  for (const std::string& entry : environment) ::putenv(const_cast<char*>(entry.c_str()));
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A data directory made once per program and flavour; every server gets a copy.
const std::string& template_directory(bool reference) {
  static std::map<bool, std::string> made;
  std::string& path = made[reference];
  if (!path.empty()) return path;
  path = test_root() + (reference ? "/template-reference" : "/template-cofork");
  const std::string initdb = (reference ? kReferenceBin : cofork_bin()) + std::string("/initdb");
  const CommandResult result =
      run({initdb, "-D", path, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"});
  if (result.exit_code != 0) {
    ADD_FAILURE() << "initdb failed: " << result.out << result.err;
    path.clear();
  }
  return path;
}

}  // namespace

std::string flavor_name(const testing::TestParamInfo<Flavor>& info) {
  constexpr const char* kNames[] = {"fork", "coroutine", "reference"};
  return kNames[static_cast<int>(info.param)];
}

std::vector<Flavor> cofork_flavors() {
  if (binary_under_test().empty()) return {};
  return {Flavor::kFork, Flavor::kCoroutine};
}

std::vector<Flavor> available_flavors() {
  std::vector<Flavor> flavors = cofork_flavors();
  if (::access((std::string(kReferenceBin) + "/postgres").c_str(), X_OK) == 0) {
    flavors.push_back(Flavor::kReference);
  }
  return flavors;
}

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

const std::string& test_root() {
  struct Root {
    std::string path;
    Root() {
      // Short: a Unix socket's path has 107 characters.
      const char* parent = std::getenv("TMPDIR");
      path = (parent == nullptr ? std::string("/tmp") : parent) + "/cofork.XXXXXX";
      if (::mkdtemp(path.data()) == nullptr) std::abort();
    }
    ~Root() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  };
  static Root root;
  return root.path;
}

void prepare_binaries() {
  fs::create_directory(cofork_bin());
  if (const char* disk = std::getenv("FORGETFUL_DISK")) {
    fs::copy_file(disk, cofork_bin() + "/forgetful_disk.so");
  }
  if (binary_under_test().empty()) return;
  fs::copy_file(binary_under_test(), cofork_bin() + "/cofork");
  for (const char* name : {"postgres", "initdb", "pg_ctl"}) {
    fs::create_symlink("cofork", cofork_bin() + "/" + name);
  }
}

CommandResult run(const std::vector<std::string>& command,
                  const std::vector<std::string>& environment) {
  static int serial = 0;
  const std::string base = test_root() + "/run" + std::to_string(++serial);
  const int out = ::open((base + ".out").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  const int err = ::open((base + ".err").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  const pid_t child = spawn_process(command, environment, out, err);
  ::close(out);
  ::close(err);
  int status = 0;
  ::waitpid(child, &status, 0);
  CommandResult result{exit_code_of(status), read_file(base + ".out"), read_file(base + ".err")};
  ::unlink((base + ".out").c_str());
  ::unlink((base + ".err").c_str());
  return result;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void append_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

int free_tcp_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::vector<ProcessInfo> children_of(pid_t parent) {
  std::vector<ProcessInfo> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = read_file("/proc/" + name + "/stat");
    const size_t comm_end = stat.rfind(')');
    if (comm_end == std::string::npos) continue;
    char state = 0;
    int ppid = 0;
    if (std::sscanf(stat.c_str() + comm_end + 1, " %c %d", &state, &ppid) != 2) continue;
    if (ppid != parent || state == 'Z') continue;
    std::string title = read_file("/proc/" + name + "/cmdline");
    while (!title.empty() && title.back() == '\0') title.pop_back();
    std::replace(title.begin(), title.end(), '\0', ' ');
    children.push_back({static_cast<pid_t>(std::stol(name)), title});
  }
  std::sort(children.begin(), children.end(),
            [](const auto& a, const auto& b) { return a.pid < b.pid; });
  return children;
}

int open_descriptors(pid_t pid) {
  int count = 0;
  std::error_code error;
  for (fs::directory_iterator it("/proc/" + std::to_string(pid) + "/fd", error), end; it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

double cpu_seconds(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  long user = 0, system = 0, children_user = 0, children_system = 0;
  const size_t behind_name = stat.rfind(')');
  if (behind_name == std::string::npos ||
      std::sscanf(stat.c_str() + behind_name + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld %ld %ld", &user, &system,
                  &children_user, &children_system) != 4) {
    return 0;
  }
  return static_cast<double>(user + system + children_user + children_system) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

namespace {
long kilobytes_in(const std::string& path, const std::string& label) {
  const std::string text = read_file(path);
  const size_t at = text.find("\n" + label);
  return at == std::string::npos ? 0 : std::atol(text.c_str() + at + 1 + label.size());
}
}  // namespace

long resident_kb(pid_t pid) {
  return kilobytes_in("/proc/" + std::to_string(pid) + "/status", "VmRSS:");
}

long proportional_kb(pid_t postmaster) {
  long sum = kilobytes_in("/proc/" + std::to_string(postmaster) + "/smaps_rollup", "Pss:");
  for (const ProcessInfo& child : children_of(postmaster)) {
    sum += kilobytes_in("/proc/" + std::to_string(child.pid) + "/smaps_rollup", "Pss:");
  }
  return sum;
}

Server::Server(Flavor flavor) : flavor_(flavor) {
  static int serial = 0;
  directory_ = test_root() + "/s" + std::to_string(++serial);
  fs::create_directory(directory_);
  fs::copy(template_directory(is_reference()), data(), fs::copy_options::recursive);
  fs::permissions(data(), fs::perms::owner_all);
  configure("\nlisten_addresses = ''\nunix_socket_directories = '" + directory_ +
            "'\nlog_timezone = 'UTC'\nfsync = off\n");
}

Server::~Server() {
  if (pid_ != 0 && !has_exited()) {
    const auto children = children_of(pid_);
    ::kill(pid_, SIGQUIT);
    if (!wait_until([this] { return has_exited(); })) {
      ADD_FAILURE() << "the server did not end after SIGQUIT";
      ::kill(pid_, SIGKILL);
      for (const ProcessInfo& child : children) ::kill(child.pid, SIGKILL);
      wait_exit();
    }
  }
  if (testing::Test::HasFailure()) std::cerr << "--- server log\n" << log() << "---\n";
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::string Server::program(const std::string& name) const {
  return (is_reference() ? kReferenceBin : cofork_bin()) + "/" + name;
}

std::vector<std::string> Server::server_arguments() const {
  switch (flavor_) {
    case Flavor::kFork:
      return {"--mode=fork"};
    case Flavor::kCoroutine:
      return {"--mode=coroutine"};
    case Flavor::kReference:
      break;
  }
  return {};
}

void Server::spawn(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {program("postgres"), "-D", data()};
  for (const std::string& argument : server_arguments()) command.push_back(argument);
  command.insert(command.end(), arguments.begin(), arguments.end());
  const int log = ::open(log_path().c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600);
  std::vector<std::string> environment = {"LC_ALL=C"};
  environment.insert(environment.end(), environment_.begin(), environment_.end());
  pid_ = spawn_process(command, environment, log, log);
  ::close(log);
  exit_code_.reset();
}

bool Server::wait_ready() {
  return wait_until([this] {
           const std::string pid_file = read_file(data() + "/postmaster.pid");
           return has_exited() || (pid_file.rfind(std::to_string(pid_) + "\n", 0) == 0 &&
                                   pid_file.find("\nready   ") != std::string::npos);
         }) &&
         !exit_code_;
}

void Server::change_mode() {
  if (is_cofork()) flavor_ = has_processes() ? Flavor::kCoroutine : Flavor::kFork;
}

void Server::start(const std::vector<std::string>& arguments) {
  spawn(arguments);
  ASSERT_TRUE(wait_ready()) << "the server did not become ready:\n" << log();
}

bool Server::has_exited() {
  if (exit_code_ || pid_ == 0) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  exit_code_ = exit_code_of(status);
  return true;
}

int Server::wait_exit() {
  if (!wait_until([this] { return has_exited(); })) {
    ADD_FAILURE() << "the server did not end";
    return -1;
  }
  return *exit_code_;
}

void Server::signal(int signo) {
  ::kill(pid_, signo);
}

int Server::stop(int signo) {
  signal(signo);
  return wait_exit();
}

void Server::kill_all() {
  // Stopped, it has no more children while they are listed.
  signal(SIGSTOP);
  const auto children = children_of(pid_);
  for (const ProcessInfo& child : children) ::kill(child.pid, SIGKILL);
  signal(SIGKILL);
  EXPECT_EQ(wait_exit(), 128 + SIGKILL);
  const auto is_gone = [](const ProcessInfo& child) { return ::kill(child.pid, 0) != 0; };
  EXPECT_TRUE(wait_until([&] { return std::all_of(children.begin(), children.end(), is_gone); }));
}

void Server::use_collector() {
  configure("logging_collector = on\nlog_directory = 'log'\nlog_filename = 'collected'\n");
  collector_file_ = data() + "/log/collected";
}

pid_t Server::logger_pid() const {
  constexpr std::string_view kTitle = "postgres: logger";
  if (has_processes()) {
    for (const ProcessInfo& child : children_of(pid_)) {
      if (child.title.rfind(kTitle, 0) == 0) return child.pid;
    }
    return 0;
  }
  std::istringstream tasks(run({program("cofork"), "ps", "-D", data()}).out);
  for (std::string line; std::getline(tasks, line);) {
    if (line.find(" logger ") != std::string::npos) return std::atoi(line.c_str());
  }
  return 0;
}

CommandResult Server::kill_task(pid_t pid, const std::string& signal_name) {
  if (pid <= 1) {  // 0 would be this program and all it has started
    ADD_FAILURE() << "not the pid of a task: " << pid;
    return {};
  }
  if (flavor_ == Flavor::kCoroutine) {
    return run({program("cofork"), "ctl", "kill", "-D", data(), signal_name, std::to_string(pid)});
  }
  return run({"/bin/sh", "-c", "kill -" + signal_name + " " + std::to_string(pid)});
}

std::string Server::conninfo(const std::string& more) const {
  return "host=" + directory_ + " port=5432 user=postgres dbname=postgres " + more;
}

std::vector<LogLine> Server::log_lines(size_t from) const {
  static const std::regex prefix(R"(^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w+ \[(\d+)\] (.*)$)");
  std::vector<LogLine> lines;
  const std::string all = log();
  std::istringstream text(all.substr(std::min(from, all.size())));
  for (std::string line; std::getline(text, line);) {
    std::smatch match;
    if (std::regex_match(line, match, prefix)) {
      lines.push_back({static_cast<pid_t>(std::stol(match[1])), match[2]});
    } else {
      lines.push_back({0, line});
    }
  }
  return lines;
}

std::optional<LogLine> Server::find_in_log(const std::string& text, size_t from) const {
  const std::string all = log();
  const size_t at = all.find(text, std::min(from, all.size()));
  if (at == std::string::npos) return std::nullopt;
  const auto nth = static_cast<size_t>(std::count(all.begin(), all.begin() + long(at), '\n'));
  return log_lines().at(nth);
}

testing::AssertionResult Server::wait_for_log(const std::string& text, size_t from) const {
  if (wait_until([&] { return find_in_log(text, from).has_value(); })) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "not in the log: " << text;
}

testing::AssertionResult Server::log_has_in_order(const std::vector<std::string>& texts,
                                                  size_t from) const {
  const std::string all = log();
  size_t at = std::min(from, all.size());
  for (const std::string& text : texts) {
    at = all.find(text, at);
    if (at == std::string::npos) {
      return testing::AssertionFailure() << "not in the log, or not in this order: " << text;
    }
    at += text.size();
  }
  return testing::AssertionSuccess();
}

CommandResult Server::psql(const std::string& sql, const std::vector<std::string>& options) const {
  std::vector<std::string> command = {"psql", "-X", "-At", "-d", conninfo(), "-c", sql};
  command.insert(command.begin() + 1, options.begin(), options.end());
  return run(command, {"LC_ALL=C"});
}

std::string Server::value(const std::string& sql) const {
  Session session(*this);
  EXPECT_TRUE(session.connected()) << session.connect_error();
  const Result result = session.query(sql);
  EXPECT_TRUE(result.ok) << sql << ": " << result.message;
  return result.first();
}

}  // namespace cofork::test
