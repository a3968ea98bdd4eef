// Clients that pay money around in pgbench's four tables and remember what the server has promised;
// and the auditor who, after a crash, looks whether the promises were kept.
//
//   Ledger ledger(server);
//   ledger.create_tables();
//   ledger.start(6);                  // six payers, one who makes and drops tables, one who
//   checkpoints …the server dies… ledger.stop();                    // every client has lost its
//   connection, or ends its transaction …the server is there again… ledger.audit(); // EXPECTs
//
// What the auditor demands: every commit the server has acknowledged is there; a transaction is
// there as a whole or not at all (the sums of balances of the four tables agree); what nobody was
// told is there at most where a COMMIT was under way; an asynchronous commit may be missing, but no
// earlier one then; an index finds what the table holds. A payment works in savepoints too,
// released and rolled back, and keeps a queue whose head is deleted, so that vacuum and the
// deletion of index pages have something to do.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client.h"
#include "server.h"

namespace cofork::test {

class Ledger {
 public:
  explicit Ledger(Server& server, uint32_t seed) : server_(server), seed_(seed) {}
  ~Ledger() { stop(); }
  Ledger(const Ledger&) = delete;

  void create_tables();
  /// Client 0 commits asynchronously, the others wait for the disk.
  void start(int payers);
  /// Asks everybody to come to an end, and waits for it.
  void stop();
  /// Transactions acknowledged since start().
  int64_t paid() const { return paid_.load(); }
  /// The backends of the payers that are connected.
  std::vector<pid_t> backends() const;
  /// What clients were told that a crash does not explain, one a line.
  std::string complaints() const;
  void audit();
  /// Takes back the complaints about errors that begin so (SQLSTATE and text): they were to be
  /// expected.
  void forgive(const std::string& error);

 private:
  static constexpr int kBranches = 8, kTellers = 80, kAccounts = 20000;
  static constexpr int kQueueLength = 50;
  static constexpr size_t kPaymentsUntilSettled = 10000;

  struct Payer {
    int number = 0;
    int64_t next = 1;            ///< the number of the payment to come
    std::set<int64_t> promised;  ///< acknowledged
    int64_t in_doubt = 0;        ///< sent, and never answered
    std::atomic<pid_t> backend{0};
    bool is_asynchronous() const { return number == 0; }
  };
  /// A table of the client who makes and drops them: how many rows it may have; -1 is no table.
  using Possible = std::set<int64_t>;

  void pay(Payer& payer);
  bool pay_once(Session& session, Payer& payer);
  std::string payment(const Payer& payer, int64_t number) const;
  std::vector<std::string> payment_queries(const Payer& payer, int64_t number) const;
  void make_tables();
  void keep_house();
  void complain(const std::string& what);
  int64_t amount(int payer, int64_t number) const;

  std::map<int, std::set<int64_t>> read_promises(Session& session);
  void audit_payer(Payer& payer, const std::set<int64_t>& found);
  void audit_sums(Session& session, const std::map<int, std::set<int64_t>>& found);
  void audit_queue(Session& session, const std::map<int, std::set<int64_t>>& found);
  void audit_indexes(Session& session);
  void audit_made_tables(Session& session);
  void settle(Session& session);

  Server& server_;
  uint32_t seed_;
  std::vector<std::unique_ptr<Payer>> payers_;
  std::vector<std::thread> threads_;
  std::map<int, Possible> made_;
  int next_made_ = 1;
  std::atomic<bool> ending_{false};
  std::atomic<int64_t> paid_{0};
  mutable std::mutex complaints_mutex_;
  std::string complaints_;
};

}  // namespace cofork::test
