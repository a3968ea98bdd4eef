// See control.h.
#include "postmaster/control.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <cerrno>
#include <charconv>
#include <csignal>

#include "os/launch.h"
#include "os/process.h"

namespace cofork {

namespace {

constexpr int kPollMs = 5;

template <typename T>
bool cut_number(std::string_view& text, T& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

std::string read_start(FileSystem& files, int fd) {
  char bytes[128];
  ssize_t got = files.pread(fd, bytes, sizeof bytes, 0);
  return got > 0 ? std::string(bytes, static_cast<size_t>(got)) : std::string();
}

/// Waits until the server has answered the request behind `fd`.
int await_answer(OperatingSystem& os, int fd, const std::string& path, pid_t postmaster,
                 int timeout_ms) {
  int64_t deadline_ns = os.clock.monotonic_ns() + int64_t{timeout_ms} * 1'000'000;
  for (;;) {
    struct stat st {};
    if (os.files.fstat(fd, st) == 0 && st.st_nlink == 0) {
      std::string content = read_start(os.files, fd);
      std::string_view answer(content);
      answer.remove_prefix(answer.find('\n') + 1);
      int error = 0;
      return cut_number(answer, error) ? -error : -EPROTO;
    }
    int failure = 0;
    if (signal_process(postmaster, 0) == -ESRCH) {
      failure = -ESRCH;
    } else if (os.clock.monotonic_ns() > deadline_ns) {
      failure = -ETIMEDOUT;
    }
    if (failure != 0) {
      os.files.unlink(path);
      return failure;
    }
    pause_ms(kPollMs);
  }
}

}  // namespace

int request_kill(OperatingSystem& os, const std::string& directory, pid_t postmaster,
                 KillRequest request, int timeout_ms) {
  std::string path = directory + "/" + kKillRequestFile;
  int64_t deadline_ns = os.clock.monotonic_ns() + int64_t{timeout_ms} * 1'000'000;
  int fd;
  while ((fd = os.files.open(path, O_RDWR | O_CREAT | O_EXCL, 0600)) == -EEXIST) {
    if (os.clock.monotonic_ns() > deadline_ns) return -ETIMEDOUT;
    pause_ms(kPollMs);
  }
  if (fd < 0) return fd;
  std::string line = fmt::format("{} {}\n", request.signo, request.pid);
  ssize_t written = os.files.pwrite(fd, line.data(), line.size(), 0);
  int result = written < 0 ? static_cast<int>(written) : signal_process(postmaster, SIGUSR1);
  if (result < 0) {
    os.files.unlink(path);
  } else {
    result = await_answer(os, fd, path, postmaster, timeout_ms);
  }
  os.files.close(fd);
  return result;
}

std::optional<KillRequest> parse_kill_request(std::string_view content) {
  size_t end = content.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = content.substr(0, end);
  KillRequest request;
  if (!cut_number(line, request.signo) || line.empty() || line.front() != ' ') return std::nullopt;
  line.remove_prefix(1);
  if (!cut_number(line, request.pid) || !line.empty()) return std::nullopt;
  return request;
}

std::optional<KillRequest> find_kill_request(FileSystem& files) {
  int fd = files.open(kKillRequestFile, O_RDONLY | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::optional<KillRequest> request = parse_kill_request(read_start(files, fd));
  files.close(fd);
  return request;
}

void answer_kill_request(FileSystem& files, int result) {
  int fd = files.open(kKillRequestFile, O_WRONLY | O_APPEND | O_NOFOLLOW);
  if (fd < 0) return;
  std::string answer = fmt::format("{}\n", -result);
  files.write(fd, answer.data(), answer.size());
  files.close(fd);
  files.unlink(kKillRequestFile);
}

void forget_kill_request(FileSystem& files) {
  files.unlink(kKillRequestFile);
}

}  // namespace cofork
