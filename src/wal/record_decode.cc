// Taking records apart: see record.h.
#include <cassert>
#include <cstring>

#include "support/bytes.h"
#include "wal/record.h"

namespace cofork {

namespace {

/// Walks the sub-headers: every take() checks that the bytes are there.
class Cursor {
 public:
  Cursor(const char* at, const char* end) : at_(at), end_(end) {}
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  template <typename T>
  bool take(T& value) {
    if (left() < sizeof(T)) return false;
    value = load_le<T>(at_);
    at_ += sizeof(T);
    return true;
  }
  std::string_view take_bytes(size_t count) {
    assert(count <= left());
    std::string_view bytes(at_, count);
    at_ += count;
    return bytes;
  }

 private:
  const char* at_;
  const char* end_;
};

struct Lengths {
  uint16_t data = 0;
  uint16_t image = 0;
};

const std::string kOk;

std::string invalid_length(Lsn start) {
  return fmt::format("record with invalid length at {}", start);
}

std::string check_image(const DecodedBlock& block, uint16_t length, Lsn start) {
  bool compressed = (block.image_info & kWalImageCompressed) != 0;
  if (block.image_info & kWalImageHasHole) {
    if (block.hole_offset == 0 || block.hole_length == 0 || length == kWalPageBytes) {
      return fmt::format(
          "BKPIMAGE_HAS_HOLE set, but hole offset {} length {} block image length {} at {}",
          block.hole_offset, block.hole_length, length, start);
    }
  } else if (block.hole_offset != 0 || block.hole_length != 0) {
    return fmt::format("BKPIMAGE_HAS_HOLE not set, but hole offset {} length {} at {}",
                       block.hole_offset, block.hole_length, start);
  }
  if (compressed && length == kWalPageBytes) {
    return fmt::format("BKPIMAGE_COMPRESSED set, but block image length {} at {}", length, start);
  }
  if (!compressed && !(block.image_info & kWalImageHasHole) && length != kWalPageBytes) {
    return fmt::format(
        "neither BKPIMAGE_HAS_HOLE nor BKPIMAGE_COMPRESSED set, but block image length is {} at {}",
        length, start);
  }
  return kOk;
}

std::string decode_image_header(Cursor& in, DecodedBlock& block, uint16_t& length, Lsn start) {
  if (!in.take(length) || !in.take(block.hole_offset) || !in.take(block.image_info)) {
    return invalid_length(start);
  }
  block.apply_image = (block.image_info & kWalImageApply) != 0;
  bool compressed = (block.image_info & kWalImageCompressed) != 0;
  if (block.image_info & kWalImageHasHole) {
    if (compressed) {
      if (!in.take(block.hole_length)) return invalid_length(start);
    } else {
      block.hole_length = static_cast<uint16_t>(kWalPageBytes - length);
    }
  }
  std::string complaint = check_image(block, length, start);
  if (!complaint.empty()) return complaint;
  // A hole that runs past the page would let restore_wal_image write past it.
  if (size_t{block.hole_offset} + block.hole_length > kWalPageBytes) return invalid_length(start);
  return kOk;
}

std::string decode_block_header(Cursor& in, uint8_t id, DecodedRecord& record, Lengths& lengths,
                                const RelationFile*& relation) {
  if (static_cast<int>(id) <= record.block_id_max) {
    return fmt::format("out-of-order block_id {} at {}", id, record.start);
  }
  for (int i = record.block_id_max + 1; i < id; ++i) record.blocks[static_cast<size_t>(i)] = {};
  record.block_id_max = id;
  DecodedBlock& block = record.blocks[id];
  block = {};
  block.in_use = true;

  uint8_t fork_flags;
  if (!in.take(fork_flags) || !in.take(lengths.data)) return invalid_length(record.start);
  block.fork = static_cast<ForkNumber>(fork_flags & kWalBlockForkMask);
  block.has_image = (fork_flags & kWalBlockHasImage) != 0;
  block.has_data = (fork_flags & kWalBlockHasData) != 0;
  block.will_init = (fork_flags & kWalBlockWillInit) != 0;
  if (block.has_data && lengths.data == 0) {
    return fmt::format("BKPBLOCK_HAS_DATA set, but no data included at {}", record.start);
  }
  if (!block.has_data && lengths.data != 0) {
    return fmt::format("BKPBLOCK_HAS_DATA not set, but data length is {} at {}", lengths.data,
                       record.start);
  }
  if (block.has_image) {
    std::string complaint = decode_image_header(in, block, lengths.image, record.start);
    if (!complaint.empty()) return complaint;
  }
  if (fork_flags & kWalBlockSameRelation) {
    if (relation == nullptr) {
      return fmt::format("BKPBLOCK_SAME_REL set but no previous rel at {}", record.start);
    }
    block.file = *relation;
  } else if (!in.take(block.file)) {
    return invalid_length(record.start);
  }
  relation = &block.file;
  if (!in.take(block.block)) return invalid_length(record.start);
  return kOk;
}

}  // namespace

std::string decode_wal_record(const char* bytes, Lsn start, DecodedRecord& record) {
  std::memcpy(&record.header, bytes, sizeof record.header);
  record.start = start;
  record.origin = 0;
  record.toplevel_xid = 0;
  record.main_data = {};
  record.block_id_max = -1;

  std::array<Lengths, kWalBlockIdMax + 1> lengths;
  uint64_t announced = 0;
  uint32_t main_bytes = 0;
  const RelationFile* relation = nullptr;
  Cursor in(bytes + kWalRecordHeaderBytes, bytes + record.header.total_length);

  // Headers end where what they announced fills the rest of the record.
  while (in.left() > announced) {
    uint8_t id = 0;
    in.take(id);
    if (id == kWalMainDataShort || id == kWalMainDataLong) {
      uint8_t short_length = 0;
      bool there = id == kWalMainDataLong ? in.take(main_bytes) : in.take(short_length);
      if (!there) return invalid_length(start);
      if (id == kWalMainDataShort) main_bytes = short_length;
      announced += main_bytes;
      break;  // by rule the last header
    }
    if (id == kWalOrigin) {
      if (!in.take(record.origin)) return invalid_length(start);
    } else if (id == kWalToplevelXid) {
      if (!in.take(record.toplevel_xid)) return invalid_length(start);
    } else if (id <= kWalBlockIdMax) {
      lengths[id] = {};
      std::string complaint = decode_block_header(in, id, record, lengths[id], relation);
      if (!complaint.empty()) return complaint;
      announced += lengths[id].data + lengths[id].image;
    } else {
      return fmt::format("invalid block_id {} at {}", id, start);
    }
  }
  if (in.left() != announced) return invalid_length(start);

  for (int id = 0; id <= record.block_id_max; ++id) {
    DecodedBlock& block = record.blocks[static_cast<size_t>(id)];
    if (!block.in_use) continue;
    block.image = in.take_bytes(lengths[static_cast<size_t>(id)].image);
    block.data = in.take_bytes(lengths[static_cast<size_t>(id)].data);
  }
  record.main_data = in.take_bytes(main_bytes);
  return kOk;
}

bool restore_wal_image(const DecodedBlock& block, char* page) {
  if (!block.has_image || (block.image_info & kWalImageCompressed) != 0) return false;
  size_t hole_end = size_t{block.hole_offset} + block.hole_length;
  std::memcpy(page, block.image.data(), block.hole_offset);
  std::memset(page + block.hole_offset, 0, block.hole_length);
  std::memcpy(page + hole_end, block.image.data() + block.hole_offset, kWalPageBytes - hole_end);
  return true;
}

}  // namespace cofork
