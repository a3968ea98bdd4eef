// The two test clients; see client.h.
#include "client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cofork::test {
namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::max<long>(0, left.count()));
}

std::string field_of(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

}  // namespace

Session::Session(const Server& server, const std::string& more)
    : connection_(PQconnectdb(server.conninfo("connect_timeout=20 " + more).c_str())) {}

Result Session::query(const std::string& sql) {
  if (!send(sql)) return {.message = PQerrorMessage(connection_.get())};
  return collect();
}

bool Session::send(const std::string& sql) {
  return PQsendQuery(connection_.get(), sql.c_str()) == 1;
}

bool Session::answer_is_ready(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (PQisBusy(connection_.get())) {
    pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
    if (::poll(&ready, 1, milliseconds_until(deadline)) <= 0) return false;
    if (!PQconsumeInput(connection_.get())) return true;
  }
  return true;
}

/// The last result of the statement string, or the first error in it.
Result Session::collect() {
  Result result;
  bool failed = false;
  while (PGresult* part = PQgetResult(connection_.get())) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> owned(part, &PQclear);
    if (failed) continue;
    const ExecStatusType status = PQresultStatus(part);
    result.ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
                status == PGRES_EMPTY_QUERY || status == PGRES_SINGLE_TUPLE;
    failed = !result.ok;
    result.sqlstate = field_of(part, PG_DIAG_SQLSTATE);
    result.message = field_of(part, PG_DIAG_MESSAGE_PRIMARY);
    if (failed && result.message.empty()) result.message = PQresultErrorMessage(part);
    result.detail = field_of(part, PG_DIAG_MESSAGE_DETAIL);
    result.hint = field_of(part, PG_DIAG_MESSAGE_HINT);
    result.tag = PQcmdStatus(part);
    result.columns.clear();
    result.rows.clear();
    for (int column = 0; column < PQnfields(part); ++column) {
      result.columns.emplace_back(PQfname(part, column));
    }
    for (int row = 0; row < PQntuples(part); ++row) {
      auto& values = result.rows.emplace_back();
      for (int column = 0; column < PQnfields(part); ++column) {
        const bool null = PQgetisnull(part, row, column);
        values.emplace_back(null ? "<null>"
                                 : std::string(PQgetvalue(part, row, column),
                                               size_t(PQgetlength(part, row, column))));
      }
    }
  }
  return result;
}

bool Session::cancel() {
  PGcancel* cancel = PQgetCancel(connection_.get());
  char error[256];
  const bool sent = PQcancel(cancel, error, sizeof error) == 1;
  PQfreeCancel(cancel);
  return sent;
}

std::map<char, std::string> Message::fields() const {
  std::map<char, std::string> result;
  for (size_t at = 0; at < body.size() && body[at] != '\0';) {
    const char code = body[at];
    const std::string text = body.c_str() + at + 1;
    at += text.size() + 2;
    result[code] = text;
  }
  return result;
}

RawClient::RawClient(const Server& server, int tcp_port) {
  if (tcp_port != 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(tcp_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close();
    return;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, server.socket_path().c_str(), sizeof address.sun_path - 1);
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close();
}

RawClient::~RawClient() {
  close();
}

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawClient::shut_down_writing() {
  ::shutdown(fd_, SHUT_WR);
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::send_query(const std::string& sql) {
  return send(protocol_message('Q', sql + '\0'));
}

bool RawClient::wait_readable(std::chrono::milliseconds limit) {
  pollfd ready{fd_, POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(limit.count())) > 0;
}

bool RawClient::read_exactly(char* bytes, size_t count, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  for (size_t done = 0; done < count;) {
    if (!wait_readable(std::chrono::milliseconds(milliseconds_until(deadline)))) return false;
    const ssize_t got = ::recv(fd_, bytes + done, count - done, 0);
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

std::optional<Message> RawClient::receive(std::chrono::milliseconds limit) {
  char header[5];
  if (!read_exactly(header, sizeof header, limit)) return std::nullopt;
  uint32_t length;
  std::memcpy(&length, header + 1, sizeof length);
  length = ntohl(length);
  Message message{header[0], std::string(length - 4, '\0')};
  if (!read_exactly(message.body.data(), message.body.size(), limit)) return std::nullopt;
  return message;
}

std::vector<Message> RawClient::log_in(const std::string& user, const std::string& database) {
  std::vector<Message> messages;
  send(startup_packet({"user", user, "database", database}));
  while (auto message = receive()) {
    messages.push_back(*message);
    if (message->type == 'K') {
      uint32_t words[2];
      std::memcpy(words, message->body.data(), sizeof words);
      backend_pid_ = static_cast<pid_t>(ntohl(words[0]));
      cancel_key_ = static_cast<int>(ntohl(words[1]));
    }
    if (message->type == 'Z' || message->type == 'E') break;
  }
  return messages;
}

std::vector<Message> RawClient::receive_all() {
  std::vector<Message> messages;
  while (auto message = receive()) messages.push_back(*message);
  char byte;
  const ssize_t got = ::recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  EXPECT_TRUE(got == 0 || (got < 0 && errno != EAGAIN)) << "the server did not close";
  return messages;
}

std::string RawClient::receive_exactly(size_t count) {
  std::string bytes(count, '\0');
  return read_exactly(bytes.data(), count, kDeadline) ? bytes : std::string();
}
std::string RawClient::receive_bytes() {
  std::string bytes;
  char chunk[4096];
  while (wait_readable(kDeadline)) {
    const ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return bytes;
    bytes.append(chunk, static_cast<size_t>(got));
  }
  ADD_FAILURE() << "the server did not close";
  return bytes;
}

testing::AssertionResult wait_for_idle(const Server& server, const std::vector<pid_t>& backends) {
  Session session(server);
  std::string pids;
  for (const pid_t pid : backends) pids += (pids.empty() ? "" : ", ") + std::to_string(pid);
  const std::string count = "select count(*) from pg_stat_activity where pid in (" + pids +
                            ") and wait_event = 'ClientRead'";
  if (wait_until([&] { return session.query(count).first() == std::to_string(backends.size()); })) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "not all of these wait for their clients: " << pids;
}

std::string int32_bytes(int32_t value) {
  const uint32_t network = htonl(static_cast<uint32_t>(value));
  return std::string(reinterpret_cast<const char*>(&network), sizeof network);
}

std::string startup_packet(const std::vector<std::string>& parameters) {
  std::string body = int32_bytes(196608);
  for (const std::string& word : parameters) body += word + '\0';
  body += '\0';
  return int32_bytes(static_cast<int32_t>(body.size()) + 4) + body;
}

std::string protocol_message(char type, std::string_view body) {
  return type + int32_bytes(static_cast<int32_t>(body.size()) + 4) + std::string(body);
}

}  // namespace cofork::test
