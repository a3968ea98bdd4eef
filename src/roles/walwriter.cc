// The WAL writer: brings WAL to disk in the background (as walwriter.c, 15).
//
// Backends flush their own commits. The WAL writer is for what nobody waits for: asynchronous
// commits, which it makes durable within three of its rounds, and full WAL buffers, which it writes
// before an inserter needs their place.
//
//       ┌──────────────────────────────────────────────────────────────────┐
//       ▼                                                                  │
//   say whether I am about to hibernate ─► reset latch ─► interrupts ─► flush ─► sleep
//                                                                  │
//                            something to do: 50 rounds more ◄─────┤
//                            nothing: one round less               ▼
//
// A round sleeps wal_writer_delay (200 ms). After 50 rounds with nothing to do the sleep is 25
// times as long: an idle server should not wake the machine. What is said first is for those who
// commit asynchronously: they wake a hibernating writer, and otherwise only when a whole page is
// waiting. It is said one round early and before the latch is reset, so that no commit falls in
// between.
//
// Signals: SIGHUP reloads; SIGTERM and SIGINT end it with status 0. An ERROR does not end it: it
// sleeps a second and goes on.
#include "roles/walwriter.h"

#include <optional>
#include <utility>

#include "log/log.h"
#include "model/model.h"
#include "roles/auxiliary.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/condition_variable.h"
#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/stats.h"
#include "wal/write.h"

namespace cofork {

namespace {

constexpr const char* kWalwriterTitle = "walwriter";
constexpr int kRoundsUntilHibernate = 50;
constexpr int kHibernateFactor = 25;

class WalWriter {
 public:
  explicit WalWriter(Task& task) : task_(task) {}
  void run();

 private:
  void round();
  void serve_interrupts();
  void recover_from(ErrorData data);

  Task& task_;
  int rounds_left_ = kRoundsUntilHibernate;
  bool said_hibernating_ = false;
};

void WalWriter::run() {
  publish_proc_number(shared_memory().area<ProcHeader>().wal_writer);
  wal_set_writer_sleeping(false);
  for (;;) {
    std::optional<ErrorData> failure;
    try {
      round();
    } catch (Error& error) {
      failure = std::move(error.data());
    }
    if (failure) recover_from(std::move(*failure));
  }
}

void WalWriter::round() {
  bool hibernates_soon = rounds_left_ <= 1;
  if (said_hibernating_ != hibernates_soon) {
    said_hibernating_ = hibernates_soon;
    wal_set_writer_sleeping(hibernates_soon);
  }
  reset_latch(task_.latch());
  serve_interrupts();
  if (wal_background_flush()) {
    rounds_left_ = kRoundsUntilHibernate;
  } else if (rounds_left_ > 0) {
    --rounds_left_;
  }
  report_stats(true);
  int64_t delay_ms = settings().get(setting::kWalWriterDelay);
  if (rounds_left_ == 0) delay_ms *= kHibernateFactor;
  wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, delay_ms,
             WaitEventId::kWalWriterMain);
}

void WalWriter::serve_interrupts() {
  uint32_t bits = task_.interrupts();
  if (bits & kInterruptProcSignal) serve_proc_signals(task_);
  if (bits & kInterruptReload) reload_configuration(task_);
  if (bits & kInterruptShutdown) proc_exit(0);
}

void WalWriter::recover_from(ErrorData data) {
  if (is_panic(task_, data)) end_with_error(task_, std::move(data));
  release_all_lwlocks();
  cancel_condition_sleep();
  report(data);
  // Whatever is wrong, a full disk perhaps: do not fill the log with it.
  task_.model().pause_us(task_, kPauseAfterErrorUs);
}

}  // namespace

void wal_writer_main(Task& task) {
  static constexpr AuxiliaryRole kRole = {
      .kind = AuxiliaryKind::kWalWriter,
      .title = kWalwriterTitle,
      .on_interrupt = Task::handle_shutdown,
      .on_terminate = Task::handle_shutdown,
      .on_user2 = Task::ignore_signal,
      // Served once a round, not in the middle of a write.
      .serve_interrupts = nullptr,
      .body = [](Task& running) { WalWriter(running).run(); },
  };
  run_auxiliary(task, kRole);
}

}  // namespace cofork
