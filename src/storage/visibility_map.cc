// See visibility_map.h.
#include "storage/visibility_map.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "storage/map_fork.h"
#include "storage/relation_files.h"
#include "support/bytes.h"

namespace cofork {

namespace {

constexpr ForkNumber kThisFork = ForkNumber::kVisibilityMap;
constexpr uint32_t kMapBytes = kPageBytes - kPageHeaderBytes;
constexpr uint32_t kHeapPagesPerByte = 4;
constexpr uint32_t kHeapPagesPerPage = kMapBytes * kHeapPagesPerByte;

BlockNumber map_block(BlockNumber heap_block) {
  return heap_block / kHeapPagesPerPage;
}

struct MapPlace {
  uint32_t byte;
  int shift;
};
MapPlace place_of(BlockNumber heap_block) {
  uint32_t in_page = heap_block % kHeapPagesPerPage;
  return {kPageHeaderBytes + in_page / kHeapPagesPerByte,
          static_cast<int>(in_page % kHeapPagesPerByte) * 2};
}

bool covers(const Buffer& map_page, const RelationFile& file, BlockNumber block) {
  return map_page.is_valid() && map_page.block() == block && map_page.tag().file == file;
}

}  // namespace

void visibility_map_pin(const RelationFile& file, BlockNumber heap_block, Buffer& map_page) {
  BlockNumber block = map_block(heap_block);
  if (covers(map_page, file, block)) return;
  map_page.release();
  map_page = read_map_fork(file, kThisFork, block, true);
}

bool visibility_map_pin_covers(const Buffer& map_page, BlockNumber heap_block) {
  return map_page.is_valid() && map_page.block() == map_block(heap_block);
}

bool visibility_map_clear(const RelationFile& file, BlockNumber heap_block, Buffer& map_page,
                          uint8_t bits) {
  visibility_map_pin(file, heap_block, map_page);
  MapPlace place = place_of(heap_block);
  map_page.lock_exclusive();
  auto& byte = reinterpret_cast<uint8_t&>(map_page.page()[place.byte]);
  auto mask = static_cast<uint8_t>(bits << place.shift);
  bool was_set = (byte & mask) != 0;
  if (was_set) {
    byte = static_cast<uint8_t>(byte & ~mask);
    map_page.mark_dirty();
  }
  map_page.unlock();
  return was_set;
}

bool set_visibility_bits(Page map, BlockNumber heap_block, uint8_t bits) {
  MapPlace place = place_of(heap_block);
  auto& byte = reinterpret_cast<uint8_t&>(map[place.byte]);
  auto mask = static_cast<uint8_t>(bits << place.shift);
  if ((byte & mask) == mask) return false;
  byte = static_cast<uint8_t>(byte | mask);
  return true;
}

uint8_t visibility_map_status(const RelationFile& file, BlockNumber heap_block, Buffer& map_page) {
  BlockNumber block = map_block(heap_block);
  if (!covers(map_page, file, block)) {
    map_page.release();
    map_page = read_map_fork(file, kThisFork, block, false);
    if (!map_page.is_valid()) return 0;
  }
  MapPlace place = place_of(heap_block);
  auto byte = std::atomic_ref(reinterpret_cast<uint8_t&>(map_page.page()[place.byte]))
                  .load(std::memory_order_relaxed);
  return static_cast<uint8_t>((byte >> place.shift) & kVmAllBits);
}

VisibilityCounts visibility_map_count(const RelationFile& file) {
  VisibilityCounts counts;
  for (BlockNumber block = 0;; ++block) {
    Buffer buffer = read_map_fork(file, kThisFork, block, false);
    if (!buffer.is_valid()) return counts;
    for (uint32_t at = kPageHeaderBytes; at < kPageBytes; at += 8) {
      auto word = load_le<uint64_t>(buffer.page() + at);
      counts.all_visible += static_cast<uint32_t>(std::popcount(word & 0x5555555555555555u));
      counts.all_frozen += static_cast<uint32_t>(std::popcount(word & 0xAAAAAAAAAAAAAAAAu));
    }
  }
}

BlockNumber visibility_map_prepare_truncate(const RelationFile& file, BlockNumber heap_blocks) {
  if (!relation_file_exists(file, kThisFork)) return kInvalidBlock;
  BlockNumber block = map_block(heap_blocks);
  MapPlace place = place_of(heap_blocks);
  if (place.byte != kPageHeaderBytes || place.shift != 0) {
    Buffer buffer = read_map_fork(file, kThisFork, block, false);
    if (!buffer.is_valid()) return kInvalidBlock;
    buffer.lock_exclusive();
    char* page = buffer.page();
    std::memset(page + place.byte + 1, 0, kPageBytes - place.byte - 1);
    page[place.byte] = static_cast<char>(page[place.byte] & ((1 << place.shift) - 1));
    buffer.mark_dirty();
    ++block;
  }
  return relation_blocks(file, kThisFork) <= block ? kInvalidBlock : block;
}

}  // namespace cofork
