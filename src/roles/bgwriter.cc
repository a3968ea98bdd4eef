// The background writer: cleans the pages that will be replaced next, so that a backend that needs
// a buffer does not have to write somebody else's page first (as bgwriter.c, 15).
//
// Every bgwriter_delay it goes one round: how fast is the clock hand moving, how many buffers will
// be wanted until the next round, and are so many clean ones ahead of the hand? (bgwriter_sweep in
// storage/buffer_sync.cc has the arithmetic.) What it writes it does not sync: that is the
// checkpointer's.
//
//   ┌──────────────────────────────────────────────────────────────────────────────┐
//   ▼                                                                              │
//   reset latch ─► interrupts ─► one round ─► running transactions ─► sleep ───────┤
//                  SIGHUP: reload             (every 15 s)           bgwriter_delay│
//                  SIGTERM: end                                            │       │
//                                              two rounds without work:    ▼       │
//                                              50 times as long, or until a buffer │
//                                              is allocated ───────────────────────┘
//
// The running transactions in WAL are for standbys, who need them now and then to learn that
// transactions they have heard of are over; they are written here because it is a task with a
// clock and nothing urgent to do.
//
// An ERROR does not end it: it sleeps a second and goes on.
#include "roles/bgwriter.h"

#include <optional>
#include <utility>

#include "log/log.h"
#include "model/model.h"
#include "recovery/checkpoint.h"
#include "roles/auxiliary.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/condition_variable.h"
#include "shmem/lwlock.h"
#include "shmem/proc.h"
#include "shmem/stats.h"
#include "storage/buffer_pool.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr const char* kBgwriterTitle = "background writer";
constexpr int64_t kRunningTransactionsEveryUs = 15'000'000;  // LOG_SNAPSHOT_INTERVAL_MS
constexpr int64_t kHibernateFactor = 50;

class BackgroundWriter {
 public:
  explicit BackgroundWriter(Task& task) : task_(task) {}
  void run();

 private:
  void cycle();
  void serve_interrupts();
  bool go_one_round();
  void log_running_transactions_if_due();
  void sleep(bool may_hibernate);
  void recover_from(const ErrorData& data);

  Task& task_;
  SweepHistory history_;
  bool could_hibernate_ = false;  ///< after the last round
  int64_t running_logged_us_ = 0;
  Lsn running_logged_at_;
};

void BackgroundWriter::run() {
  running_logged_us_ = task_.os().clock.realtime_us();
  for (;;) {
    std::optional<ErrorData> failure;
    try {
      cycle();
    } catch (Error& error) {
      failure = std::move(error.data());
    }
    if (failure) recover_from(*failure);
  }
}

void BackgroundWriter::cycle() {
  reset_latch(task_.latch());
  serve_interrupts();
  bool may_hibernate = go_one_round();
  report_stats(true);
  log_running_transactions_if_due();
  sleep(may_hibernate);
}

void BackgroundWriter::serve_interrupts() {
  uint32_t bits = task_.interrupts();
  if (bits & kInterruptProcSignal) serve_proc_signals(task_);
  if (bits & kInterruptReload) reload_configuration(task_);
  if (bits & kInterruptShutdown) proc_exit(0);
}

bool BackgroundWriter::go_one_round() {
  SweepResult result = bgwriter_sweep(history_);
  CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
  // Mostly nothing: no write to the shared line then.
  if (result.buffers_allocated > 0) stats.buffers_allocated += result.buffers_allocated;
  if (result.buffers_written > 0) stats.buffers_clean += result.buffers_written;
  if (result.stopped_at_maximum) ++stats.maximum_reached;
  return result.may_hibernate;
}

void BackgroundWriter::log_running_transactions_if_due() {
  if (settings().get(setting::kWalLevel) == setting::WalLevel::kMinimal) return;
  if (recovery_in_progress()) return;
  int64_t now = task_.os().clock.realtime_us();
  if (now < running_logged_us_ + kRunningTransactionsEveryUs) return;
  // Nothing has happened since: then they have not changed.
  if (running_logged_at_ > wal_last_important()) return;
  running_logged_at_ = log_running_transactions();
  running_logged_us_ = now;
}

void BackgroundWriter::sleep(bool may_hibernate) {
  int64_t delay_ms = settings().get(setting::kBgwriterDelay);
  constexpr uint32_t kFlags = kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath;
  uint32_t occurred = wait_latch(kFlags, delay_ms, WaitEventId::kBgWriterMain);
  // Asked only after the wait: allocations during it must keep us awake.
  if ((occurred & kWaitTimeout) != 0 && may_hibernate && could_hibernate_) {
    notify_at_next_allocation(my_proc_number());
    wait_latch(kFlags, delay_ms * kHibernateFactor, WaitEventId::kBgWriterHibernate);
    notify_at_next_allocation(kNoProc);
  }
  could_hibernate_ = may_hibernate;
}

void BackgroundWriter::recover_from(const ErrorData& data) {
  if (is_panic(task_, data)) end_with_error(task_, data);
  release_all_lwlocks();
  cancel_condition_sleep();
  report(data);
  could_hibernate_ = false;
  // Whatever is wrong, a full disk perhaps: do not fill the log with it.
  task_.model().pause_us(task_, kPauseAfterErrorUs);
}

}  // namespace

void background_writer_main(Task& task) {
  static constexpr AuxiliaryRole kRole = {
      .kind = AuxiliaryKind::kBackgroundWriter,
      .title = kBgwriterTitle,
      .on_interrupt = Task::ignore_signal,
      .on_terminate = Task::handle_shutdown,
      .on_user2 = Task::ignore_signal,
      // Served once a round, not in the middle of one.
      .serve_interrupts = nullptr,
      .body = [](Task& running) { BackgroundWriter(running).run(); },
  };
  run_auxiliary(task, kRole);
}

}  // namespace cofork
