// Memory shared between a process and its forked children, and the interlock that tells whether
// anybody still holds a data directory (as sysv_shmem.c).
//
// The server's segment is one shared mapping of a memory file without a name in any directory:
// nobody can find it after its last process is gone, and nobody can tell whether it is still in
// use. Therefore a second, tiny System V segment goes with it: the kernel counts who is attached to
// that one, children are attached by birth, and a new postmaster reads the count by the id in
// postmaster.pid.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace cofork {

/// Reads-as-zero memory shared with children forked from now on; nullptr and the errno on failure.
/// It is a memory file that stays open in this process, so that tools of the same user can find and
/// map it through /proc (find_shared_memory); /proc/PID/maps shows it as "/memfd:cofork".
void* map_shared_memory(size_t bytes, int& error);
void unmap_shared_memory(void* base, size_t bytes);
/// The memory another process of ours has made by map_shared_memory(), mapped read-only; its size
/// in `bytes`. nullptr and the errno on failure: ENOENT when the process has none, EACCES when it
/// is somebody else's.
const void* find_shared_memory(pid_t process, size_t& bytes, int& error);
/// Reads as zero again, in every process that maps it; its pages go back to the system.
void clear_shared_memory(void* base, size_t bytes);

/// One System V segment of a few bytes.
struct Interlock {
  uint32_t key = 0;
  int id = -1;
  void* address = nullptr;
};

/// What is written into the interlock: who made it, and for which directory.
struct InterlockHeader {
  uint64_t magic;
  int64_t creator_pid;
  uint64_t data_directory_device;
  uint64_t data_directory_inode;
  uint64_t reserved[3];
};
static_assert(sizeof(InterlockHeader) == 56, "as PostgreSQL's, so that ipcs shows the same size");

enum class InterlockUse {
  kAbsent,      ///< no such segment, or not ours to see
  kForeign,     ///< exists, but belongs to something else
  kUnattached,  ///< left behind; nobody is attached
  kAttached,    ///< somebody is alive
};

/// Who uses the segment `id`, as seen from a server of the given data directory.
InterlockUse interlock_use(int id, uint64_t device, uint64_t inode);

/// Creates and attaches the interlock under the first free key from `first_key` upwards, removing
/// leftovers of dead servers of the same directory. Returns 0 or -errno (`step` names the call).
int create_interlock(uint32_t first_key, const InterlockHeader& header, Interlock& made,
                     const char*& step);
/// Attaches an interlock again by its id (after the process has executed itself). 0 or -errno.
int attach_interlock(Interlock& interlock);
/// Detaches and removes it.
void remove_interlock(Interlock& interlock);

}  // namespace cofork
