// Session: one client's conversation — who it is, its settings, its transaction, its statements.
//
// What PostgreSQL keeps in a backend's process globals (MyProcPort, CurrentUserId, the portal and
// prepared-statement hash tables …) is a member here. The client backend makes one after
// authentication, hangs it on its Task, and drives it through sql/engine.h. Functions and views
// reach it as EvalContext::session or current_session().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "log/log.h"
#include "model/task.h"
#include "sql/transaction.h"
#include "types/datum.h"

namespace cofork {

class Engine;

/// Where the client sits, as the functions inet_client_addr() … and pg_stat_activity tell it.
struct Peer {
  std::string client_address;  ///< numeric; "" over a Unix socket
  int client_port = -1;
  std::string server_address;
  int server_port = -1;
};

struct Session {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kSession;

  explicit Session(Task& owner) : task(owner), transaction(owner) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Task& task;

  // Who. The session user is who logged in; the current user is what SET ROLE says.
  std::string session_user = "postgres";
  Oid session_user_oid = 10;
  std::string current_user = "postgres";
  Oid current_user_oid = 10;
  bool is_superuser = true;        ///< the current user
  bool login_is_superuser = true;  ///< the session user
  std::string database_name = "postgres";
  Oid database_oid = 5;
  Peer peer;
  int64_t start_us = 0;  ///< session start, microseconds since 2000-01-01 UTC

  TransactionBlock transaction;
  /// Asks for an immediate checkpoint and waits for it: CHECKPOINT. Null: 0A000.
  void (*request_checkpoint)(Task& task) = nullptr;
  /// Arrival of the running statement, microseconds since 2000-01-01 UTC: statement_timestamp().
  int64_t statement_start_us = 0;
  Engine* engine = nullptr;  ///< set by the Engine's constructor
};

/// The running task's session; null in tasks that serve no client.
inline Session* current_session() {
  return this_task().slot<Session>();
}

}  // namespace cofork
