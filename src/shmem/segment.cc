// See segment.h.
#include "shmem/segment.h"

#include <cassert>
#include <cstring>

namespace cofork {

namespace {

constexpr size_t kSpareBytes = 100 * 1000;  // as CalculateShmemSize: for what nobody counted
constexpr size_t kSegmentRounding = 8192;

constexpr size_t round_up(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

size_t segment_size(std::span<const AreaSpec> specs, const Limits& limits) {
  size_t bytes = round_up(sizeof(SegmentHeader), kAreaAlignment) + kSpareBytes;
  for (const AreaSpec& spec : specs) bytes += round_up(spec.size(limits), kAreaAlignment);
  return round_up(bytes, kSegmentRounding);
}

void lay_out_segment(void* base, size_t bytes, std::span<const AreaSpec> specs,
                     const Limits& limits, Pid creator, uint64_t data_directory_device,
                     uint64_t data_directory_inode) {
  char* memory = static_cast<char*>(base);
  auto& header = *new (base) SegmentHeader{};
  header.magic = SegmentHeader::kMagic;
  header.creator = creator;
  header.total_size = bytes;
  header.data_directory_device = data_directory_device;
  header.data_directory_inode = data_directory_inode;
  header.limits = limits;
  header.area_count = kAreaCount;

  const AreaSpec* by_area[kAreaCount] = {};
  for (const AreaSpec& spec : specs) {
    assert(by_area[static_cast<size_t>(spec.area)] == nullptr);
    by_area[static_cast<size_t>(spec.area)] = &spec;
  }
  uint64_t offset = round_up(sizeof(SegmentHeader), kAreaAlignment);
  for (size_t i = 0; i < kAreaCount; ++i) {
    if (by_area[i] == nullptr) continue;
    AreaInfo& info = header.areas[i];
    std::strncpy(info.name, by_area[i]->name, sizeof info.name - 1);
    info.anonymous = by_area[i]->anonymous;
    info.offset = offset;
    info.size = by_area[i]->size(limits);
    info.allocated_size = round_up(info.size, kAreaAlignment);
    offset += info.allocated_size;
    assert(offset <= bytes);
    by_area[i]->init(memory + info.offset, limits);
  }
  header.free_offset = offset;
}

std::vector<AllocationRow> segment_allocations(const SharedMemory& memory) {
  std::vector<AllocationRow> rows;
  const SegmentHeader& header = memory.header();
  uint64_t named = 0;
  for (const AreaInfo& area : memory.areas()) {
    if (area.size == 0 || area.anonymous) continue;
    rows.push_back({area.name, true, true, area.offset, area.size, area.allocated_size});
    named += area.allocated_size;
  }
  uint64_t anonymous = header.free_offset - named;
  rows.push_back({"<anonymous>", true, false, 0, anonymous, anonymous});
  uint64_t free = header.total_size - header.free_offset;
  rows.push_back({"", false, true, header.free_offset, free, free});
  return rows;
}

}  // namespace cofork
