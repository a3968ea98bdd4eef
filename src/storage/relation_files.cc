// See relation_files.h.
#include "storage/relation_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "io/durable.h"
#include "log/log.h"
#include "settings/setting.h"
#include "storage/file_cache.h"
#include "storage/setting_or.h"
#include "storage/sync_request.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr off_t kSegmentBytes = static_cast<off_t>(kBlocksPerSegment) * kPageBytes;

constexpr const char* kForkNames[kForks] = {"main", "fsm", "vm", "init"};

uint32_t segment_of(BlockNumber block) {
  return block / kBlocksPerSegment;
}
off_t offset_of(BlockNumber block) {
  return static_cast<off_t>(block % kBlocksPerSegment) * kPageBytes;
}

/// A block that should be there and is not reads as zeros: in redo it was truncated away later.
bool zeros_replace_damage() {
  return recovery_in_progress() || setting_or(setting::kZeroDamagedPages, false);
}

SyncTag tag_of(const RelationFile& file, ForkNumber fork, uint32_t segment) {
  SyncTag tag;
  tag.fork = fork;
  tag.file = file;
  tag.segment = segment;
  return tag;
}

/// ERROR "could not VERB block N in file "PATH": %m".
Error block_error(const char* verb, BlockNumber block, const std::string& path, ssize_t error) {
  int number = static_cast<int>(-error);
  return Error(sqlstate_for_file_errno(number), "could not {} block {} in file \"{}\": {}", verb,
               block, path, errno_text(number));
}

BlockNumber blocks_in(const OpenSegment& segment, const RelationFile& file, ForkNumber fork,
                      uint32_t number) {
  off_t size = segment.size();
  if (size < 0) {
    throw Error(sqlstate_for_file_errno(static_cast<int>(-size)),
                "could not seek to end of file \"{}\": {}", relation_path(file, fork, number),
                errno_text(static_cast<int>(-size)));
  }
  return static_cast<BlockNumber>(size / kPageBytes);
}

enum class Missing : uint8_t { kFails, kIsNone, kIsMade };

/// The segment a block lies in (_mdfd_getseg). Making one, and in recovery, a hole before it may
/// have to be filled: what the WAL speaks of may have been truncated away since.
OpenSegment open_segment_of(const RelationFile& file, ForkNumber fork, BlockNumber block,
                            Missing missing) {
  uint32_t wanted = segment_of(block);
  OpenSegment segment({file, fork, wanted});
  if (segment.is_open()) return segment;
  if (missing == Missing::kIsNone) return segment;
  bool make = wanted > 0 && segment.error() == -ENOENT &&
              (missing == Missing::kIsMade || recovery_in_progress());
  if (make) {
    OpenSegment previous = open_segment_of(file, fork, wanted * kBlocksPerSegment - 1, missing);
    BlockNumber there = blocks_in(previous, file, fork, wanted - 1);
    if (there < kBlocksPerSegment) {
      alignas(8) static constexpr char kZeros[kPageBytes] = {};
      if (missing != Missing::kIsMade && !recovery_in_progress()) {
        throw Error(sqlstate::kUndefinedFile,
                    "could not open file \"{}\" (target block {}): previous segment is only {} "
                    "blocks",
                    relation_path(file, fork, wanted), block, there);
      }
      extend_fork(file, fork, wanted * kBlocksPerSegment - 1, kZeros);
    }
    segment = OpenSegment({file, fork, wanted}, O_CREAT);
    if (segment.is_open()) return segment;
  }
  if (wanted == 0) throw file_error("open", relation_path(file, fork), segment.error());
  int number = -segment.error();
  throw Error(sqlstate_for_file_errno(number), "could not open file \"{}\" (target block {}): {}",
              relation_path(file, fork, wanted), block, errno_text(number));
}

/// After a write: the checkpointer syncs, or, if it cannot be told, we do.
void see_to_sync(const RelationFile& file, ForkNumber fork, uint32_t number,
                 const OpenSegment& segment) {
  SyncTag tag = tag_of(file, fork, number);
  if (request_sync(tag)) return;
  log(Severity::kDebug1, "could not forward fsync request because request queue is full");
  if (!fsync_is_enabled()) return;
  int error = 0;
  wait_for_io(WaitEventId::kDataFileSync, [&] { error = segment.files().fsync(segment.fd()); });
  if (error != 0) {
    throw file_error("fsync", sync_tag_path(tag), error)
        .severity(data_sync_severity(Severity::kError));
  }
}

/// WARNING about a file that could not be removed or cut: the rest goes on.
void warn(Error error) {
  ErrorData warning = std::move(error.data());
  warning.severity = Severity::kWarning;
  report(warning);
}

}  // namespace

const char* fork_name(ForkNumber fork) {
  return kForkNames[static_cast<size_t>(fork)];
}

std::string database_path(uint32_t database, uint32_t tablespace) {
  if (tablespace == kGlobalTablespaceOid) return "global";
  if (tablespace == kDefaultTablespaceOid) return fmt::format("base/{}", database);
  return fmt::format("pg_tblspc/{}/{}/{}", tablespace, kTablespaceVersionFolder, database);
}

std::string relation_path(const RelationFile& file, ForkNumber fork, uint32_t segment) {
  std::string path =
      fmt::format("{}/{}", database_path(file.database, file.tablespace), file.number);
  if (fork != ForkNumber::kMain) path += fmt::format("_{}", fork_name(fork));
  if (segment > 0) path += fmt::format(".{}", segment);
  return path;
}

void create_relation_file(const RelationFile& file, ForkNumber fork, bool may_exist) {
  std::string path = relation_path(file, fork);
  int flags = O_CREAT | (may_exist ? 0 : O_EXCL);
  // What this thread still has open under the name would hide that the file is there, or gone.
  file_cache().close_fork(file, fork, 0);
  OpenSegment segment({file, fork, 0}, flags);
  if (!segment.is_open() && segment.error() == -ENOENT && may_exist) {
    // Redo of a database that was dropped later: its folder is gone.
    task_files().mkdir(database_path(file.database, file.tablespace), directory_create_mode());
    segment = OpenSegment({file, fork, 0}, flags);
  }
  if (!segment.is_open()) throw file_error("create", path, segment.error());
}

bool relation_file_exists(const RelationFile& file, ForkNumber fork) {
  struct stat st;
  return task_files().stat(relation_path(file, fork), st) == 0;
}

void read_block(const RelationFile& file, ForkNumber fork, BlockNumber block, char* page) {
  OpenSegment segment = open_segment_of(file, fork, block, Missing::kFails);
  ssize_t got = read_descriptor(segment.files(), segment.fd(), page, kPageBytes, offset_of(block),
                                WaitEventId::kDataFileRead);
  if (got == kPageBytes) return;
  std::string path = relation_path(file, fork, segment_of(block));
  if (got < 0) throw block_error("read", block, path, got);
  if (!zeros_replace_damage()) {
    throw Error(sqlstate::kDataCorrupted,
                "could not read block {} in file \"{}\": read only {} of {} bytes", block, path,
                got, kPageBytes);
  }
  std::memset(page, 0, kPageBytes);
}

void write_block(const RelationFile& file, ForkNumber fork, BlockNumber block, const char* page,
                 bool sync) {
  OpenSegment segment = open_segment_of(file, fork, block, Missing::kFails);
  ssize_t wrote = write_descriptor(segment.files(), segment.fd(), page, kPageBytes,
                                   offset_of(block), WaitEventId::kDataFileWrite);
  if (wrote < 0) {
    throw block_error("write", block, relation_path(file, fork, segment_of(block)), wrote);
  }
  if (sync) see_to_sync(file, fork, segment_of(block), segment);
}

void extend_fork(const RelationFile& file, ForkNumber fork, BlockNumber block, const char* page,
                 bool sync) {
  if (block == kInvalidBlock) {
    throw Error(sqlstate::kProgramLimitExceeded, "cannot extend file \"{}\" beyond {} blocks",
                relation_path(file, fork), kInvalidBlock);
  }
  OpenSegment segment = open_segment_of(file, fork, block, Missing::kIsMade);
  ssize_t wrote = write_descriptor(segment.files(), segment.fd(), page, kPageBytes,
                                   offset_of(block), WaitEventId::kDataFileExtend);
  if (wrote < 0) {
    throw file_error("extend", relation_path(file, fork, segment_of(block)),
                     static_cast<int>(wrote))
        .hint("Check free disk space.");
  }
  if (sync) see_to_sync(file, fork, segment_of(block), segment);
}

bool prefetch_block(const RelationFile& file, ForkNumber fork, BlockNumber block) {
  OpenSegment segment = open_segment_of(file, fork, block, Missing::kIsNone);
  if (!segment.is_open()) return false;
  wait_for_io(WaitEventId::kDataFilePrefetch,
              [&] { segment.files().prefetch(segment.fd(), offset_of(block), kPageBytes); });
  return true;
}

void writeback_blocks(const RelationFile& file, ForkNumber fork, BlockNumber first,
                      BlockNumber count) {
  if (!fsync_is_enabled()) return;
  while (count > 0) {
    // A file that is gone needs no writing.
    OpenSegment segment = open_segment_of(file, fork, first, Missing::kIsNone);
    if (!segment.is_open()) return;
    BlockNumber part = std::min(count, kBlocksPerSegment - first % kBlocksPerSegment);
    wait_for_io(WaitEventId::kDataFileFlush, [&] {
      segment.files().start_writeback(segment.fd(), offset_of(first),
                                      static_cast<off_t>(part) * kPageBytes);
    });
    first += part;
    count -= part;
  }
}

BlockNumber fork_blocks(const RelationFile& file, ForkNumber fork) {
  for (uint32_t number = 0;; ++number) {
    // A segment after a full one that is not there is empty: it was never written to.
    OpenSegment segment = open_segment_of(file, fork, number * kBlocksPerSegment,
                                          number == 0 ? Missing::kFails : Missing::kIsNone);
    if (!segment.is_open()) {
      if (segment.error() == -ENOENT) return number * kBlocksPerSegment;
      throw file_error("open", relation_path(file, fork, number), segment.error());
    }
    BlockNumber blocks = blocks_in(segment, file, fork, number);
    if (blocks > kBlocksPerSegment) {
      throw Error(sqlstate::kInternalError, "segment too big").fatal();
    }
    if (blocks < kBlocksPerSegment) return number * kBlocksPerSegment + blocks;
  }
}

void truncate_fork(const RelationFile& file, ForkNumber fork, BlockNumber blocks) {
  BlockNumber there = fork_blocks(file, fork);
  if (blocks > there) {
    if (recovery_in_progress()) return;
    throw Error(sqlstate::kInternalError,
                "could not truncate file \"{}\" to {} blocks: it's only {} blocks now",
                relation_path(file, fork), blocks, there);
  }
  if (blocks == there) return;
  // From the end, so that after a crash in between the length is still the last segment's.
  for (uint32_t number = segment_of(there);; --number) {
    BlockNumber first = number * kBlocksPerSegment;
    OpenSegment segment({file, fork, number});
    if (segment.is_open()) {
      off_t keep = blocks > first ? static_cast<off_t>(blocks - first) * kPageBytes : 0;
      std::string path = relation_path(file, fork, number);
      int error = 0;
      wait_for_io(WaitEventId::kDataFileTruncate, [&] {
        if (segment.size() > keep) error = segment.files().ftruncate(segment.fd(), keep);
      });
      if (error != 0 && keep > 0) {
        throw Error(sqlstate_for_file_errno(-error),
                    "could not truncate file \"{}\" to {} blocks: {}", path, blocks,
                    errno_text(-error));
      }
      if (error != 0) throw file_error("truncate", path, error);
      see_to_sync(file, fork, number, segment);
    }
    if (first <= blocks) return;
  }
}

void unlink_fork(const RelationFile& file, ForkNumber fork, bool redo) {
  FileSystem& files = task_files();
  std::string path = relation_path(file, fork);
  // Its number must not be given out again before the checkpoint: WAL of the old relation might be
  // replayed into the new one. The empty file keeps it taken.
  bool keep_first = fork == ForkNumber::kMain && !redo;
  int error;
  {
    // What others still have open gives its space back at once.
    OpenSegment first({file, fork, 0});
    error = first.is_open() ? files.ftruncate(first.fd(), 0) : first.error();
  }
  if (error != 0 && error != -ENOENT) warn(file_error("truncate", path, error));
  file_cache().close_fork(file, fork, 0);
  forget_sync(tag_of(file, fork, 0));
  if (error == 0) {
    if (keep_first) {
      request_unlink(tag_of(file, fork, 0));
    } else {
      error = files.unlink(path);
      if (error != 0 && error != -ENOENT) warn(file_error("remove", path, error));
      checkpointer_shared().files_removed.fetch_add(1, std::memory_order_acq_rel);
    }
  }
  for (uint32_t number = 1;; ++number) {
    std::string segment_path = relation_path(file, fork, number);
    struct stat st;
    if (files.stat(segment_path, st) != 0) return;
    forget_sync(tag_of(file, fork, number));
    // Cut first: whoever still has it open keeps the name of nothing.
    OpenSegment segment({file, fork, number});
    if (segment.is_open()) files.ftruncate(segment.fd(), 0);
    error = files.unlink(segment_path);
    if (error != 0 && error != -ENOENT) warn(file_error("remove", segment_path, error));
    file_cache().close_fork(file, fork, number);
  }
}

void unlink_relation(const RelationFile& file, bool redo) {
  for (int fork = 0; fork < kForks; ++fork) {
    if (relation_file_exists(file, static_cast<ForkNumber>(fork))) {
      unlink_fork(file, static_cast<ForkNumber>(fork), redo);
    }
  }
}

void close_relation_files() {
  file_cache().close_all();
}

void sync_fork(const RelationFile& file, ForkNumber fork) {
  if (!fsync_is_enabled()) return;
  for (uint32_t number = 0;; ++number) {
    OpenSegment segment = open_segment_of(file, fork, number * kBlocksPerSegment,
                                          number == 0 ? Missing::kFails : Missing::kIsNone);
    if (!segment.is_open()) return;
    int error = 0;
    wait_for_io(WaitEventId::kDataFileImmediateSync,
                [&] { error = segment.files().fsync(segment.fd()); });
    if (error != 0) {
      throw file_error("fsync", relation_path(file, fork, number), error)
          .severity(data_sync_severity(Severity::kError));
    }
  }
}

}  // namespace cofork
