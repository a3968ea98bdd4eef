// Reading and writing the pages of buffers (as StartBufferIO, FlushBuffer and the second half of
// ReadBuffer_common in bufmgr.c, 15).
//
// One task does the I/O of a buffer (IO_IN_PROGRESS); others who need it sleep on the buffer's
// condition variable.
#include <cstring>
#include <optional>
#include <utility>

#include "log/log.h"
#include "settings/setting.h"
#include "storage/buffer_access.h"
#include "storage/relation_files.h"
#include "storage/setting_or.h"
#include "support/unordered.h"
#include "wal/shared.h"
#include "wal/write.h"

namespace cofork {

using namespace buffer_state;

namespace {

void warn_of_damage(std::string message) {
  ErrorData warning;
  warning.severity = Severity::kWarning;
  warning.sqlstate = sqlstate::kDataCorrupted;
  warning.message = std::move(message);
  report(warning);
}

}  // namespace

bool hints_need_wal() {
  return wal_shared().page_checksums || setting_or(setting::kWalLogHints, false);
}

bool BufferAccess::start_io(BufferDescriptor& descriptor, bool input) {
  for (;;) {
    uint32_t state = descriptor.lock_header();
    if ((state & kIoInProgress) == 0) {
      bool done = input ? (state & kValid) != 0 : (state & kDirty) == 0;
      descriptor.unlock_header(done ? state : state | kIoInProgress);
      return !done;
    }
    descriptor.unlock_header(state);
    wait_for_io(descriptor);
  }
}

void BufferAccess::wait_for_io(BufferDescriptor& descriptor) {
  ConditionVariable& condition = conditions_[number_of(descriptor)].condition;
  condition.prepare_to_sleep();
  while ((descriptor.unlocked_state() & kIoInProgress) != 0) {
    condition.sleep(WaitEventId::kBufferIo);
  }
  cancel_condition_sleep();
}

void BufferAccess::end_io(BufferDescriptor& descriptor, bool clear_dirty, uint32_t set_bits) {
  uint32_t state = descriptor.lock_header();
  state &= ~(kIoInProgress | kIoError);
  // Dirtied again while it was being written: that change is not on its way to disk.
  if (clear_dirty && (state & kJustDirtied) == 0) state &= ~(kDirty | kCheckpointNeeded);
  descriptor.unlock_header(state | set_bits);
  conditions_[number_of(descriptor)].condition.broadcast();
}

char* BufferAccess::scratch() {
  if (scratch_ == nullptr) scratch_ = std::make_unique<char[]>(kPageBytes);
  return scratch_.get();
}

void BufferAccess::read_page(BufferDescriptor& descriptor, ReadMode mode) {
  char* bytes = page(number_of(descriptor));
  const BufferTag& tag = descriptor.tag;
  if (mode == ReadMode::kZeroAndLock || mode == ReadMode::kZeroAndCleanupLock) {
    std::memset(bytes, 0, kPageBytes);
    return;
  }
  read_block(tag.file, tag.fork, tag.block, bytes);
  ++usage_.read;
  PageCheck check = page_verify(bytes, tag.block, wal_shared().page_checksums,
                                setting_or(setting::kIgnoreChecksumFailure, false));
  if (check.checksum_failed) {
    warn_of_damage(fmt::format("page verification failed, calculated checksum {} but expected {}",
                               check.calculated, check.expected));
  }
  if (check.valid) return;
  std::string message = fmt::format("invalid page in block {} of relation {}", tag.block,
                                    relation_path(tag.file, tag.fork));
  if (mode != ReadMode::kZeroOnError && !setting_or(setting::kZeroDamagedPages, false)) {
    throw Error(sqlstate::kDataCorrupted, "{}", message);
  }
  warn_of_damage(message + "; zeroing out page");
  std::memset(bytes, 0, kPageBytes);
}

void BufferAccess::flush(BufferDescriptor& descriptor) {
  if (!start_io(descriptor, false)) return;
  BufferIo io(*this, descriptor);
  const BufferTag& tag = descriptor.tag;
  char* bytes = page(number_of(descriptor));
  uint32_t state = descriptor.lock_header();
  Lsn lsn = page_lsn(bytes);
  // To notice whether it is made dirty again while we write.
  descriptor.unlock_header(state & ~kJustDirtied);
  std::optional<ErrorData> failure;
  try {
    // WAL before data. An unlogged relation's LSNs mean nothing.
    if ((state & kPermanent) != 0) wal_flush(lsn);
    if (wal_shared().page_checksums && !page_is_new(bytes)) {
      // A copy: hint bits may be set while we calculate, and while the kernel reads.
      {
        RacyReads hints;
        std::memcpy(scratch(), bytes, kPageBytes);
      }
      bytes = scratch();
      page_set_checksum(bytes, tag.block);
    }
    write_block(tag.file, tag.fork, tag.block, bytes);
  } catch (Error& error) {
    failure = std::move(error.data());
  }
  if (failure) {
    failure->context = fmt::format("writing block {} of relation {}", tag.block,
                                   relation_path(tag.file, tag.fork));
    throw Error(std::move(*failure));
  }
  ++usage_.written;
  io.end(true, 0);
}

void BufferAccess::flush_locked(BufferDescriptor& descriptor, uint32_t state) {
  pin_locked(descriptor, state);
  ScopedPin pinned(*this, descriptor);
  LwLockGuard content(descriptor.content_lock, LwMode::kShared);
  flush(descriptor);
}

}  // namespace cofork
