// A WalPageSource over bytes in memory: one or more segments that follow each other.
#pragma once

#include <string>
#include <utility>

#include "wal/reader.h"

namespace cofork::testing_support {

class MemoryPages final : public WalPageSource {
 public:
  MemoryPages(std::string bytes, Lsn start, TimelineId timeline = 1)
      : bytes_(std::move(bytes)), start_(start), timeline_(timeline) {}

  const char* page(Lsn page, std::string&) override {
    if (page < start_ || page - start_ + kWalPageBytes > bytes_.size()) return nullptr;
    return bytes_.data() + (page - start_);
  }
  TimelineId timeline() const override { return timeline_; }

  char* at(Lsn lsn) { return bytes_.data() + (lsn - start_); }

 private:
  std::string bytes_;
  Lsn start_;
  TimelineId timeline_;
};

}  // namespace cofork::testing_support
