// A server with the areas of wal/ and storage/, in a fresh data directory, recovery over.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>

#include "in_server.h"
#include "storage/buffer_descriptor.h"
#include "storage/relation_files.h"
#include "storage/slru.h"
#include "storage/sync_request.h"
#include "wal/checkpoint_request.h"
#include "wal/shared.h"

namespace cofork {

inline constexpr int32_t kTestSlruSlots = 4;
inline constexpr SlruKind kTestSlru = {
    .area = Area::kXlogRecoveryCtl,  // any area this test does not need for anything else
    .directory = "pg_xact",
    .control_lock = LwTranche::kXactSlru,
    .buffer_tranche = LwTranche::kXactBuffer,
    .slots = kTestSlruSlots,
    .lsns_per_page = 2,
    .sync = SyncHandler::kClog,
    .precedes = [](int32_t a, int32_t b) { return a < b; },
};
struct TestSlruArea {
  static constexpr Area kArea = kTestSlru.area;
  static constexpr const char* kName = "test log";
  static size_t size(const Limits&) { return slru_bytes(kTestSlru); }
  static void init(void* memory, const Limits&) { slru_init(memory, kTestSlru); }
};

inline std::vector<AreaSpec> storage_test_areas() {
  std::vector<AreaSpec> areas(std::begin(kTestAreas), std::end(kTestAreas));
  areas.push_back(area_spec<WalShared>());
  areas.push_back(area_spec<CheckpointerShared>());
  areas.push_back(area_spec<TestSlruArea>());
  areas.push_back(area_spec<BufferDescriptorArea>());
  areas.push_back(area_spec<BufferBlockArea>());
  areas.push_back(area_spec<BufferIoCondition>());
  areas.push_back(area_spec<CheckpointEntry>());
  areas.push_back(area_spec<BufferMap>());
  areas.push_back(area_spec<BufferStrategy>());
  return areas;
}

/// Runs `body` as the postmaster of a server whose data directory is new and empty but for the
/// folders of relations and of one log. The body's exit code.
inline int run_in_storage(TestedModel model, const Limits& limits,
                          const std::function<void(TestServer&)>& body) {
  char directory[] = "/tmp/cofork_storage_XXXXXX";
  if (mkdtemp(directory) == nullptr) return 1;
  int code = run_in_model(model, [&](Task& postmaster) {
    EXPECT_IN_MODEL(chdir(directory) == 0);
    for (const char* folder : {"base/5", "global", "pg_xact", "pg_wal"}) {
      std::filesystem::create_directories(folder);
    }
    TestServer server(postmaster, limits, storage_test_areas());
    WalShared& wal = server.memory().area<WalShared>();
    wal.recovery_state = RecoveryState::kDone;
    wal.page_checksums = true;
    body(server);
  });
  std::filesystem::remove_all(directory);
  return code;
}

inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.data().message + (error.data().detail.empty() ? "" : " / " + error.data().detail);
  }
  return "no error";
}

}  // namespace cofork
