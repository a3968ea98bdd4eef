// The postmaster's state machine, as rows of tables: from which state an event or a count of
// children leads where, and what is to be done.
#include "postmaster/state_machine.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace cofork {
namespace {

constexpr int64_t kNow = 1000;

StateMachine in_startup() {
  StateMachine machine;
  machine.server_starts();
  return machine;
}
StateMachine in_recovery() {
  StateMachine machine = in_startup();
  EXPECT_TRUE(machine.recovery_started());
  return machine;
}
StateMachine in_hot_standby() {
  StateMachine machine = in_recovery();
  EXPECT_TRUE(machine.hot_standby_begins());
  return machine;
}
StateMachine running() {
  StateMachine machine = in_startup();
  machine.recovery_finished();
  return machine;
}

/// Runs until the machine wants nothing more; the steps it asked for.
std::vector<PmStep> steps(StateMachine& machine, const ChildCounts& children,
                          bool restart_after_crash = true) {
  std::vector<PmStep> asked;
  for (int i = 0; i < 10; ++i) {
    PmStep step = machine.next_step(children, restart_after_crash);
    if (step == PmStep::kNone) break;
    asked.push_back(step);
    if (step >= PmStep::kExitClean) break;
  }
  return asked;
}

TEST(StateMachine, NormalStartGoesThroughStartupToRun) {
  StateMachine machine;
  EXPECT_EQ(machine.state(), PmState::kInit);
  machine.server_starts();
  EXPECT_EQ(machine.state(), PmState::kStartup);
  EXPECT_EQ(machine.startup(), StartupStatus::kRunning);
  machine.recovery_finished();
  EXPECT_EQ(machine.state(), PmState::kRun);
  EXPECT_TRUE(machine.connections_allowed());
  EXPECT_EQ(machine.startup(), StartupStatus::kNotRunning);
  EXPECT_EQ(machine.next_step({.clients = 3, .awaited = 3, .checkpointer = 1}, true),
            PmStep::kNone);
}

TEST(StateMachine, SignalsOfTheStartupProcessCountOnlyInTheirState) {
  StateMachine machine = in_startup();
  EXPECT_FALSE(machine.hot_standby_begins()) << "redo has not begun";
  EXPECT_TRUE(machine.recovery_started());
  EXPECT_FALSE(machine.recovery_started()) << "a second time";
  EXPECT_TRUE(machine.hot_standby_begins());
  EXPECT_EQ(machine.state(), PmState::kHotStandby);

  StateMachine stopping = in_startup();
  stopping.request_shutdown(ShutdownMode::kFast, kNow);
  EXPECT_FALSE(stopping.recovery_started());
}

struct ShutdownRow {
  const char* name;
  std::function<StateMachine()> from;
  ShutdownMode mode;
  PmState right_after;
  bool connections_allowed;
};

TEST(StateMachine, WhereAShutdownRequestLeads) {
  const ShutdownRow rows[] = {
      {"smart in startup", in_startup, ShutdownMode::kSmart, PmState::kStopBackends, false},
      {"smart in recovery", in_recovery, ShutdownMode::kSmart, PmState::kStopBackends, false},
      {"smart in hot standby", in_hot_standby, ShutdownMode::kSmart, PmState::kHotStandby, false},
      {"smart in run", running, ShutdownMode::kSmart, PmState::kRun, false},
      {"fast in startup", in_startup, ShutdownMode::kFast, PmState::kStopBackends, false},
      {"fast in run", running, ShutdownMode::kFast, PmState::kStopBackends, true},
      {"immediate in startup", in_startup, ShutdownMode::kImmediate, PmState::kWaitBackends, false},
      {"immediate in run", running, ShutdownMode::kImmediate, PmState::kWaitBackends, true},
  };
  for (const ShutdownRow& row : rows) {
    StateMachine machine = row.from();
    EXPECT_TRUE(machine.request_shutdown(row.mode, kNow)) << row.name;
    EXPECT_EQ(machine.state(), row.right_after)
        << row.name << ": " << pm_state_name(machine.state());
    EXPECT_EQ(machine.connections_allowed(), row.connections_allowed) << row.name;
    EXPECT_EQ(machine.abort_started_s(), row.mode == ShutdownMode::kImmediate ? kNow : 0)
        << row.name;
  }
}

TEST(StateMachine, OnlyAStrongerShutdownRequestCounts) {
  StateMachine machine = running();
  EXPECT_TRUE(machine.request_shutdown(ShutdownMode::kSmart, kNow));
  EXPECT_FALSE(machine.request_shutdown(ShutdownMode::kSmart, kNow));
  EXPECT_TRUE(machine.request_shutdown(ShutdownMode::kFast, kNow));
  EXPECT_FALSE(machine.request_shutdown(ShutdownMode::kSmart, kNow));
  EXPECT_TRUE(machine.request_shutdown(ShutdownMode::kImmediate, kNow));
  EXPECT_FALSE(machine.request_shutdown(ShutdownMode::kImmediate, kNow + 1));
  EXPECT_EQ(machine.abort_started_s(), kNow);
}

TEST(StateMachine, SmartShutdownWaitsForTheLastClient) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kSmart, kNow);
  EXPECT_EQ(machine.next_step({.clients = 1, .awaited = 2, .checkpointer = 1}, true),
            PmStep::kNone);
  EXPECT_EQ(machine.next_step({.clients = 0, .awaited = 1, .checkpointer = 1}, true),
            PmStep::kTellBackendsToStop);
  EXPECT_EQ(machine.state(), PmState::kWaitBackends);
}

TEST(StateMachine, FastShutdownWalksToACleanExit) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kFast, kNow);
  ChildCounts children{.clients = 2, .awaited = 3, .checkpointer = 1, .dead_ends = 1};
  EXPECT_EQ(steps(machine, children), std::vector{PmStep::kTellBackendsToStop});
  children.clients = children.awaited = 0;
  EXPECT_EQ(steps(machine, children), std::vector{PmStep::kBeginShutdownCheckpoint});
  EXPECT_EQ(machine.state(), PmState::kShutdown);
  machine.shutdown_checkpoint_done();
  children.checkpointer = 0;
  EXPECT_EQ(steps(machine, children), std::vector{PmStep::kAwaitDeadEnds});
  children.dead_ends = 0;
  EXPECT_EQ(steps(machine, children), (std::vector{PmStep::kNoChildrenLeft, PmStep::kExitClean}));
}

TEST(StateMachine, WhoOutlivesTheCheckpointIsWaitedFor) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kFast, kNow);
  steps(machine, {});
  machine.shutdown_checkpoint_done();
  EXPECT_EQ(machine.next_step({.outliving = 1}, true), PmStep::kNone);
  EXPECT_EQ(machine.next_step({}, true), PmStep::kAwaitDeadEnds);
}

TEST(StateMachine, ImmediateShutdownExitsCleanlyEvenWhenChildrenCrashOnTheWay) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kImmediate, kNow);
  EXPECT_FALSE(machine.child_crashed(kNow)) << "nothing to say: everybody is being killed";
  EXPECT_FALSE(machine.fatal_error());
  EXPECT_EQ(machine.next_step({.checkpointer = 1}, true), PmStep::kNone)
      << "nobody writes a checkpoint now: it is waited for like the others";
  EXPECT_EQ(steps(machine, {}),
            (std::vector{PmStep::kAwaitDeadEnds, PmStep::kNoChildrenLeft, PmStep::kExitClean}));
}

TEST(StateMachine, ACrashEndsInReinitialisation) {
  StateMachine machine = running();
  EXPECT_TRUE(machine.child_crashed(kNow));
  EXPECT_FALSE(machine.child_crashed(kNow + 1)) << "later deaths of the same cycle are silent";
  EXPECT_EQ(machine.abort_started_s(), kNow);
  EXPECT_EQ(machine.state(), PmState::kWaitBackends);
  EXPECT_EQ(machine.next_step({.awaited = 1}, true), PmStep::kNone);
  EXPECT_EQ(machine.next_step({.checkpointer = 1}, true), PmStep::kNone);
  EXPECT_EQ(steps(machine, {}),
            (std::vector{PmStep::kAwaitDeadEnds, PmStep::kNoChildrenLeft, PmStep::kReinitialize}));
  EXPECT_TRUE(machine.fatal_error()) << "until redo begins";
  machine.server_starts();
  EXPECT_EQ(machine.verdict(0, 100), ConnectionVerdict::kRecovery);
  machine.recovery_started();
  EXPECT_EQ(machine.verdict(0, 100), ConnectionVerdict::kNotConsistent);
  machine.recovery_finished();
  EXPECT_FALSE(machine.fatal_error());
}

TEST(StateMachine, WhatACrashDoesInEachState) {
  struct Row {
    const char* name;
    std::function<StateMachine()> from;
    PmState after;
  };
  auto stopping = [] {
    StateMachine machine = running();
    machine.request_shutdown(ShutdownMode::kFast, kNow);
    return machine;
  };
  auto in_shutdown = [stopping] {
    StateMachine machine = stopping();
    steps(machine, {.checkpointer = 1});
    return machine;
  };
  auto in_shutdown_2 = [in_shutdown] {
    StateMachine machine = in_shutdown();
    machine.shutdown_checkpoint_done();
    return machine;
  };
  const Row rows[] = {
      {"startup", in_startup, PmState::kStartup},
      {"recovery", in_recovery, PmState::kWaitBackends},
      {"hot standby", in_hot_standby, PmState::kWaitBackends},
      {"run", running, PmState::kWaitBackends},
      {"stop backends", stopping, PmState::kWaitBackends},
      {"shutdown", in_shutdown, PmState::kWaitBackends},
      {"shutdown 2", in_shutdown_2, PmState::kShutdown2},
  };
  for (const Row& row : rows) {
    StateMachine machine = row.from();
    EXPECT_TRUE(machine.child_crashed(kNow)) << row.name;
    EXPECT_EQ(machine.state(), row.after) << row.name << ": " << pm_state_name(machine.state());
    EXPECT_TRUE(machine.fatal_error()) << row.name;
  }
}

TEST(StateMachine, ACrashDuringShutdownIsAnAbnormalExit) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kFast, kNow);
  machine.child_crashed(kNow);
  EXPECT_EQ(steps(machine, {}).back(), PmStep::kExitAbnormal);
}

TEST(StateMachine, AFailedStartupProcessEndsTheServer) {
  StateMachine machine = in_startup();
  machine.startup_failed();
  EXPECT_EQ(machine.startup(), StartupStatus::kCrashed);
  EXPECT_TRUE(machine.child_crashed(kNow));
  EXPECT_EQ(steps(machine, {}).back(), PmStep::kExitStartupFailed);
}

TEST(StateMachine, AStartupProcessThatWeKilledIsTriedAgain) {
  StateMachine machine = in_startup();
  EXPECT_TRUE(machine.child_crashed(kNow)) << "the checkpointer, say";
  machine.startup_was_signaled();
  EXPECT_EQ(machine.state(), PmState::kStartup);
  machine.startup_failed();
  EXPECT_FALSE(machine.child_crashed(kNow));
  EXPECT_EQ(machine.state(), PmState::kWaitBackends);
  EXPECT_EQ(steps(machine, {}).back(), PmStep::kReinitialize);
}

TEST(StateMachine, RestartAfterCrashOffEndsTheServer) {
  StateMachine machine = running();
  machine.child_crashed(kNow);
  EXPECT_EQ(steps(machine, {}, false).back(), PmStep::kExitNoRestart);
}

TEST(StateMachine, ACheckpointerThatCannotBeLaunchedIsFatal) {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kFast, kNow);
  EXPECT_EQ(steps(machine, {}).back(), PmStep::kBeginShutdownCheckpoint);
  machine.shutdown_checkpoint_impossible();
  EXPECT_EQ(steps(machine, {}).back(), PmStep::kExitAbnormal);
}

TEST(StateMachine, RecoveryTargetShutdownIsASmartOne) {
  StateMachine machine = in_hot_standby();
  machine.recovery_target_shutdown();
  EXPECT_EQ(machine.shutdown(), ShutdownMode::kSmart);
  EXPECT_EQ(machine.state(), PmState::kWaitBackends);
}

TEST(StateMachine, VerdictsOnNewConnections) {
  EXPECT_EQ(in_startup().verdict(0, 10), ConnectionVerdict::kStartup);
  EXPECT_EQ(in_recovery().verdict(0, 10), ConnectionVerdict::kNotConsistent);
  EXPECT_EQ(in_hot_standby().verdict(0, 10), ConnectionVerdict::kOk);
  EXPECT_EQ(running().verdict(9, 10), ConnectionVerdict::kOk);
  EXPECT_EQ(running().verdict(10, 10), ConnectionVerdict::kTooMany);
  for (ShutdownMode mode : {ShutdownMode::kSmart, ShutdownMode::kFast, ShutdownMode::kImmediate}) {
    StateMachine machine = running();
    machine.request_shutdown(mode, kNow);
    EXPECT_EQ(machine.verdict(0, 10), ConnectionVerdict::kShutdown);
  }
  StateMachine crashed = running();
  crashed.child_crashed(kNow);
  EXPECT_EQ(crashed.verdict(0, 10), ConnectionVerdict::kRecovery);
}

TEST(StateMachine, TheKillClockRunsFiveSecondsAndOnce) {
  StateMachine machine = running();
  EXPECT_FALSE(machine.time_to_kill(kNow + 100));
  machine.child_crashed(kNow);
  EXPECT_FALSE(machine.time_to_kill(kNow + 4));
  EXPECT_TRUE(machine.time_to_kill(kNow + 5));
  machine.stop_abort_clock();
  EXPECT_FALSE(machine.time_to_kill(kNow + 100));
}

TEST(StateMachine, AProcessBornAgainGoesOnWithTheCrashCycle) {
  StateMachine machine;
  machine.resume_after_crash();
  EXPECT_TRUE(machine.fatal_error());
  EXPECT_FALSE(machine.wants_checkpointer()) << "the startup process comes first";
  machine.server_starts();
  EXPECT_TRUE(machine.wants_checkpointer());
  EXPECT_EQ(machine.verdict(0, 10), ConnectionVerdict::kRecovery);
}

}  // namespace
}  // namespace cofork
