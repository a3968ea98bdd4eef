// MessageReader: takes a client's message apart (as pqformat.c, 15).
//
// Every read checks what is left. A message that is too short, too long or has a string without its
// NUL is an ERROR 08P01, after which the session goes on: the message's end was known.
#pragma once

#include <cstdint>
#include <string_view>

#include "support/bytes.h"
#include "support/error.h"

namespace cofork {

class MessageReader {
 public:
  explicit MessageReader(std::string_view body) : rest_(body) {}

  char byte() {
    need(1);
    return take(1)[0];
  }
  int16_t int16() {
    need(2);
    return load_be<int16_t>(take(2).data());
  }
  uint16_t uint16() { return static_cast<uint16_t>(int16()); }
  int32_t int32() {
    need(4);
    return load_be<int32_t>(take(4).data());
  }
  uint32_t uint32() { return static_cast<uint32_t>(int32()); }

  /// `count` raw bytes. A negative count is as wrong as one that is too large.
  std::string_view bytes(int32_t count) {
    if (count < 0 || static_cast<size_t>(count) > rest_.size()) throw insufficient();
    return take(static_cast<size_t>(count));
  }

  /// Up to a NUL, which is consumed but not part of the result (though it follows it in memory).
  std::string_view string() {
    size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      throw Error(sqlstate::kProtocolViolation, "invalid string in message");
    }
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  /// The whole message must have been read.
  void end() const {
    if (!rest_.empty()) throw Error(sqlstate::kProtocolViolation, "invalid message format");
  }
  size_t left() const { return rest_.size(); }

 private:
  void need(size_t count) const {
    if (rest_.size() < count) throw insufficient();
  }
  std::string_view take(size_t count) {
    std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  static Error insufficient() {
    return Error(sqlstate::kProtocolViolation, "insufficient data left in message");
  }

  std::string_view rest_;
};

}  // namespace cofork
