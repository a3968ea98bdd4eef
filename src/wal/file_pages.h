// A WalPageSource over the segment files of pg_wal, for recovery: reads ahead in large pieces and
// goes from file to file.
#pragma once

#include <string>
#include <vector>

#include "io/file.h"
#include "wal/reader.h"

namespace cofork {

class WalFilePages final : public WalPageSource {
 public:
  /// `opened` is told the number of each segment before it is read.
  WalFilePages(const WalGeometry& geometry, TimelineId timeline,
               std::function<void(const std::string& name)> opened);

  const char* page(Lsn page, std::string& complaint) override;
  TimelineId timeline() const override { return timeline_; }

 private:
  bool open(WalSegmentNo segment, std::string& complaint);

  WalGeometry geometry_;
  TimelineId timeline_;
  std::function<void(const std::string& name)> opened_;
  File file_;
  WalSegmentNo segment_ = UINT64_MAX;
  Lsn chunk_begin_;
  size_t chunk_bytes_ = 0;
  std::vector<char> chunk_;
};

}  // namespace cofork
