// The protocol of the logger's pipe: a message cut into chunks that a pipe keeps whole, and put
// together again (syslogger.h and process_pipe_input in syslogger.c).
//
//   offset 0  two NUL bytes      what follows is a chunk, not stray output of some library
//          2  uint16 length      of the data
//          4  int32 pid          who wrote it: chunks of several writers may alternate
//          8  flags              last chunk of the message; where it goes
//          9  data
//
// A chunk is written by one write() of at most PIPE_BUF bytes, which the kernel does not split.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "log/log.h"

namespace cofork {

inline constexpr size_t kChunkBytes = 4096;  ///< PIPE_BUF of Linux
inline constexpr size_t kChunkHeaderBytes = 9;
inline constexpr size_t kChunkPayloadBytes = kChunkBytes - kChunkHeaderBytes;

enum ChunkFlag : uint8_t {
  kChunkIsLast = 0x01,
  kChunkToStderr = 0x10,
  kChunkToCsv = 0x20,
  kChunkToJson = 0x40,
};

/// Calls `write` once per chunk, in order.
void for_each_chunk(Pid pid, LogDestination destination, std::string_view message,
                    const std::function<void(std::string_view)>& write);

/// Takes bytes of the pipe as they come and gives back whole messages.
class ChunkAssembler {
 public:
  using Deliver = std::function<void(LogDestination, std::string_view)>;

  /// Delivers what has become complete; keeps an incomplete chunk for the next call. Bytes outside
  /// of chunks go to kStderr as they are.
  void take(std::string_view bytes, const Deliver& deliver);
  /// End of the pipe: what is left, complete or not, goes to kStderr (flush_pipe_input).
  void flush(const Deliver& deliver);

 private:
  std::string input_;
  std::unordered_map<Pid, std::string> unfinished_;  ///< messages whose last chunk is to come
};

}  // namespace cofork
