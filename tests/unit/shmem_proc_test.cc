// Procs, the ProcArray, child slots, signals, status, statistics and the task table, under every
// model.
#include <algorithm>
#include <cstring>
#include <map>

#include "in_server.h"

namespace cofork {
namespace {

struct Shared {
  std::atomic<int> stage{0}, ready{0}, count{0};
  std::atomic<Pid> pid{0};
  std::atomic<int32_t> number{0};
  AreaInfo areas[2][kAreaCount] = {};
};

class ProcTest : public testing::TestWithParam<TestedModel> {
 protected:
  void run(const std::function<void(TestServer&, Shared&)>& body,
           const Limits& limits = small_limits()) {
    auto* shared = shared_block<Shared>();
    EXPECT_EQ(run_in_server(GetParam(), limits, [&](TestServer& server) { body(server, *shared); }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, ProcTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.data().sqlstate.text() + " " + error.data().message;
  }
  return "";
}

void take(ProcPool pool) {
  init_process(BackendType::kClientBackend, pool, 0);
}

/// Stays until the stage is reached, counted in `ready`.
void stay(Shared& shared, int stage) {
  ++shared.ready;
  EXPECT_IN_MODEL(eventually([&] { return shared.stage >= stage; }));
}

TEST_P(ProcTest, EachPoolRunsOutByItself) {
  run([](TestServer& server, Shared& shared) {
    const Limits limits = small_limits();
    for (int i = 0; i < limits.max_connections; ++i) {
      server.spawn([&](Task&) { stay(shared, 1); });
    }
    EXPECT_IN_MODEL(eventually([&] { return shared.ready == limits.max_connections; }));
    server.spawn_bare([&](Task&) {
      EXPECT_IN_MODEL(error_of([] { take(ProcPool::kOrdinary); }) ==
                      "53300 sorry, too many clients already");
      EXPECT_IN_MODEL(!have_free_procs(1));
      take(ProcPool::kWalSender);
      ++shared.count;
      EXPECT_IN_MODEL(eventually([&] { return shared.count == 2; }));
    });
    EXPECT_IN_MODEL(eventually([&] { return shared.count == 1; }));
    server.spawn_bare([&](Task&) {
      EXPECT_IN_MODEL(error_of([] { take(ProcPool::kWalSender); }) ==
                      "53300 number of requested standby connections exceeds max_wal_senders "
                      "(currently 1)");
      ++shared.count;
    });
    EXPECT_IN_MODEL(eventually([&] { return shared.count == 2; }));
    shared.stage = 1;
    server.wait_for_all();
    // All given back: as many can be taken again.
    server.spawn([&](Task&) { EXPECT_IN_MODEL(have_free_procs(limits.max_connections - 1)); });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, AProcIsCleanWhateverItsLastOwnerLeft) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task&) {
      my_proc().xmin = 99;
      my_proc().semaphore.count = 7;
      shared.number = my_proc_number();
      proc_array_join();  // leaving takes the lock that is still held below
      main_lwlock(LwTranche::kProcArray).acquire(LwMode::kExclusive);
    });
    server.wait_for_all();
    server.spawn([&](Task& task) {
      EXPECT_IN_MODEL(my_proc_number() == shared.number);  // the last one given back
      EXPECT_IN_MODEL(my_proc().xmin == 0 && my_proc().semaphore.count == 0);
      EXPECT_IN_MODEL(my_proc().pid == task.pid() && my_proc().latch.owner == task.pid());
      EXPECT_IN_MODEL(main_lwlock(LwTranche::kProcArray).try_acquire(LwMode::kExclusive));
    });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, AuxiliaryProcsAreFew) {
  run([](TestServer& server, Shared& shared) {
    for (int i = 0; i < kAuxiliaryProcs; ++i) {
      server.spawn_bare([&, i](Task& task) {
        init_auxiliary_process(static_cast<AuxiliaryKind>(i));
        EXPECT_IN_MODEL(proc_of_auxiliary(task.pid()) == my_proc_number());
        if (i == 3) publish_proc_number(shared_memory().area<ProcHeader>().checkpointer);
        stay(shared, 1);
      });
    }
    EXPECT_IN_MODEL(eventually([&] { return shared.ready == kAuxiliaryProcs; }));
    ProcHeader& header = server.memory().area<ProcHeader>();
    EXPECT_IN_MODEL(header.checkpointer >= small_limits().max_backends());
    server.spawn_bare([&](Task&) {
      EXPECT_IN_MODEL(error_of([] { init_auxiliary_process(AuxiliaryKind::kWalReceiver); }) ==
                      "XX000 all AuxiliaryProcs are in use");
      shared.stage = 1;
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(header.checkpointer == kNoProc);
  });
}

TEST_P(ProcTest, TheArrayHoldsWhoRuns) {
  run([](TestServer& server, Shared& shared) {
    for (int i = 0; i < 6; ++i) {
      server.spawn([&, i](Task& task) {
        my_proc().database_id = i < 4 ? 5 : 6;
        proc_array_join();
        EXPECT_IN_MODEL(proc_of_backend(task.pid()) == my_proc_number());
        stay(shared, i % 2 == 0 ? 1 : 2);
      });
    }
    EXPECT_IN_MODEL(eventually([&] { return shared.ready == 6; }));
    ProcArray& array = server.memory().area<ProcArray>();
    EXPECT_IN_MODEL(array.count == 6);
    server.spawn([&](Task&) {
      EXPECT_IN_MODEL(count_connections_to_database(5) == 4);
      EXPECT_IN_MODEL(count_connections_to_database(0) == 6);
    });
    server.wait_for_one();
    shared.stage = 1;
    for (int i = 0; i < 3; ++i) server.wait_for_one();
    EXPECT_IN_MODEL(array.count == 3);
    Proc* procs = server.memory().area<Procs>().all();
    for (int i = 0; i < 3; ++i) {
      EXPECT_IN_MODEL(procs[array.numbers()[i]].proc_array_index == i);
    }
    shared.stage = 2;
    server.wait_for_all();
    EXPECT_IN_MODEL(array.count == 0);
  });
}

TEST_P(ProcTest, RunningTransactionsAreDenseAndEndInGroups) {
  constexpr int kTasks = 8, kRounds = 400;
  run([](TestServer& server, Shared& shared) {
    ProcArray& array = server.memory().area<ProcArray>();
    array.latest_completed_xid = (uint64_t{3} << 32) + 100;
    shared.count = 101;  // the next xid
    for (int t = 0; t < kTasks; ++t) {
      server.spawn([&, t](Task& task) {
        proc_array_join();
        for (int i = 0; i < kRounds; ++i) {
          TransactionId xid;
          {
            LwLockGuard guard(LwTranche::kXidGen, LwMode::kExclusive);
            xid = static_cast<TransactionId>(shared.count++);
            proc_array_set_xid(xid);
          }
          std::vector<TransactionId> running = running_transactions();
          EXPECT_IN_MODEL(std::is_sorted(running.begin(), running.end()));
          EXPECT_IN_MODEL(std::count(running.begin(), running.end(), xid) == 1);
          EXPECT_IN_MODEL(running.size() <= kTasks);
          // Holding the lock over a wait makes the others end theirs in a group.
          if (i % 50 == t) {
            LwLockGuard guard(LwTranche::kProcArray, LwMode::kShared);
            task.model().pause_us(task, 100);
          }
          proc_array_end_transaction(xid);
          EXPECT_IN_MODEL(my_proc().xid == 0 && my_proc().running_index == -1);
        }
      });
    }
    server.wait_for_all();
    EXPECT_IN_MODEL(array.running_count == 0);
    EXPECT_IN_MODEL(array.completion_count == kTasks * kRounds);
    EXPECT_IN_MODEL(array.latest_completed_xid == (uint64_t{3} << 32) + 100 + kTasks * kRounds);
  });
}

TEST_P(ProcTest, AChildThatDoesNotLeaveInOrderIsACrash) {
  run([](TestServer& server, Shared&) {
    ChildSlots& slots = server.child_slots();
    int32_t clean = slots.assign(), killed = slots.assign(), sender = slots.assign();
    EXPECT_IN_MODEL(clean == 1 && killed == 2 && sender == 3);
    auto live = [&](int32_t slot, std::function<void(Task&)> body) {
      server.spawn_bare([slot, body](Task& task) {
        init_process(BackendType::kClientBackend, ProcPool::kOrdinary, slot);
        body(task);
      });
      return server.wait_for_one().status;
    };
    EXPECT_IN_MODEL(live(clean, [](Task&) {}).is_exit(0));
    EXPECT_IN_MODEL(slots.release(clean));
    EXPECT_IN_MODEL(live(killed, [](Task& task) {
                      task.model().die_now(task, ExitStatus::exited(1));
                    }).is_exit(1));
    EXPECT_IN_MODEL(!slots.release(killed));
    EXPECT_IN_MODEL(live(sender, [&](Task&) {
                      mark_child_wal_sender(my().child_slot);
                      EXPECT_IN_MODEL(slots.is_wal_sender(my().child_slot));
                    }).is_exit(0));
    EXPECT_IN_MODEL(slots.release(sender));
    // The last one freed comes first; never more than there are.
    EXPECT_IN_MODEL(slots.assign() == sender);
    int32_t taken = 1;
    while (slots.assign() != 0) ++taken;
    EXPECT_IN_MODEL(taken == slots.count() && taken == 2 * small_limits().max_backends());
  });
}

TEST_P(ProcTest, PostmasterSignalsAreFlags) {
  run([](TestServer& server, Shared&) {
    server.spawn([](Task&) {
      send_postmaster_signal(PmSignal::kRotateLogfile);
      send_postmaster_signal(PmSignal::kRotateLogfile);
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(take_postmaster_signal(PmSignal::kRotateLogfile));
    EXPECT_IN_MODEL(!take_postmaster_signal(PmSignal::kRotateLogfile));
    EXPECT_IN_MODEL(!take_postmaster_signal(PmSignal::kBackgroundWorkerChange));
    EXPECT_IN_MODEL(quit_reason() == QuitReason::kNotSent);
    set_quit_reason(QuitReason::kForCrash);
    server.spawn([](Task&) { EXPECT_IN_MODEL(quit_reason() == QuitReason::kForCrash); });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, ProcSignalsReachTheTaskTheyName) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      proc_signal_init();
      shared.pid = task.pid();
      while ((task.interrupts() & kInterruptProcSignal) == 0) {
        wait_latch(kWaitLatch | kWaitExitOnPostmasterDeath, -1, WaitEventId::kPgSleep);
        reset_latch(task.latch());
      }
      EXPECT_IN_MODEL(take_proc_signal(ProcSignal::kLogMemoryContext));
      EXPECT_IN_MODEL(!take_proc_signal(ProcSignal::kNotifyInterrupt));
    });
    server.spawn([&](Task&) {
      EXPECT_IN_MODEL(eventually([&] { return shared.pid != 0; }));
      EXPECT_IN_MODEL(send_proc_signal(shared.pid, ProcSignal::kLogMemoryContext) == 0);
      EXPECT_IN_MODEL(send_proc_signal(shared.pid + 12345, ProcSignal::kBarrier) == -ESRCH);
    });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, ABarrierIsPassedWhenEverybodyHasAbsorbedIt) {
  run([](TestServer& server, Shared& shared) {
    static std::atomic<int>* absorbed;
    absorbed = &shared.count;
    for (int i = 0; i < 3; ++i) {
      server.spawn([&, i](Task& task) {
        proc_signal_init();
        ++shared.ready;
        if (i == 0) return;  // gone: nobody waits for it
        while (shared.stage == 0) {
          wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, 20,
                     WaitEventId::kPgSleep);
          reset_latch(task.latch());
          if (take_proc_signal(ProcSignal::kBarrier)) process_barrier([](Barrier) { ++*absorbed; });
        }
      });
    }
    EXPECT_IN_MODEL(eventually([&] { return shared.ready == 3; }));
    server.spawn([&](Task&) {
      wait_for_barrier(emit_barrier(Barrier::kStorageRelease));
      EXPECT_IN_MODEL(shared.count == 2);
      shared.stage = 1;
    });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, ACancelRequestNeedsTheKey) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      task.on_signal(SIGINT, Task::handle_cancel);
      proc_signal_init();
      set_cancel_key(-77);
      shared.pid = task.pid();
      EXPECT_IN_MODEL(eventually([&] { return shared.stage == 1; }));
      EXPECT_IN_MODEL((task.interrupts() & kInterruptCancel) == 0);
      shared.stage = 2;
      EXPECT_IN_MODEL(eventually([&] { return (task.interrupts() & kInterruptCancel) != 0; }));
    });
    server.spawn_bare([&](Task&) {  // a cancel request has no Proc
      EXPECT_IN_MODEL(eventually([&] { return shared.pid != 0; }));
      serve_cancel_request(shared.pid, 78);
      serve_cancel_request(shared.pid + 1000, -77);
      shared.stage = 1;
      EXPECT_IN_MODEL(eventually([&] { return shared.stage == 2; }));
      serve_cancel_request(shared.pid, -77);
    });
    server.wait_for_all();
  });
}

TEST_P(ProcTest, ARowOfActivityIsNeverTorn) {
  run([](TestServer& server, Shared& shared) {
    server.spawn([&](Task& task) {
      StatusIntroduction who{BackendType::kClientBackend};
      who.application_name = "torn";
      status_begin(who);
      ++shared.ready;
      for (int i = 0; shared.stage == 0; ++i) {
        // Text and query start always belong together.
        char c = static_cast<char>('a' + i % 26);
        report_activity(BackendState::kRunning, std::string(static_cast<size_t>(200 + i % 300), c),
                        true, c);
        report_activity(BackendState::kIdle, "");
        // A writer that never pauses would leave its readers no moment to read in.
        if (i % 16 == 0) task.model().pause_us(task, 50);
      }
    });
    server.spawn([&](Task& task) {
      EXPECT_IN_MODEL(eventually([&] { return shared.ready == 1; }));
      for (int i = 0; i < 2000; ++i) {
        std::vector<StatusRow> rows = read_backend_status();
        EXPECT_IN_MODEL(rows.size() == 1 && rows[0].application_name == "torn");
        const std::string& text = rows[0].activity;
        EXPECT_IN_MODEL(text.empty() || text == std::string(text.size(), text[0]));
        EXPECT_IN_MODEL(text.empty() || rows[0].fields.query_start == text[0]);
        task.model().yield(task);
      }
      shared.stage = 1;
    });
    server.wait_for_all();
    EXPECT_IN_MODEL(read_backend_status().empty());
  });
}

TEST_P(ProcTest, ActivityIsCutAtACharacter) {
  Limits limits = small_limits();
  limits.track_activity_query_size = 100;
  run(
      [](TestServer& server, Shared&) {
        server.spawn([](Task&) {
          status_begin({BackendType::kClientBackend});
          std::string text(97, 'x');
          report_activity(BackendState::kRunning, text + "\u20ac");  // three bytes, room for two
          EXPECT_IN_MODEL(read_backend_status()[0].activity == text);
          report_activity(BackendState::kRunning, text.substr(1) + "\u20ac");
          EXPECT_IN_MODEL(read_backend_status()[0].activity == text.substr(1) + "\u20ac");
          report_activity(BackendState::kRunning, "x", false);
          StatusRow row = read_backend_status()[0];
          EXPECT_IN_MODEL(row.fields.state == BackendState::kDisabled && row.activity.empty());
        });
        server.wait_for_all();
      },
      limits);
}

TEST_P(ProcTest, ATransactionShowsItsStartAndIsCounted) {
  run([](TestServer& server, Shared& shared) {
    for (int round = 0; round < 2; ++round) {
      server.spawn([&, round](Task&) {
        status_begin({BackendType::kClientBackend});
        transaction_begins(77);
        EXPECT_IN_MODEL(read_backend_status()[0].fields.transaction_start == 77);
        // Not the number its Proc's last owner had.
        EXPECT_IN_MODEL(my_proc().local_xid == static_cast<LocalTransactionId>(2 * round + 1));
        transaction_ends(true, 0);
        EXPECT_IN_MODEL(my_proc().local_xid == 0);
        EXPECT_IN_MODEL(read_backend_status()[0].fields.transaction_start == 0);
        transaction_begins(78);
        transaction_ends(false, 0);
        EXPECT_IN_MODEL(my().stats.commits == 1 && my().stats.rollbacks == 1);
        ++shared.count;
      });
      server.wait_for_all();
    }
    EXPECT_IN_MODEL(shared.count == 2);
  });
}

TEST_P(ProcTest, CountersReachTheSharedOnes) {
  run([](TestServer& server, Shared&) {
    for (int i = 0; i < 4; ++i) {
      server.spawn([](Task&) {
        stats_session_begins(5);
        for (int n = 0; n < 100; ++n) {
          ++my().stats.commits;
          my().stats.wal_bytes += 10;
          report_stats(false);
        }
        ++my().stats.rollbacks;
        EXPECT_IN_MODEL(report_stats(false) > 0);  // not yet: less than a second has passed
        stats_session_ends(SessionEnd::kFatal);
      });
    }
    server.wait_for_all();
    DatabaseStats* row = database_stats(5);
    EXPECT_IN_MODEL(row != nullptr && database_stats(6) == nullptr);
    EXPECT_IN_MODEL(row->commits == 400 && row->rollbacks == 4);
    EXPECT_IN_MODEL(row->sessions == 4 && row->sessions_fatal == 4);
    EXPECT_IN_MODEL(row->session_time_us > 0);
    EXPECT_IN_MODEL(server.memory().area<SharedStats>().wal.bytes == 4000);
    reset_database_stats(5);
    EXPECT_IN_MODEL(row->commits == 0 && row->reset_at > 0);
  });
}

TEST_P(ProcTest, TheTaskTableShowsWhoRuns) {
  run([](TestServer& server, Shared& shared) {
    enter_task_table(kPostmasterRow, BackendType::kPostmaster);
    server.postmaster().set_title("postgres -D x");
    Pid pid = server.spawn_bare([&](Task& task) {
      enter_task_table(task_row_of_child(3), BackendType::kClientBackend);
      task.set_title("postgres: bob idle");
      init_process(BackendType::kClientBackend, ProcPool::kOrdinary, 0);
      stay(shared, 1);
    });
    EXPECT_IN_MODEL(eventually([&] { return shared.ready == 1; }));
    std::vector<TaskInfo> tasks = read_task_table(server.memory());
    EXPECT_IN_MODEL(tasks.size() == 2);
    EXPECT_IN_MODEL(tasks[0].title == "postgres -D x" && tasks[0].pid == server.postmaster().pid());
    EXPECT_IN_MODEL(tasks[1].title == "postgres: bob idle" && tasks[1].pid == pid);
    EXPECT_IN_MODEL(tasks[1].proc_number == 0 && tasks[1].type == BackendType::kClientBackend);
    EXPECT_IN_MODEL(tasks[1].row == task_row_of_child(3) && tasks[1].started_at > 0);
    WaitProfile& profile = server.memory().area<WaitProfile>();
    sample_waits(profile, kNoProc);
    std::vector<WaitProfileRow> waits = read_wait_profile();
    EXPECT_IN_MODEL(waits.size() == 1 && waits[0].type == BackendType::kClientBackend);
    EXPECT_IN_MODEL(waits[0].seen == 1 && profile.samples == 1 && profile.dropped == 0);
    shared.stage = 1;
    server.wait_for_all();
    EXPECT_IN_MODEL(read_task_table(server.memory()).size() == 1);
    // One that dies without cleaning up is cleared when it is reaped.
    Pid killed = server.spawn_bare([&](Task& task) {
      enter_task_table(task_row_of_child(1), BackendType::kClientBackend);
      task.model().die_now(task, ExitStatus::exited(2));
    });
    server.wait_for_one();
    EXPECT_IN_MODEL(read_task_table(server.memory()).size() == 2);
    clear_task_row(task_row_of_child(1), killed);
    EXPECT_IN_MODEL(read_task_table(server.memory()).size() == 1);
  });
}

// --- the layout

TEST(SegmentTest, BothModelsLayItOutAlike) {
  auto* shared = shared_block<Shared>();
  int run = 0;
  for (TestedModel model : {TestedModel::kFork, TestedModel::kCoroutine}) {
    AreaInfo* copy = shared->areas[run++];
    EXPECT_EQ(run_in_server(model, Limits{},
                            [&](TestServer& server) {
                              SegmentHeader& header = server.memory().header();
                              std::memcpy(copy, header.areas, sizeof header.areas);
                            }),
              0);
  }
  EXPECT_EQ(std::memcmp(shared->areas[0], shared->areas[1], sizeof shared->areas[0]), 0);
  std::map<std::string, uint64_t> sizes;
  uint64_t end = 0;
  for (const AreaInfo& area : shared->areas[0]) {
    if (area.size == 0) continue;
    sizes[area.name] = area.size;
    EXPECT_EQ(area.offset % kAreaAlignment, 0u) << area.name;
    EXPECT_GE(area.offset, end) << area.name;
    end = area.offset + area.allocated_size;
  }
  // At PostgreSQL 15's defaults, where a size is a matter of the format.
  EXPECT_EQ(sizes["Backend Application Name Buffer"], 8192u);
  EXPECT_EQ(sizes["Backend Client Host Name Buffer"], 8192u);
  EXPECT_EQ(sizes["Backend Activity Buffer"], 131072u);
  EXPECT_EQ(sizes["PMSignalState"], 1016u);
}

TEST(SegmentTest, AllocationsAddUpToTheWhole) {
  EXPECT_EQ(run_in_server(TestedModel::kFork, small_limits(),
                          [](TestServer& server) {
                            uint64_t sum = 0;
                            std::vector<AllocationRow> rows = segment_allocations(server.memory());
                            for (const AllocationRow& row : rows) sum += row.allocated_size;
                            EXPECT_IN_MODEL(sum == server.memory().header().total_size);
                            EXPECT_IN_MODEL(rows.front().name == "Proc Header");
                            EXPECT_IN_MODEL(!rows.back().has_name && rows.back().has_offset);
                            const AllocationRow& anonymous = rows[rows.size() - 2];
                            EXPECT_IN_MODEL(anonymous.name == "<anonymous>");
                            EXPECT_IN_MODEL(anonymous.size > sizeof(LwLockArea));
                          }),
            0);
}

TEST(SegmentTest, MemoryFollowsWhatIsConnectedAndNotWhatIsAllowed) {
  Limits limits;
  limits.max_connections = kMaxBackendsCeiling - 22;
  limits.max_worker_processes = 8;
  ASSERT_EQ(limits.max_backends(), kMaxBackendsCeiling);
  EXPECT_GT(segment_size(kTestAreas, limits), size_t{500} << 20);
  EXPECT_EQ(run_in_server(TestedModel::kFork, limits,
                          [&](TestServer& server) {
                            server.spawn([](Task&) {
                              proc_array_join();
                              proc_signal_init();
                              status_begin({BackendType::kClientBackend});
                            });
                            server.wait_for_all();
                            size_t pages = server.memory().header().total_size / 4096;
                            std::vector<unsigned char> resident(pages);
                            EXPECT_IN_MODEL(mincore(server.memory().base(), pages * 4096,
                                                    resident.data()) == 0);
                            size_t used = 0;
                            for (unsigned char page : resident) used += page & 1;
                            EXPECT_IN_MODEL(used < 200);
                          }),
            0);
}

}  // namespace
}  // namespace cofork
