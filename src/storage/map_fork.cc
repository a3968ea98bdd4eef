// See map_fork.h.
#include "storage/map_fork.h"

#include "storage/buffer_access.h"
#include "storage/relation_files.h"

namespace cofork {

namespace {

/// Makes the fork at least `blocks` long. One at a time: two who found the same end would both put
/// their page there. (PostgreSQL uses the relation's extension lock; this one is below it.)
void grow(const RelationFile& file, ForkNumber fork, BlockNumber blocks) {
  LwLockGuard guard(buffer_access().map().extension_lock(file.number), LwMode::kExclusive);
  create_relation_file(file, fork, true);
  while (fork_blocks(file, fork) < blocks) {
    Buffer added = extend_relation(file, fork);
    page_init(added.page(), 0);
    added.mark_dirty();
  }
}

}  // namespace

Buffer read_map_fork(const RelationFile& file, ForkNumber fork, BlockNumber block, bool extend) {
  Buffer buffer = buffer_if_cached(file, fork, block);
  if (buffer.is_valid()) return buffer;
  // Not in memory: only then the kernel is asked how long the map is.
  BlockNumber blocks = relation_file_exists(file, fork) ? fork_blocks(file, fork) : 0;
  if (block >= blocks) {
    if (!extend) return {};
    grow(file, fork, block + 1);
  }
  // A damaged page is as good as an empty one.
  buffer = read_buffer(file, fork, block, ReadMode::kZeroOnError);
  if (page_is_new(buffer.page())) {
    buffer.lock_exclusive();
    if (page_is_new(buffer.page())) page_init(buffer.page(), 0);
    buffer.unlock();
  }
  return buffer;
}

}  // namespace cofork
