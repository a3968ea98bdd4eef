// Shared memory: the same areas at the same places in both modes.
#include <gtest/gtest.h>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

constexpr const char* kAreas =
    "select name, \"off\", size, allocated_size from pg_shmem_allocations "
    "where name is not null and name <> '<anonymous>' order by \"off\"";

using AreasTest = ServerTest;

/// Compares this mode with the other one.
TEST_P(AreasTest, BothModesHaveTheSameMap) {
  Server other(GetParam() == Flavor::kFork ? Flavor::kCoroutine : Flavor::kFork);
  std::vector<std::vector<std::vector<std::string>>> maps;
  for (Server* one : {&server, &other}) {
    one->configure("max_connections = 37\n");
    one->start();
    const Result result = Session(*one).query(kAreas);
    ASSERT_TRUE(result.ok) << result.message;
    EXPECT_GT(result.rows.size(), 5u);
    maps.push_back(result.rows);
  }
  EXPECT_EQ(maps[0], maps[1]);
}

INSTANTIATE_FOR_COFORK(AreasTest);

using AllocationsTest = ServerTest;

TEST_P(AllocationsTest, ViewDescribesASegmentWithoutGaps) {
  server.start();
  Session session(server);
  const Result result = session.query(kAreas);
  ASSERT_TRUE(result.ok) << result.message;
  long end = 0;
  for (const auto& row : result.rows) {
    SCOPED_TRACE(row[0]);
    EXPECT_GE(std::stol(row[1]), end) << "areas do not overlap";
    EXPECT_GE(std::stol(row[3]), std::stol(row[2]));
    end = std::stol(row[1]) + std::stol(row[3]);
  }
}

INSTANTIATE_FOR_ALL_FLAVORS(AllocationsTest);

}  // namespace
}  // namespace cofork::test
