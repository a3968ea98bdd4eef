// COPY's data between the client and the statement that runs: CopyInResponse, CopyOutResponse,
// CopyData, CopyDone, CopyFail (CopyGetData in copyfromparse.c, SendCopyBegin in copyto.c, 15).
#include <fmt/format.h>

#include "roles/client_backend.h"
#include "support/bytes.h"
#include "wire/message_reader.h"

namespace cofork {
namespace {

void send_copy_begin(OutputBuffer& out, ServerMessage type, bool binary, int columns) {
  out.begin(type);
  out.add_byte(binary ? 1 : 0);
  out.add_int16(columns);
  for (int i = 0; i < columns; ++i) out.add_int16(binary ? 1 : 0);
  out.end();
}

[[noreturn]] void client_has_gone() {
  throw Error(sqlstate::kConnectionFailure,
              "unexpected EOF on client connection with an open transaction");
}

}  // namespace

void ClientBackend::begin_in(bool binary, int columns) {
  // The statement's text lies in the buffer that the data is about to fill.
  copy_statement_ = log_identity_.statement;
  log_identity_.statement = copy_statement_;
  send_copy_begin(connection_.out(), ServerMessage::kCopyInResponse, binary, columns);
  connection_.flush();
}

bool ClientBackend::read(std::string& data) {
  for (;;) {
    if (!connection_.need(1)) client_has_gone();
    char type = connection_.data()[0];
    auto message = static_cast<ClientMessage>(type);
    reading_message_ = true;  // an error from here on loses the beginning of the next message
    switch (message) {
      case ClientMessage::kCopyData:
      case ClientMessage::kCopyDone:
      case ClientMessage::kCopyFail:
      case ClientMessage::kFlush:
      case ClientMessage::kSync:
        break;
      default:
        throw Error(sqlstate::kProtocolViolation,
                    "unexpected message type 0x{:02X} during COPY from stdin",
                    static_cast<int>(static_cast<uint8_t>(type)));
    }
    if (!connection_.need(5)) client_has_gone();
    auto length = load_be<uint32_t>(connection_.data() + 1);
    if (length < 4 || length > client_message_limit(type)) {
      throw Error(sqlstate::kProtocolViolation, "invalid message length");
    }
    if (!connection_.need(size_t{1} + length)) client_has_gone();
    std::string_view body(connection_.data() + 5, length - 4);
    connection_.consume(size_t{1} + length);
    reading_message_ = false;
    if (message == ClientMessage::kCopyDone) return false;
    if (message == ClientMessage::kCopyFail) {
      MessageReader reader(body);
      throw Error(sqlstate::kQueryCanceled, "COPY from stdin failed: {}", reader.string());
    }
    if (message != ClientMessage::kCopyData) continue;  // Flush and Sync mean nothing here
    data.append(body);
    return true;
  }
}

void ClientBackend::begin_out(bool binary, int columns) {
  send_copy_begin(connection_.out(), ServerMessage::kCopyOutResponse, binary, columns);
}

void ClientBackend::write(std::string_view data) {
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kCopyData);
  out.add_bytes(data);
  out.end();
  connection_.flush_if_full();
}

void ClientBackend::end_out() {
  connection_.out().add_empty(ServerMessage::kCopyDone);
}

}  // namespace cofork
