// See checkpoint_request.h.
#include "wal/checkpoint_request.h"

#include <csignal>

#include "log/log.h"
#include "model/model.h"
#include "shmem/proc.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr int kSignalTries = 600;
constexpr int64_t kTryPauseUs = 100'000;

/// SIGINT to the checkpointer, which only makes it look at the flags. False when there is none.
bool wake_checkpointer() {
  int32_t number = shared_memory().area<ProcHeader>().checkpointer.load(std::memory_order_acquire);
  if (number == kNoProc) return false;
  Pid pid = all_procs()[number].pid.load(std::memory_order_acquire);
  return pid != 0 && this_task().model().kill(pid, SIGINT) == 0;
}

bool wake_checkpointer_patiently(bool wait) {
  Task& task = this_task();
  for (int tries = 0;; ++tries) {
    if (wake_checkpointer()) return true;
    // It may be about to be started; a requester that does not wait leaves its flags for it.
    if (!wait || tries >= kSignalTries) return false;
    task.check_interrupts();
    task.model().pause_us(task, kTryPauseUs);
  }
}

}  // namespace

void request_checkpoint(uint32_t flags) {
  CheckpointerShared& shared = checkpointer_shared();
  int32_t old_started, old_failed;
  {
    SpinGuard guard(shared.mutex);
    old_started = shared.started;
    old_failed = shared.failed;
    shared.flags |= flags | kCheckpointRequested;
  }
  bool wait = (flags & kCheckpointWait) != 0;
  if (!wake_checkpointer_patiently(wait)) {
    constexpr const char* kText = "could not signal for checkpoint: checkpointer is not running";
    if (wait) throw Error(sqlstate::kInternalError, "{}", kText);
    log(Severity::kLog, "{}", kText);
    return;
  }
  if (!wait) return;

  // Wrap-around of the counters is harmless: only differences are looked at.
  auto read = [&](int32_t CheckpointerShared::*word) {
    SpinGuard guard(shared.mutex);
    return shared.*word;
  };
  int32_t new_started;
  shared.start_cv.prepare_to_sleep();
  while ((new_started = read(&CheckpointerShared::started)) == old_started) {
    shared.start_cv.sleep(WaitEventId::kCheckpointStart);
  }
  cancel_condition_sleep();
  shared.done_cv.prepare_to_sleep();
  while (read(&CheckpointerShared::done) - new_started < 0) {
    shared.done_cv.sleep(WaitEventId::kCheckpointDone);
  }
  cancel_condition_sleep();
  if (read(&CheckpointerShared::failed) != old_failed) {
    throw Error(sqlstate::kInternalError, "checkpoint request failed")
        .hint("Consult recent messages in the server log for details.");
  }
}

}  // namespace cofork
