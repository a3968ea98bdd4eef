// OutputBuffer: messages to a client, put together in place and sent in as few pieces as possible.
//
//   out.begin(ServerMessage::kReadyForQuery);
//   out.add_byte('I');
//   out.end();
//
// One string holds everything that has not been sent. A value's text goes straight into it (text()
// gives the string to output functions), so a row is written once and copied by the kernel only.
// A message that was begun and not ended, because an output function threw, is dropped by the next
// begin(): what is complete() can always be sent.
//
// No system call here: wire/connection.h sends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/bytes.h"
#include "types/encoding.h"
#include "wire/protocol.h"

namespace cofork {

class OutputBuffer {
 public:
  /// A full buffer is sent without waiting for the end of the command (as PQ_SEND_BUFFER_SIZE).
  static constexpr size_t kFullBytes = 8192;

  OutputBuffer() { text_.reserve(kIdleBytes); }
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;

  void begin(ServerMessage type) {
    building_ = true;
    text_.resize(complete_);
    text_.push_back(static_cast<char>(type));
    text_.append(4, '\0');
  }
  void end() {
    size_t length = text_.size() - complete_ - 1;
    store_be(text_.data() + complete_ + 1, static_cast<uint32_t>(length));
    complete_ = text_.size();
    building_ = false;
  }

  void add_byte(char v) { text_.push_back(v); }
  void add_int16(int v) { append_be(text_, static_cast<uint16_t>(v)); }
  void add_int32(uint32_t v) { append_be(text_, v); }
  void add_bytes(std::string_view bytes) { text_.append(bytes); }
  /// With the terminating NUL.
  void add_string(std::string_view text) {
    size_t start = text_.size();
    text_.append(text);
    convert_from(start);
    text_.push_back('\0');
  }

  /// A counted value in three steps: `mark = open_value()`, append to text(), `close_value(mark)`.
  size_t open_value() {
    text_.append(4, '\0');
    return text_.size();
  }
  /// Text that was appended from `start` on is put into the client's encoding; may throw 22P05.
  void convert_from(size_t start) {
    if (encoding_ == Encoding::kLatin1) latin1_of_utf8(text_, start);
  }
  void close_value(size_t mark) {
    store_be(text_.data() + mark - 4, static_cast<uint32_t>(text_.size() - mark));
  }
  std::string& text() { return text_; }

  /// What the client reads; strings and values are converted to it from now on.
  void set_encoding(Encoding encoding) { encoding_ = encoding; }

  /// A message without a body.
  void add_empty(ServerMessage type) {
    begin(type);
    end();
  }
  /// Bytes that are no version 3 message: the answer to SSLRequest, the error for protocol 2.
  void add_raw(std::string_view bytes) {
    building_ = true;
    text_.resize(complete_);
    text_.append(bytes);
    complete_ = text_.size();
    building_ = false;
  }

  /// What is complete and not yet sent.
  std::string_view unsent() const { return {text_.data() + sent_, complete_ - sent_}; }
  bool full() const { return complete_ - sent_ >= kFullBytes; }
  bool empty() const { return complete_ == sent_; }
  /// Is the client between two messages, that is, may something foreign be sent to it?
  bool sent_nothing_of_unsent() const { return sent_ == 0; }
  /// True while the string may be moving: a signal handler must not touch it (fork model).
  bool building() const { return building_; }

  void mark_sent(size_t bytes) {
    sent_ += bytes;
    if (sent_ == complete_) drop();
  }
  /// Forgets everything that was not sent: the client is gone.
  void drop() {
    building_ = true;
    text_.clear();
    sent_ = complete_ = 0;
    building_ = false;
  }
  /// Gives memory back that a large answer took. Called when the session becomes idle.
  void shrink();
  size_t capacity() const { return text_.capacity(); }

 private:
  static constexpr size_t kIdleBytes = 1024;  ///< the answer to a short query fits
  static constexpr size_t kKeptBytes = 4096;  ///< the most that an idle session keeps

  std::string text_;
  size_t sent_ = 0;      ///< bytes at the front that the kernel has
  size_t complete_ = 0;  ///< end of the last complete message
  volatile bool building_ = false;
  Encoding encoding_ = Encoding::kUtf8;
};

}  // namespace cofork
