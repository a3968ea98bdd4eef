// The postmaster is killed: its children notice and go; the next start cleans up.
#include <gtest/gtest.h>

#include <csignal>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

using OrphanTest = ServerTest;

TEST_P(OrphanTest, ChildrenNoticeThatThePostmasterIsGone) {
  server.start();
  RawClient idle(server);
  idle.log_in();
  const auto children = children_of(server.pid());
  EXPECT_EQ(server.stop(SIGKILL), 128 + SIGKILL);
  if (server.has_processes()) {
    const auto messages = idle.receive_all();
    ASSERT_EQ(messages.size(), 1u);
    auto fields = messages[0].fields();
    EXPECT_EQ(fields['S'], "FATAL");
    EXPECT_EQ(fields['C'], "57P01");
    EXPECT_EQ(fields['M'], "terminating connection due to unexpected postmaster exit");
    for (const ProcessInfo& child : children) {
      EXPECT_TRUE(wait_until([&] { return ::kill(child.pid, 0) != 0; })) << child.title;
    }
  } else {
    // One process: nobody is left to say anything.
    EXPECT_TRUE(idle.receive_all().empty());
  }
  const size_t before = server.log_size();
  server.start();
  EXPECT_TRUE(server.log_has_in_order({"LOG:  database system was interrupted; last known up at ",
                                       "LOG:  database system is ready to accept connections\n"},
                                      before));
  EXPECT_EQ(server.value("select 1"), "1");
}

TEST_P(OrphanTest, ALivingOrphanKeepsTheNextServerAway) {
  if (!server.has_processes()) GTEST_SKIP() << "one process leaves no orphans";
  server.start();
  Session session(server);
  const pid_t orphan = session.backend_pid();
  ::kill(orphan, SIGSTOP);  // so that it cannot notice
  EXPECT_EQ(server.stop(SIGKILL), 128 + SIGKILL);
  const size_t before = server.log_size();
  server.spawn();
  EXPECT_EQ(server.wait_exit(), 1);
  EXPECT_TRUE(server.log_has_in_order(
      {"FATAL:  pre-existing shared memory block (key ", ") is still in use\n",
       "HINT:  Terminate any old server processes associated with "
       "data directory \"" +
           server.data() + "\".\n"},
      before));
  ::kill(orphan, SIGCONT);
  EXPECT_TRUE(wait_until([&] { return ::kill(orphan, 0) != 0; }));
  server.start();
  EXPECT_EQ(server.value("select 1"), "1");
}

INSTANTIATE_FOR_ALL_FLAVORS(OrphanTest);

}  // namespace
}  // namespace cofork::test
