// Who is there: the rows of pg_stat_activity and the titles `ps` shows, for the tasks that exist.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

using RosterTest = ServerTest;

constexpr const char* kActivity =
    "select pid, backend_type, coalesce(datname, ''), coalesce(usename, ''), coalesce(state, ''), "
    "coalesce(wait_event_type, ''), coalesce(wait_event, '') from pg_stat_activity order by pid";

/// What PostgreSQL 15 shows for each kind of task when nothing goes on. The roles of a server
/// depend on what it has to do; each one that is there must look like this.
struct ExpectedRow {
  std::string database, user, state, wait_type;
  std::set<std::string> wait_events;
  std::string title;
};
const std::map<std::string, ExpectedRow>& expected_rows() {
  static const std::map<std::string, ExpectedRow> rows = {
      {"checkpointer", {"", "", "", "Activity", {"CheckpointerMain"}, "postgres: checkpointer "}},
      {"background writer",
       {"",
        "",
        "",
        "Activity",
        {"BgWriterMain", "BgWriterHibernate"},
        "postgres: background writer "}},
      {"walwriter", {"", "", "", "Activity", {"WalWriterMain"}, "postgres: walwriter "}},
      {"autovacuum launcher",
       {"", "", "", "Activity", {"AutoVacuumMain"}, "postgres: autovacuum launcher "}},
      {"logical replication launcher",
       {"",
        "postgres",
        "",
        "Activity",
        {"LogicalLauncherMain"},
        "postgres: logical replication launcher "}},
  };
  return rows;
}

std::string title_of(const std::vector<ProcessInfo>& processes, pid_t pid) {
  for (const ProcessInfo& process : processes) {
    if (process.pid == pid) return process.title;
  }
  return "(no such process)";
}

TEST_P(RosterTest, AuxiliaryRolesLookAsInPostgres) {
  server.start();
  Session session(server);
  std::vector<std::vector<std::string>> rows;
  // Just after the start a role may not have reached its first wait.
  const bool settled = wait_until([&] {
    const Result result = session.query(kActivity);
    rows = result.rows;
    return result.ok && std::all_of(rows.begin(), rows.end(), [](const auto& row) {
             return row[1] == "client backend" || !row[6].empty();
           });
  });
  EXPECT_TRUE(settled) << "some role never waits";
  const auto processes = children_of(server.pid());
  std::set<std::string> seen;
  for (const auto& row : rows) {
    seen.insert(row[1]);
    const auto known = expected_rows().find(row[1]);
    if (known == expected_rows().end()) continue;
    SCOPED_TRACE(row[1]);
    EXPECT_EQ(row[2], known->second.database);
    EXPECT_EQ(row[3], known->second.user);
    EXPECT_EQ(row[4], known->second.state);
    EXPECT_EQ(row[5], known->second.wait_type);
    EXPECT_TRUE(known->second.wait_events.count(row[6])) << row[6];
    if (server.has_processes()) {
      EXPECT_EQ(title_of(processes, std::stoi(row[0])), known->second.title);
    }
  }
  EXPECT_TRUE(seen.count("checkpointer"));
  EXPECT_TRUE(seen.count("client backend"));
}

TEST_P(RosterTest, EveryProcessHasARowAndEveryRowAProcess) {
  server.start();
  Session one(server), two(server);
  std::set<pid_t> from_view, from_ps;
  for (const auto& row : one.query("select pid from pg_stat_activity").rows) {
    from_view.insert(std::stoi(row[0]));
  }
  const auto processes = children_of(server.pid());
  for (const ProcessInfo& process : processes) from_ps.insert(process.pid);
  EXPECT_TRUE(from_view.count(one.backend_pid()));
  EXPECT_TRUE(from_view.count(two.backend_pid()));
  if (server.has_processes()) {
    EXPECT_EQ(from_view, from_ps);
  } else {
    EXPECT_TRUE(from_ps.empty()) << "coroutine mode is one process";
    for (const pid_t pid : from_view) EXPECT_GT(pid, 4194304) << "above the kernel's own pids";
  }
}

TEST_P(RosterTest, ClientBackendShowsWhatItDoes) {
  server.start();
  Session watcher(server);
  Session idle(server, "application_name=idler"), busy(server), open(server), failed(server);
  ASSERT_TRUE(idle.query("select 1").ok);
  ASSERT_TRUE(busy.send("select pg_sleep(60)"));
  ASSERT_TRUE(open.query("begin").ok);
  ASSERT_TRUE(failed.query("begin").ok);
  EXPECT_EQ(failed.query("select 1/0").sqlstate, "22012");

  const auto row_of = [&](Session& session) {
    const Result result = watcher.query(
        "select state, wait_event_type, wait_event, query, application_name, datname, usename, "
        "client_port, backend_type from pg_stat_activity where pid = " +
        std::to_string(session.backend_pid()));
    return result.rows.empty() ? std::vector<std::string>(9) : result.rows[0];
  };
  ASSERT_TRUE(wait_until([&] { return row_of(busy)[2] == "PgSleep"; }));
  using Row = std::vector<std::string>;
  EXPECT_EQ(row_of(idle), (Row{"idle", "Client", "ClientRead", "select 1", "idler", "postgres",
                               "postgres", "-1", "client backend"}));
  EXPECT_EQ(row_of(busy), (Row{"active", "Timeout", "PgSleep", "select pg_sleep(60)", "",
                               "postgres", "postgres", "-1", "client backend"}));
  EXPECT_EQ(row_of(open)[0], "idle in transaction");
  EXPECT_EQ(row_of(failed)[0], "idle in transaction (aborted)");
  EXPECT_EQ(row_of(watcher)[0], "active");

  if (server.has_processes()) {
    const auto processes = children_of(server.pid());
    const std::string prefix = "postgres: postgres postgres [local] ";
    EXPECT_EQ(title_of(processes, idle.backend_pid()), prefix + "idle");
    EXPECT_EQ(title_of(processes, busy.backend_pid()), prefix + "SELECT");
    EXPECT_EQ(title_of(processes, open.backend_pid()), prefix + "idle in transaction");
    EXPECT_EQ(title_of(processes, failed.backend_pid()), prefix + "idle in transaction (aborted)");
  }
}

TEST_P(RosterTest, TcpClientsShowTheirAddress) {
  const int port = free_tcp_port();
  server.configure("listen_addresses = '127.0.0.1'\nport = " + std::to_string(port) + "\n");
  server.start();
  Session session(server, "host=127.0.0.1 port=" + std::to_string(port));
  ASSERT_TRUE(session.connected()) << session.connect_error();
  const Result row = session.query(
      "select client_addr, client_port > 0, client_hostname from pg_stat_activity "
      "where pid = pg_backend_pid()");
  ASSERT_TRUE(row.ok) << row.message;
  EXPECT_EQ(row.rows, (std::vector<std::vector<std::string>>{{"127.0.0.1", "t", "<null>"}}));
  const std::string client_port =
      session.query("select client_port from pg_stat_activity where pid = pg_backend_pid()")
          .first();
  if (server.has_processes()) {
    // The title is set when the statement begins; idle follows when it has ended.
    const std::string title = "postgres: postgres postgres 127.0.0.1(" + client_port + ") idle";
    EXPECT_TRUE(wait_until([&] {
      return title_of(children_of(server.pid()), session.backend_pid()) == title;
    })) << title_of(children_of(server.pid()), session.backend_pid());
  }
}

TEST_P(RosterTest, ClusterNameStandsInEveryTitle) {
  if (!server.has_processes()) GTEST_SKIP() << "one process has one title";
  server.configure("cluster_name = 'lesson'\n");
  server.start();
  const auto processes = children_of(server.pid());
  EXPECT_FALSE(processes.empty());
  for (const ProcessInfo& process : processes) {
    EXPECT_EQ(process.title.rfind("postgres: lesson: ", 0), 0u) << process.title;
  }
}

TEST_P(RosterTest, ViewHasTheColumnsOfPostgres15) {
  server.start();
  Session session(server);
  const std::vector<std::string> columns = {"datid",
                                            "datname",
                                            "pid",
                                            "leader_pid",
                                            "usesysid",
                                            "usename",
                                            "application_name",
                                            "client_addr",
                                            "client_hostname",
                                            "client_port",
                                            "backend_start",
                                            "xact_start",
                                            "query_start",
                                            "state_change",
                                            "wait_event_type",
                                            "wait_event",
                                            "state",
                                            "backend_xid",
                                            "backend_xmin",
                                            "query_id",
                                            "query",
                                            "backend_type"};
  EXPECT_EQ(session.query("select * from pg_stat_activity").columns, columns);
}

INSTANTIATE_FOR_ALL_FLAVORS(RosterTest);

}  // namespace
}  // namespace cofork::test
