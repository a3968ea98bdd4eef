// See shared_mapping.h.
#include "os/shared_mapping.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace cofork {

namespace {

constexpr const char* kMemoryFile = "cofork";
constexpr std::string_view kLinkText = "/memfd:cofork (deleted)";

/// The path under /proc of the process's memory file, or "" and the errno.
std::string memory_file_of(pid_t process, int& error) {
  const std::string directory = "/proc/" + std::to_string(process) + "/fd";
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) {
    error = errno;
    return "";
  }
  error = ENOENT;
  std::string found;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string path = directory + "/" + entry->d_name;
    char target[64];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length > 0 && std::string_view(target, static_cast<size_t>(length)) == kLinkText) {
      found = path;
      break;
    }
  }
  ::closedir(entries);
  return found;
}

}  // namespace

void* map_shared_memory(size_t bytes, int& error) {
  const int fd = ::memfd_create(kMemoryFile, MFD_CLOEXEC);
  if (fd >= 0 && ::ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base != MAP_FAILED) return base;
  }
  error = errno;
  if (fd >= 0) ::close(fd);
  return nullptr;
}

const void* find_shared_memory(pid_t process, size_t& bytes, int& error) {
  const std::string path = memory_file_of(process, error);
  if (path.empty()) return nullptr;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat st {};
  if (fd < 0 || ::fstat(fd, &st) != 0) {
    error = errno;
    return nullptr;
  }
  bytes = static_cast<size_t>(st.st_size);
  void* base = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) error = errno;
  ::close(fd);
  return base == MAP_FAILED ? nullptr : base;
}

void unmap_shared_memory(void* base, size_t bytes) {
  ::munmap(base, bytes);
}

void clear_shared_memory(void* base, size_t bytes) {
  if (::madvise(base, bytes, MADV_REMOVE) != 0) std::memset(base, 0, bytes);
}

InterlockUse interlock_use(int id, uint64_t device, uint64_t inode) {
  shmid_ds status{};
  if (::shmctl(id, IPC_STAT, &status) < 0) {
    // EACCES: somebody else's segment that reuses the id; ours would be readable to us.
    return errno == EACCES ? InterlockUse::kForeign : InterlockUse::kAbsent;
  }
  if (status.shm_segsz != sizeof(InterlockHeader)) return InterlockUse::kForeign;
  void* address = ::shmat(id, nullptr, SHM_RDONLY);
  if (address == reinterpret_cast<void*>(-1)) return InterlockUse::kForeign;
  InterlockHeader header;
  std::memcpy(&header, address, sizeof header);
  ::shmdt(address);
  if (header.data_directory_device != device || header.data_directory_inode != inode) {
    return InterlockUse::kForeign;
  }
  return status.shm_nattch == 0 ? InterlockUse::kUnattached : InterlockUse::kAttached;
}

int create_interlock(uint32_t first_key, const InterlockHeader& header, Interlock& made,
                     const char*& step) {
  constexpr int kTriesMax = 1000;
  uint32_t key = first_key;
  for (int tries = 0; tries < kTriesMax; ++tries, ++key) {
    if (static_cast<key_t>(key) == IPC_PRIVATE) continue;
    step = "shmget";
    int id = ::shmget(static_cast<key_t>(key), sizeof header, IPC_CREAT | IPC_EXCL | 0600);
    if (id < 0) {
      if (errno != EEXIST && errno != EACCES && errno != EINVAL && errno != EIDRM) return -errno;
      // Taken. A leftover of a dead server of this very directory may go; then the key is free.
      int other = ::shmget(static_cast<key_t>(key), 0, 0);
      if (other >= 0 &&
          interlock_use(other, header.data_directory_device, header.data_directory_inode) ==
              InterlockUse::kUnattached &&
          ::shmctl(other, IPC_RMID, nullptr) == 0) {
        --key;
      }
      continue;
    }
    step = "shmat";
    void* address = ::shmat(id, nullptr, 0);
    if (address == reinterpret_cast<void*>(-1)) {
      int error = errno;
      ::shmctl(id, IPC_RMID, nullptr);
      return -error;
    }
    std::memcpy(address, &header, sizeof header);
    made = {key, id, address};
    return 0;
  }
  return -EEXIST;
}

int attach_interlock(Interlock& interlock) {
  void* address = ::shmat(interlock.id, nullptr, 0);
  if (address == reinterpret_cast<void*>(-1)) return -errno;
  interlock.address = address;
  return 0;
}

void remove_interlock(Interlock& interlock) {
  if (interlock.address != nullptr) ::shmdt(interlock.address);
  if (interlock.id >= 0) ::shmctl(interlock.id, IPC_RMID, nullptr);
  interlock = {};
}

}  // namespace cofork
