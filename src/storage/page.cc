// See page.h.
#include "storage/page.h"

#include <array>
#include <cstring>

#include "log/log.h"
#include "support/error.h"

namespace cofork {

namespace {

/// An item that stays on the page while it is packed.
struct KeptItem {
  OffsetNumber number;
  uint16_t offset;
  uint16_t aligned_bytes;
};

/// Item ids that fit on a page, were it to hold nothing else.
constexpr size_t kItemIdsMax = (kPageBytes - kPageHeaderBytes) / sizeof(ItemId);

Error corrupted_pointers(const PageHeader& header) {
  return Error(sqlstate::kDataCorrupted,
               "corrupted page pointers: lower = {}, upper = {}, special = {}", header.lower,
               header.upper, header.special);
}

bool pointers_are_sane(const PageHeader& header) {
  return header.lower >= kPageHeaderBytes && header.lower <= header.upper &&
         header.upper <= header.special && header.special <= kPageBytes;
}

/// Before items are moved about in a shared buffer: a bad length would spoil its neighbours.
void require_sane_pointers(const PageHeader& header) {
  if (!pointers_are_sane(header) || header.special != align8(header.special)) {
    throw corrupted_pointers(header);
  }
}

void warn(std::string message) {
  ErrorData warning;
  warning.severity = Severity::kWarning;
  warning.sqlstate = sqlstate::kInternalError;
  warning.message = std::move(message);
  report(warning);
}

/// The first unused item id; one past the last when there is none.
OffsetNumber find_unused(Page page, OffsetNumber end) {
  if ((page_header(page).flags & kPageHasFreeLines) == 0) return end;
  for (OffsetNumber number = kFirstOffset; number < end; ++number) {
    ItemId id = page_item_id(page, number);
    if (!id.is_used() && !id.has_storage()) return number;
  }
  set_page_flag(page, kPageHasFreeLines, false);  // the hint was wrong
  return end;
}

/// Lays the kept items against the special space, the first one last, and sets pd_upper.
void pack_items(Page page, std::span<const KeptItem> items) {
  PageHeader& header = page_header(page);
  // Items may have to move past each other: they are taken from a copy.
  alignas(8) char copy[kPageBytes];
  std::memcpy(copy + header.upper, page + header.upper, header.special - header.upper);
  uint32_t upper = header.special;
  for (const KeptItem& item : items) {
    upper -= item.aligned_bytes;
    std::memcpy(page + upper, copy + item.offset, item.aligned_bytes);
    page_item_id(page, item.number).set_offset(upper);
  }
  header.upper = static_cast<uint16_t>(upper);
}

void require_room(const PageHeader& header, size_t total) {
  uint32_t room = header.special - header.lower;
  if (total > room) {
    throw Error(sqlstate::kDataCorrupted, "corrupted item lengths: total {}, available space {}",
                total, room);
  }
}

/// An index item must lie between upper and special, aligned.
void require_sane_item(const PageHeader& header, ItemId id) {
  if (id.offset() < header.upper || id.offset() + id.length() > header.special ||
      id.offset() != align8(id.offset())) {
    throw Error(sqlstate::kDataCorrupted, "corrupted line pointer: offset = {}, size = {}",
                id.offset(), id.length());
  }
}

void require_number(Page page, OffsetNumber number) {
  if (number == kInvalidOffset || number > page_item_count(page)) {
    throw Error(sqlstate::kInternalError, "invalid index offnum: {}", number);
  }
}

/// Items below `offset` move up by `bytes`; ids of items with storage follow.
void shift_items_below(Page page, uint32_t offset, int32_t bytes) {
  PageHeader& header = page_header(page);
  char* from = page + header.upper;
  std::memmove(from + bytes, from, offset - header.upper);
  header.upper = static_cast<uint16_t>(header.upper + bytes);
  for (OffsetNumber n = kFirstOffset; n <= page_item_count(page); ++n) {
    ItemId& id = page_item_id(page, n);
    if (id.has_storage() && id.offset() <= offset) {
      id.set_offset(static_cast<uint32_t>(static_cast<int32_t>(id.offset()) + bytes));
    }
  }
}

}  // namespace

void page_init(Page page, uint32_t special_bytes) {
  std::memset(page, 0, kPageBytes);
  PageHeader& header = page_header(page);
  header.lower = kPageHeaderBytes;
  header.upper = header.special = static_cast<uint16_t>(kPageBytes - align8(special_bytes));
  header.size_and_version = kPageSizeAndVersion;
}

OffsetNumber page_add_item(Page page, const void* item, uint32_t bytes, OffsetNumber where,
                           uint32_t flags) {
  PageHeader& header = page_header(page);
  if (!pointers_are_sane(header)) throw corrupted_pointers(header).severity(Severity::kPanic);
  auto end = static_cast<OffsetNumber>(page_item_count(page) + 1);
  bool shift = false;
  if (where == kInvalidOffset) {
    where = find_unused(page, end);
  } else if ((flags & kPageAddOverwrite) == 0) {
    shift = where < end;
  } else if (where < end) {
    ItemId id = page_item_id(page, where);
    if (id.is_used() || id.has_storage()) {
      warn("will not overwrite a used ItemId");
      return kInvalidOffset;
    }
  }
  if (where > end) {
    warn("specified item offset is too large");
    return kInvalidOffset;
  }
  if ((flags & kPageAddHeap) != 0 && where > kMaxHeapTuplesPerPage) {
    warn("can't put more than MaxHeapTuplesPerPage items in a heap page");
    return kInvalidOffset;
  }
  uint32_t lower = header.lower + (where == end || shift ? uint32_t{sizeof(ItemId)} : 0);
  size_t aligned = align8(bytes);
  if (lower + aligned > header.upper) return kInvalidOffset;
  auto upper = static_cast<uint32_t>(header.upper - aligned);

  ItemId* id = &page_item_id(page, where);
  if (shift) std::memmove(id + 1, id, static_cast<size_t>(end - where) * sizeof(ItemId));
  id->set_normal(upper, bytes);
  std::memcpy(page + upper, item, bytes);
  header.lower = static_cast<uint16_t>(lower);
  header.upper = static_cast<uint16_t>(upper);
  return where;
}

uint32_t page_exact_free_space(ConstPage page) {
  const PageHeader& header = page_header(page);
  return header.upper > header.lower ? header.upper - uint32_t{header.lower} : 0;
}

uint32_t page_free_space_for(ConstPage page, uint32_t items) {
  uint32_t space = page_exact_free_space(page);
  uint32_t ids = items * uint32_t{sizeof(ItemId)};
  return space < ids ? 0 : space - ids;
}

uint32_t page_free_space(ConstPage page) {
  return page_free_space_for(page, 1);
}

uint32_t page_heap_free_space(ConstPage page) {
  uint32_t space = page_free_space(page);
  OffsetNumber count = page_item_count(page);
  if (space == 0 || count < kMaxHeapTuplesPerPage) return space;
  // Full of item ids: only an unused one can take another row. Without the hint there is none.
  if ((page_header(page).flags & kPageHasFreeLines) == 0) return 0;
  for (OffsetNumber n = kFirstOffset; n <= count; ++n) {
    if (!page_item_id(page, n).is_used()) return space;
  }
  return 0;
}

void page_repair_fragmentation(Page page) {
  PageHeader& header = page_header(page);
  require_sane_pointers(header);
  std::array<KeptItem, kItemIdsMax> kept;
  size_t kept_count = 0;
  size_t total = 0;
  bool some_unused = false;
  for (OffsetNumber n = kFirstOffset; n <= page_item_count(page); ++n) {
    ItemId& id = page_item_id(page, n);
    if (!id.is_used()) {
      id.set_unused();
      some_unused = true;
    } else if (id.has_storage()) {
      if (id.offset() < header.upper || id.offset() >= header.special) {
        throw Error(sqlstate::kDataCorrupted, "corrupted line pointer: {}", id.offset());
      }
      auto aligned = static_cast<uint16_t>(align8(id.length()));
      kept[kept_count++] = {n, static_cast<uint16_t>(id.offset()), aligned};
      total += aligned;
    }
  }
  require_room(header, total);
  pack_items(page, {kept.data(), kept_count});
  set_page_flag(page, kPageHasFreeLines, some_unused);
}

void page_truncate_item_ids(Page page) {
  OffsetNumber count = page_item_count(page);
  OffsetNumber keep = count;
  while (keep > 1 && !page_item_id(page, keep).is_used()) --keep;
  bool some_unused = false;
  for (OffsetNumber n = kFirstOffset; n <= keep && !some_unused; ++n) {
    some_unused = !page_item_id(page, n).is_used();
  }
  PageHeader& header = page_header(page);
  header.lower = static_cast<uint16_t>(header.lower - (count - keep) * sizeof(ItemId));
  set_page_flag(page, kPageHasFreeLines, some_unused);
}

void page_index_tuple_delete(Page page, OffsetNumber number) {
  PageHeader& header = page_header(page);
  require_sane_pointers(header);
  require_number(page, number);
  ItemId gone = page_item_id(page, number);
  require_sane_item(header, gone);
  ItemId* place = &page_item_id(page, number);
  auto after = static_cast<size_t>(page_item_count(page) - number);
  std::memmove(place, place + 1, after * sizeof(ItemId));
  header.lower = static_cast<uint16_t>(header.lower - sizeof(ItemId));
  shift_items_below(page, gone.offset(), static_cast<int32_t>(align8(gone.length())));
}

void page_index_multi_delete(Page page, std::span<const OffsetNumber> numbers) {
  PageHeader& header = page_header(page);
  // For a few, one at a time moves less.
  if (numbers.size() <= 2) {
    for (size_t i = numbers.size(); i-- > 0;) page_index_tuple_delete(page, numbers[i]);
    return;
  }
  require_sane_pointers(header);
  std::array<KeptItem, kItemIdsMax> kept;
  std::array<ItemId, kItemIdsMax> ids;
  size_t kept_count = 0;
  size_t total = 0;
  size_t next_gone = 0;
  for (OffsetNumber n = kFirstOffset; n <= page_item_count(page); ++n) {
    ItemId id = page_item_id(page, n);
    require_sane_item(header, id);
    if (next_gone < numbers.size() && n == numbers[next_gone]) {
      ++next_gone;
      continue;
    }
    auto aligned = static_cast<uint16_t>(align8(id.length()));
    ids[kept_count] = id;
    kept[kept_count] = {static_cast<OffsetNumber>(kept_count + 1),
                        static_cast<uint16_t>(id.offset()), aligned};
    ++kept_count;
    total += aligned;
  }
  if (next_gone != numbers.size()) {
    throw Error(sqlstate::kInternalError, "incorrect index offsets supplied");
  }
  require_room(header, total);
  std::memcpy(page + kPageHeaderBytes, ids.data(), kept_count * sizeof(ItemId));
  header.lower = static_cast<uint16_t>(kPageHeaderBytes + kept_count * sizeof(ItemId));
  pack_items(page, {kept.data(), kept_count});
}

bool page_index_tuple_overwrite(Page page, OffsetNumber number, const void* item, uint32_t bytes) {
  PageHeader& header = page_header(page);
  require_sane_pointers(header);
  require_number(page, number);
  ItemId& id = page_item_id(page, number);
  require_sane_item(header, id);
  auto old_bytes = static_cast<int32_t>(align8(id.length()));
  auto new_bytes = static_cast<int32_t>(align8(bytes));
  if (new_bytes > old_bytes + (header.upper - header.lower)) return false;
  // The item itself moves along, so that it ends where it ended.
  if (old_bytes != new_bytes) shift_items_below(page, id.offset(), old_bytes - new_bytes);
  id.set(id.state(), id.offset(), bytes);
  std::memcpy(page + id.offset(), item, bytes);
  return true;
}

// --- checksum

namespace {

/// The checksum is 32 FNV-1a hashes side by side, one a column of 32-bit words. The compiler makes
/// vector instructions of arithmetic on these types.
using Lanes4 [[gnu::vector_size(16)]] = uint32_t;
using Lanes8 [[gnu::vector_size(32)]] = uint32_t;
constexpr size_t kLaneCount = 32;
constexpr size_t kRowBytes = kLaneCount * sizeof(uint32_t);

constexpr uint32_t kFnvPrime = 16777619;
constexpr int kFoldShift = 17;
constexpr uint32_t kLargestChecksum = 65535;

constexpr std::array<uint32_t, kLaneCount> kLaneSeeds = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

template <typename Lanes>
[[gnu::always_inline]] inline void load(Lanes& lanes, const char* from) {
  std::memcpy(&lanes, from, sizeof lanes);
}
template <typename Lanes>
[[gnu::always_inline]] inline void mix(Lanes& sums, const Lanes& words) {
  Lanes mixed = sums ^ words;
  sums = (mixed * kFnvPrime) ^ (mixed >> kFoldShift);
}
template <typename Lanes>
[[gnu::always_inline]] inline void mix_in(Lanes& sums, const char* from) {
  Lanes words;
  load(words, from);
  mix(sums, words);
}

/// The hashes of a page, folded into one word. Four vectors at a time: as many as stay in registers
/// while the rows go by.
template <typename Lanes>
[[gnu::always_inline]] inline uint32_t fold_page(ConstPage page) {
  constexpr size_t kStripe = 4 * sizeof(Lanes);
  // The checksum's own field counts as zero: the first row is read from a copy.
  alignas(32) char first_row[kRowBytes];
  std::memcpy(first_row, page, kRowBytes);
  std::memset(first_row + offsetof(PageHeader, checksum), 0, sizeof(PageHeader::checksum));
  Lanes folded{};
  for (size_t column = 0; column < kRowBytes; column += kStripe) {
    const char* seeds = reinterpret_cast<const char*>(kLaneSeeds.data()) + column;
    Lanes a, b, c, d;
    load(a, seeds);
    load(b, seeds + sizeof a);
    load(c, seeds + 2 * sizeof a);
    load(d, seeds + 3 * sizeof a);
    for (size_t row = 0; row < kPageBytes; row += kRowBytes) {
      const char* words = (row == 0 ? first_row : page + row) + column;
      mix_in(a, words);
      mix_in(b, words + sizeof a);
      mix_in(c, words + 2 * sizeof a);
      mix_in(d, words + 3 * sizeof a);
    }
    // Two more rows, of zeros: mix the last one in.
    for (int round = 0; round < 2; ++round) {
      mix(a, Lanes{});
      mix(b, Lanes{});
      mix(c, Lanes{});
      mix(d, Lanes{});
    }
    folded ^= a ^ b ^ c ^ d;
  }
  uint32_t word = 0;
  for (size_t lane = 0; lane < sizeof(Lanes) / sizeof(uint32_t); ++lane) word ^= folded[lane];
  return word;
}

// The same code for two kinds of CPU: multiplying 32-bit lanes takes one instruction with AVX2, and
// several with what every x86-64 has.
[[gnu::target("avx2")]] uint32_t fold_page_avx2(ConstPage page) {
  return fold_page<Lanes8>(page);
}
uint32_t fold_page_anywhere(ConstPage page) {
  return fold_page<Lanes4>(page);
}

}  // namespace

uint16_t page_checksum(ConstPage page, BlockNumber block) {
  uint32_t folded =
      __builtin_cpu_supports("avx2") ? fold_page_avx2(page) : fold_page_anywhere(page);
  return static_cast<uint16_t>((folded ^ block) % kLargestChecksum + 1);
}

void page_set_checksum(Page page, BlockNumber block) {
  if (!page_is_new(page)) page_header(page).checksum = page_checksum(page, block);
}

PageCheck page_verify(ConstPage page, BlockNumber block, bool checksums, bool ignore_failure) {
  PageCheck check;
  const PageHeader& header = page_header(page);
  bool header_is_sane = false;
  if (!page_is_new(page)) {
    if (checksums) {
      check.calculated = page_checksum(page, block);
      check.expected = header.checksum;
      check.checksum_failed = check.calculated != check.expected;
    }
    header_is_sane = (header.flags & ~kPageAllFlags) == 0 && header.lower <= header.upper &&
                     header.upper <= header.special && header.special <= kPageBytes &&
                     header.special == align8(header.special);
    if (header_is_sane && !check.checksum_failed) return check;
  }
  static constexpr std::array<char, kPageBytes> kZeros{};
  if (std::memcmp(page, kZeros.data(), kPageBytes) == 0) {
    check.checksum_failed = false;
    return check;
  }
  check.valid = check.checksum_failed && header_is_sane && ignore_failure;
  return check;
}

}  // namespace cofork
