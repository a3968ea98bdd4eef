// The contract of model/model.h, held against both models (and two scheduler threads).
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>

#include "in_model.h"
#include "model/stack.h"
#include "support/error.h"

namespace cofork {
namespace {

/// What parent and children share, as the segment of a server.
struct Shared {
  Latch latch;
  Semaphore semaphore;
  std::atomic<int> number{0};
  std::atomic<int> other{0};
  std::atomic<Pid> pid{0};
  std::atomic<Pid> pids[8] = {};
  char text[64] = {};
};

Shared* make_shared_block() {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (memory) Shared;
}

class ModelTest : public testing::TestWithParam<TestedModel> {
 protected:
  int run(const std::function<void(Task&)>& body) { return run_in_model(GetParam(), body); }
  Shared* shared = make_shared_block();
};
INSTANTIATE_TEST_SUITE_P(Models, ModelTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

/// The postmaster's part: SIGCHLD sets the latch, deaths are reaped until `count` have come.
std::vector<Death> reap_all(Task& task, size_t count) {
  std::vector<Death> deaths;
  int64_t deadline_ns = task.os().clock.monotonic_ns() + kSlowness * 10'000'000'000;
  while (deaths.size() < count && task.os().clock.monotonic_ns() < deadline_ns) {
    if (auto death = task.model().reap()) {
      deaths.push_back(*death);
      continue;
    }
    wait_latch(kWaitLatch | kWaitTimeout | kWaitPostmasterDeath, 100, WaitEventId::kPostmasterMain);
    reset_latch(task.latch());
  }
  return deaths;
}

void listen_for_children(Task& task) {
  task.on_signal(SIGCHLD, [](Task& t, int) { set_latch(t.latch()); });
  task.unblock_signals();
}

TEST_P(ModelTest, ExitCodeOfTheFirstTaskIsTheProcess) {
  EXPECT_EQ(0, run([](Task&) {}));
  EXPECT_EQ(7, run([](Task&) { proc_exit(7); }));
}

TEST_P(ModelTest, ChildStatusesAreThoseOfWaitpid) {
  EXPECT_EQ(
      0, run([](Task& task) {
        listen_for_children(task);
        Pid zero = task.model().spawn(task, {"zero", [](Task&) {}, {}, true});
        Pid three = task.model().spawn(task, {"three", [](Task&) { proc_exit(3); }, {}, true});
        Pid two = task.model().spawn(
            task, {"two", [](Task& t) { t.model().die_now(t, ExitStatus::exited(2)); }, {}, true});
        Pid killed = task.model().spawn(
            task, {"killed",
                   [](Task& t) { t.model().die_now(t, ExitStatus::signaled(SIGKILL)); },
                   {},
                   true});
        auto deaths = reap_all(task, 4);
        EXPECT_IN_MODEL(deaths.size() == 4);
        for (const Death& death : deaths) {
          if (death.pid == zero) EXPECT_IN_MODEL(death.status.is_exit(0));
          if (death.pid == three) EXPECT_IN_MODEL(death.status.is_exit(3));
          if (death.pid == two) EXPECT_IN_MODEL(death.status.is_exit(2));
          if (death.pid == killed) {
            EXPECT_IN_MODEL(death.status.describe() == "was terminated by signal 9: Killed");
          }
        }
      }));
}

TEST_P(ModelTest, ExitCallbacksRunInReverseAndMayWait) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              task.model().spawn(task,
                                 {"child",
                                  [&s](Task& t) {
                                    t.on_proc_exit([&s](Task&, int code) {
                                      std::strcat(s.text, code == 4 ? "c4" : "c?");
                                    });
                                    t.on_shmem_exit([&s](Task& inner, int) {
                                      inner.model().pause_us(inner, 1000);
                                      std::strcat(s.text, "b");
                                    });
                                    t.on_shmem_exit([&s](Task&, int) { std::strcat(s.text, "a"); });
                                    proc_exit(4);
                                  },
                                  {},
                                  true});
              EXPECT_IN_MODEL(reap_all(task, 1).size() == 1);
              EXPECT_IN_MODEL(std::strcmp(s.text, "abc4") == 0);
            }));
}

TEST_P(ModelTest, LatchWakesAcrossTasks) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              constexpr int kRounds = 2000;
              Pid child =
                  task.model().spawn(task, {"pong",
                                            [&s](Task& t) {
                                              t.unblock_signals();
                                              t.switch_latch(s.latch);
                                              s.pid = t.pid();
                                              while (s.number < kRounds) {
                                                wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath,
                                                           -1, WaitEventId::kExtension);
                                                reset_latch(t.latch());
                                                s.other.store(s.number);
                                              }
                                            },
                                            {},
                                            true});
              EXPECT_IN_MODEL(child > 0);
              for (int i = 1; i <= kRounds; ++i) {
                s.number = i;
                // A latch set before its owner has adopted it stays set: nothing is lost.
                set_latch(s.latch);
                if (i % 100 != 0) continue;
                int64_t deadline_ns = task.os().clock.monotonic_ns() + kSlowness * 10'000'000'000;
                while (s.other != i && task.os().clock.monotonic_ns() < deadline_ns) {
                  task.model().pause_us(task, 50);
                }
                EXPECT_IN_MODEL(s.other == i);
              }
              EXPECT_IN_MODEL(reap_all(task, 1).size() == 1);
            }));
}

TEST_P(ModelTest, SemaphoreCountsAndSleeps) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              s.semaphore.count = 1;
              task.model().spawn(task, {"sleeper",
                                        [&s](Task& t) {
                                          s.semaphore.owner = t.pid();
                                          for (int i = 0; i < 1000; ++i) {
                                            t.model().semaphore_wait(t, s.semaphore);
                                            ++s.number;
                                          }
                                        },
                                        {},
                                        true});
              for (int i = 0; i < 999; ++i) {
                task.model().semaphore_post(s.semaphore);
                if (i % 10 == 0) task.model().pause_us(task, 10);
              }
              EXPECT_IN_MODEL(reap_all(task, 1).size() == 1);
              EXPECT_IN_MODEL(s.number == 1000);
              EXPECT_IN_MODEL(s.semaphore.count == 0);
            }));
}

TEST_P(ModelTest, WaitTimesOutAndNamesItsEvent) {
  EXPECT_EQ(0, run([this](Task& task) {
              std::atomic<uint32_t> word{0};
              task.publish_wait_event_to(&word);
              int64_t start_ns = task.os().clock.monotonic_ns();
              uint32_t result = wait_latch(kWaitLatch | kWaitTimeout | kWaitPostmasterDeath, 30,
                                           WaitEventId::kPgSleep);
              EXPECT_IN_MODEL(result == kWaitTimeout);
              EXPECT_IN_MODEL(task.os().clock.monotonic_ns() - start_ns >= 30'000'000);
              EXPECT_IN_MODEL(word == 0);
            }));
}

TEST_P(ModelTest, WaitWithoutTheLatchIsNotCutShortByIt) {
  EXPECT_EQ(run([](Task& task) {
              set_latch(task.latch());
              int64_t begin = task.os().clock.monotonic_ns();
              uint32_t result =
                  wait_latch(kWaitTimeout | kWaitPostmasterDeath, 30, WaitEventId::kExtension);
              EXPECT_IN_MODEL(result == kWaitTimeout);
              EXPECT_IN_MODEL(task.os().clock.monotonic_ns() - begin >= 30'000'000);
              result = wait_latch(kWaitLatch | kWaitTimeout | kWaitPostmasterDeath, 1000,
                                  WaitEventId::kExtension);
              EXPECT_IN_MODEL(result == kWaitLatch);
            }),
            0);
}

TEST_P(ModelTest, SignalsRunHandlersOrKill) {
  EXPECT_EQ(
      0, run([this](Task& task) {
        listen_for_children(task);
        Shared& s = *shared;
        auto wait_forever = [](Task& t) {
          for (;;) {
            wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, WaitEventId::kExtension);
            reset_latch(t.latch());
            if (t.interrupts() & kInterruptDie) proc_exit(1);
          }
        };
        Pid handles = task.model().spawn(task, {"handles",
                                                [&s, wait_forever](Task& t) {
                                                  t.on_signal(SIGTERM, Task::handle_die);
                                                  t.unblock_signals();
                                                  ++s.number;
                                                  wait_forever(t);
                                                },
                                                {},
                                                true});
        Pid dies = task.model().spawn(task, {"dies",
                                             [&s, wait_forever](Task& t) {
                                               t.unblock_signals();
                                               ++s.number;
                                               wait_forever(t);
                                             },
                                             {},
                                             true});
        EXPECT_IN_MODEL(task.model().kill(handles, 0) == 0);
        EXPECT_IN_MODEL(task.model().kill(handles, SIGTERM) == 0);  // kept until it is unblocked
        EXPECT_IN_MODEL(task.model().kill(dies, SIGUSR1) == 0);
        auto deaths = reap_all(task, 2);
        EXPECT_IN_MODEL(deaths.size() == 2);
        for (const Death& death : deaths) {
          if (death.pid == handles) EXPECT_IN_MODEL(death.status.is_exit(1));
          if (death.pid == dies) EXPECT_IN_MODEL(death.status.signal() == SIGUSR1);
        }
        EXPECT_IN_MODEL(task.model().kill(handles, 0) == -ESRCH);
      }));
}

/// In the coroutine model the killer runs in the same pass over the ready queue as its victims, and
/// before them.
TEST_P(ModelTest, TasksAreKilledWhileTheyAreReady) {
  auto killer = [this](Task& t) {
    while (shared->other == 0) t.model().yield(t);
    for (auto& pid : shared->pids) EXPECT_IN_MODEL(t.model().kill(pid, SIGKILL) == 0);
  };
  auto victim = [this](Task& t) {
    for (;;) {
      ++shared->number;
      t.model().yield(t);
    }
  };
  EXPECT_EQ(0, run([&](Task& task) {
              listen_for_children(task);
              Pid killer_pid = task.model().spawn(task, {"killer", killer, {}, true});
              for (auto& pid : shared->pids) {
                pid = task.model().spawn(task, {"victim", victim, {}, true});
              }
              while (shared->number < 1000) task.model().pause_us(task, 100);
              shared->other = 1;
              auto deaths = reap_all(task, std::size(shared->pids) + 1);
              EXPECT_IN_MODEL(deaths.size() == std::size(shared->pids) + 1);
              for (const Death& death : deaths) {
                EXPECT_IN_MODEL(death.pid == killer_pid ? death.status.is_exit(0)
                                                        : death.status.signal() == SIGKILL);
              }
              int at_death = shared->number;
              task.model().pause_us(task, 2'000);
              EXPECT_IN_MODEL(shared->number == at_death);  // none of them has run again
            }));
}

TEST_P(ModelTest, StoppedTaskIsKilledOnlyByKill) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              Pid child =
                  task.model().spawn(task, {"stopped",
                                            [&s](Task& t) {
                                              t.on_signal(SIGTERM, Task::handle_die);
                                              t.unblock_signals();
                                              s.number = 1;
                                              for (;;) {
                                                wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath,
                                                           -1, WaitEventId::kExtension);
                                                if (t.interrupts() & kInterruptDie) proc_exit(0);
                                                reset_latch(t.latch());
                                              }
                                            },
                                            {},
                                            true});
              while (s.number != 1) task.model().pause_us(task, 100);
              EXPECT_IN_MODEL(task.model().kill(child, SIGSTOP) == 0);
              EXPECT_IN_MODEL(task.model().kill(child, SIGTERM) == 0);
              task.model().pause_us(task, 20'000);
              EXPECT_IN_MODEL(!task.model().reap());
              EXPECT_IN_MODEL(task.model().kill(child, SIGKILL) == 0);
              auto deaths = reap_all(task, 1);
              EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.signal() == SIGKILL);
            }));
}

TEST_P(ModelTest, StoppedTaskRunsNoHandlerUntilItGoesOn) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              Pid child =
                  task.model().spawn(task, {"stopped",
                                            [&s](Task& t) {
                                              t.on_signal(SIGQUIT, [](Task& self, int) {
                                                self.model().die_now(self, ExitStatus::exited(2));
                                              });
                                              t.unblock_signals();
                                              s.number = 1;
                                              for (;;) {
                                                wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath,
                                                           -1, WaitEventId::kExtension);
                                                reset_latch(t.latch());
                                              }
                                            },
                                            {},
                                            true});
              while (s.number != 1) task.model().pause_us(task, 100);
              EXPECT_IN_MODEL(task.model().kill(child, SIGSTOP) == 0);
              EXPECT_IN_MODEL(task.model().kill(child, SIGQUIT) == 0);
              task.model().pause_us(task, 20'000);
              EXPECT_IN_MODEL(!task.model().reap());
              EXPECT_IN_MODEL(task.model().kill(child, SIGCONT) == 0);
              auto deaths = reap_all(task, 1);
              EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(2));
            }));
}

TEST_P(ModelTest, TimeoutFiresItsHandler) {
  EXPECT_EQ(0, run([](Task& task) {
              task.unblock_signals();
              task.timeouts().set_handler(TimeoutId::kStatement, [](Task& t) {
                t.raise_interrupt(kInterruptTimeout);
                set_latch(t.latch());
              });
              task.timeouts().enable_after_ms(TimeoutId::kStatement, 100'000);
              task.timeouts().enable_after_ms(TimeoutId::kStatement, 20);
              task.timeouts().enable_after_ms(TimeoutId::kLock, 10);
              task.timeouts().disable(TimeoutId::kLock);
              wait_latch(kWaitLatch | kWaitPostmasterDeath, -1, WaitEventId::kExtension);
              EXPECT_IN_MODEL(task.interrupts() & kInterruptTimeout);
              EXPECT_IN_MODEL(task.timeouts().fired(TimeoutId::kStatement, true));
              EXPECT_IN_MODEL(!task.timeouts().fired(TimeoutId::kStatement));
              EXPECT_IN_MODEL(!task.timeouts().fired(TimeoutId::kLock));
            }));
}

TEST_P(ModelTest, SocketsAreHandedOverAndWaitedFor) {
  EXPECT_EQ(
      0, run([](Task& task) {
        listen_for_children(task);
        int ends[2];
        EXPECT_IN_MODEL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ==
                        0);
        int child_end = ends[1];
        task.adopt_fd(ends[0]);
        task.adopt_fd(child_end);
        task.model().spawn(task,
                           {"echo",
                            [child_end](Task& t) {
                              auto set = t.model().make_wait_set(t);
                              set->add_latch(t.latch());
                              int position = set->add_socket(child_end, kWaitReadable);
                              for (;;) {
                                WaitOccurred occurred[2];
                                int count = set->wait(-1, occurred, WaitEventId::kClientRead);
                                if (count != 1 || occurred[0].position != position) proc_exit(5);
                                char bytes[16];
                                ssize_t got = t.os().sockets.recv(child_end, bytes, sizeof bytes);
                                if (got == -EAGAIN) continue;
                                if (got == 0) proc_exit(0);
                                t.os().sockets.send(child_end, bytes, static_cast<size_t>(got));
                              }
                            },
                            {child_end},
                            true});
        auto set = task.model().make_wait_set(task);
        set->add_socket(ends[0], kWaitReadable);
        WaitOccurred occurred[2];
        EXPECT_IN_MODEL(set->wait(0, occurred, WaitEventId::kClientRead) == 0);
        for (int i = 0; i < 100; ++i) {
          EXPECT_IN_MODEL(task.os().sockets.send(ends[0], "hello", 5) == 5);
          char bytes[16];
          while (task.os().sockets.recv(ends[0], bytes, sizeof bytes) != 5) {
            EXPECT_IN_MODEL(set->wait(10'000, occurred, WaitEventId::kClientRead) == 1);
          }
        }
        set.reset();
        task.os().sockets.close(ends[0]);  // the parent's copy of the other end is closed already
        auto deaths = reap_all(task, 1);
        EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(0));
      }));
}

/// Data and end of file that arrive together are both heard of, also by who drains the socket.
TEST_P(ModelTest, EndOfFileIsHeardAfterTheLastData) {
  EXPECT_EQ(0, run([](Task& task) {
              int ends[2];
              EXPECT_IN_MODEL(
                  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
              EXPECT_IN_MODEL(task.os().sockets.send(ends[0], "bye", 3) == 3);
              task.os().sockets.close(ends[0]);
              auto set = task.model().make_wait_set(task);
              int position = set->add_socket(ends[1], kWaitReadable);
              WaitOccurred occurred[2];
              char bytes[16];
              EXPECT_IN_MODEL(set->wait(10'000, occurred, WaitEventId::kClientRead) == 1);
              EXPECT_IN_MODEL(task.os().sockets.recv(ends[1], bytes, sizeof bytes) == 3);
              set->drained(position);
              EXPECT_IN_MODEL(set->wait(10'000, occurred, WaitEventId::kClientRead) == 1);
              EXPECT_IN_MODEL(task.os().sockets.recv(ends[1], bytes, sizeof bytes) == 0);
            }));
}

TEST_P(ModelTest, BlockingWorkHasNoTask) {
  EXPECT_EQ(0, run([](Task& task) {
              bool had_task = true;
              task.model().run_blocking(task,
                                        [&had_task] { had_task = this_task_or_null() != nullptr; });
              EXPECT_IN_MODEL(!had_task);
              EXPECT_IN_MODEL(this_task_or_null() == &task);
            }));
}

/// Who finds all workers busy waits in line, and is not forgotten there.
TEST_P(ModelTest, MoreBlockingWorkThanWorkersIsAllDone) {
  EXPECT_EQ(0, run([](Task& task) {
              constexpr int kTasks = 12, kRounds = 50;
              listen_for_children(task);
              for (int i = 0; i < kTasks; ++i) {
                task.model().spawn(task, {"blocks",
                                          [](Task& t) {
                                            int done = 0;
                                            for (int round = 0; round < kRounds; ++round) {
                                              t.model().run_blocking(t, [&done] {
                                                timespec moment{0, 20'000};
                                                nanosleep(&moment, nullptr);
                                                ++done;
                                              });
                                            }
                                            if (done != kRounds) proc_exit(9);
                                          },
                                          {},
                                          true});
              }
              for (const Death& death : reap_all(task, kTasks)) {
                EXPECT_IN_MODEL(death.status.is_exit(0));
              }
            }));
}

/// Two tasks wait inside a catch handler at the same time; each still sees its own error after it.
/// (The rule is never to wait there; the model keeps them apart even so.)
TEST_P(ModelTest, TasksThatFailAtOnceKeepTheirErrors) {
  EXPECT_EQ(0, run([](Task& task) {
              listen_for_children(task);
              for (int i = 0; i < 4; ++i) {
                task.model().spawn(task, {"fails",
                                          [i](Task& t) {
                                            std::string mine = "error of " + std::to_string(i);
                                            for (int round = 0; round < 20; ++round) {
                                              try {
                                                throw Error(sqlstate::kInternalError, "{}", mine);
                                              } catch (const Error& error) {
                                                t.model().pause_us(t, 100 * (4 - i));
                                                try {
                                                  throw;
                                                } catch (const Error& again) {
                                                  if (again.data().message != mine) proc_exit(9);
                                                }
                                              }
                                            }
                                          },
                                          {},
                                          true});
              }
              for (const Death& death : reap_all(task, 4)) EXPECT_IN_MODEL(death.status.is_exit(0));
            }));
}

int recurse(int depth) {
  return with_stack([&]() -> int {
    volatile char frame[256];
    frame[0] = static_cast<char>(depth);
    return depth == 0 ? frame[0] : recurse(depth - 1) + 1;
  });
}

TEST_P(ModelTest, DeepRecursionEndsAtTheLimitInBothModels) {
  EXPECT_EQ(0, run([](Task& task) {
              listen_for_children(task);
              task.model().spawn(task, {"deep",
                                        [](Task&) {
                                          if (recurse(1500) != 1500) proc_exit(8);
                                          SqlState state;
                                          try {
                                            recurse(1'000'000);
                                          } catch (const Error& error) {
                                            state = error.data().sqlstate;
                                          }
                                          if (state != sqlstate::kStatementTooComplex) proc_exit(9);
                                          if (recurse(1500) != 1500) proc_exit(8);
                                        },
                                        {},
                                        true});
              auto deaths = reap_all(task, 1);
              EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(0));
            }));
}

TEST_P(ModelTest, BigStackIsThereForParsers) {
  EXPECT_EQ(0, run([](Task& task) {
              listen_for_children(task);
              task.model().spawn(task, {"parser",
                                        [](Task&) {
                                          int sum = 0;
                                          run_with_stack(size_t{32} << 20, [&sum] {
                                            volatile char frame[size_t{16} << 20];
                                            frame[0] = 1;
                                            frame[sizeof frame - 1] = 2;
                                            sum = frame[0] + frame[sizeof frame - 1];
                                          });
                                          bool caught = false;
                                          try {
                                            run_with_stack(size_t{1} << 20, [] {
                                              throw Error(sqlstate::kSyntaxError, "syntax error");
                                            });
                                          } catch (const Error&) {
                                            caught = true;
                                          }
                                          if (sum != 3 || !caught) proc_exit(9);
                                        },
                                        {},
                                        true});
              auto deaths = reap_all(task, 1);
              EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(0));
            }));
}

[[gnu::noinline]] int use_stack(size_t kilobytes) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(kilobytes);
  return kilobytes == 0 ? 0 : use_stack(kilobytes - 1) + (frame[0] == frame[0] ? 1 : 0);
}

/// A recursion of known depth asks once: it gets its stack, or is refused before it begins.
TEST_P(ModelTest, StackOfAKnownSizeIsThereOrRefused) {
  EXPECT_EQ(0, run([](Task& task) {
              listen_for_children(task);
              task.model().spawn(task, {"known",
                                        [](Task&) {
                                          for (int round = 0; round < 2; ++round) {
                                            int used = with_stack_of(size_t{600} << 10,
                                                                     [] { return use_stack(500); });
                                            if (used != 500) proc_exit(8);
                                          }
                                          SqlState state;
                                          bool began = false;
                                          try {
                                            with_stack_of(size_t{1} << 30, [&] { began = true; });
                                          } catch (const Error& error) {
                                            state = error.data().sqlstate;
                                          }
                                          if (state != sqlstate::kStatementTooComplex || began)
                                            proc_exit(9);
                                        },
                                        {},
                                        true});
              auto deaths = reap_all(task, 1);
              EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(0));
            }));
}

[[gnu::noinline]] int overflow(volatile int* bottomless) {
  volatile int frame[1024];
  frame[0] = *bottomless;
  if (frame[0] == 12345) return 0;  // never: it only keeps the compiler from knowing the end
  return overflow(&frame[0]) + frame[1];
}

/// On purpose: the sanitizer must not report it before the signal comes.
__attribute__((no_sanitize("undefined"))) void store_to_null(Task&) {
  volatile int* null = nullptr;
  *null = 1;
}

/// A fault in one task's code ends that task with the signal's status; the others go on.
TEST_P(ModelTest, FaultsEndOneTask) {
  struct Case {
    const char* name;
    int signo;
    void (*body)(Task&);
  };
  static const Case cases[] = {
      {"segv", SIGSEGV, store_to_null},
      {"stack", SIGSEGV,
       [](Task&) {
         volatile int start = 0;
         overflow(&start);
       }},
      {"abort", SIGABRT, [](Task&) { std::abort(); }},
      {"terminate", SIGABRT,
       [](Task&) { throw Error(sqlstate::kInternalError, "nobody catches this"); }},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(0, run([this, &c](Task& task) {
                listen_for_children(task);
                Shared& s = *shared;
                s.number = 0;
                Pid faulty = task.model().spawn(task, {c.name, c.body, {}, true});
                task.model().spawn(task, {"bystander",
                                          [&s](Task& t) {
                                            t.model().pause_us(t, 20'000);
                                            s.number = 1;
                                          },
                                          {},
                                          true});
                auto deaths = reap_all(task, 2);
                EXPECT_IN_MODEL(deaths.size() == 2);
                for (const Death& death : deaths) {
                  if (death.pid == faulty) EXPECT_IN_MODEL(death.status.signal() == c.signo);
                }
                EXPECT_IN_MODEL(s.number == 1);
              }))
        << c.name;
  }
}

TEST_P(ModelTest, BusyTaskSharesItsThread) {
  EXPECT_EQ(0, run([this](Task& task) {
              listen_for_children(task);
              Shared& s = *shared;
              for (int i = 0; i < 2; ++i) {
                task.model().spawn(task, {"busy",
                                          [&s](Task& t) {
                                            while (s.number == 0) t.check_interrupts();
                                          },
                                          {},
                                          true});
              }
              // The first task shares a thread with at least one of them: its short sleeps must not
              // become longer than a few slices of 2 ms.
              int64_t longest_ns = 0;
              for (int i = 0; i < 20; ++i) {
                int64_t start_ns = task.os().clock.monotonic_ns();
                task.model().pause_us(task, 1000);
                longest_ns = std::max(longest_ns, task.os().clock.monotonic_ns() - start_ns);
              }
              s.number = 1;
              EXPECT_IN_MODEL(reap_all(task, 2).size() == 2);
              EXPECT_IN_MODEL(longest_ns < 500'000'000);
            }));
}

bool is_resident(uintptr_t address) {
  unsigned char page = 0;
  return mincore(reinterpret_cast<void*>(address & ~uintptr_t{4095}), 4096, &page) == 0 &&
         (page & 1) != 0;
}

/// After a while of idleness a fiber's unused stack pages are given back, and it goes on unharmed.
TEST_P(ModelTest, IdleStacksAreTrimmedUnderTheirTasks) {
  if (GetParam() == TestedModel::kFork) return;  // the kernel manages a process's stack
  EXPECT_EQ(
      0, run([this](Task& task) {
        listen_for_children(task);
        Shared& s = *shared;
        task.model().spawn(task, {"idle",
                                  [&s](Task& t) {
                                    t.unblock_signals();
                                    t.switch_latch(s.latch);
                                    volatile int kept[64];
                                    for (int i = 0; i < 64; ++i) kept[i] = i;
                                    if (recurse(100) != 100) proc_exit(8);
                                    auto deep = reinterpret_cast<uintptr_t>(&kept[0]) - 20'000;
                                    if (!is_resident(deep)) proc_exit(6);
                                    reset_latch(t.latch());
                                    s.number = 1;
                                    wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1,
                                               WaitEventId::kExtension);
                                    if (is_resident(deep)) proc_exit(7);
                                    for (int i = 0; i < 64; ++i) {
                                      if (kept[i] != i) proc_exit(9);
                                    }
                                    if (recurse(100) != 100) proc_exit(8);
                                  },
                                  {},
                                  true});
        while (s.number != 1) task.model().pause_us(task, 1000);
        task.model().pause_us(task,
                              5'000'000);  // two of the scheduler's looks at idle stacks
        set_latch(s.latch);
        auto deaths = reap_all(task, 1);
        EXPECT_IN_MODEL(deaths.size() == 1 && deaths[0].status.is_exit(0));
      }));
}

TEST_P(ModelTest, ManyTasksComeAndGo) {
  EXPECT_EQ(0, run([](Task& task) {
              listen_for_children(task);
              int rounds = std::strcmp(task.model().name(), "fork") == 0 ? 100 : 5000;
              for (int i = 0; i < rounds; i += 50) {
                for (int j = 0; j < 50; ++j) {
                  EXPECT_IN_MODEL(task.model().spawn(task, {"brief", [](Task&) {}, {}, true}) > 0);
                }
                EXPECT_IN_MODEL(reap_all(task, 50).size() == 50);
              }
            }));
}

}  // namespace
}  // namespace cofork
