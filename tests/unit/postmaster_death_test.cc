// What each child's death means, as a table over roles, statuses and states; and the child table.
#include "postmaster/death.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "postmaster/child_table.h"

namespace cofork {
namespace {

StateMachine running() {
  StateMachine machine;
  machine.server_starts();
  machine.recovery_finished();
  return machine;
}

StateMachine writing_shutdown_checkpoint() {
  StateMachine machine = running();
  machine.request_shutdown(ShutdownMode::kFast, 1);
  while (machine.next_step({.checkpointer = 1}, true) != PmStep::kNone) {
  }
  EXPECT_EQ(machine.state(), PmState::kShutdown);
  return machine;
}

TEST(Death, InNormalRunning) {
  struct Row {
    Role role;
    ExitStatus status;
    DeathVerdict verdict;
  };
  using enum DeathVerdict;
  const ExitStatus ok = ExitStatus::exited(0), fatal = ExitStatus::exited(1),
                   quit = ExitStatus::exited(2), killed = ExitStatus::signaled(SIGKILL);
  const Row rows[] = {
      {Role::kBackend, ok, kNothing},
      {Role::kBackend, fatal, kNothing},
      {Role::kBackend, quit, kCrash},
      {Role::kBackend, killed, kCrash},
      {Role::kDeadEnd, ok, kNothing},
      {Role::kDeadEnd, fatal, kNothing},
      {Role::kDeadEnd, killed, kCrash},
      {Role::kBackgroundWorker, ok, kNothing},
      {Role::kBackgroundWorker, fatal, kRelaunch},
      {Role::kBackgroundWorker, quit, kCrash},
      {Role::kBackgroundWorker, killed, kCrash},
      {Role::kCheckpointer, ok, kCrash},
      {Role::kCheckpointer, fatal, kCrash},
      {Role::kCheckpointer, killed, kCrash},
      {Role::kLogger, ok, kRelaunch},
      {Role::kLogger, fatal, kRelaunch},
      {Role::kLogger, killed, kRelaunch},
  };
  StateMachine machine = running();
  for (const Row& row : rows) {
    EXPECT_EQ(judge_death(row.role, row.status, true, machine), row.verdict)
        << role_spec(row.role).log_name << " " << row.status.describe();
  }
}

TEST(Death, AChildThatKeptItsSlotHasCrashedWhateverItSays) {
  StateMachine machine = running();
  for (int code : {0, 1}) {
    EXPECT_EQ(judge_death(Role::kBackend, ExitStatus::exited(code), false, machine),
              DeathVerdict::kCrash);
    EXPECT_EQ(judge_death(Role::kBackgroundWorker, ExitStatus::exited(code), false, machine),
              DeathVerdict::kCrash);
  }
}

TEST(Death, TheCheckpointerMayOnlyEndAfterTheShutdownCheckpoint) {
  StateMachine machine = writing_shutdown_checkpoint();
  EXPECT_EQ(judge_death(Role::kCheckpointer, ExitStatus::exited(0), true, machine),
            DeathVerdict::kShutdownCheckpointDone);
  EXPECT_EQ(judge_death(Role::kCheckpointer, ExitStatus::exited(1), true, machine),
            DeathVerdict::kCrash);
}

TEST(Death, OfTheStartupProcess) {
  StateMachine starting;
  starting.server_starts();
  auto judge = [](ExitStatus status, const StateMachine& machine) {
    return judge_death(Role::kStartup, status, true, machine);
  };
  EXPECT_EQ(judge(ExitStatus::exited(0), starting), DeathVerdict::kRecoveryFinished);
  EXPECT_EQ(judge(ExitStatus::exited(1), starting), DeathVerdict::kStartupFailed);
  EXPECT_EQ(judge(ExitStatus::exited(3), starting), DeathVerdict::kRecoveryTargetReached);
  EXPECT_EQ(judge(ExitStatus::signaled(SIGABRT), starting), DeathVerdict::kStartupFailed);

  StateMachine stopping = starting;
  stopping.request_shutdown(ShutdownMode::kFast, 1);
  EXPECT_EQ(judge(ExitStatus::exited(0), stopping), DeathVerdict::kStartupStopped);
  EXPECT_EQ(judge(ExitStatus::exited(1), stopping), DeathVerdict::kStartupStopped);
  EXPECT_EQ(judge(ExitStatus::exited(2), stopping), DeathVerdict::kStartupFailed);
}

TEST(ChildTable, CountsByRoleAndByWhatIsWaitedFor) {
  ChildTable children;
  children.add({101, Role::kCheckpointer, 0});
  children.add({102, Role::kLogger, 0});
  children.add({103, Role::kBackend, 1});
  children.add({104, Role::kBackend, 2});
  children.add({105, Role::kDeadEnd, 0});
  children.add({106, Role::kBackgroundWorker, 3});
  EXPECT_EQ(children.only(Role::kCheckpointer), 101);
  EXPECT_EQ(children.only(Role::kStartup), 0);
  EXPECT_EQ(children.slot_owners(), 3);
  ChildCounts counts = children.counts();
  EXPECT_EQ(counts.clients, 2);
  EXPECT_EQ(counts.awaited, 3);
  EXPECT_EQ(counts.checkpointer, 1);
  EXPECT_EQ(counts.dead_ends, 1);

  ASSERT_NE(children.find(104), nullptr);
  EXPECT_EQ(children.find(104)->child_slot, 2);
  children.remove(104);
  EXPECT_EQ(children.find(104), nullptr);
  children.remove(101);
  EXPECT_EQ(children.only(Role::kCheckpointer), 0);
  EXPECT_EQ(children.counts().awaited, 2);
}

}  // namespace
}  // namespace cofork
