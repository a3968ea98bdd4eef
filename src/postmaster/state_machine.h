// The postmaster's state machine: what state the server is in, which events move it, and what has
// to be done next. Pure: it neither signals, forks nor logs, so that every transition can be tested
// as a row of a table. Postmaster (postmaster.h) feeds it events and performs the steps it asks
// for.
//
//                      start-up done [server_starts]
//            kInit ───────────────────────► kStartup ◄─────────────────────────────┐
//                                              │ │                                 │
//               redo begins [recovery_started] │ │ startup exits 0                 │
//                                              ▼ │ [recovery_finished]             │
//                                        kRecovery ──────────┐                     │
//            consistent [hot_standby_begins] │               │                     │
//                                            ▼               ▼                     │
//                                     kHotStandby ───────► kRun                    │
//                                            │               │                     │
//       shutdown request [request_shutdown], │               │                     │
//       smart: when the last client has left ▼               ▼                     │
//       (kStartup and kRecovery go       kStopBackends  (passed through)           │
//       there as well)                         │ kTellBackendsToStop               │
//                                              ▼                                   │
//        child crash [child_crashed],     kWaitBackends                            │
//        immediate shutdown ─────────────►   │    │                                │
//                                  in order  │    │ crash or immediate             │
//              kBeginShutdownCheckpoint ▼    │    │ kAwaitDeadEnds                 │
//                                 kShutdown ◄┘    │                                │
//  checkpointer exits 0                │          │                                │
//  [shutdown_checkpoint_done] ▼        │          │                                │
//                             kShutdown2 ───────► kWaitDeadEnd                     │
//                                     kAwaitDeadEnds │                             │
//                                                    ▼ kNoChildrenLeft             │
//                                                kNoChildren ── kReinitialize ─────┘
//                                                    │
//                                                    └──► kExit… (the server is gone)
//
// As PostmasterStateMachine, pmdie, HandleChildCrash and canAcceptConnections in postmaster.c, 15.
#pragma once

#include <cstdint>

namespace cofork {

enum class PmState : uint8_t {
  kInit,          ///< before any child
  kStartup,       ///< the startup process runs, redo has not begun
  kRecovery,      ///< redo is going on, not yet consistent
  kHotStandby,    ///< consistent: read-only clients are welcome
  kRun,           ///< normal running
  kStopBackends,  ///< transient: tell everyone who must go
  kWaitBackends,  ///< waiting for them
  kShutdown,      ///< the checkpointer writes the shutdown checkpoint
  kShutdown2,     ///< waiting for who outlives it (archiver, WAL senders)
  kWaitDeadEnd,   ///< only children that refuse somebody are left
  kNoChildren,    ///< decide: exit, or start over
};

enum class ShutdownMode : uint8_t { kNone, kSmart, kFast, kImmediate };

enum class StartupStatus : uint8_t {
  kNotRunning,
  kRunning,
  kSignaled,  ///< we sent it SIGQUIT: its death is not its own fault
  kCrashed,   ///< it failed by itself: the server must not try again
};

/// What a new connection gets (CAC_state).
enum class ConnectionVerdict : uint8_t {
  kOk,
  kStartup,
  kNotConsistent,
  kShutdown,
  kRecovery,
  kTooMany,
};

/// How many children of each kind are alive, as far as the transitions care.
struct ChildCounts {
  int clients = 0;       ///< client backends, those that only refuse not counted
  int awaited = 0;       ///< all that kWaitBackends waits for except the checkpointer
  int checkpointer = 0;  ///< 0 or 1
  int outliving = 0;     ///< those that kShutdown2 waits for
  int dead_ends = 0;     ///< children that only deliver a refusal
};

/// What the postmaster has to do now. Each has already changed the state when it is returned.
enum class PmStep : uint8_t {
  kNone,                     ///< nothing to do until something happens
  kTellBackendsToStop,       ///< SIGTERM to all that kWaitBackends waits for
  kBeginShutdownCheckpoint,  ///< SIGUSR2 to the checkpointer, started first if it is missing
  kAwaitDeadEnds,            ///< no signal: stop accepting connections
  kNoChildrenLeft,           ///< nothing by itself: ask again
  kExitClean,                ///< exit 0
  kExitAbnormal,             ///< "abnormal database system shutdown", exit 1
  kExitStartupFailed,        ///< "shutting down due to startup process failure", exit 1
  kExitNoRestart,            ///< "shutting down because restart_after_crash is off", exit 1
  kReinitialize,             ///< "all server processes terminated; reinitializing"
};

class StateMachine {
 public:
  PmState state() const { return state_; }
  ShutdownMode shutdown() const { return shutdown_; }
  StartupStatus startup() const { return startup_; }
  bool fatal_error() const { return fatal_error_; }
  bool connections_allowed() const { return connections_allowed_; }
  /// True once normal running has been reached since the server or the last crash cycle began.
  bool reached_normal_running() const { return reached_normal_running_; }
  /// When the five seconds until SIGKILL began, in whole seconds; 0 when the clock is stopped.
  int64_t abort_started_s() const { return abort_started_s_; }

  // --- events
  /// The startup process has been launched: at start, and again after a crash.
  void server_starts();
  /// A crash cycle goes on in a process that was born again: the state reinitialize() left behind.
  void resume_after_crash();
  /// False when the signal comes in a state where it means nothing any more.
  bool recovery_started();
  bool hot_standby_begins();
  /// The startup process ended with 0: normal running.
  void recovery_finished();
  /// The startup process ended otherwise; `ours`: as a part of the shutdown that is going on.
  void startup_stopped_for_shutdown();
  void recovery_target_shutdown();
  /// The startup process failed (or was made to). The crash cycle follows through child_crashed().
  void startup_failed();
  /// True for the first crash of a cycle: say it in the log, signal everybody. `now_s` != 0.
  bool child_crashed(int64_t now_s);
  /// We have sent SIGQUIT or worse to the startup process.
  void startup_was_signaled();
  /// False when an equal or stronger request was there before.
  bool request_shutdown(ShutdownMode mode, int64_t now_s);
  void shutdown_checkpoint_done() { state_ = PmState::kShutdown2; }
  /// The shutdown checkpoint cannot be written, because the checkpointer could not be launched.
  void shutdown_checkpoint_impossible();
  /// SIGKILL has been sent; it is sent once.
  void stop_abort_clock() { abort_started_s_ = 0; }

  // --- decisions
  /// The next thing to do. The caller does it and asks again until kNone.
  PmStep next_step(const ChildCounts& children, bool restart_after_crash);

  /// `live_children`: all with a child slot; `children_max`: how many slots there are.
  ConnectionVerdict verdict(int live_children, int children_max) const;

  /// Whether the checkpointer must be running in this state.
  bool wants_checkpointer() const;
  /// Seconds are over since the crash or the immediate shutdown began.
  bool time_to_kill(int64_t now_s) const;

  static constexpr int64_t kKillChildrenAfterSeconds = 5;

 private:
  PmState state_ = PmState::kInit;
  ShutdownMode shutdown_ = ShutdownMode::kNone;
  StartupStatus startup_ = StartupStatus::kNotRunning;
  bool fatal_error_ = false;
  bool connections_allowed_ = false;
  bool reached_normal_running_ = false;
  int64_t abort_started_s_ = 0;
};

/// "PM_RUN" and so on, for debug messages and tests.
const char* pm_state_name(PmState state);

}  // namespace cofork
