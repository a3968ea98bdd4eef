// See pglz.h.
#include "support/pglz.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace cofork {

namespace {

constexpr size_t kLeastInput = 32;
constexpr size_t kGiveUpAfter = 1024;  ///< bytes without a single match
constexpr int kLongestMatch = 273;
constexpr int kFarthest = 4095;
constexpr int kGoodEnough = 128;    ///< a match this long ends the search …
constexpr int kSatisfiedDrop = 10;  ///< … and gets shorter by this percentage with every try
constexpr int kHistory = 4096;

/// The places seen lately, in lists by what the four bytes there hash to.
class History {
 public:
  History(std::string_view from) : from_(from) {
    size_t wanted = from.size() < 128    ? 512
                    : from.size() < 256  ? 1024
                    : from.size() < 512  ? 2048
                    : from.size() < 1024 ? 4096
                                         : 8192;
    mask_ = wanted - 1;
    heads_ = std::make_unique<int16_t[]>(wanted);
    entries_ = std::make_unique<Entry[]>(kHistory + 1);
  }

  struct Match {
    int length = 0;
    int offset = 0;
  };
  /// The longest match for what begins at `at`, within the limits of a reference.
  Match find(size_t at) const {
    Match best;
    int good = kGoodEnough;
    for (int16_t i = heads_[hash(at)]; i != 0; i = entries_[i].next) {
      auto offset = static_cast<int>(at - entries_[i].position);
      if (offset > kFarthest) break;
      int length = match_length(entries_[i].position, at, best.length);
      if (length > best.length) best = {length, offset};
      if (entries_[i].next == 0) break;
      if (best.length >= good) break;
      good -= good * kSatisfiedDrop / 100;
    }
    return best.length > 2 ? best : Match{};
  }

  void add(size_t at) {
    auto index = static_cast<int16_t>(next_);
    Entry& entry = entries_[index];
    if (recycling_) unlink(index);
    entry.bucket = static_cast<uint16_t>(hash(at));
    entry.position = at;
    entry.previous = 0;
    entry.next = heads_[entry.bucket];
    if (entry.next != 0) entries_[entry.next].previous = index;
    heads_[entry.bucket] = index;
    if (++next_ > kHistory) {
      next_ = 1;
      recycling_ = true;
    }
  }

 private:
  struct Entry {
    size_t position;
    int16_t next;
    int16_t previous;
    uint16_t bucket;
  };
  size_t hash(size_t at) const {
    auto byte = [&](size_t i) { return static_cast<unsigned>(from_[at + i]); };
    unsigned value = from_.size() - at < 4
                         ? byte(0)
                         : (byte(0) << 6) ^ (byte(1) << 4) ^ (byte(2) << 2) ^ byte(3);
    return value & mask_;
  }
  void unlink(int16_t index) {
    Entry& entry = entries_[index];
    if (entry.previous == 0) {
      heads_[entry.bucket] = entry.next;
    } else {
      entries_[entry.previous].next = entry.next;
    }
    if (entry.next != 0) entries_[entry.next].previous = entry.previous;
  }
  int match_length(size_t earlier, size_t at, int best) const {
    size_t most = std::min<size_t>(kLongestMatch, from_.size() - at);
    // A candidate that cannot beat the best so far is dismissed at its decisive byte.
    if (best > 0 &&
        (static_cast<size_t>(best) >= most ||
         from_[earlier + static_cast<size_t>(best)] != from_[at + static_cast<size_t>(best)])) {
      return 0;
    }
    size_t length = 0;
    while (length < most && from_[earlier + length] == from_[at + length]) ++length;
    return static_cast<int>(length);
  }

  std::string_view from_;
  size_t mask_;
  std::unique_ptr<int16_t[]> heads_;
  std::unique_ptr<Entry[]> entries_;
  int next_ = 1;
  bool recycling_ = false;
};

/// Writes items and their control bytes.
class Items {
 public:
  explicit Items(char* to) : begin_(to), end_(to), control_(nullptr) {}
  void literal(char byte) {
    next_item();
    *end_++ = byte;
  }
  void reference(int length, int offset) {
    next_item();
    *control_ = static_cast<char>(*control_ | (1 << (item_ - 1)));
    int stored = std::min(length, 18) - 3;
    *end_++ = static_cast<char>(((offset & 0xF00) >> 4) | stored);
    *end_++ = static_cast<char>(offset & 0xFF);
    if (length > 17) *end_++ = static_cast<char>(length - 18);
  }
  size_t bytes() const { return static_cast<size_t>(end_ - begin_); }

 private:
  void next_item() {
    if (item_ == 8 || control_ == nullptr) {
      control_ = end_++;
      *control_ = 0;
      item_ = 0;
    }
    ++item_;
  }
  char* begin_;
  char* end_;
  char* control_;
  int item_ = 0;
};

}  // namespace

std::optional<size_t> pglz_compress(std::string_view from, char* to) {
  if (from.size() < kLeastInput || from.size() > 0x7FFFFFFF) return std::nullopt;
  size_t most = from.size() - from.size() / 4;
  History history(from);
  Items items(to);
  bool found = false;
  size_t at = 0;
  while (at < from.size()) {
    if (items.bytes() >= most || (!found && items.bytes() >= kGiveUpAfter)) return std::nullopt;
    History::Match match = history.find(at);
    if (match.length > 0) {
      items.reference(match.length, match.offset);
      for (int i = 0; i < match.length; ++i) history.add(at++);
      found = true;
    } else {
      items.literal(from[at]);
      history.add(at++);
    }
  }
  if (items.bytes() >= most) return std::nullopt;
  return items.bytes();
}

bool pglz_decompress(std::string_view from, char* to, size_t count, bool prefix) {
  size_t at = 0;
  size_t made = 0;
  while (at < from.size() && made < count) {
    auto control = static_cast<uint8_t>(from[at++]);
    for (int i = 0; i < 8 && at < from.size() && made < count; ++i, control >>= 1) {
      if ((control & 1) == 0) {
        to[made++] = from[at++];
        continue;
      }
      if (from.size() - at < 2) return false;
      auto first = static_cast<uint8_t>(from[at]);
      size_t length = (first & 0x0F) + 3u;
      size_t offset = ((first & 0xF0u) << 4) | static_cast<uint8_t>(from[at + 1]);
      at += 2;
      if (length == 18) {
        if (at >= from.size()) return false;
        length += static_cast<uint8_t>(from[at++]);
      }
      if (offset == 0 || offset > made) return false;
      length = std::min(length, count - made);
      // Byte by byte: what is copied may begin within what is being written.
      for (; length > 0; --length, ++made) to[made] = to[made - offset];
    }
  }
  return made == count && (prefix || at == from.size());
}

}  // namespace cofork
