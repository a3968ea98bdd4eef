// WalRecordBuilder: see record.h.
#include <cassert>

#include "support/bytes.h"
#include "support/crc32c.h"
#include "support/error.h"
#include "wal/record.h"

namespace cofork {

namespace {

// Where every page of PostgreSQL keeps its LSN (high word first) and the bounds of its hole.
constexpr size_t kPageLsn = 0;
constexpr size_t kPageLower = 12;
constexpr size_t kPageUpper = 14;
constexpr uint16_t kPageHeaderBytes = 24;

Lsn page_lsn(const char* page) {
  return {static_cast<uint64_t>(load_le<uint32_t>(page + kPageLsn)) << 32 |
          load_le<uint32_t>(page + kPageLsn + 4)};
}

}  // namespace

void WalRecordBuilder::begin(uint8_t resource_manager, uint8_t info, TransactionId xid) {
  header_ = WalRecordHeader{.xid = xid, .info = info, .resource_manager = resource_manager};
  blocks_.clear();
  chunks_.clear();
  main_.clear();
  main_bytes_ = 0;
}

void WalRecordBuilder::add_block(const WalBlockRegistration& block) {
  assert(block.id <= kWalBlockIdMax);
  assert(blocks_.empty() || block.id > blocks_.back().registration.id);
  assert(block.page != nullptr || (block.flags & kWalBlockNoImage) != 0);
  blocks_.push_back({block, -1, -1, 0});
}

void WalRecordBuilder::add_block_data(uint8_t block_id, const void* bytes, size_t count) {
  for (Block& block : blocks_) {
    if (block.registration.id != block_id) continue;
    auto index = static_cast<int32_t>(chunks_.size());
    chunks_.push_back({{static_cast<const char*>(bytes), count}, -1});
    if (block.last_chunk >= 0) chunks_[static_cast<size_t>(block.last_chunk)].next = index;
    if (block.first_chunk < 0) block.first_chunk = index;
    block.last_chunk = index;
    block.data_bytes += static_cast<uint32_t>(count);
    return;
  }
  throw Error(sqlstate::kInternalError, "no block with id {} registered with WAL insertion",
              block_id);
}

void WalRecordBuilder::add_main(const void* bytes, size_t count) {
  main_.emplace_back(static_cast<const char*>(bytes), count);
  main_bytes_ += count;
}

bool WalRecordBuilder::needs_image(const WalBlockRegistration& block, const WalImageRule& rule) {
  if (block.flags & kWalBlockForceImage) return true;
  if (block.flags & kWalBlockNoImage) return false;
  if (!rule.full_page_writes) return false;
  Lsn lsn = page_lsn(block.page);
  if (lsn <= rule.redo) return true;
  if (!oldest_unimaged_.is_valid() || lsn < oldest_unimaged_) oldest_unimaged_ = lsn;
  return false;
}

void WalRecordBuilder::append_sub_header(const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  sub_headers_.insert(sub_headers_.end(), from, from + count);
}

void WalRecordBuilder::append_block(const Block& block, const Block* previous,
                                    const WalImageRule& rule) {
  const WalBlockRegistration& reg = block.registration;
  bool image = needs_image(reg, rule);
  bool data = block.data_bytes > 0 && (!image || (reg.flags & kWalBlockKeepData) != 0);
  bool same_relation = previous != nullptr && previous->registration.file == reg.file;
  bool will_init = (reg.flags & kWalBlockReinitialized) == kWalBlockReinitialized;
  if (block.data_bytes > UINT16_MAX) {
    throw Error(sqlstate::kProgramLimitExceeded, "too much WAL data");
  }

  char fixed[4];
  fixed[0] = static_cast<char>(reg.id);
  fixed[1] = static_cast<char>(static_cast<uint8_t>(reg.fork) | (image ? kWalBlockHasImage : 0) |
                               (data ? kWalBlockHasData : 0) | (will_init ? kWalBlockWillInit : 0) |
                               (same_relation ? kWalBlockSameRelation : 0));
  store_le(fixed + 2, static_cast<uint16_t>(data ? block.data_bytes : 0));
  append_sub_header(fixed, sizeof fixed);

  if (image) {
    ++image_count_;
    Image hole;
    if (reg.flags & kWalBlockStandardPage) {
      auto lower = load_le<uint16_t>(reg.page + kPageLower);
      auto upper = load_le<uint16_t>(reg.page + kPageUpper);
      if (lower >= kPageHeaderBytes && upper > lower && upper <= kWalPageBytes) {
        hole = {lower, static_cast<uint16_t>(upper - lower)};
      }
    }
    char about[5];
    store_le(about, static_cast<uint16_t>(kWalPageBytes - hole.hole_length));
    store_le(about + 2, hole.hole_offset);
    about[4] = static_cast<char>(kWalImageApply | (hole.hole_length > 0 ? kWalImageHasHole : 0));
    append_sub_header(about, sizeof about);
    size_t after_hole = size_t{hole.hole_offset} + hole.hole_length;
    if (hole.hole_length > 0) payload_.emplace_back(reg.page, hole.hole_offset);
    payload_.emplace_back(reg.page + after_hole, kWalPageBytes - after_hole);
  }
  if (!same_relation) append_sub_header(&reg.file, sizeof reg.file);
  append_sub_header(&reg.block, sizeof reg.block);
  if (data) {
    for (int32_t i = block.first_chunk; i >= 0; i = chunks_[static_cast<size_t>(i)].next) {
      payload_.push_back(chunks_[static_cast<size_t>(i)].bytes);
    }
  }
}

void WalRecordBuilder::assemble(const WalImageRule& rule) {
  sub_headers_.clear();
  payload_.clear();
  body_.clear();
  oldest_unimaged_ = {};
  image_count_ = 0;

  const Block* previous = nullptr;
  for (const Block& block : blocks_) {
    append_block(block, previous, rule);
    previous = &block;
  }
  if (main_bytes_ > UINT8_MAX) {
    char long_header[5] = {static_cast<char>(kWalMainDataLong)};
    store_le(long_header + 1, static_cast<uint32_t>(main_bytes_));
    append_sub_header(long_header, sizeof long_header);
  } else if (main_bytes_ > 0) {
    char short_header[2] = {static_cast<char>(kWalMainDataShort), static_cast<char>(main_bytes_)};
    append_sub_header(short_header, sizeof short_header);
  }

  if (!sub_headers_.empty()) body_.emplace_back(sub_headers_.data(), sub_headers_.size());
  body_.insert(body_.end(), payload_.begin(), payload_.end());
  body_.insert(body_.end(), main_.begin(), main_.end());

  uint64_t total = kWalRecordHeaderBytes;
  uint32_t crc = 0xFFFFFFFFu;
  for (Piece piece : body_) {
    total += piece.size();
    crc = crc32c_extend(crc, piece.data(), piece.size());
  }
  if (total > kWalRecordBytesMax) {
    throw Error(sqlstate::kProgramLimitExceeded, "too much WAL data");
  }
  header_.total_length = static_cast<uint32_t>(total);
  body_crc_state_ = crc;
}

const WalRecordHeader& WalRecordBuilder::finish_header(Lsn previous) {
  header_.previous = previous.value;
  header_.crc =
      crc32c_extend(body_crc_state_, &header_, offsetof(WalRecordHeader, crc)) ^ 0xFFFFFFFFu;
  return header_;
}

std::string wal_record_bytes(WalRecordBuilder& record, Lsn previous) {
  const WalRecordHeader& header = record.finish_header(previous);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  for (WalRecordBuilder::Piece piece : record.body()) bytes.append(piece);
  return bytes;
}

}  // namespace cofork
