// The startup and checkpointer roles on real directories, in both models: clean starts and stops,
// crashes and what recovery makes of them, damaged WAL, segments that come and go.
//
// "Crash" here: every task is killed and nothing is shut down, as when the machine's power fails
// after the kernel had written everything (what it had not is another test's business).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "in_server.h"
#include "io/file.h"
#include "log/log.h"
#include "recovery/cluster_state.h"
#include "recovery/init_cluster.h"
#include "recovery/xlog_records.h"
#include "roles/checkpointer.h"
#include "roles/startup.h"
#include "settings/server_settings.h"
#include "shmem/proc_array.h"
#include "storage/buffer_descriptor.h"
#include "storage/relation_files.h"
#include "test_data.h"
#include "txn/commit_log.h"
#include "txn/lock_table.h"
#include "txn/log_areas.h"
#include "txn/multixact.h"
#include "txn/multixact_pages.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"
#include "wal/checkpoint_request.h"
#include "wal/file_pages.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;
using testing_support::output_of;
using testing_support::read_file;

constexpr const char* kWaldump = "/usr/lib/postgresql/15/bin/pg_waldump";
constexpr uint32_t kSegmentBytes = 1u << 20;

constexpr AreaSpec kStorageAreas[] = {
    area_spec<WalShared>(),
    area_spec<ControlFileShared>(),
    area_spec<RecoveryShared>(),
    area_spec<VariableCache>(),
    area_spec<CommitLogArea>(),
    area_spec<SubtransArea>(),
    area_spec<MultiXactOffsetArea>(),
    area_spec<MultiXactMemberArea>(),
    area_spec<MultiXactShared>(),
    area_spec<BufferDescriptorArea>(),
    area_spec<BufferBlockArea>(),
    area_spec<BufferIoCondition>(),
    area_spec<CheckpointEntry>(),
    area_spec<BufferMap>(),
    area_spec<BufferStrategy>(),
    area_spec<LwLockArea>(),
    area_spec<ProcHeader>(),
    area_spec<Procs>(),
    area_spec<ProcArray>(),
    area_spec<ProcSubxids>(),
    area_spec<LockTable>(),
    area_spec<LockHolders>(),
    area_spec<StrongLocks>(),
    area_spec<LockProcs>(),
    area_spec<BackendStatusArray>(),
    area_spec<StatusApplicationName>(),
    area_spec<StatusClientHostname>(),
    area_spec<StatusActivity>(),
    area_spec<PmSignalState>(),
    area_spec<ProcSignalHeader>(),
    area_spec<CheckpointerShared>(),
    area_spec<SharedStats>(),
    area_spec<TaskTable>(),
};

struct LifeOptions {
  TestedModel model = TestedModel::kFork;
  std::vector<std::pair<std::string, std::string>> settings;
  uint32_t wal_buffers = 64;
};

/// One life of a server with nothing but the two roles; `body` runs as the postmaster once the
/// startup task has ended well, with the checkpointer's pid.
class Life {
 public:
  Life(Task& postmaster, const LifeOptions& run)
      : settings_(postmaster.os().files), server_(make_settings(run), postmaster, run) {}

  TestServer& server() { return server_; }
  Pid start_checkpointer() { return server_.spawn_role(checkpointer_main); }
  Pid start_startup() { return server_.spawn_role(startup_main); }
  /// A client's task: a Proc, a context of its own, and WAL to write.
  void spawn_writer(std::function<void()> body) {
    server_.spawn([body = std::move(body)](Task& task) {
      ChildContext context(task, "writer");
      body();
    });
  }

 private:
  struct Ready {};
  Ready make_settings(const LifeOptions& run) {
    for (const auto& [name, value] : run.settings) {
      settings_.set(name, value, SettingSource::kCommandLine);
    }
    view_.emplace(settings_);
    this_task().set_slot(&*view_);
    this_task().set_slot(&identity_);
    return {};
  }
  struct Server : TestServer {
    Server(Ready, Task& postmaster, const LifeOptions& run)
        : TestServer(postmaster, limits_of(run), kStorageAreas) {}
    static Limits limits_of(const LifeOptions& run) {
      Limits limits = small_limits();
      limits.wal_buffers = static_cast<int32_t>(run.wal_buffers);
      return limits;
    }
  };

  ServerSettings settings_;
  std::optional<SettingsView> view_;
  LogIdentity identity_;
  Server server_;
};

/// Inserts a NOOP record that carries `bytes` bytes.
Lsn insert_noop(size_t bytes, char fill = 'x') {
  std::string body(bytes, fill);
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerXlog, kXlogNoop);
  record.add_main(body.data(), body.size());
  return wal_insert(record);
}

class RecoveryRoles : public testing::TestWithParam<TestedModel> {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cofork_roles_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    data_ = top_ + "/data";
    log_ = top_ + "/log";
    InitOptions options;
    options.directory = data_;
    options.superuser = "alice";
    options.sync = false;
    options.wal_segment_bytes = kSegmentBytes;
    ClusterInit(options, {[](std::string_view) {}, [](std::string_view) {}}).run();
    run_.model = GetParam();
    run_.settings = {{"log_line_prefix", ""},
                     {"min_wal_size", "2MB"},
                     {"max_wal_size", "4MB"},
                     {"fsync", "off"}};
  }
  void TearDown() override {
    if (HasFailure()) std::fputs(log_text().c_str(), stderr);
    fs::remove_all(top_);
  }

  /// Runs one life in the data directory; standard error goes to a log of its own.
  int live(const std::function<void(Life&)>& body) {
    fs::remove(log_);
    return run_in_model(run_.model, [&](Task& postmaster) {
      EXPECT_IN_MODEL(chdir(data_.c_str()) == 0);
      int fd = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      EXPECT_IN_MODEL(fd >= 0 && dup2(fd, 2) == 2);
      Life life(postmaster, run_);
      body(life);
    });
  }
  /// Starts, does `work`, and stops with a shutdown checkpoint.
  int live_and_stop(const std::function<void(Life&)>& work) {
    return live([&](Life& life) {
      TestServer& server = life.server();
      Pid checkpointer = life.start_checkpointer();
      life.start_startup();
      EXPECT_IN_MODEL(server.wait_for_one().status.is_exit(0));
      work(life);
      this_task().model().kill(checkpointer, SIGUSR2);
      server.wait_for_all();
    });
  }
  /// Starts, does `work`, and is killed.
  int live_and_crash(const std::function<void(Life&)>& work) {
    return live([&](Life& life) {
      TestServer& server = life.server();
      Pid checkpointer = life.start_checkpointer();
      life.start_startup();
      EXPECT_IN_MODEL(server.wait_for_one().status.is_exit(0));
      work(life);
      this_task().model().kill(checkpointer, SIGKILL);
      EXPECT_IN_MODEL(server.wait_for_one().status.signal() == SIGKILL);
    });
  }

  static void write_and_wait(Life& life, const std::function<void()>& body) {
    life.spawn_writer(body);
    EXPECT_IN_MODEL(life.server().wait_for_one().status.is_exit(0));
  }

  std::string log_text() const { return read_file(log_); }
  bool logged(const std::string& text) const { return log_text().find(text) != std::string::npos; }
  /// Positions of the given texts in the log are ascending.
  testing::AssertionResult logged_in_order(std::initializer_list<const char*> texts) const {
    std::string log = log_text();
    size_t at = 0;
    for (const char* text : texts) {
      at = log.find(text, at);
      if (at == std::string::npos) {
        return testing::AssertionFailure() << "missing or out of order: " << text << "\n" << log;
      }
      at += std::strlen(text);
    }
    return testing::AssertionSuccess();
  }

  ControlFileData control() const { return read_control_file(data_ + "/" + kControlFilePath); }
  std::string segment_path(WalSegmentNo segment) const {
    return data_ + "/pg_wal/" + WalGeometry(kSegmentBytes).segment_name(1, segment);
  }

  struct Found {
    int noops = 0;
    Lsn last;
    uint8_t last_info = 0;
    std::string end;
  };
  /// Reads all records from `start` on.
  Found read_wal(Lsn start) const {
    fs::path before = fs::current_path();
    fs::current_path(data_);
    WalFilePages pages(WalGeometry(kSegmentBytes), 1, nullptr);
    WalReader reader(pages, WalGeometry(kSegmentBytes), control().system_identifier);
    reader.seek(start);
    DecodedRecord record;
    Found found;
    while (reader.next(record)) {
      if (record.header.resource_manager == kManagerXlog && record.own_info() == kXlogNoop) {
        ++found.noops;
      }
      found.last = record.start;
      found.last_info = record.header.info;
    }
    found.end = reader.complaint();
    fs::current_path(before);
    return found;
  }
  static constexpr Lsn kFirst{kSegmentBytes + kWalLongHeaderBytes};

  std::string top_, data_, log_;
  LifeOptions run_;
};
INSTANTIATE_TEST_SUITE_P(Models, RecoveryRoles,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine), model_name);

TEST_P(RecoveryRoles, CleanStartAndStop) {
  EXPECT_EQ(0, live_and_stop([](Life&) {
              EXPECT_IN_MODEL(read_control_file().state == ClusterState::kInProduction);
            }));
  EXPECT_TRUE(logged_in_order({"LOG:  database system was shut down at ", "LOG:  shutting down\n",
                               "LOG:  checkpoint starting: shutdown immediate\n",
                               "LOG:  checkpoint complete: wrote 0 buffers (0.0%); 0 WAL file(s) "
                               "added, 0 removed, 0 recycled; write=0.",
                               " s, sync=0.", " s, total="}));
  EXPECT_FALSE(logged("redo"));
  ControlFileData after = control();
  EXPECT_EQ(after.state, ClusterState::kShutdowned);
  EXPECT_EQ(after.checkpoint, after.checkpoint_copy.redo);
  Found found = read_wal(kFirst);
  EXPECT_EQ(found.last.value, after.checkpoint);
  EXPECT_EQ(found.last_info, kXlogCheckpointShutdown);
}

TEST_P(RecoveryRoles, ConcurrentWritersLoseNothing) {
  run_.settings.emplace_back("fsync", "on");
  if (run_.model == TestedModel::kCoroutine) run_.model = TestedModel::kCoroutineTwoThreads;
  constexpr int kWriters = 6;
  constexpr int kRecords = 150;
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              for (int writer = 0; writer < kWriters; ++writer) {
                life.spawn_writer([writer] {
                  for (int i = 0; i < kRecords; ++i) {
                    Lsn end = insert_noop(static_cast<size_t>(i * 7 % 300 + (i % 40 == 0) * 20000),
                                          static_cast<char>('a' + writer));
                    if (i % 5 == 0) {
                      wal_flush(end);
                      EXPECT_IN_MODEL(wal_flushed() >= end);
                    }
                    this_task().check_interrupts();
                  }
                });
              }
              for (int writer = 0; writer < kWriters; ++writer) {
                EXPECT_IN_MODEL(life.server().wait_for_one().status.is_exit(0));
              }
            }));
  Found found = read_wal(kFirst);
  EXPECT_EQ(found.noops, kWriters * kRecords);
  EXPECT_EQ(found.last.value, control().checkpoint);
  EXPECT_NE(found.end.find("wanted 24, got 0"), std::string::npos) << found.end;
}

TEST_P(RecoveryRoles, RecordLargerThanTheBuffers) {
  run_.wal_buffers = 8;
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] { wal_flush(insert_noop(300000)); });
            }));
  EXPECT_EQ(read_wal(kFirst).noops, 1);
}

TEST_P(RecoveryRoles, CrashAndRecovery) {
  EXPECT_EQ(0, live_and_crash([](Life& life) {
              write_and_wait(life, [] {
                Lsn end;
                for (int i = 0; i < 100; ++i) end = insert_noop(1000);
                wal_flush(end);
              });
            }));
  EXPECT_EQ(control().state, ClusterState::kInProduction);

  // What one model left, the other goes on with.
  run_.model = run_.model == TestedModel::kFork ? TestedModel::kCoroutine : TestedModel::kFork;
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
  EXPECT_TRUE(logged_in_order(
      {"LOG:  database system was interrupted; last known up at ",
       "LOG:  database system was not properly shut down; automatic recovery in progress\n",
       "LOG:  redo starts at 0/1000A0\n", "LOG:  invalid record length at ", ": wanted 24, got 0\n",
       "LOG:  redo done at ", " system usage: CPU: user: 0.", " s, system: 0.", " s, elapsed: 0.",
       "LOG:  checkpoint starting: end-of-recovery immediate wait\n",
       "LOG:  checkpoint complete: wrote 0 buffers", "LOG:  shutting down\n"}));
  EXPECT_EQ(control().state, ClusterState::kShutdowned);
  EXPECT_EQ(read_wal(kFirst).noops, 100);
}

TEST_P(RecoveryRoles, CrashWithNothingToRedo) {
  EXPECT_EQ(0, live_and_crash([](Life&) {}));
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
  EXPECT_TRUE(logged_in_order({"automatic recovery in progress\n",
                               "LOG:  invalid record length at 0/1000A0: wanted 24, got 0\n",
                               "LOG:  redo is not required\n",
                               "LOG:  checkpoint starting: end-of-recovery immediate wait\n"}));
}

TEST_P(RecoveryRoles, RequestedCheckpointMovesTheRedoPointer) {
  EXPECT_EQ(0, live_and_crash([](Life& life) {
              write_and_wait(life, [] {
                wal_flush(insert_noop(1000));
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
                ControlFileData now = control_file_copy();
                EXPECT_IN_MODEL(now.checkpoint > now.checkpoint_copy.redo);
                EXPECT_IN_MODEL(now.checkpoint_copy.redo == wal_redo().value);
                wal_flush(insert_noop(1000));
              });
              CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
              EXPECT_IN_MODEL(stats.requested_checkpoints == 1 && stats.timed_checkpoints == 0);
            }));
  EXPECT_TRUE(logged("LOG:  checkpoint starting: immediate force wait\n"));
  std::string redo = Lsn{control().checkpoint_copy.redo}.text();
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
  EXPECT_TRUE(logged("LOG:  redo starts at " + redo + "\n"));
}

TEST_P(RecoveryRoles, IdleSystemSkipsACheckpointNobodyForces) {
  run_.settings.emplace_back("log_min_messages", "debug1");
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                // The first one after a start is made: nobody knows yet that nothing has happened.
                request_checkpoint(kCheckpointImmediate | kCheckpointWait);
                uint64_t before = control_file_copy().checkpoint;
                request_checkpoint(kCheckpointImmediate | kCheckpointWait);
                EXPECT_IN_MODEL(control_file_copy().checkpoint == before);
              });
            }));
  EXPECT_TRUE(logged("DEBUG:  checkpoint skipped because system is idle\n"));
}

TEST_P(RecoveryRoles, TornTailIsMarkedAndPassedOver) {
  EXPECT_EQ(0, live_and_crash([](Life& life) {
              write_and_wait(life, [] {
                insert_noop(500);
                wal_flush(insert_noop(30000));
              });
            }));
  // The second record runs over several pages; the last ones never reached the disk.
  std::fstream file(segment_path(1), std::ios::in | std::ios::out | std::ios::binary);
  std::string zeros(4 * kWalPageBytes, '\0');
  file.seekp(2 * kWalPageBytes).write(zeros.data(), static_cast<std::streamsize>(zeros.size()));
  file.close();

  EXPECT_EQ(0, live_and_crash(
                   [](Life& life) { write_and_wait(life, [] { wal_flush(insert_noop(700)); }); }));
  EXPECT_TRUE(logged_in_order(
      {"LOG:  redo starts at 0/1000A0\n",
       "LOG:  invalid magic number 0000 in log segment 000000010000000000000001, offset 16384\n",
       "LOG:  redo done at 0/1000A0 system usage"}));
  EXPECT_EQ(read_wal(kFirst).noops, 2) << "the first, and the one after the gap";
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
}

TEST_P(RecoveryRoles, MissingWalIsAPanic) {
  EXPECT_EQ(0, live_and_crash([](Life&) {}));
  fs::remove(segment_path(1));
  EXPECT_EQ(0, live([](Life& life) {
              life.start_startup();
              EXPECT_IN_MODEL(life.server().wait_for_one().status.signal() == SIGABRT);
            }));
  EXPECT_TRUE(logged_in_order({"LOG:  invalid primary checkpoint record\n",
                               "PANIC:  could not locate a valid checkpoint record\n"}));
}

TEST_P(RecoveryRoles, StartupStopsWhenTold) {
  EXPECT_EQ(0, live([](Life& life) {
              // Without a checkpointer the end of recovery is never reached.
              ControlFileData damaged = read_control_file();
              damaged.state = ClusterState::kInProduction;
              write_control_file(damaged, 1);
              Pid startup = life.start_startup();
              EXPECT_IN_MODEL(eventually([] {
                CheckpointerShared& shared = checkpointer_shared();
                SpinGuard guard(shared.mutex);
                return shared.flags != 0;
              }));
              this_task().model().kill(startup, SIGTERM);
              EXPECT_IN_MODEL(life.server().wait_for_one().status.is_exit(1));
            }));
}

TEST_P(RecoveryRoles, SegmentsAreRecycledAndRemoved) {
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                for (int i = 0; i < 90; ++i) wal_flush(insert_noop(60000));
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
              });
            }));
  EXPECT_FALSE(fs::exists(segment_path(1)));
  EXPECT_TRUE(logged(" recycled;"));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(data_ + "/pg_wal")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(entry.file_size(), kSegmentBytes) << entry.path();
    ++files;
  }
  EXPECT_LE(files, 5) << "max_wal_size is 4 MB";
  // The volume of WAL alone has asked for checkpoints.
  EXPECT_TRUE(logged("LOG:  checkpoint starting: wal\n"));
  // What a recycled segment still holds does not confuse the next start.
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
}

TEST_P(RecoveryRoles, SwitchSegment) {
  EXPECT_EQ(
      0, live_and_crash([](Life& life) {
        write_and_wait(life, [] {
          insert_noop(10);
          Lsn end = wal_switch_segment();
          EXPECT_IN_MODEL(end.value == 2 * kSegmentBytes);
          EXPECT_IN_MODEL(wal_switch_segment() == end);  // nothing in it yet
          wal_flush(insert_noop(10));
          EXPECT_IN_MODEL(wal_last_inserted().value == 2 * kSegmentBytes + kWalLongHeaderBytes);
        });
      }));
  Found found = read_wal(kFirst);
  EXPECT_EQ(found.noops, 2) << found.last.text() << " " << found.end;
}

TEST_P(RecoveryRoles, ChangedParametersGetIntoWalAndControlFile) {
  run_.settings.emplace_back("max_connections", "77");
  run_.settings.emplace_back("full_page_writes", "off");
  EXPECT_EQ(0, live_and_stop([](Life&) {}));
  EXPECT_EQ(control().max_connections, 77);
  EXPECT_FALSE(control().checkpoint_copy.full_page_writes);
  if (!fs::exists(kWaldump)) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  std::string text = output_of(std::string(kWaldump) + " " + segment_path(1) + " 2>&1");
  EXPECT_NE(text.find("FPW_CHANGE false"), std::string::npos) << text;
  EXPECT_NE(text.find("PARAMETER_CHANGE max_connections=77 max_worker_processes=8"),
            std::string::npos)
      << text;
}

TEST_P(RecoveryRoles, PgWaldumpReadsWhatWasWritten) {
  if (!fs::exists(kWaldump)) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                for (size_t i = 0; i < 60; ++i) insert_noop(i * 400);
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
              });
            }));
  std::string text = output_of(std::string(kWaldump) + " " + segment_path(1) + " 2>&1");
  int noops = 0;
  for (size_t at = 0; (at = text.find("desc: NOOP", at)) != std::string::npos; ++at) ++noops;
  EXPECT_EQ(noops, 60);
  EXPECT_NE(text.find("desc: RUNNING_XACTS nextXid 3 latestCompletedXid 2 oldestRunningXid 3"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("CHECKPOINT_ONLINE"), std::string::npos);
  EXPECT_NE(text.find("oldest running xid 3; online"), std::string::npos) << text;
}

/// Xids of one life, looked up in the next.
struct Ends {
  TransactionId committed, released, rolled_back, aborted, cut_off;
  MultiXactId multi;
};

TEST_P(RecoveryRoles, TransactionsEndAsWalSays) {
  auto* ends = shared_block<Ends>();
  EXPECT_EQ(0, live_and_crash([&](Life& life) {
              write_and_wait(life, [ends] {
                proc_array_join();
                Transaction& mine = my_transaction();
                mine.begin(1);
                ends->committed = mine.current_xid();
                mine.begin_subtransaction();
                ends->released = mine.current_xid();
                mine.release_to(1);
                mine.begin_subtransaction();
                ends->rolled_back = mine.current_xid();
                mine.rollback_to(1);
                ends->multi = multixact_create({ends->committed, MultiXactStatus::kForShare},
                                               {ends->released, MultiXactStatus::kNoKeyUpdate});
                mine.commit();
                mine.begin(1);
                ends->aborted = mine.current_xid();
                mine.abort();
                mine.begin(1);
                ends->cut_off = mine.current_xid();
                WalRecordBuilder& record = wal_record();
                record.begin(kManagerXlog, kXlogNoop, ends->cut_off);
                wal_flush(wal_insert(record));
                // No exit callbacks: they would abort it in good order.
                this_task().model().die_now(this_task(), ExitStatus::exited(0));
              });
            }));
  EXPECT_EQ(0, live_and_stop([&](Life& life) {
              write_and_wait(life, [ends] {
                proc_array_join();
                EXPECT_IN_MODEL(xid_did_commit(ends->committed) && xid_did_commit(ends->released));
                EXPECT_IN_MODEL(xid_did_abort(ends->rolled_back) && xid_did_abort(ends->aborted));
                EXPECT_IN_MODEL(!xid_did_commit(ends->cut_off) && !xid_in_progress(ends->cut_off));
                EXPECT_IN_MODEL(next_full_xid().xid() == ends->cut_off + 1);
                my_transaction().begin(1);
                std::vector<MultiXactMember> members = multixact_members(ends->multi, false);
                EXPECT_IN_MODEL(members.size() == 2 && members[0].xid == ends->committed &&
                                members[1].status == MultiXactStatus::kNoKeyUpdate);
                EXPECT_IN_MODEL(next_multixact() == ends->multi + 1);
                EXPECT_IN_MODEL(my_transaction().current_xid() == ends->cut_off + 1);
                my_transaction().commit();
              });
            }));
}

TEST_P(RecoveryRoles, StandbyFilesAreRefused) {
  { std::ofstream(data_ + "/standby.signal") << ""; }
  EXPECT_EQ(0, live([](Life& life) {
              life.start_startup();
              EXPECT_IN_MODEL(life.server().wait_for_one().status.is_exit(1));
            }));
  EXPECT_TRUE(
      logged("FATAL:  recovery from an archive, a backup or another server is not "
             "supported\n"));
}

// --- pages

constexpr RelationFile kTable{kDefaultTablespaceOid, 5, 16384};
constexpr BlockNumber kPages = 20;

void make_table() {
  create_relation_file(kTable, ForkNumber::kMain);
  for (BlockNumber block = 0; block < kPages; ++block) {
    Buffer buffer = extend_relation(kTable, ForkNumber::kMain);
    page_init(buffer.page(), 0);
    std::string item = "row of block " + std::to_string(block);
    page_add_item(buffer.page(), item.data(), static_cast<uint32_t>(item.size()), kInvalidOffset,
                  kPageAddHeap);
    buffer.mark_dirty();
  }
}

TEST_P(RecoveryRoles, CheckpointWritesPagesAndSyncsTheirFile) {
  run_.settings.emplace_back("fsync", "on");
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                wal_flush(insert_noop(1000));
                make_table();
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
                // What is in the kernel now, without the pool in between.
                for (BlockNumber block = 0; block < kPages; ++block) {
                  alignas(8) char page[kPageBytes];
                  read_block(kTable, ForkNumber::kMain, block, page);
                  EXPECT_IN_MODEL(!page_is_new(page));
                  EXPECT_IN_MODEL(page_verify(page, block, true, false).valid);
                }
                Buffer last = read_buffer(kTable, ForkNumber::kMain, kPages - 1);
                last.lock_exclusive();
                last.mark_dirty();
              });
              CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
              EXPECT_IN_MODEL(stats.buffers_written == kPages);
            }));
  EXPECT_TRUE(logged_in_order(
      {"LOG:  checkpoint starting: immediate force wait\n",
       "LOG:  checkpoint complete: wrote 20 buffers (0.1%); ",
       "; sync files=3, longest=", "LOG:  checkpoint starting: shutdown immediate\n",
       "LOG:  checkpoint complete: wrote 1 buffers (0.0%); "}));
  // (The table, and two logs of transactions.) The next life finds them, and every checksum is
  // right.
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                EXPECT_IN_MODEL(relation_blocks(kTable, ForkNumber::kMain) == kPages);
                for (BlockNumber block = 0; block < kPages; ++block) {
                  Buffer buffer = read_buffer(kTable, ForkNumber::kMain, block);
                  std::string item = "row of block " + std::to_string(block);
                  ItemId id = page_item_id(buffer.page(), 1);
                  EXPECT_IN_MODEL(std::string(page_item(buffer.page(), id), id.length()) == item);
                }
              });
            }));
}

TEST_P(RecoveryRoles, CheckpointInNoHurryTakesItsTime) {
  run_.settings.emplace_back("checkpoint_timeout", "30s");
  run_.settings.emplace_back("checkpoint_completion_target", "0.05");  // a second and a half
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                make_table();
                Clock& clock = this_task().os().clock;
                int64_t begin = clock.monotonic_ns();
                request_checkpoint(kCheckpointForce | kCheckpointWait);
                EXPECT_IN_MODEL(clock.monotonic_ns() - begin > 1'000'000'000);
              });
            }));
  EXPECT_TRUE(logged("LOG:  checkpoint complete: wrote 20 buffers"));
}

TEST_P(RecoveryRoles, FirstHintAfterACheckpointIsInWal) {
  EXPECT_EQ(0, live_and_crash([](Life& life) {
              write_and_wait(life, [] {
                make_table();
                request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
                Buffer buffer = read_buffer(kTable, ForkNumber::kMain, 3);
                Lsn before = wal_insert_position();
                buffer.lock_shared();
                buffer.mark_dirty_hint();
                Lsn after = wal_insert_position();
                EXPECT_IN_MODEL(after > before && buffer.lsn() == after);
                // Clean again; a second hint needs no image.
                flush_buffer(buffer);
                EXPECT_IN_MODEL(wal_flushed() >= after);
                buffer.mark_dirty_hint();
                EXPECT_IN_MODEL(wal_insert_position() == after);
              });
            }));
  EXPECT_EQ(0, live_and_stop([](Life& life) {
              write_and_wait(life, [] {
                Buffer buffer = read_buffer(kTable, ForkNumber::kMain, 3);
                EXPECT_IN_MODEL(buffer.lsn().is_valid());
              });
            }));
}

}  // namespace
}  // namespace cofork
