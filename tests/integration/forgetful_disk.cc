// A disk that forgets: loaded in front of the C library (LD_PRELOAD), it keeps beside the server's
// data directory a second one that has only what the server has made durable.
//
//   COFORK_DISK=/tmp/x/data    the data directory; its durable image is /tmp/x/data.durable, made
//   by
//                              copying before the server starts
//
// fsync() and fdatasync() of a file bring its image up to date, and its name with it, as journaling
// file systems do; fsync() of a directory removes from the image what is no longer there and adds
// what is new, empty. Nothing else touches the image. The file NAME.synced has
// the time of the last of these as its own. When the test cuts the power it makes the new
// data directory from both: what the image has is safe, what differs may have reached the disk or
// not, or in part (power_cut_test.cc).
//
// A file NAME.full beside the data directory makes the disk full: a write that would make a file of
// the directory longer fails with ENOSPC.
//
// Works the same under processes and under threads: the image of a file is locked while it is
// brought up to date, so that no older state overwrites a newer one.
// On x86-64 every offset has 64 bits; the macro would only rename the functions defined here.
#undef _FILE_OFFSET_BITS
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr size_t kBlock = 8192;

const std::string& disk() {
  static const std::string path = [] {
    const char* text = std::getenv("COFORK_DISK");
    return std::string(text == nullptr ? "" : text);
  }();
  return path;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// Of a descriptor: where below the data directory it leads, with a "/" in front; "" outside of it
/// or when the file has been removed. The directory itself is "/".
std::string place_of(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  if (length <= 0 || disk().empty()) return "";
  const std::string full(path, static_cast<size_t>(length));
  if (full == disk()) return "/";
  if (full.compare(0, disk().size() + 1, disk() + "/") != 0) return "";
  return full.ends_with(" (deleted)") ? "" : full.substr(disk().size());
}

ssize_t read_block(int fd, char* block, off_t at) {
  const ssize_t got = ::pread(fd, block, kBlock, at);
  return got < 0 ? 0 : got;
}

/// The image gets what differs, so that it costs little where little has changed.
void keep_file(const std::string& place) {
  static const auto write_there = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  const int from = ::open((disk() + place).c_str(), O_RDONLY | O_CLOEXEC);
  const int to = ::open((disk() + ".durable" + place).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (from >= 0 && to >= 0) {
    while (::flock(to, LOCK_EX) != 0) {
      if (errno != EINTR) std::abort();
    }
    alignas(8) char fresh[kBlock], kept[kBlock];
    off_t at = 0;
    for (ssize_t got; (got = read_block(from, fresh, at)) > 0; at += got) {
      const ssize_t had = read_block(to, kept, at);
      if (had < got || std::memcmp(fresh, kept, static_cast<size_t>(got)) != 0) {
        if (write_there(to, fresh, static_cast<size_t>(got), at) != got) std::abort();
      }
    }
    if (::ftruncate(to, at) != 0) std::abort();
  }
  if (from >= 0) ::close(from);
  if (to >= 0) ::close(to);
}

template <typename Visit>
void for_each_name(const std::string& path, const Visit& visit) {
  DIR* listing = ::opendir(path.c_str());
  if (listing == nullptr) return;
  while (const dirent* entry = ::readdir(listing)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      visit("/" + std::string(entry->d_name));
    }
  }
  ::closedir(listing);
}

void keep_names(const std::string& place) {
  const std::string real = disk() + place, image = disk() + ".durable" + place;
  struct stat st;
  for_each_name(image, [&](const std::string& name) {
    if (::lstat((real + name).c_str(), &st) != 0) ::unlink((image + name).c_str());
  });
  for_each_name(real, [&](const std::string& name) {
    if (::lstat((image + name).c_str(), &st) == 0) return;
    if (::lstat((real + name).c_str(), &st) != 0) return;
    if (S_ISDIR(st.st_mode)) ::mkdir((image + name).c_str(), 0700);
    if (!S_ISREG(st.st_mode)) return;
    const int made = ::open((image + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (made >= 0) ::close(made);
  });
}

/// What has been created before this moment has its name for good: a journal goes in order.
void note_time() {
  const int stamp = ::open((disk() + ".synced").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (stamp < 0) return;
  ::futimens(stamp, nullptr);
  ::close(stamp);
}

/// Really syncs nothing: the image is the disk.
int keep(int fd) {
  struct stat st;
  if (::fstat(fd, &st) != 0) return -1;
  const std::string place = place_of(fd);
  if (place.empty()) return 0;
  S_ISDIR(st.st_mode) ? keep_names(place) : keep_file(place);
  note_time();
  return 0;
}

bool is_full(int fd, off_t end) {
  struct stat st;
  if (disk().empty() || ::access((disk() + ".full").c_str(), F_OK) != 0) return false;
  return ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && end > st.st_size && !place_of(fd).empty();
}

}  // namespace

extern "C" {

int fsync(int fd) {
  return keep(fd);
}
int fdatasync(int fd) {
  return keep(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (is_full(fd, offset + static_cast<off_t>(count))) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off_t offset) {
  return pwrite(fd, bytes, count, offset);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  static const auto real = next<ssize_t (*)(int, const struct iovec*, int, off_t)>("pwritev");
  if (is_full(fd, offset + 1)) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off_t offset) {
  return pwritev(fd, parts, count, offset);
}

}  // extern "C"
