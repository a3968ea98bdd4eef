// What a session can ask the server about itself, and what the server says of its sessions: the
// functions beside the views, names of objects, sources of errors, last words.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class LookAroundTest : public ServerTest {};

TEST_P(LookAroundTest, ActivityFunctionAndViewAgree) {
  server.start();
  Session session(server), other(server);
  const std::string all = session.query("select count(*) from pg_stat_activity").first();
  const char* both =
      "select count(*) from pg_stat_activity v join pg_stat_get_activity(null) f "
      "using (pid, backend_type) where v.datid is not distinct from f.datid "
      "and v.backend_start = f.backend_start";
  EXPECT_EQ(session.query(both).first(), all);
  const Result row = other.query(
      "select pid, state, query, backend_type, ssl, sslversion, gss_enc, leader_pid "
      "from pg_stat_get_activity(" +
      std::to_string(session.backend_pid()) + ")");
  ASSERT_TRUE(row.ok) << row.message;
  ASSERT_EQ(row.rows.size(), 1u);
  EXPECT_EQ(row.rows[0],
            (std::vector<std::string>{std::to_string(session.backend_pid()), "idle", both,
                                      "client backend", "f", "<null>", "f", "<null>"}));
  EXPECT_EQ(other.query("select count(*) from pg_stat_get_activity(0)").first(), "0");
}

TEST_P(LookAroundTest, NamesOfObjects) {
  server.start();
  Session session(server);
  EXPECT_EQ(session
                .query("select 'pg_stat_activity'::regclass || ' ' || 'pg_catalog.pg_settings'"
                       "::regclass || ' ' || 'int4'::regtype || ' ' || 'now'::regproc")
                .first(),
            "pg_stat_activity pg_settings integer now");
  EXPECT_EQ(session
                .query("select to_regclass('nosuch') is null and to_regproc('sum') is null "
                       "and to_regproc('now') is not null")
                .first(),
            "t");
  EXPECT_EQ(session.query("select 'nosuch'::regclass").sqlstate, "42P01");
  EXPECT_EQ(session.query("select 'sum'::regproc").sqlstate, "42725");
  EXPECT_EQ(session.query("select pg_encoding_to_char(8) || pg_char_to_encoding('utf-8')").first(),
            "LATIN16");
}

TEST_P(LookAroundTest, CurrentLogFile) {
  server.configure("logging_collector = on\nlog_filename = 'here.log'\n");
  server.start();
  Session session(server);
  const Result named = session.query(
      "select pg_current_logfile(), pg_current_logfile('stderr'), pg_current_logfile('csvlog')");
  ASSERT_TRUE(named.ok) << named.message;
  EXPECT_EQ(named.rows[0], (std::vector<std::string>{"log/here.log", "log/here.log", "<null>"}));
  const Result wrong = session.query("select pg_current_logfile('xml')");
  EXPECT_EQ(wrong.sqlstate, "22023");
  EXPECT_EQ(wrong.message, "log format \"xml\" is not supported");
}

TEST_P(LookAroundTest, NoCurrentLogFileWithoutALogger) {
  server.start();
  EXPECT_EQ(Session(server).query("select pg_current_logfile() is null").first(), "t");
}

// \errverbose of psql: every error says where in the server's sources it was raised.
TEST_P(LookAroundTest, ErrorsNameTheirSource) {
  server.start();
  Session session(server);
  for (const char* sql : {"select 1/0", "selec", "select nosuch", "select 'x'::int",
                          "set work_mem = 'much'", "commit; begin; fetch c"}) {
    PGresult* result = PQexec(session.raw(), sql);
    auto field = [&](int code) {
      const char* text = PQresultErrorField(result, code);
      return std::string(text == nullptr ? "" : text);
    };
    EXPECT_EQ(PQresultStatus(result), PGRES_FATAL_ERROR) << sql;
    EXPECT_NE(field(PG_DIAG_SOURCE_FILE), "") << sql;
    EXPECT_EQ(field(PG_DIAG_SOURCE_FILE).find('/'), std::string::npos) << sql;
    EXPECT_GT(std::atoi(field(PG_DIAG_SOURCE_LINE).c_str()), 0) << sql;
    EXPECT_NE(field(PG_DIAG_SOURCE_FUNCTION), "") << sql;
    PQclear(result);
  }
}

// A session that is killed by SIGQUIT from outside says so itself; the postmaster sees only exit
// code 2.
TEST_P(LookAroundTest, UnexpectedSigquitIsLoggedByItsVictim) {
  server.start();
  Session session(server);
  const std::string waits = "select wait_event from pg_stat_activity where pid = " +
                            std::to_string(session.backend_pid());
  EXPECT_TRUE(wait_until([&] { return server.value(waits) == "ClientRead"; }));
  const size_t before = server.log_size();
  EXPECT_EQ(server.kill_task(session.backend_pid(), "QUIT").exit_code, 0);
  const std::string pid = std::to_string(session.backend_pid());
  EXPECT_TRUE(server.wait_for_log(
      "WARNING:  terminating connection because of unexpected SIGQUIT signal", before));
  EXPECT_TRUE(
      server.wait_for_log("server process (PID " + pid + ") exited with exit code 2", before));
}

INSTANTIATE_FOR_ALL_FLAVORS(LookAroundTest);

}  // namespace
}  // namespace cofork::test
