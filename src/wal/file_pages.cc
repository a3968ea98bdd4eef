// See file_pages.h.
#include "wal/file_pages.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "support/error.h"
#include "wal/segments.h"

namespace cofork {

namespace {

constexpr size_t kReadAheadBytes = 256 * 1024;

}  // namespace

WalFilePages::WalFilePages(const WalGeometry& geometry, TimelineId timeline,
                           std::function<void(const std::string& name)> opened)
    : geometry_(geometry),
      timeline_(timeline),
      opened_(std::move(opened)),
      chunk_(kReadAheadBytes) {}

bool WalFilePages::open(WalSegmentNo segment, std::string& complaint) {
  if (segment == segment_ && file_.is_open()) return true;
  std::string name = geometry_.segment_name(timeline_, segment);
  if (opened_) opened_(name);
  std::string path = std::string(kWalDirectory) + "/" + name;
  chunk_bytes_ = 0;
  segment_ = segment;
  int error = file_.open(path, O_RDONLY);
  // No such file is how WAL ordinarily ends at a segment boundary: nothing to complain about.
  if (error < 0 && error != -ENOENT) {
    complaint = fmt::format("could not open file \"{}\": {}", path, errno_text(-error));
  }
  return error == 0;
}

const char* WalFilePages::page(Lsn page, std::string& complaint) {
  if (chunk_bytes_ > 0 && page >= chunk_begin_ && page - chunk_begin_ < chunk_bytes_) {
    return chunk_.data() + (page - chunk_begin_);
  }
  if (!open(geometry_.segment_of(page), complaint)) return nullptr;
  uint32_t offset = geometry_.offset_in_segment(page);
  size_t wanted = std::min<size_t>(chunk_.size(), geometry_.segment_bytes() - offset);
  ssize_t n = file_.read_at(chunk_.data(), wanted, offset, WaitEventId::kWalRead);
  std::string name = geometry_.segment_name(timeline_, segment_);
  if (n < 0) {
    complaint = fmt::format("could not read from log segment {}, offset {}: {}", name, offset,
                            errno_text(static_cast<int>(-n)));
    return nullptr;
  }
  if (n < static_cast<ssize_t>(kWalPageBytes)) {
    complaint = fmt::format("could not read from log segment {}, offset {}: read {} of {}", name,
                            offset, n, kWalPageBytes);
    return nullptr;
  }
  chunk_begin_ = page;
  // A file that ends within a page is taken up to its last whole one.
  chunk_bytes_ = static_cast<size_t>(n) / kWalPageBytes * kWalPageBytes;
  return chunk_.data();
}

}  // namespace cofork
