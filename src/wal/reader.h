// WalReader: the records of a WAL stream, one after another, up to where it stops being valid.
//
// There is no mark at the end of WAL. A reader goes on until something does not hold: a length, a
// back link, a CRC, a page header. So every failure has a text, PostgreSQL's own, and it is the
// caller who decides whether it is the ordinary end or damage (as XLogReadRecord, xlogreader.c).
//
//   WalReader reader(source, geometry, system_identifier);
//   reader.seek(redo);
//   while (reader.next(record)) apply(record);
//   log(LOG, reader.complaint());   // "invalid record length at 0/15A0E98: wanted 24, got 0"
//
// A record that lies within one page is decoded where it is; one that runs over several is put
// together in a buffer that grows only with bytes really read.
#pragma once

#include <string>
#include <vector>

#include "wal/format.h"
#include "wal/record.h"

namespace cofork {

/// Where pages come from: files, a buffer, a stream.
class WalPageSource {
 public:
  virtual ~WalPageSource() = default;
  /// The 8192 bytes of the page that begins at `page`; they stay until the next call. Null when
  /// they cannot be had; `complaint` then says why, or stays empty when the stream just ends (a
  /// file that does not exist). May wait.
  virtual const char* page(Lsn page, std::string& complaint) = 0;
  /// The timeline in whose file the last page was found: for messages.
  virtual TimelineId timeline() const = 0;
};

class WalReader {
 public:
  /// `system_identifier` 0: any.
  WalReader(WalPageSource& source, const WalGeometry& geometry, uint64_t system_identifier)
      : source_(source), geometry_(geometry), system_identifier_(system_identifier) {}

  /// The next record read is the one that starts at `start` (on a page boundary: after the header).
  void seek(Lsn start);
  /// First record that starts at or after `start`, which may lie inside one (XLogFindNextRecord).
  /// Seeks there; invalid when there is none.
  Lsn find_first_after(Lsn start);
  /// Reads one record. False at the end of what is valid: complaint() says what did not hold.
  bool next(DecodedRecord& record);

  const std::string& complaint() const { return complaint_; }
  /// Start and end of the last record read.
  Lsn last_start() const { return last_start_; }
  Lsn end() const { return next_; }
  /// Set when reading ended inside a record whose later pages are missing: its start, and the page
  /// where the missing part would begin.
  Lsn aborted_record() const { return aborted_record_; }
  Lsn missing_part() const { return missing_part_; }
  /// Start of a record that was never completed and has been passed over, as its successor says.
  Lsn overwritten_record() const { return overwritten_record_; }

 private:
  const char* valid_page(Lsn page);
  bool page_header_is_valid(const WalPageHeader& header, Lsn page);
  bool long_header_is_valid(const WalPageHeader& header);
  bool record_header_is_valid(const WalRecordHeader& header, Lsn start);
  bool crc_is_valid(const char* record, Lsn start);
  enum class Gathered { kComplete, kFailed, kOverwritten };
  Gathered gather(const char* first_part, uint32_t bytes_here, uint32_t total, Lsn start);
  template <typename... Args>
  bool fail(fmt::format_string<Args...> format, Args&&... args) {
    complaint_ = fmt::format(format, std::forward<Args>(args)...);
    return false;
  }
  std::string place(Lsn page) const;

  WalPageSource& source_;
  WalGeometry geometry_;
  uint64_t system_identifier_;
  Lsn next_;
  Lsn last_start_;
  bool random_access_ = true;  ///< the record before is not known: its address cannot be checked
  WalSegmentNo checked_segment_ = UINT64_MAX;  ///< whose first page header has been looked at
  Lsn latest_page_;
  TimelineId latest_page_timeline_ = 0;
  Lsn aborted_record_;
  Lsn missing_part_;
  Lsn overwritten_record_;
  std::vector<char> assembled_;
  std::string complaint_;
};

}  // namespace cofork
