// See chunk.h.
#include "log/chunk.h"

#include <algorithm>
#include <optional>

#include "support/bytes.h"

namespace cofork {
namespace {

struct Header {
  uint16_t length;
  Pid pid;
  uint8_t flags;
};

uint8_t flag_of(LogDestination destination) {
  switch (destination) {
    case LogDestination::kStderr:
      return kChunkToStderr;
    case LogDestination::kCsv:
      return kChunkToCsv;
    case LogDestination::kJson:
      return kChunkToJson;
  }
  return kChunkToStderr;
}

std::optional<LogDestination> destination_of(uint8_t flags) {
  switch (flags & (kChunkToStderr | kChunkToCsv | kChunkToJson)) {
    case kChunkToStderr:
      return LogDestination::kStderr;
    case kChunkToCsv:
      return LogDestination::kCsv;
    case kChunkToJson:
      return LogDestination::kJson;
    default:
      return std::nullopt;  // none or several: not a chunk
  }
}

/// The header at the start of `bytes`, if that is one.
std::optional<Header> header_at(std::string_view bytes) {
  if (bytes.size() < kChunkHeaderBytes || bytes[0] != '\0' || bytes[1] != '\0') return std::nullopt;
  Header header{load_le<uint16_t>(bytes.data() + 2), load_le<int32_t>(bytes.data() + 4),
                static_cast<uint8_t>(bytes[8])};
  bool is_sane = header.length > 0 && header.length <= kChunkPayloadBytes && header.pid != 0 &&
                 destination_of(header.flags);
  return is_sane ? std::optional(header) : std::nullopt;
}

}  // namespace

void for_each_chunk(Pid pid, LogDestination destination, std::string_view message,
                    const std::function<void(std::string_view)>& write) {
  char chunk[kChunkBytes] = {};
  store_le(chunk + 4, pid);
  while (!message.empty()) {
    size_t length = std::min(message.size(), kChunkPayloadBytes);
    bool is_last = length == message.size();
    store_le(chunk + 2, static_cast<uint16_t>(length));
    chunk[8] = static_cast<char>(flag_of(destination) | (is_last ? kChunkIsLast : 0));
    std::copy_n(message.data(), length, chunk + kChunkHeaderBytes);
    write({chunk, kChunkHeaderBytes + length});
    message.remove_prefix(length);
  }
}

void ChunkAssembler::take(std::string_view bytes, const Deliver& deliver) {
  input_ += bytes;
  std::string_view rest = input_;
  while (rest.size() >= kChunkHeaderBytes) {
    std::optional<Header> header = header_at(rest);
    if (!header) {
      // Stray output: up to the next NUL, where a chunk may begin.
      size_t end = std::min(rest.find('\0', 1), rest.size());
      deliver(LogDestination::kStderr, rest.substr(0, end));
      rest.remove_prefix(end);
      continue;
    }
    if (rest.size() < kChunkHeaderBytes + header->length) break;
    std::string_view data = rest.substr(kChunkHeaderBytes, header->length);
    rest.remove_prefix(kChunkHeaderBytes + header->length);
    auto before = unfinished_.find(header->pid);
    if ((header->flags & kChunkIsLast) == 0) {
      unfinished_[header->pid] += data;
    } else if (before == unfinished_.end()) {
      deliver(*destination_of(header->flags), data);
    } else {
      before->second += data;
      deliver(*destination_of(header->flags), before->second);
      unfinished_.erase(before);
    }
  }
  // Too short for a header, and no beginning of one: nothing to wait for.
  if (!rest.empty() && rest[0] != '\0') {
    size_t end = std::min(rest.find('\0'), rest.size());
    if (end < kChunkHeaderBytes && rest.size() < kChunkHeaderBytes) {
      deliver(LogDestination::kStderr, rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  input_.erase(0, input_.size() - rest.size());
}

void ChunkAssembler::flush(const Deliver& deliver) {
  for (const auto& [pid, text] : unfinished_) deliver(LogDestination::kStderr, text);
  unfinished_.clear();
  if (!input_.empty()) deliver(LogDestination::kStderr, input_);
  input_.clear();
}

}  // namespace cofork
