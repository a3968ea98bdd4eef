// See format.h.
#include "wal/format.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace cofork {

namespace {

constexpr uint64_t kUsableInPage = kWalPageBytes - kWalShortHeaderBytes;
constexpr uint64_t kUsableInFirstPage = kWalPageBytes - kWalLongHeaderBytes;
constexpr size_t kNameDigits = 24;
constexpr uint64_t kFourGigabytes = uint64_t{1} << 32;

uint32_t parse_hex32(std::string_view digits) {
  uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

Lsn WalGeometry::start_lsn(WalBytePosition position) const {
  uint64_t segment = position / usable_bytes_in_segment();
  uint64_t left = position % usable_bytes_in_segment();
  uint64_t offset;
  if (left < kUsableInFirstPage) {
    offset = left + kWalLongHeaderBytes;
  } else {
    left -= kUsableInFirstPage;
    offset = kWalPageBytes + (left / kUsableInPage) * kWalPageBytes + left % kUsableInPage +
             kWalShortHeaderBytes;
  }
  return {segment * segment_bytes_ + offset};
}

Lsn WalGeometry::end_lsn(WalBytePosition position) const {
  uint64_t segment = position / usable_bytes_in_segment();
  uint64_t left = position % usable_bytes_in_segment();
  uint64_t offset;
  if (left < kUsableInFirstPage) {
    offset = left == 0 ? 0 : left + kWalLongHeaderBytes;
  } else {
    left -= kUsableInFirstPage;
    uint64_t in_page = left % kUsableInPage;
    offset = kWalPageBytes + (left / kUsableInPage) * kWalPageBytes +
             (in_page == 0 ? 0 : in_page + kWalShortHeaderBytes);
  }
  return {segment * segment_bytes_ + offset};
}

WalBytePosition WalGeometry::byte_position(Lsn lsn) const {
  uint64_t offset = offset_in_segment(lsn);
  uint64_t page = offset / kWalPageBytes;
  uint64_t in_page = offset % kWalPageBytes;
  uint64_t result = segment_of(lsn) * usable_bytes_in_segment();
  if (page == 0) {
    if (in_page > 0) result += in_page - kWalLongHeaderBytes;
  } else {
    result += kUsableInFirstPage + (page - 1) * kUsableInPage;
    if (in_page > 0) result += in_page - kWalShortHeaderBytes;
  }
  return result;
}

std::string WalGeometry::segment_name(TimelineId timeline, WalSegmentNo segment) const {
  uint64_t per_id = kFourGigabytes / segment_bytes_;
  return fmt::format("{:08X}{:08X}{:08X}", timeline, segment / per_id, segment % per_id);
}

std::optional<WalGeometry::SegmentName> WalGeometry::parse_segment_name(
    std::string_view name) const {
  if (!is_wal_segment_name(name)) return std::nullopt;
  uint64_t per_id = kFourGigabytes / segment_bytes_;
  return SegmentName{parse_hex32(name.substr(0, 8)),
                     parse_hex32(name.substr(8, 8)) * per_id + parse_hex32(name.substr(16, 8))};
}

bool is_wal_segment_name(std::string_view name) {
  return name.size() == kNameDigits && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
         });
}

bool is_wal_partial_segment_name(std::string_view name) {
  constexpr std::string_view kSuffix = ".partial";
  return name.size() == kNameDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         is_wal_segment_name(name.substr(0, kNameDigits));
}

}  // namespace cofork
