// Forgetting and writing the pages of whole relations (as DropRelFileNodesAllBuffers and
// FlushRelationBuffers in bufmgr.c, 15).
#include <algorithm>

#include "model/model.h"
#include "os/shared_bytes.h"
#include "storage/buffer_access.h"
#include "support/error.h"

namespace cofork {

using namespace buffer_state;

namespace {

constexpr int64_t kPinnedPauseUs = 1000;

/// Takes an unpinned buffer out of the mapping without writing it. Its header lock is held, and
/// given back. (InvalidateBuffer)
void invalidate(BufferAccess& access, BufferDescriptor& descriptor, uint32_t state) {
  BufferTag tag = descriptor.tag;
  uint32_t hash = descriptor.hash.load(std::memory_order_relaxed);
  int32_t number = access.number_of(descriptor);
  descriptor.unlock_header(state);
  for (;;) {
    {
      LwLockGuard guard(access.map().partition(hash), LwMode::kExclusive);
      state = descriptor.lock_header();
      if ((state & kTagValid) == 0 || descriptor.tag != tag) {
        descriptor.unlock_header(state);
        return;  // replaced meanwhile
      }
      if (pins(state) == 0) {
        descriptor.tag = BufferTag{};
        descriptor.unlock_header(state & ~(kFlagMask | kUseMask));
        access.map().remove(&access.descriptor(0), number);
        break;
      }
      descriptor.unlock_header(state);
    }
    if (access.my_pins(number) > 0) {
      throw Error(sqlstate::kInternalError, "buffer is pinned in InvalidateBuffer");
    }
    // Nobody has a right to its contents any more; it can only be somebody who writes it, or who
    // took it for another page and will let go.
    access.wait_for_io(descriptor);
    this_task().model().pause_us(this_task(), kPinnedPauseUs);
  }
  access.give_to_free_list(descriptor);
}

/// Calls `act(descriptor, state)` with the header locked for every buffer whose tag `is_meant`;
/// it must unlock. `number` decides first, without a lock: most buffers are somebody else's.
template <typename Maybe, typename Meant, typename Act>
void for_buffers(Maybe maybe, Meant is_meant, Act act) {
  BufferAccess& access = buffer_access();
  for (int32_t i = 0, end = access.used_count(); i < end; ++i) {
    BufferDescriptor& descriptor = access.descriptor(i);
    if (!maybe(descriptor.tag.file)) continue;
    access.reserve_pin();
    uint32_t state = descriptor.lock_header();
    if ((state & kTagValid) != 0 && is_meant(descriptor.tag)) {
      act(access, descriptor, state);
    } else {
      descriptor.unlock_header(state);
    }
  }
}

auto has_number(uint32_t number) {
  return [number](RelationFile& file) { return shared_load(file.number) == number; };
}
auto has_database(uint32_t database) {
  return [database](RelationFile& file) { return shared_load(file.database) == database; };
}

void flush_if_dirty(BufferAccess& access, BufferDescriptor& descriptor, uint32_t state) {
  if ((state & (kValid | kDirty)) == (kValid | kDirty)) {
    access.flush_locked(descriptor, state);
  } else {
    descriptor.unlock_header(state);
  }
  this_task().check_interrupts();
}

}  // namespace

void drop_relation_buffers(const RelationFile& file, ForkNumber fork, BlockNumber first) {
  for_buffers(
      has_number(file.number),
      [&](const BufferTag& tag) {
        return tag.file == file && tag.fork == fork && tag.block >= first;
      },
      invalidate);
}

void drop_relations_buffers(std::span<const RelationFile> files) {
  if (files.empty()) return;
  std::vector<uint32_t> numbers;
  for (const RelationFile& file : files) numbers.push_back(file.number);
  std::sort(numbers.begin(), numbers.end());
  for_buffers(
      [&](RelationFile& file) {
        return std::binary_search(numbers.begin(), numbers.end(), shared_load(file.number));
      },
      [&](const BufferTag& tag) {
        return std::find(files.begin(), files.end(), tag.file) != files.end();
      },
      invalidate);
}

void drop_database_buffers(uint32_t database) {
  for_buffers(
      has_database(database), [&](const BufferTag& tag) { return tag.file.database == database; },
      invalidate);
}

void flush_relation_buffers(const RelationFile& file) {
  for_buffers(
      has_number(file.number), [&](const BufferTag& tag) { return tag.file == file; },
      flush_if_dirty);
}

void flush_database_buffers(uint32_t database) {
  for_buffers(
      has_database(database), [&](const BufferTag& tag) { return tag.file.database == database; },
      flush_if_dirty);
}

void flush_buffer(const Buffer& buffer) {
  BufferAccess& access = buffer_access();
  access.flush(access.descriptor(buffer.id() - 1));
}

}  // namespace cofork
