// One task is killed, and the same is done to the real PostgreSQL 15: what both log, what every
// client of both receives, which tasks both have afterwards. The two accounts must be the same
// text.
//
// An account is normalised where two servers may differ without being different: pids, times, WAL
// positions, the figures of a checkpoint.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <regex>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

/// What a signal does to the server.
enum class Effect {
  kReset,     ///< a crash: everybody goes, shared memory is made anew
  kReplaced,  ///< the task ends and another takes its place
  kEnds,      ///< the task ends, nobody else notices
  kNothing,
};

struct KillCase {
  const char* signal;
  Effect effect;
};

std::string normalised(std::string line) {
  static const std::pair<std::regex, const char*> kReplacements[] = {
      {std::regex(R"(\(PID \d+\))"), "(PID N)"},
      {std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+)"), "TIME"},
      {std::regex(R"(\b[0-9A-F]+/[0-9A-F]+\b)"), "LSN"},
      {std::regex(R"(background worker "[^"]*")"), "background worker \"W\""},
  };
  for (const auto& [pattern, text] : kReplacements) line = std::regex_replace(line, pattern, text);
  static const std::regex figures(R"(\d+(\.\d+)?)");
  for (const char* start : {"LOG:  checkpoint complete: ", "LOG:  redo done at "}) {
    if (line.rfind(start, 0) == 0) line = std::regex_replace(line, figures, "N");
  }
  return line;
}

/// The server's log after byte `from`, normalised, a line each.
std::string log_account(const Server& server, size_t from) {
  std::string account;
  for (const LogLine& line : server.log_lines(from)) account += normalised(line.text) + "\n";
  return account;
}

/// What a client received until the server closed.
std::string last_words(RawClient& client) {
  std::string words;
  for (const Message& message : client.receive_all()) {
    words += std::string("  ") + message.type;
    auto fields = message.fields();
    for (char field : {'S', 'V', 'C', 'M', 'D', 'H'}) {
      if (fields.count(field) != 0) words += std::string(" ") + field + "=" + fields[field];
    }
    words += "\n";
  }
  return words + "  closed\n";
}

/// A client that nobody has disturbed: nothing has come, and it is answered.
std::string proof_of_peace(RawClient& client) {
  client.send_query("select 1");
  std::string types;
  while (auto message = client.receive()) {
    types += message->type;
    if (message->type == 'Z' || message->type == 'E') break;
  }
  return "  goes on: " + types + "\n";
}

void begin_transaction(RawClient& client) {
  client.send_query("begin");
  ASSERT_EQ(client.receive()->type, 'C');
  ASSERT_EQ(client.receive()->type, 'Z');
}

/// One of the two servers, and what is done to it.
class Side {
 public:
  Side(Server& server, std::string role) : server_(server), role_(std::move(role)) {}

  /// Sends the signal; tells what happened.
  std::string account_of(const KillCase& kill);

 private:
  bool targets_client() const { return role_ == "client backend"; }
  std::map<std::string, pid_t> roster();
  pid_t wait_for_role();
  void wait_for_quiet(Session& control);
  void wait_for(const KillCase& kill, pid_t victim, size_t from);
  std::string roster_account(const std::map<std::string, pid_t>& before);

  Server& server_;
  const std::string role_;
};

/// The roles that exist once, by what pg_stat_activity (or, for the logger, `ps`) calls them.
std::map<std::string, pid_t> Side::roster() {
  std::map<std::string, pid_t> pids;
  Session session(server_);
  const Result result = session.query(
      "select backend_type, pid from pg_stat_activity where backend_type <> 'client backend'");
  EXPECT_TRUE(result.ok) << result.message;
  for (const auto& row : result.rows) pids[row[0]] = std::stoi(row[1]);
  if (const pid_t logger = server_.logger_pid(); logger != 0) pids["logger"] = logger;
  return pids;
}

/// Waits until the role has shown itself.
pid_t Side::wait_for_role() {
  pid_t pid = 0;
  EXPECT_TRUE(wait_until([&] { return (pid = roster()[role_]) != 0; })) << role_;
  return pid;
}

void Side::wait_for(const KillCase& kill, pid_t victim, size_t from) {
  switch (kill.effect) {
    case Effect::kReset:
      EXPECT_TRUE(server_.wait_for_log("database system is ready to accept connections\n", from));
      break;
    case Effect::kReplaced:
      EXPECT_TRUE(wait_until([&] {
        const pid_t now = roster()[role_];
        return now != 0 && now != victim;
      }));
      break;
    case Effect::kEnds:
      break;  // its client hears of it
    case Effect::kNothing:
      // Done by the task after it has had its signal.
      if (role_ == "checkpointer") {
        EXPECT_TRUE(Session(server_).query("checkpoint").ok);
      }
      break;
  }
  if (role_ != "logger") return;
  // Lines pass through a pipe: what stands before this one has been collected.
  EXPECT_EQ(Session(server_).query("select 1/0").sqlstate, "22012");
  EXPECT_TRUE(server_.wait_for_log("STATEMENT:  select 1/0\n", from));
}

std::string Side::roster_account(const std::map<std::string, pid_t>& before) {
  std::string account;
  if (!targets_client()) {
    const bool same = wait_for_role() == before.at(role_);
    account += role_ + (same ? ": the same task\n" : ": another task\n");
  }
  const pid_t checkpointer = roster()["checkpointer"];
  const bool same = checkpointer == 0 || checkpointer == before.at("checkpointer");
  return account + (same ? "no crash cycle\n" : "crash cycle\n");
}

/// Waits until three clients and the one who asks are all there is, and the three wait for their
/// clients: one that is just leaving, or still on its way out of send(), has other last words.
void Side::wait_for_quiet(Session& control) {
  EXPECT_TRUE(wait_until([&] {
    const Result clients = control.query(
        "select count(*), sum(case when wait_event = 'ClientRead' then 1 else 0 end) "
        "from pg_stat_activity where backend_type = 'client backend'");
    return clients.ok && clients.rows[0] == std::vector<std::string>{"4", "3"};
  }));
}

std::string Side::account_of(const KillCase& kill) {
  RawClient idle(server_), in_transaction(server_), victim(server_);
  for (RawClient* client : {&idle, &in_transaction, &victim}) client->log_in();
  begin_transaction(in_transaction);
  begin_transaction(victim);
  const pid_t target = targets_client() ? victim.backend_pid() : wait_for_role();
  const auto before = roster();
  Session control(server_);
  // There is something to redo after every crash, whatever either server has written before.
  const size_t checkpoint_from = server_.log_size();
  EXPECT_TRUE(control.query("checkpoint").ok);
  EXPECT_TRUE(server_.wait_for_log("LOG:  checkpoint complete: ", checkpoint_from));
  wait_for_quiet(control);
  const size_t from = server_.log_size();

  const CommandResult killed = server_.kill_task(target, kill.signal);
  EXPECT_EQ(killed.exit_code, 0) << killed.err;
  std::string account;
  if (targets_client()) account += "victim:\n" + last_words(victim);
  wait_for(kill, target, from);
  const bool reset = kill.effect == Effect::kReset;
  account += "idle client:\n" + (reset ? last_words(idle) : proof_of_peace(idle));
  account += "client in a transaction:\n" +
             (reset ? last_words(in_transaction) : proof_of_peace(in_transaction));
  account += "log:\n" + log_account(server_, from);
  account += roster_account(before);
  return account + (server_.has_exited() ? "the postmaster has ended\n" : "");
}

class KillTest : public ServerTest {
 protected:
  void SetUp() override {
    if (available_flavors().back() != Flavor::kReference) {
      GTEST_SKIP() << "PostgreSQL 15 is not installed";
    }
    reference_.emplace(Flavor::kReference);
  }

  /// Does the same to both and compares. `role` is what pg_stat_activity shows.
  void compare(const std::string& role, std::initializer_list<KillCase> cases) {
    compare(role, role, cases);
  }
  void compare(const std::string& role, const std::string& reference_role,
               std::initializer_list<KillCase> cases) {
    for (Server* one : {&server, &*reference_}) {
      one->configure("autovacuum = off\n");
      one->start();
    }
    Side ours(server, role), theirs(*reference_, reference_role);
    for (const KillCase& kill : cases) {
      SCOPED_TRACE(role + " " + kill.signal);
      const std::string expected =
          std::regex_replace(theirs.account_of(kill), std::regex(reference_role), role);
      EXPECT_EQ(ours.account_of(kill), expected);
      if (HasFailure()) return;
    }
  }

  std::optional<Server> reference_;
};

constexpr KillCase kResets[] = {{"KILL", Effect::kReset},
                                {"SEGV", Effect::kReset},
                                {"ABRT", Effect::kReset},
                                {"QUIT", Effect::kReset}};

TEST_P(KillTest, ClientBackend) {
  compare("client backend",
          {kResets[0], kResets[1], kResets[2], kResets[3], {"TERM", Effect::kEnds}});
}

TEST_P(KillTest, Checkpointer) {
  compare("checkpointer", {kResets[0],
                           kResets[1],
                           kResets[2],
                           kResets[3],
                           {"TERM", Effect::kNothing},
                           {"INT", Effect::kNothing}});
}

TEST_P(KillTest, Logger) {
  for (Server* one : {&server, &*reference_}) one->use_collector();
  compare("logger", {{"KILL", Effect::kReplaced},
                     {"SEGV", Effect::kReplaced},
                     {"ABRT", Effect::kReplaced},
                     {"QUIT", Effect::kNothing},
                     {"TERM", Effect::kNothing}});
}

TEST_P(KillTest, BackgroundWriter) {
  compare("background writer",
          {kResets[0], kResets[1], kResets[2], kResets[3], {"TERM", Effect::kReplaced}});
}

TEST_P(KillTest, WalWriter) {
  compare("walwriter", {kResets[0],
                        kResets[1],
                        kResets[2],
                        kResets[3],
                        {"TERM", Effect::kReplaced},
                        {"INT", Effect::kReplaced}});
}

/// The worker that each of them has.
TEST_P(KillTest, BackgroundWorker) {
  server.configure("cofork.wait_sampling_interval = 100ms\n");
  compare("cofork wait sampler", "logical replication launcher",
          {kResets[0], kResets[1], kResets[2], kResets[3]});
}

/// The startup process is caught by giving it a WAL segment that nobody writes to: it hangs in its
/// open(). In the coroutine model that would be the whole server.
TEST_P(KillTest, StartupProcess) {
  if (!server.has_processes()) GTEST_SKIP() << "the server would hang, not one task";
  for (Server* one : {&server, &*reference_}) {
    const std::string segment = one->data() + "/pg_wal/000000010000000000000001";
    ASSERT_EQ(::unlink(segment.c_str()), 0);
    ASSERT_EQ(::mkfifo(segment.c_str(), 0600), 0);
  }
  const auto account_of = [](Server& one, const std::string& signal) {
    size_t from = one.log_size();
    one.spawn();
    EXPECT_TRUE(one.wait_for_log("LOG:  database system was shut down at ", from));
    from = one.log_size();
    pid_t startup = 0;
    for (const ProcessInfo& child : children_of(one.pid())) {
      if (child.title.rfind("postgres: startup", 0) == 0) startup = child.pid;
    }
    EXPECT_EQ(one.kill_task(startup, signal).exit_code, 0);
    const int exit_code = one.wait_exit();
    return log_account(one, from) + "exit code " + std::to_string(exit_code) + "\n";
  };
  for (const char* signal : {"KILL", "SEGV", "ABRT", "QUIT"}) {
    SCOPED_TRACE(signal);
    const std::string expected = account_of(*reference_, signal);
    EXPECT_NE(expected.find("shutting down due to startup process failure"), std::string::npos);
    EXPECT_EQ(account_of(server, signal), expected);
  }
}

INSTANTIATE_FOR_COFORK(KillTest);

}  // namespace
}  // namespace cofork::test
