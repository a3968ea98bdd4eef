// Relation files, sync requests and SLRUs: files, error texts, the checkpointer's table.
#include <cstring>

#include "in_storage.h"
#include "storage/file_cache.h"

namespace cofork {
namespace {

constexpr RelationFile kTable{kDefaultTablespaceOid, 5, 16384};

struct alignas(8) PageBytes {
  char bytes[kPageBytes] = {};
  explicit PageBytes(char fill) { std::memset(bytes, fill, sizeof bytes); }
};

class StorageFiles : public testing::TestWithParam<TestedModel> {
 protected:
  /// Runs `body` in one child, which is its own checkpointer.
  void run(const std::function<void(PendingSyncs&)>& body) {
    EXPECT_EQ(run_in_storage(GetParam(), small_limits(),
                             [&](TestServer& server) {
                               server.spawn([&](Task&) {
                                 PendingSyncs syncs;
                                 body(syncs);
                               });
                               server.wait_for_all();
                             }),
              0);
  }
};
INSTANTIATE_TEST_SUITE_P(Models, StorageFiles,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutineTwoThreads),
                         model_name);

TEST(RelationPath, IsPostgres) {
  EXPECT_EQ(relation_path(kTable, ForkNumber::kMain), "base/5/16384");
  EXPECT_EQ(relation_path(kTable, ForkNumber::kFreeSpaceMap, 1), "base/5/16384_fsm.1");
  EXPECT_EQ(relation_path({kGlobalTablespaceOid, 0, 1262}, ForkNumber::kVisibilityMap),
            "global/1262_vm");
  EXPECT_EQ(relation_path({20000, 5, 1}, ForkNumber::kInit),
            "pg_tblspc/20000/PG_15_202209061/5/1_init");
}

TEST(SyncQueue, CompactingKeepsTheLastOfEquals) {
  auto request = [](SyncRequestType type, uint32_t number) {
    SyncRequest made{type, {}};
    made.tag.file = {kDefaultTablespaceOid, 5, number};
    return made;
  };
  SyncRequest queue[] = {
      request(SyncRequestType::kSync, 1),   request(SyncRequestType::kSync, 2),
      request(SyncRequestType::kForget, 1), request(SyncRequestType::kSync, 2),
      request(SyncRequestType::kSync, 1),
  };
  ASSERT_EQ(compact_requests(queue, 5), 3);
  EXPECT_EQ(queue[0], request(SyncRequestType::kForget, 1));
  EXPECT_EQ(queue[1], request(SyncRequestType::kSync, 2));
  EXPECT_EQ(queue[2], request(SyncRequestType::kSync, 1));
  EXPECT_EQ(compact_requests(queue, 3), 3);
}

TEST_P(StorageFiles, BlocksComeBackAsWritten) {
  run([](PendingSyncs& syncs) {
    create_relation_file(kTable, ForkNumber::kMain);
    EXPECT_IN_MODEL(fork_blocks(kTable, ForkNumber::kMain) == 0);
    for (BlockNumber block = 0; block < 3; ++block) {
      extend_fork(kTable, ForkNumber::kMain, block,
                  PageBytes(static_cast<char>('a' + block)).bytes);
    }
    write_block(kTable, ForkNumber::kMain, 1, PageBytes('X').bytes);
    EXPECT_IN_MODEL(fork_blocks(kTable, ForkNumber::kMain) == 3);
    PageBytes page('?');
    read_block(kTable, ForkNumber::kMain, 1, page.bytes);
    EXPECT_IN_MODEL(page.bytes[0] == 'X' && page.bytes[8191] == 'X');
    EXPECT_IN_MODEL(syncs.sync_all().files == 1);
    EXPECT_IN_MODEL(syncs.sync_all().files == 0);
  });
}

TEST_P(StorageFiles, ErrorTextsAreThoseOfMd) {
  run([](PendingSyncs&) {
    PageBytes page('p');
    auto read = [&](BlockNumber block) {
      return message_of([&] { read_block(kTable, ForkNumber::kMain, block, page.bytes); });
    };
    EXPECT_IN_MODEL(read(0) == "could not open file \"base/5/16384\": No such file or directory");
    create_relation_file(kTable, ForkNumber::kMain);
    EXPECT_IN_MODEL(message_of([] { create_relation_file(kTable, ForkNumber::kMain); }) ==
                    "could not create file \"base/5/16384\": File exists");
    EXPECT_IN_MODEL(read(0) ==
                    "could not read block 0 in file \"base/5/16384\": read only 0 of 8192 bytes");
    EXPECT_IN_MODEL(read(131073) ==
                    "could not open file \"base/5/16384.1\" (target block 131073): No such file or "
                    "directory");
    EXPECT_IN_MODEL(message_of([] { truncate_fork(kTable, ForkNumber::kMain, 2); }) ==
                    "could not truncate file \"base/5/16384\" to 2 blocks: it's only 0 blocks now");
    EXPECT_IN_MODEL(message_of([&] {
                      extend_fork(kTable, ForkNumber::kMain, kInvalidBlock, page.bytes);
                    }) == "cannot extend file \"base/5/16384\" beyond 4294967295 blocks");
  });
}

TEST_P(StorageFiles, SecondSegmentBeginsAtOneGigabyte) {
  run([](PendingSyncs&) {
    create_relation_file(kTable, ForkNumber::kMain);
    PageBytes page('s');
    extend_fork(kTable, ForkNumber::kMain, kBlocksPerSegment - 1, page.bytes);  // a sparse file
    extend_fork(kTable, ForkNumber::kMain, kBlocksPerSegment + 4, page.bytes);
    EXPECT_IN_MODEL(std::filesystem::file_size("base/5/16384.1") == 5 * kPageBytes);
    EXPECT_IN_MODEL(fork_blocks(kTable, ForkNumber::kMain) == kBlocksPerSegment + 5);
    truncate_fork(kTable, ForkNumber::kMain, 10);
    EXPECT_IN_MODEL(fork_blocks(kTable, ForkNumber::kMain) == 10);
    EXPECT_IN_MODEL(std::filesystem::file_size("base/5/16384.1") == 0);
    unlink_relation(kTable, false);
    EXPECT_IN_MODEL(!std::filesystem::exists("base/5/16384.1"));
  });
}

TEST_P(StorageFiles, FirstSegmentStaysUntilTheCheckpointIsDone) {
  run([](PendingSyncs& syncs) {
    create_relation_file(kTable, ForkNumber::kMain);
    create_relation_file(kTable, ForkNumber::kVisibilityMap);
    extend_fork(kTable, ForkNumber::kMain, 0, PageBytes('u').bytes);
    syncs.before_checkpoint();
    unlink_relation(kTable, false);
    EXPECT_IN_MODEL(std::filesystem::file_size("base/5/16384") == 0);
    EXPECT_IN_MODEL(!std::filesystem::exists("base/5/16384_vm"));
    EXPECT_IN_MODEL(syncs.sync_all().files == 0);  // forgotten
    syncs.after_checkpoint();
    EXPECT_IN_MODEL(std::filesystem::exists("base/5/16384"));  // asked for during this checkpoint
    syncs.before_checkpoint();
    syncs.after_checkpoint();
    EXPECT_IN_MODEL(!std::filesystem::exists("base/5/16384"));
  });
}

TEST_P(StorageFiles, FailedSyncIsAPanic) {
  run([](PendingSyncs& syncs) {
    create_relation_file(kTable, ForkNumber::kMain);
    extend_fork(kTable, ForkNumber::kMain, 0, PageBytes('p').bytes);
    // Gone without a word to the checkpointer: its data may be lost, and nobody may say it is safe.
    std::filesystem::remove("base/5/16384");
    std::optional<ErrorData> failure;
    try {
      syncs.sync_all();
    } catch (Error& error) {
      failure = std::move(error.data());
    }
    EXPECT_IN_MODEL(failure.has_value() && failure->severity == Severity::kPanic);
    EXPECT_IN_MODEL(failure->message ==
                    "could not fsync file \"base/5/16384\": No such file or directory");
  });
}

TEST_P(StorageFiles, ForgettingADatabaseForgetsAllItsFiles) {
  run([](PendingSyncs& syncs) {
    for (uint32_t number : {16384u, 16385u}) {
      create_relation_file({kDefaultTablespaceOid, 5, number}, ForkNumber::kMain);
      extend_fork({kDefaultTablespaceOid, 5, number}, ForkNumber::kMain, 0, PageBytes('d').bytes);
    }
    create_relation_file({kGlobalTablespaceOid, 0, 1262}, ForkNumber::kMain);
    extend_fork({kGlobalTablespaceOid, 0, 1262}, ForkNumber::kMain, 0, PageBytes('d').bytes);
    forget_database_syncs(5);
    EXPECT_IN_MODEL(syncs.sync_all().files == 1);
  });
}

TEST_P(StorageFiles, WithoutACheckpointerTheWriterSyncs) {
  EXPECT_EQ(run_in_storage(GetParam(), small_limits(),
                           [&](TestServer& server) {
                             server.spawn([&](Task&) {
                               create_relation_file(kTable, ForkNumber::kMain);
                               extend_fork(kTable, ForkNumber::kMain, 0, PageBytes('w').bytes);
                               CheckpointerShared& shared = checkpointer_shared();
                               EXPECT_IN_MODEL(shared.request_count == 0);
                               EXPECT_IN_MODEL(shared.backend_writes == 1);
                               EXPECT_IN_MODEL(shared.backend_syncs == 1);
                             });
                             server.wait_for_all();
                           }),
            0);
}

TEST_P(StorageFiles, SlruKeepsWhatDoesNotFitOnDisk) {
  run([](PendingSyncs&) {
    Slru log(kTestSlru);
    constexpr int32_t kPages = 3 * kSlruPagesPerSegment;
    {
      LwLockGuard guard(log.control_lock(), LwMode::kExclusive);
      for (int32_t page = 0; page < kPages; ++page) {
        int slot = log.zero_page(page);
        std::memset(log.page(slot), 'a' + page % 26, kPageBytes);
      }
      for (int32_t page = 0; page < kPages; ++page) {
        int slot = log.read_page(page, true, 3);
        EXPECT_IN_MODEL(log.page_number(slot) == page);
        EXPECT_IN_MODEL(log.page(slot)[kPageBytes - 1] == 'a' + page % 26);
      }
    }
    int slot = log.read_page_shared(5, 3);
    EXPECT_IN_MODEL(log.page(slot)[0] == 'f');
    EXPECT_IN_MODEL(log.control_lock().held_by_me());
    log.control_lock().release();
    log.write_all();
    EXPECT_IN_MODEL(std::filesystem::file_size("pg_xact/0002") == 32 * kPageBytes);
    EXPECT_IN_MODEL(log.page_exists_on_disk(kPages - 1) && !log.page_exists_on_disk(kPages));

    log.truncate(2 * kSlruPagesPerSegment + 1);
    EXPECT_IN_MODEL(!std::filesystem::exists("pg_xact/0001"));
    EXPECT_IN_MODEL(std::filesystem::exists("pg_xact/0002"));
    EXPECT_IN_MODEL(message_of([&] {
                      LwLockGuard guard(log.control_lock(), LwMode::kExclusive);
                      log.read_page(3, true, 1234);
                    }) ==
                    "could not access status of transaction 1234 / Could not open file "
                    "\"pg_xact/0000\": No such file or directory.");
    EXPECT_IN_MODEL(message_of([&] {
                      LwLockGuard guard(log.control_lock(), LwMode::kExclusive);
                      log.read_page(kPages - 32 + 31, true, 5);
                      log.read_page(kPages, true, 5);
                    }) ==
                    "could not access status of transaction 5 / Could not open file "
                    "\"pg_xact/0003\": No such file or directory.");
  });
}

TEST_P(StorageFiles, SlruIsSharedByManyTasks) {
  EXPECT_EQ(run_in_storage(GetParam(), small_limits(),
                           [&](TestServer& server) {
                             constexpr int32_t kPages = 12, kTasks = 4, kRounds = 300;
                             server.spawn([&](Task&) {
                               Slru log(kTestSlru);
                               LwLockGuard guard(log.control_lock(), LwMode::kExclusive);
                               for (int32_t page = 0; page < kPages; ++page) log.zero_page(page);
                             });
                             server.wait_for_all();
                             for (int task = 0; task < kTasks; ++task) {
                               server.spawn([&](Task& running) {
                                 Slru log(kTestSlru);
                                 for (int round = 0; round < kRounds; ++round) {
                                   LwLockGuard guard(log.control_lock(), LwMode::kExclusive);
                                   int slot = log.read_page(round % kPages, true, 0);
                                   auto* counter = reinterpret_cast<uint32_t*>(log.page(slot));
                                   ++*counter;
                                   log.mark_dirty(slot);
                                   guard.release();
                                   running.check_interrupts();
                                 }
                               });
                             }
                             server.wait_for_all();
                             server.spawn([&](Task&) {
                               Slru log(kTestSlru);
                               uint32_t sum = 0;
                               for (int32_t page = 0; page < kPages; ++page) {
                                 int slot = log.read_page_shared(page, 0);
                                 sum += *reinterpret_cast<uint32_t*>(log.page(slot));
                                 log.control_lock().release();
                               }
                               EXPECT_IN_MODEL(sum == kTasks * kRounds);
                             });
                             server.wait_for_all();
                           }),
            0);
}

}  // namespace
}  // namespace cofork
