// See reader.h.
#include "wal/reader.h"

#include <algorithm>
#include <cstring>

#include "support/bytes.h"
#include "support/crc32c.h"

namespace cofork {

namespace {

Lsn page_of(Lsn lsn) {
  return {wal_page_start(lsn.value)};
}

const WalPageHeader& header_of(const char* page) {
  return *reinterpret_cast<const WalPageHeader*>(page);
}

}  // namespace

void WalReader::seek(Lsn start) {
  next_ = start;
  last_start_ = {};
  random_access_ = true;
}

std::string WalReader::place(Lsn page) const {
  return fmt::format("log segment {}, offset {}",
                     geometry_.segment_name(source_.timeline(), geometry_.segment_of(page)),
                     geometry_.offset_in_segment(page));
}

const char* WalReader::valid_page(Lsn page) {
  // The first page of a segment has the identifiers. Whoever enters a segment in the middle looks
  // at it first, so that a recycled or foreign file is noticed at once.
  WalSegmentNo segment = geometry_.segment_of(page);
  Lsn first = geometry_.segment_start(segment);
  if (segment != checked_segment_ && page != first) {
    const char* bytes = source_.page(first, complaint_);
    if (bytes == nullptr || !page_header_is_valid(header_of(bytes), first)) return nullptr;
  }
  const char* bytes = source_.page(page, complaint_);
  if (bytes == nullptr || !page_header_is_valid(header_of(bytes), page)) return nullptr;
  checked_segment_ = segment;
  return bytes;
}

bool WalReader::long_header_is_valid(const WalPageHeader& header) {
  const auto& full = *reinterpret_cast<const WalLongPageHeader*>(&header);
  if (system_identifier_ != 0 && full.system_identifier != system_identifier_) {
    return fail(
        "WAL file is from different database system: WAL file database system identifier is {}, "
        "pg_control database system identifier is {}",
        full.system_identifier, system_identifier_);
  }
  if (full.segment_bytes != geometry_.segment_bytes()) {
    return fail(
        "WAL file is from different database system: incorrect segment size in page header");
  }
  if (full.page_bytes != kWalPageBytes) {
    return fail("WAL file is from different database system: incorrect XLOG_BLCKSZ in page header");
  }
  return true;
}

bool WalReader::page_header_is_valid(const WalPageHeader& header, Lsn page) {
  if (header.magic != kWalPageMagic) {
    return fail("invalid magic number {:04X} in {}", header.magic, place(page));
  }
  if ((header.flags & ~kWalPageAllFlags) != 0) {
    return fail("invalid info bits {:04X} in {}", header.flags, place(page));
  }
  bool starts_segment = geometry_.offset_in_segment(page) == 0;
  if (header.flags & kWalPageLongHeader) {
    if (!long_header_is_valid(header)) return false;
  } else if (starts_segment) {
    return fail("invalid info bits {:04X} in {}", header.flags, place(page));
  }
  // A recycled file still holds the pages of its former life, at their former addresses.
  if (header.page_address != page.value) {
    return fail("unexpected pageaddr {} in {}", Lsn{header.page_address}, place(page));
  }
  if (page > latest_page_ && header.timeline < latest_page_timeline_) {
    return fail("out-of-sequence timeline ID {} (after {}) in {}", header.timeline,
                latest_page_timeline_, place(page));
  }
  latest_page_ = page;
  latest_page_timeline_ = header.timeline;
  return true;
}

bool WalReader::record_header_is_valid(const WalRecordHeader& header, Lsn start) {
  if (header.total_length < kWalRecordHeaderBytes) {
    return fail("invalid record length at {}: wanted {}, got {}", start, kWalRecordHeaderBytes,
                header.total_length);
  }
  if (!wal_resource_manager_is_valid(header.resource_manager)) {
    return fail("invalid resource manager ID {} at {}", header.resource_manager, start);
  }
  Lsn previous{header.previous};
  // The exact back link protects against a stale but intact record of a recycled segment.
  bool linked = random_access_ ? previous < start : previous == last_start_;
  if (!linked) return fail("record with incorrect prev-link {} at {}", previous, start);
  return true;
}

bool WalReader::crc_is_valid(const char* record, Lsn start) {
  const auto& header = *reinterpret_cast<const WalRecordHeader*>(record);
  Crc32c crc;
  crc.add(record + kWalRecordHeaderBytes, header.total_length - kWalRecordHeaderBytes);
  crc.add(record, offsetof(WalRecordHeader, crc));
  if (crc.value() != header.crc) {
    return fail("incorrect resource manager data checksum in record at {}", start);
  }
  return true;
}

WalReader::Gathered WalReader::gather(const char* first_part, uint32_t bytes_here, uint32_t total,
                                      Lsn start) {
  assembled_.assign(first_part, first_part + bytes_here);
  bool header_checked = bytes_here >= kWalRecordHeaderBytes;
  Lsn page = page_of(start);
  while (assembled_.size() < total) {
    page += kWalPageBytes;
    // Until this page proves otherwise, the record ends where the page before ended.
    aborted_record_ = start;
    missing_part_ = page;
    const char* bytes = valid_page(page);
    if (bytes == nullptr) return Gathered::kFailed;
    const WalPageHeader& header = header_of(bytes);
    if (header.flags & kWalPageFirstIsOverwrittenContinued) {
      overwritten_record_ = start;
      aborted_record_ = missing_part_ = {};
      next_ = page;
      return Gathered::kOverwritten;
    }
    uint64_t missing = total - assembled_.size();
    if (!(header.flags & kWalPageFirstIsContinued)) {
      fail("there is no contrecord flag at {}", start);
      return Gathered::kFailed;
    }
    if (header.remaining_length == 0 || header.remaining_length != missing) {
      fail("invalid contrecord length {} (expected {}) at {}", header.remaining_length, missing,
           start);
      return Gathered::kFailed;
    }
    uint32_t header_bytes = geometry_.header_bytes(page);
    auto take = std::min<uint64_t>(missing, kWalPageBytes - header_bytes);
    assembled_.insert(assembled_.end(), bytes + header_bytes, bytes + header_bytes + take);
    next_ = page + header_bytes + align_up(take, 8);
    if (!header_checked && assembled_.size() >= kWalRecordHeaderBytes) {
      const auto& record = *reinterpret_cast<const WalRecordHeader*>(assembled_.data());
      if (!record_header_is_valid(record, start)) return Gathered::kFailed;
      header_checked = true;
    }
  }
  return Gathered::kComplete;
}

bool WalReader::next(DecodedRecord& record) {
  for (;;) {
    complaint_.clear();
    aborted_record_ = missing_part_ = {};
    Lsn start = next_;
    const Lsn resume = next_;
    Lsn page = page_of(start);
    const char* bytes = valid_page(page);
    if (bytes == nullptr) return false;
    uint32_t header_bytes = geometry_.header_bytes(page);
    if (wal_page_offset(start.value) == 0) {
      start += header_bytes;
    } else if (wal_page_offset(start.value) < header_bytes || start.value % 8 != 0) {
      return fail("invalid record offset at {}", start);
    }
    if ((header_of(bytes).flags & kWalPageFirstIsContinued) &&
        wal_page_offset(start.value) == header_bytes) {
      return fail("contrecord is requested by {}", start);
    }

    // Records are 8-aligned, so the length at least is on this page.
    const char* raw = bytes + wal_page_offset(start.value);
    uint32_t bytes_here = kWalPageBytes - wal_page_offset(start.value);
    auto total = load_le<uint32_t>(raw);
    if (bytes_here >= kWalRecordHeaderBytes) {
      WalRecordHeader header;
      std::memcpy(&header, raw, sizeof header);
      if (!record_header_is_valid(header, start)) return false;
    } else if (total < kWalRecordHeaderBytes) {
      return fail("invalid record length at {}: wanted {}, got {}", start, kWalRecordHeaderBytes,
                  total);
    }

    if (total <= bytes_here) {
      next_ = start + align_up(total, 8);
    } else {
      Gathered gathered = gather(raw, bytes_here, total, start);
      if (gathered == Gathered::kOverwritten) continue;
      if (gathered == Gathered::kFailed) {
        next_ = resume;
        return false;
      }
      raw = assembled_.data();
    }
    if (crc_is_valid(raw, start)) complaint_ = decode_wal_record(raw, start, record);
    if (!complaint_.empty()) {
      next_ = resume;
      return false;
    }
    if (record.header.resource_manager == kWalXlogManager && record.own_info() == kWalXlogSwitch) {
      next_ = {align_up(next_.value, geometry_.segment_bytes())};
    }
    aborted_record_ = missing_part_ = {};
    record.end = next_;
    last_start_ = start;
    random_access_ = false;
    return true;
  }
}

Lsn WalReader::find_first_after(Lsn start) {
  Lsn page = page_of(start);
  // Pages that only continue a record are passed over; the rest of that record too.
  for (;;) {
    const char* bytes = valid_page(page);
    if (bytes == nullptr) return {};
    const WalPageHeader& header = header_of(bytes);
    uint32_t header_bytes = geometry_.header_bytes(page);
    if (!(header.flags & kWalPageFirstIsContinued)) {
      seek(page + header_bytes);
      break;
    }
    uint64_t left = align_up(header.remaining_length, 8);
    if (left < kWalPageBytes - header_bytes) {
      seek(page + header_bytes + left);
      break;
    }
    page += kWalPageBytes;
  }
  DecodedRecord record;
  for (Lsn at = next_; next(record); at = next_) {
    if (record.start >= start) {
      seek(at);
      return record.start;
    }
  }
  return {};
}

}  // namespace cofork
