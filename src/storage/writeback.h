// Beginning the way of written pages to the disk: inside storage/ only (WritebackContext and
// IssuePendingWritebacks in bufmgr.c, 15).
//
// A written page is in the kernel's memory. If all of a checkpoint's pages stayed there, the fsyncs
// at its end would find everything still to do and stall everybody's reads. So after every so many
// pages (checkpoint_flush_after, bgwriter_flush_after, backend_flush_after) the kernel is asked to
// begin, neighbouring pages together.
#pragma once

#include <vector>

#include "storage/buffer_pool.h"

namespace cofork {

class Writeback {
 public:
  /// Remembers a written page; issues when `limit` are pending. 0: leaves it to the kernel.
  void add(const BufferTag& tag, int limit) {
    if (limit == 0) return;
    pending_.push_back(tag);
    if (pending_.size() >= static_cast<size_t>(limit)) issue();
  }
  void issue();

 private:
  std::vector<BufferTag> pending_;
};

}  // namespace cofork
