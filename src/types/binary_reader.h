// BinaryReader: takes a binary value apart, front to back (as pq_getmsg… in pqformat.c).
#pragma once

#include <string_view>

#include "support/bytes.h"
#include "support/error.h"

namespace cofork {

class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : rest_(bytes) {}

  /// The next integer, in network order. 08P01 when the value ends too early.
  template <typename T>
  T take() {
    return load_be<T>(take_bytes(sizeof(T)).data());
  }
  std::string_view take_bytes(size_t count) {
    if (rest_.size() < count) {
      throw Error(sqlstate::kProtocolViolation, "insufficient data left in message");
    }
    std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string_view take_rest() { return take_bytes(rest_.size()); }
  bool at_end() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }
  /// 22P03 when bytes are left over.
  void expect_end() const {
    if (!rest_.empty()) {
      throw Error(sqlstate::kInvalidBinaryRepresentation, "improper binary format");
    }
  }

 private:
  std::string_view rest_;
};

}  // namespace cofork
