// See redo_page.h.
#include "access/redo_page.h"

#include <cstring>
#include <map>
#include <memory>
#include <tuple>

#include "log/log.h"
#include "model/task.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "wal/checkpoint_request.h"

namespace cofork {

namespace {

struct RedoPageKey {
  RelationFile file;
  ForkNumber fork;
  BlockNumber block;
  auto place() const {
    return std::tuple(file.tablespace, file.database, file.number, fork, block);
  }
  friend bool operator<(const RedoPageKey& a, const RedoPageKey& b) {
    return a.place() < b.place();
  }
};

/// What the start-up task remembers of files between records.
struct RedoFiles {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kRedo;
  /// Pages records spoke of that were not there (invalid_page_tab). The value says that the page
  /// was there, but all zeros.
  std::map<RedoPageKey, bool> missing;
  /// How many blocks a fork (its key's block is 0) is known to have: the kernel is not asked for
  /// each record. Only redo makes files shorter meanwhile, and says so (smgr_cached_nblocks).
  std::map<RedoPageKey, BlockNumber> sizes;
  uint32_t removed_seen = 0;  ///< files_removed when the sizes were right
};

RedoFiles& redo_files() {
  Task& task = this_task();
  auto* files = task.slot<RedoFiles>();
  if (files == nullptr) {
    auto owned = std::make_shared<RedoFiles>();
    files = owned.get();
    task.set_slot(files);
    task.on_proc_exit([owned](Task& ending, int) { ending.set_slot<RedoFiles>(nullptr); });
  }
  return *files;
}

/// The known size of a fork, to be read and to be set; 0: nothing is known.
BlockNumber& known_size(const RelationFile& file, ForkNumber fork) {
  RedoFiles& files = redo_files();
  uint32_t removed = checkpointer_shared().files_removed.load(std::memory_order_acquire);
  if (removed != files.removed_seen) {
    files.sizes.clear();
    files.removed_seen = removed;
  }
  return files.sizes[{file, fork, 0}];
}

std::string describe(const RedoPageKey& key, bool was_zero) {
  return fmt::format("page {} of relation {} {}", key.block, relation_path(key.file, key.fork),
                     was_zero ? "is uninitialized" : "does not exist");
}

void remember(const RelationFile& file, ForkNumber fork, BlockNumber block, bool was_zero) {
  RedoPageKey key{file, fork, block};
  log(Severity::kDebug1, "{}", describe(key, was_zero));
  redo_files().missing.try_emplace(key, was_zero);
}

const DecodedBlock& block_of(const DecodedRecord& record, uint8_t block_id) {
  if (block_id > record.block_id_max || !record.blocks[block_id].in_use) {
    throw Error(sqlstate::kInternalError, "failed to locate backup block with ID {} in WAL record",
                block_id)
        .severity(Severity::kPanic);
  }
  return record.blocks[block_id];
}

}  // namespace

Buffer redo_read(const RelationFile& file, ForkNumber fork, BlockNumber block, ReadMode mode) {
  BlockNumber blocks = known_size(file, fork);
  if (block >= blocks) {
    // The file's creation may lie before the point redo began at, and its removal behind it.
    create_relation_file(file, fork, true);
    blocks = relation_blocks(file, fork);
    known_size(file, fork) = blocks;
  }
  if (block < blocks) {
    Buffer buffer = read_buffer(file, fork, block, mode);
    if (mode == ReadMode::kNormal && page_is_new(buffer.page())) {
      remember(file, fork, block, true);
      return {};
    }
    return buffer;
  }
  if (mode == ReadMode::kNormal) {
    remember(file, fork, block, false);
    return {};
  }
  Buffer buffer;
  for (; blocks <= block; ++blocks) {
    buffer.release();
    buffer = extend_relation(file, fork);
    this_task().check_interrupts();
  }
  known_size(file, fork) = blocks;
  if (mode == ReadMode::kNormalNoLog) buffer.unlock();
  return buffer;
}

RedoAction redo_page(const DecodedRecord& record, uint8_t block_id, Buffer& buffer, bool cleanup) {
  const DecodedBlock& block = block_of(record, block_id);
  ReadMode zeroing = cleanup ? ReadMode::kZeroAndCleanupLock : ReadMode::kZeroAndLock;
  if (block.has_image && block.apply_image) {
    buffer = redo_read(block.file, block.fork, block.block, zeroing);
    if (!restore_wal_image(block, buffer.page())) {
      throw Error(sqlstate::kDataCorrupted,
                  "could not restore image at {} with invalid state, block {}", record.start,
                  block_id)
          .severity(Severity::kPanic);
    }
    if (!page_is_new(buffer.page())) set_page_lsn(buffer.page(), record.end);
    buffer.mark_dirty();
    // Init forks are copied when recovery has ended, past the buffer pool.
    if (block.fork == ForkNumber::kInit) flush_buffer(buffer);
    return RedoAction::kRestored;
  }
  if (block.will_init) {
    buffer = redo_read(block.file, block.fork, block.block, zeroing);
    return RedoAction::kApply;
  }
  buffer = redo_read(block.file, block.fork, block.block, ReadMode::kNormal);
  if (!buffer.is_valid()) return RedoAction::kNotFound;
  cleanup ? buffer.lock_for_cleanup() : buffer.lock_exclusive();
  return record.end <= page_lsn(buffer.page()) ? RedoAction::kDone : RedoAction::kApply;
}

void redo_changed(const DecodedRecord& record, Buffer& buffer) {
  set_page_lsn(buffer.page(), record.end);
  buffer.mark_dirty();
}

void redo_forget_missing(const RelationFile& file, ForkNumber fork, BlockNumber first) {
  if (!redo_has_missing()) return;
  std::erase_if(redo_files().missing, [&](const auto& entry) {
    const RedoPageKey& key = entry.first;
    return key.file == file && key.fork == fork && key.block >= first;
  });
}

void redo_forget_missing_database(uint32_t database) {
  if (!redo_has_missing()) return;
  std::erase_if(redo_files().missing,
                [&](const auto& entry) { return entry.first.file.database == database; });
}

void redo_forget_sizes(const RelationFile& file) {
  std::erase_if(redo_files().sizes, [&](const auto& entry) { return entry.first.file == file; });
}

bool redo_has_missing() {
  auto* files = this_task().slot<RedoFiles>();
  return files != nullptr && !files->missing.empty();
}

void redo_check_missing() {
  if (!redo_has_missing()) return;
  for (const auto& [key, was_zero] : redo_files().missing) {
    log(Severity::kWarning, "{}", describe(key, was_zero));
  }
  throw Error(sqlstate::kInternalError, "WAL contains references to invalid pages")
      .severity(Severity::kPanic);
}

}  // namespace cofork
