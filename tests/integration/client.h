// Two clients for the tests: Session speaks through libpq, RawClient byte by byte.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server.h"

namespace cofork::test {

struct Result {
  bool ok = false;
  std::string sqlstate, message, detail, hint;  ///< of the error, when there was one
  std::string tag;                              ///< "SELECT 1"
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  ///< NULL shows as "<null>"
  /// The first value, or the error's text.
  std::string first() const { return !ok ? message : rows.empty() ? "" : rows[0][0]; }
};

class Session {
 public:
  explicit Session(const Server& server, const std::string& more = "");
  bool connected() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  std::string connect_error() const { return PQerrorMessage(connection_.get()); }
  Result query(const std::string& sql);
  /// Sends without waiting for the answer; collect() waits for it.
  bool send(const std::string& sql);
  Result collect();
  bool answer_is_ready(std::chrono::milliseconds limit);
  /// As the server says in BackendKeyData.
  pid_t backend_pid() const { return PQbackendPID(connection_.get()); }
  bool cancel();
  PGconn* raw() { return connection_.get(); }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  std::unique_ptr<PGconn, Closer> connection_;
};

/// A message of the server: its type and the bytes after the length.
struct Message {
  char type = 0;
  std::string body;
  /// The fields of an ErrorResponse or NoticeResponse, by their letter.
  std::map<char, std::string> fields() const;
};

class RawClient {
 public:
  /// Connects to the server's Unix socket, or to 127.0.0.1:`tcp_port`.
  explicit RawClient(const Server& server, int tcp_port = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  bool send(std::string_view bytes);
  void close();
  void shut_down_writing();
  /// Startup packet of protocol 3.0, then reads until ReadyForQuery or the end; the messages.
  std::vector<Message> log_in(const std::string& user = "postgres",
                              const std::string& database = "postgres");
  bool send_query(const std::string& sql);
  /// The next message; nothing at the end of the stream or the deadline.
  std::optional<Message> receive(std::chrono::milliseconds limit = kDeadline);
  /// Everything until the server closes; fails the test when it does not in time.
  std::vector<Message> receive_all();
  /// That many raw bytes; nothing at the end of the stream or the deadline.
  std::string receive_exactly(size_t count);
  /// Raw bytes until the server closes.
  std::string receive_bytes();
  pid_t backend_pid() const { return backend_pid_; }
  int cancel_key() const { return cancel_key_; }

 private:
  bool wait_readable(std::chrono::milliseconds limit);
  bool read_exactly(char* bytes, size_t count, std::chrono::milliseconds limit);
  int fd_ = -1;
  pid_t backend_pid_ = 0;
  int cancel_key_ = 0;
};

/// Waits until these backends wait for their clients. One that has just answered may still be on
/// its way out of send(), where PostgreSQL drops what it would say about a crash.
testing::AssertionResult wait_for_idle(const Server& server, const std::vector<pid_t>& backends);

std::string int32_bytes(int32_t value);                                  ///< network order
std::string startup_packet(const std::vector<std::string>& parameters);  ///< name, value, …
std::string protocol_message(char type, std::string_view body);

}  // namespace cofork::test
