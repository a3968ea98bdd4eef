// The buffer pool: hits and misses, replacement, locks, what reaches the disk, damage.
#include <cstring>

#include "in_storage.h"
#include "storage/buffer_access.h"

namespace cofork {
namespace {

constexpr RelationFile kTable{kDefaultTablespaceOid, 5, 16384};
constexpr ForkNumber kMain = ForkNumber::kMain;
constexpr int32_t kBuffers = 32;

Limits pool_limits() {
  Limits limits = small_limits();
  limits.shared_buffers = kBuffers;
  return limits;
}

uint64_t& counter_of(const Buffer& buffer) {
  return *reinterpret_cast<uint64_t*>(buffer.page() + 1024);
}

/// A table of `blocks` initialised pages, each with its number in it.
void make_table(BlockNumber blocks) {
  create_relation_file(kTable, kMain);
  for (BlockNumber block = 0; block < blocks; ++block) {
    Buffer buffer = extend_relation(kTable, kMain);
    page_init(buffer.page(), 0);
    counter_of(buffer) = block;
    buffer.mark_dirty();
  }
}

class BufferPool : public testing::TestWithParam<TestedModel> {
 protected:
  void run_server(const std::function<void(TestServer&)>& body) {
    EXPECT_EQ(run_in_storage(GetParam(), pool_limits(), body), 0);
  }
  /// `body` in one child, which is its own checkpointer.
  void run(const std::function<void(Task&)>& body) {
    run_server([&](TestServer& server) {
      server.spawn([&](Task& task) {
        PendingSyncs syncs;
        body(task);
      });
      server.wait_for_all();
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Models, BufferPool,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine,
                                         TestedModel::kCoroutineTwoThreads),
                         model_name);

TEST_P(BufferPool, SecondReadIsAHitOfTheSameBuffer) {
  run([](Task&) {
    make_table(3);
    BufferUsage before = buffer_usage();
    Buffer first = read_buffer(kTable, kMain, 1);
    EXPECT_IN_MODEL(first.is_valid() && first.block() == 1 && counter_of(first) == 1);
    Buffer second = read_buffer(kTable, kMain, 1);
    EXPECT_IN_MODEL(first.id() == second.id() && first.page() == second.page());
    EXPECT_IN_MODEL(buffer_usage().hit == before.hit + 2 && buffer_usage().read == before.read);
    // One pin shared, two counted by the task.
    EXPECT_IN_MODEL(buffer_row(first.id()).pins == 1);
    Buffer third = first.pin_again();
    first.release();
    second.release();
    EXPECT_IN_MODEL(buffer_row(third.id()).pins == 1);
    int32_t id = third.id();
    third.release();
    EXPECT_IN_MODEL(buffer_row(id).pins == 0);
  });
}

TEST_P(BufferPool, MoreBlocksThanBuffersComeBackFromDisk) {
  run([](Task&) {
    make_table(4 * kBuffers);
    for (BlockNumber block = 0; block < 4 * kBuffers; ++block) {
      Buffer buffer = read_buffer(kTable, kMain, block);
      EXPECT_IN_MODEL(counter_of(buffer) == block);
    }
    EXPECT_IN_MODEL(buffer_usage().read >= 3 * kBuffers);
    EXPECT_IN_MODEL(buffer_usage().written >= 3 * kBuffers);
    EXPECT_IN_MODEL(relation_blocks(kTable, kMain) == 4 * kBuffers);
  });
}

TEST_P(BufferPool, ManyPinsOfOneTask) {
  run([](Task&) {
    make_table(20);
    std::vector<Buffer> pinned;
    for (int round = 0; round < 2; ++round) {
      for (BlockNumber block = 0; block < 20; ++block) {
        pinned.push_back(read_buffer(kTable, kMain, block));
      }
    }
    for (const Buffer& buffer : pinned) {
      EXPECT_IN_MODEL(buffer_access().my_pins(buffer.id() - 1) == 2);
      EXPECT_IN_MODEL(counter_of(buffer) == buffer.block());
    }
    pinned.clear();
    for (int32_t id = 1; id <= kBuffers; ++id) EXPECT_IN_MODEL(buffer_row(id).pins == 0);
  });
}

TEST_P(BufferPool, AllPinnedIsAnError) {
  run([](Task&) {
    make_table(kBuffers + 1);
    std::vector<Buffer> pinned;
    std::string message = message_of([&] {
      for (BlockNumber block = 0; block <= kBuffers; ++block) {
        pinned.push_back(read_buffer(kTable, kMain, block));
      }
    });
    EXPECT_IN_MODEL(message == "no unpinned buffers available");
    EXPECT_IN_MODEL(pinned.size() == kBuffers);
    pinned.clear();
    EXPECT_IN_MODEL(counter_of(read_buffer(kTable, kMain, kBuffers)) == kBuffers);
  });
}

TEST_P(BufferPool, RingTakesFewBuffers) {
  run([](Task&) {
    make_table(3 * kBuffers);
    drop_relation_buffers(kTable, kMain, kInvalidBlock);  // nothing lies so far out
    AccessStrategy ring(AccessStrategy::Kind::kBulkRead);
    std::vector<bool> used(kBuffers + 1);
    for (BlockNumber block = 0; block < 2 * kBuffers; ++block) {
      used[static_cast<size_t>(read_buffer(kTable, kMain, block, ReadMode::kNormal, &ring).id())] =
          true;
    }
    EXPECT_IN_MODEL(std::count(used.begin(), used.end(), true) <= kBuffers / 8 + 1);
  });
}

TEST_P(BufferPool, DamagedPagesAreRefused) {
  run([](Task&) {
    make_table(2);
    flush_relation_buffers(kTable);
    drop_relation_buffers(kTable, kMain, 0);
    PageCheck good = page_verify(read_buffer(kTable, kMain, 0).page(), 0, true, false);
    EXPECT_IN_MODEL(good.valid);
    drop_relation_buffers(kTable, kMain, 0);
    FILE* file = std::fopen("base/5/16384", "r+b");
    std::fseek(file, 4000, SEEK_SET);
    std::fputc('x', file);
    std::fclose(file);
    EXPECT_IN_MODEL(message_of([] { read_buffer(kTable, kMain, 0); }) ==
                    "invalid page in block 0 of relation base/5/16384");
    // The failure leaves nobody waiting: the next one tries again.
    EXPECT_IN_MODEL(message_of([] { read_buffer(kTable, kMain, 0); }) ==
                    "invalid page in block 0 of relation base/5/16384");
    Buffer zeros = read_buffer(kTable, kMain, 0, ReadMode::kZeroOnError);
    EXPECT_IN_MODEL(page_is_new(zeros.page()));
    EXPECT_IN_MODEL(counter_of(read_buffer(kTable, kMain, 1)) == 1);
    EXPECT_IN_MODEL(message_of([] { read_buffer(kTable, kMain, 2); }) ==
                    "could not read block 2 in file \"base/5/16384\": read only 0 of 8192 bytes");
  });
}

TEST_P(BufferPool, WrittenPagesCarryTheirChecksum) {
  run([](Task&) {
    make_table(3);
    EXPECT_IN_MODEL(buffers_sync(0, [](double) {}) == 3);
    EXPECT_IN_MODEL(buffers_sync(0, [](double) {}) == 0);
    alignas(8) char page[kPageBytes];
    read_block(kTable, kMain, 2, page);
    EXPECT_IN_MODEL(page_header(ConstPage{page}).checksum == page_checksum(page, 2));
  });
}

TEST_P(BufferPool, DroppedPagesAreNotWritten) {
  run([](Task&) {
    make_table(6);
    drop_relation_buffers(kTable, kMain, 4);
    EXPECT_IN_MODEL(buffers_sync(kCheckpointFlushAll, [](double) {}) == 4);
    read_buffer(kTable, kMain, 0, ReadMode::kZeroAndLock).mark_dirty();
    RelationFile files[] = {kTable};
    drop_relations_buffers(files);
    EXPECT_IN_MODEL(buffers_sync(kCheckpointFlushAll, [](double) {}) == 0);
    EXPECT_IN_MODEL(counter_of(read_buffer(kTable, kMain, 3)) == 3);
    drop_database_buffers(5);
    for (int32_t id = 1; id <= kBuffers; ++id) EXPECT_IN_MODEL(!buffer_row(id).has_tag);
  });
}

TEST_P(BufferPool, CheckpointProgressReachesOne) {
  run([](Task&) {
    make_table(10);
    double last = 0;
    int calls = 0;
    buffers_sync(0, [&](double progress) {
      EXPECT_IN_MODEL(progress > last);
      last = progress;
      ++calls;
    });
    EXPECT_IN_MODEL(last == 1.0 && calls == 10);
  });
}

TEST_P(BufferPool, BackgroundWriterCleansAheadOfTheHand) {
  run([](Task&) {
    make_table(2 * kBuffers);  // the hand has gone round: buffers are dirty and used once
    SweepHistory history;
    bgwriter_sweep(history);
    // Age them: a checkpoint does not, another round of the hand does.
    for (BlockNumber block = 0; block < kBuffers / 2; ++block) {
      extend_relation(kTable, kMain).mark_dirty();
    }
    int written = 0;
    for (int round = 0; round < 20; ++round) {
      SweepResult result = bgwriter_sweep(history);
      written += result.buffers_written;
      if (round == 0) EXPECT_IN_MODEL(result.buffers_allocated == kBuffers / 2);
    }
    EXPECT_IN_MODEL(written > 0);
  });
}

TEST_P(BufferPool, ManyTasksCountInManyPages) {
  run_server([](TestServer& server) {
    constexpr BlockNumber kPages = 2 * kBuffers;
    constexpr int kTasks = 6, kRounds = 400;
    server.spawn([](Task&) {
      make_table(kPages);
      for (BlockNumber block = 0; block < kPages; ++block) {
        Buffer buffer = read_buffer(kTable, kMain, block);
        buffer.lock_exclusive();
        counter_of(buffer) = 0;
        buffer.mark_dirty();
      }
    });
    server.wait_for_all();
    for (int number = 0; number < kTasks; ++number) {
      server.spawn([number](Task& task) {
        // Odd steps, so that tasks meet in different orders.
        for (int round = 0; round < kRounds; ++round) {
          auto block = static_cast<BlockNumber>((round * (2 * number + 1) + number) % kPages);
          Buffer buffer = read_buffer(kTable, kMain, block);
          EXPECT_IN_MODEL(buffer.block() == block);
          buffer.lock_exclusive();
          ++counter_of(buffer);
          buffer.mark_dirty();
          buffer.release();
          task.check_interrupts();
        }
      });
    }
    // And one that writes all the time.
    server.spawn([](Task& task) {
      SweepHistory history;
      for (int round = 0; round < 20; ++round) {
        buffers_sync(0, [](double) {});
        bgwriter_sweep(history);
        task.check_interrupts();
      }
    });
    server.wait_for_all();
    server.spawn([](Task&) {
      uint64_t sum = 0;
      for (BlockNumber block = 0; block < kPages; ++block) {
        sum += counter_of(read_buffer(kTable, kMain, block));
      }
      EXPECT_IN_MODEL(sum == kTasks * kRounds);
      for (int32_t id = 1; id <= kBuffers; ++id) EXPECT_IN_MODEL(buffer_row(id).pins == 0);
    });
    server.wait_for_all();
  });
}

TEST_P(BufferPool, CleanupLockWaitsForTheOtherPin) {
  struct Stage {
    std::atomic<int> pinned{0}, release{0}, got{0};
  };
  auto* stage = shared_block<Stage>();
  run_server([stage](TestServer& server) {
    server.spawn([](Task&) { make_table(1); });
    server.wait_for_all();
    server.spawn([stage](Task&) {
      Buffer buffer = read_buffer(kTable, kMain, 0);
      stage->pinned = 1;
      EXPECT_IN_MODEL(eventually([&] { return stage->release == 1; }));
      EXPECT_IN_MODEL(stage->got == 0);
    });
    EXPECT_IN_MODEL(eventually([&] { return stage->pinned == 1; }));
    server.spawn([stage](Task&) {
      Buffer buffer = read_buffer(kTable, kMain, 0);
      EXPECT_IN_MODEL(!buffer.try_lock_for_cleanup());
      buffer.lock_for_cleanup();
      stage->got = 1;
      EXPECT_IN_MODEL(buffer.has_cleanup_lock());
      buffer.unlock();
      Buffer second = buffer.pin_again();
      EXPECT_IN_MODEL(message_of([&] { buffer.lock_for_cleanup(); }) ==
                      "incorrect local pin count: 2");
    });
    EXPECT_IN_MODEL(eventually([&] {
      auto* descriptors =
          static_cast<BufferDescriptor*>(server.memory().at(Area::kBufferDescriptors));
      return (descriptors[0].state & buffer_state::kPinCountWaiter) != 0;
    }));
    stage->release = 1;
    server.wait_for_all();
    EXPECT_IN_MODEL(stage->got == 1);
  });
}

TEST_P(BufferPool, AnErrorLetsGoOfPinsAndLocks) {
  run([](Task& task) {
    make_table(2);
    message_of([] {
      Buffer first = read_buffer(kTable, kMain, 0);
      first.lock_exclusive();
      Buffer second = read_buffer(kTable, kMain, 1);
      second.lock_shared();
      throw Error(sqlstate::kInternalError, "something is wrong");
    });
    EXPECT_IN_MODEL(task.lwlocks_held == 0 && task.interrupt_holdoff == 0);
    for (int32_t id = 1; id <= 2; ++id) EXPECT_IN_MODEL(buffer_row(id).pins == 0);
  });
}

}  // namespace
}  // namespace cofork
