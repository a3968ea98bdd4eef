// See writeback.h.
#include "storage/writeback.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "storage/relation_files.h"

namespace cofork {

namespace {

auto order_of(const BufferTag& tag) {
  return std::make_tuple(tag.file.tablespace, tag.file.database, tag.file.number, tag.fork,
                         tag.block);
}

bool continues(const BufferTag& tag, const BufferTag& first, BlockNumber last) {
  return tag.file == first.file && tag.fork == first.fork && tag.block <= last + 1;
}

}  // namespace

void Writeback::issue() {
  // Taken out first: an error must not leave them to be issued again.
  std::vector<BufferTag> pages = std::exchange(pending_, {});
  std::sort(pages.begin(), pages.end(),
            [](const BufferTag& a, const BufferTag& b) { return order_of(a) < order_of(b); });
  for (size_t i = 0; i < pages.size();) {
    const BufferTag& first = pages[i];
    BlockNumber last = first.block;
    size_t end = i + 1;
    while (end < pages.size() && continues(pages[end], first, last)) last = pages[end++].block;
    writeback_blocks(first.file, first.fork, first.block, last - first.block + 1);
    i = end;
  }
}

}  // namespace cofork
