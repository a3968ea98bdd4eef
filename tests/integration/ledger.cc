// See ledger.h.
#include "ledger.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <sstream>
#include <utility>

namespace cofork::test {
namespace {

using std::to_string;

void must(Session& session, const std::string& sql) {
  const Result result = session.query(sql);
  ASSERT_TRUE(result.ok) << sql << ": " << result.sqlstate << " " << result.message;
}

/// All rows of a query, columns separated by blanks, a row a line.
std::string rows_of(Session& session, const std::string& sql) {
  const Result result = session.query(sql);
  EXPECT_TRUE(result.ok) << sql << ": " << result.sqlstate << " " << result.message;
  std::string text;
  for (const auto& row : result.rows) {
    for (const std::string& value : row) text += value + " ";
    text += "\n";
  }
  return text;
}

/// The crash is announced to every client; who watches the test need not read it.
void say_nothing(void*, const char*) {}

/// An error that is libpq's own has no SQLSTATE; the others are the server's last words.
bool is_loss_of_connection(const Result& result) {
  return result.sqlstate.empty() || result.sqlstate.starts_with("57P0");
}

std::string described(const std::set<int64_t>& numbers) {
  std::string text;
  for (int64_t number : numbers) text += " " + to_string(number);
  return text;
}

}  // namespace

void Ledger::create_tables() {
  Session session(server_);
  ASSERT_TRUE(session.connected()) << session.connect_error();
  const std::string kTables[] = {
      "create table pgbench_branches (bid int primary key, bbalance int, filler char(88)) "
      "with (fillfactor = 50)",
      "create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84))",
      "create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84))",
      "create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, "
      "filler char(22))",
      "create table promise (payer int, number int8, delta int, primary key (payer, number))",
      "create table queue (payer int, number int8, note text)",
      "create index queue_place on queue (payer, number)",
  };
  for (const std::string& sql : kTables) must(session, sql);
  must(session, "insert into pgbench_branches select g, 0, '' from generate_series(1, " +
                    to_string(kBranches) + ") g");
  must(session, "insert into pgbench_tellers select g, g % " + to_string(kBranches) +
                    " + 1, 0, '' from generate_series(1, " + to_string(kTellers) + ") g");
  must(session, "insert into pgbench_accounts select g, g % " + to_string(kBranches) +
                    " + 1, 0, '' from generate_series(1, " + to_string(kAccounts) + ") g");
}

int64_t Ledger::amount(int payer, int64_t number) const {
  return (payer * 7919 + number * 104729) % 9999 - 4999;
}

/// One transaction, a statement a line.
std::string Ledger::payment(const Payer& payer, int64_t number) const {
  std::mt19937 random(seed_ ^ static_cast<uint32_t>(payer.number * 1000003 + number));
  const auto any = [&](int most) { return to_string(random() % static_cast<uint32_t>(most) + 1); };
  const std::string me = to_string(payer.number), n = to_string(number);
  const std::string delta = to_string(amount(payer.number, number));
  const std::string account = any(kAccounts), teller = any(kTellers), branch = any(kBranches);
  std::string sql = "begin\n";
  if (number % 4 == 1) {
    sql +=
        "savepoint wrong\n"
        "update pgbench_tellers set tbalance = tbalance + 1000000 where tid = " +
        teller +
        "\n"
        "insert into promise values (" +
        me + ", " + to_string(-number) +
        ", 0)\n"
        "rollback to wrong\n";
  }
  sql += "update pgbench_accounts set abalance = abalance + " + delta + " where aid = " + account +
         "\nselect abalance from pgbench_accounts where aid = " + account +
         "\nupdate pgbench_tellers set tbalance = tbalance + " + delta + " where tid = " + teller +
         "\n";
  if (number % 4 == 2) sql += "savepoint sound\n";
  sql += "update pgbench_branches set bbalance = bbalance + " + delta + " where bid = " + branch +
         "\ninsert into promise values (" + me + ", " + n + ", " + delta + ")\n";
  if (number % 4 == 2) sql += "release sound\n";
  sql += "insert into pgbench_history values (" + teller + ", " + branch + ", " + account + ", " +
         delta + ", current_timestamp, '" + me + "-" + n +
         "')\n"
         "delete from queue where payer = " +
         me + " and number <= " + to_string(number - kQueueLength) +
         "\n"
         "insert into queue values (" +
         me + ", " + n + ", repeat('q', " + any(300) + "))\n";
  sql += number % 16 == 7 ? "rollback" : "commit";
  return sql;
}

void Ledger::complain(const std::string& what) {
  const std::lock_guard guard(complaints_mutex_);
  complaints_ += what + "\n";
}

std::string Ledger::complaints() const {
  const std::lock_guard guard(complaints_mutex_);
  return complaints_;
}

/// The statements of a payment, each a query string of its own, or all in one.
std::vector<std::string> Ledger::payment_queries(const Payer& payer, int64_t number) const {
  std::istringstream lines(payment(payer, number));
  std::vector<std::string> statements;
  for (std::string line; std::getline(lines, line);) statements.push_back(line);
  if (number % 2 == 1) return statements;
  std::string whole;
  for (const std::string& statement : statements) whole += statement + ";";
  return {whole};
}

/// False when the connection was lost.
bool Ledger::pay_once(Session& session, Payer& payer) {
  const int64_t number = payer.next++;
  const bool commits = payment(payer, number).ends_with("commit");
  const std::vector<std::string> queries = payment_queries(payer, number);
  Result result;
  for (const std::string& query : queries) {
    if (commits && &query == &queries.back()) payer.in_doubt = number;
    result = session.query(query);
    if (result.ok) continue;
    if (is_loss_of_connection(result)) return false;
    complain(query + ": " + result.sqlstate + " " + result.message);
    session.query("rollback");
    break;
  }
  payer.in_doubt = 0;
  if (!result.ok || !commits) return true;
  if (result.tag == "COMMIT") {
    payer.promised.insert(number);
    ++paid_;
  } else {
    complain("COMMIT was answered with " + result.tag);
  }
  return true;
}

void Ledger::forgive(const std::string& error) {
  const std::lock_guard guard(complaints_mutex_);
  std::istringstream lines(std::exchange(complaints_, ""));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(": " + error) == std::string::npos) complaints_ += line + "\n";
  }
}

void Ledger::pay(Payer& payer) {
  Session session(server_);
  if (!session.connected()) return;
  PQsetNoticeProcessor(session.raw(), say_nothing, nullptr);
  if (payer.is_asynchronous() && !session.query("set synchronous_commit = off").ok) return;
  payer.backend = session.backend_pid();
  while (!ending_ && pay_once(session, payer)) continue;
  payer.backend = 0;
}

/// Makes tables of 200 rows, refills every other with 100, and drops each after three more.
void Ledger::make_tables() {
  Session session(server_);
  if (!session.connected()) return;
  PQsetNoticeProcessor(session.raw(), say_nothing, nullptr);
  const auto attempt = [&](int table, const std::string& sql, int64_t rows_after) {
    made_[table].insert(rows_after);
    const Result result = session.query(sql);
    if (result.ok) {
      made_[table] = {rows_after};
      return true;
    }
    if (!is_loss_of_connection(result)) {
      complain(sql + ": " + result.sqlstate + " " + result.message);
    }
    return false;
  };
  while (!ending_) {
    const int number = next_made_++;
    const std::string name = "made_" + to_string(number);
    made_[number] = {-1};
    if (!attempt(number,
                 "begin; create table " + name + " (a int primary key, b text); insert into " +
                     name + " select g, repeat('m', 100) from generate_series(1, 200) g; commit",
                 200)) {
      return;
    }
    if (number % 2 == 0 && !attempt(number,
                                    "begin; truncate " + name + "; insert into " + name +
                                        " select g, 'again' from generate_series(1, 100) g; commit",
                                    100)) {
      return;
    }
    const int old = number - 3;
    if (made_.count(old) > 0 && made_[old] != Possible{-1} &&
        !attempt(old, "drop table if exists made_" + to_string(old), -1)) {
      return;
    }
  }
}

/// Checkpoints and vacuum, one after the other.
void Ledger::keep_house() {
  Session session(server_);
  if (!session.connected()) return;
  PQsetNoticeProcessor(session.raw(), say_nothing, nullptr);
  const char* kChores[] = {"checkpoint",
                           "vacuum queue",
                           "checkpoint",
                           "vacuum pgbench_branches",
                           "vacuum pgbench_tellers",
                           "select pg_switch_wal()",
                           "vacuum promise",
                           "checkpoint",
                           "vacuum pgbench_accounts"};
  std::mt19937 random(seed_);
  for (size_t chore = random() % std::size(kChores); !ending_; ++chore) {
    const std::string sql = kChores[chore % std::size(kChores)];
    const Result result = session.query(sql);
    if (result.ok) continue;
    if (is_loss_of_connection(result)) return;
    complain(sql + ": " + result.sqlstate + " " + result.message);
  }
}

void Ledger::start(int payers) {
  ending_ = false;
  paid_ = 0;
  while (payers_.size() < static_cast<size_t>(payers)) {
    payers_.push_back(std::make_unique<Payer>());
    payers_.back()->number = static_cast<int>(payers_.size()) - 1;
  }
  for (auto& payer : payers_) threads_.emplace_back([this, &payer = *payer] { pay(payer); });
  threads_.emplace_back([this] { make_tables(); });
  threads_.emplace_back([this] { keep_house(); });
}

void Ledger::stop() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<pid_t> Ledger::backends() const {
  std::vector<pid_t> pids;
  for (const auto& payer : payers_) {
    if (payer->backend != 0) pids.push_back(payer->backend);
  }
  return pids;
}

std::map<int, std::set<int64_t>> Ledger::read_promises(Session& session) {
  std::map<int, std::set<int64_t>> found;
  const Result result = session.query("select payer, number from promise");
  EXPECT_TRUE(result.ok) << result.message;
  for (const auto& row : result.rows) {
    const bool is_new = found[std::stoi(row[0])].insert(std::stoll(row[1])).second;
    EXPECT_TRUE(is_new) << "twice there: payment " << row[1] << " of payer " << row[0];
  }
  return found;
}

void Ledger::audit_payer(Payer& payer, const std::set<int64_t>& found) {
  std::set<int64_t> lost, unasked;
  std::set_difference(payer.promised.begin(), payer.promised.end(), found.begin(), found.end(),
                      std::inserter(lost, lost.end()));
  std::set_difference(found.begin(), found.end(), payer.promised.begin(), payer.promised.end(),
                      std::inserter(unasked, unasked.end()));
  unasked.erase(payer.in_doubt);
  EXPECT_TRUE(unasked.empty()) << "payer " << payer.number << " never committed"
                               << described(unasked);
  if (payer.is_asynchronous()) {
    // What is lost is the end of it.
    EXPECT_TRUE(lost.empty() || found.empty() || *found.rbegin() < *lost.begin())
        << "asynchronous commits lost:" << described(lost) << " but " << *found.rbegin()
        << " is there";
  } else {
    EXPECT_TRUE(lost.empty()) << "payer " << payer.number << " has lost" << described(lost);
  }
  payer.promised = found;
  payer.in_doubt = 0;
}

void Ledger::audit_sums(Session& session, const std::map<int, std::set<int64_t>>& found) {
  int64_t sum = 0, count = 0;
  for (const auto& [payer, numbers] : found) {
    for (int64_t number : numbers) sum += amount(payer, number);
    count += static_cast<int64_t>(numbers.size());
  }
  const std::string kSums[] = {
      "select sum(bbalance), count(*) from pgbench_branches",
      "select sum(tbalance), count(*) from pgbench_tellers",
      "select sum(abalance), count(*) from pgbench_accounts",
      "select coalesce(sum(delta), 0), count(*) from pgbench_history",
      "select coalesce(sum(delta), 0), count(*) from promise",
  };
  const int64_t kCounts[] = {kBranches, kTellers, kAccounts, count, count};
  for (size_t i = 0; i < std::size(kSums); ++i) {
    EXPECT_EQ(rows_of(session, kSums[i]), to_string(sum) + " " + to_string(kCounts[i]) + " \n")
        << kSums[i];
  }
}

/// What is queued is the last of the payments that are there.
void Ledger::audit_queue(Session& session, const std::map<int, std::set<int64_t>>& found) {
  std::string expected;
  for (const auto& [payer, numbers] : found) {
    for (int64_t number : numbers) {
      if (number > *numbers.rbegin() - kQueueLength) {
        expected += to_string(payer) + " " + to_string(number) + " \n";
      }
    }
  }
  EXPECT_EQ(rows_of(session, "select payer, number from queue order by payer, number"), expected);
}

void Ledger::audit_indexes(Session& session) {
  const struct {
    const char *table, *key, *columns;
  } kIndexed[] = {
      {"pgbench_branches", "bid", "bid, bbalance"},
      {"pgbench_tellers", "tid", "tid, tbalance"},
      {"pgbench_accounts", "aid", "aid, abalance"},
      {"promise", "payer, number", "payer, number, delta"},
      {"queue", "payer, number", "payer, number, length(note)"},
  };
  for (const auto& indexed : kIndexed) {
    const std::string sql = std::string("select ") + indexed.columns + " from " + indexed.table +
                            " order by " + indexed.key;
    must(session,
         "set enable_seqscan = on; set enable_indexscan = off; "
         "set enable_indexonlyscan = off; set enable_bitmapscan = off");
    ASSERT_NE(rows_of(session, "explain (costs off) " + sql).find("Seq Scan"), std::string::npos)
        << sql;
    const std::string by_table = rows_of(session, sql);
    must(session, "reset enable_indexscan; reset enable_indexonlyscan; set enable_seqscan = off");
    ASSERT_NE(rows_of(session, "explain (costs off) " + sql).find("Index"), std::string::npos)
        << sql;
    EXPECT_TRUE(by_table == rows_of(session, sql)) << "index and table differ: " << indexed.table;
  }
  must(session, "reset all");
}

void Ledger::audit_made_tables(Session& session) {
  for (auto& [number, possible] : made_) {
    const std::string name = "made_" + to_string(number);
    const bool exists = rows_of(session, "select to_regclass('" + name + "') is null") == "f \n";
    const int64_t rows = exists ? std::stoll(rows_of(session, "select count(*) from " + name)) : -1;
    EXPECT_TRUE(possible.count(rows) > 0)
        << name << ": " << rows << " rows, expected one of" << described(possible);
    if (exists) {
      EXPECT_EQ(rows_of(session, "select b from " + name + " where a = 7"),
                rows == 200 ? std::string(100, 'm') + " \n" : "again \n");
    }
    possible = {rows};
  }
  std::erase_if(made_, [](const auto& made) { return made.second == Possible{-1}; });
}

/// Begins anew, lest the audits take longer and longer.
void Ledger::settle(Session& session) {
  must(session,
       "begin; truncate promise, pgbench_history, queue; "
       "update pgbench_branches set bbalance = 0; update pgbench_tellers set tbalance = 0; "
       "update pgbench_accounts set abalance = 0 where abalance <> 0; commit");
  for (const auto& payer : payers_) payer->promised.clear();
}

void Ledger::audit() {
  Session session(server_);
  ASSERT_TRUE(session.connected()) << session.connect_error();
  const auto found = read_promises(session);
  for (const auto& payer : payers_) {
    const auto of_payer = found.find(payer->number);
    audit_payer(*payer, of_payer == found.end() ? std::set<int64_t>() : of_payer->second);
  }
  audit_sums(session, found);
  audit_queue(session, found);
  audit_indexes(session);
  audit_made_tables(session);
  EXPECT_EQ(complaints(), "");
  size_t payments = 0;
  for (const auto& [payer, numbers] : found) payments += numbers.size();
  if (payments > kPaymentsUntilSettled) settle(session);
}

}  // namespace cofork::test
