// See output_buffer.h.
#include "wire/output_buffer.h"

namespace cofork {

void OutputBuffer::shrink() {
  if (text_.capacity() <= kKeptBytes || !text_.empty()) return;
  building_ = true;
  std::string small;
  small.reserve(kIdleBytes);
  text_.swap(small);
  building_ = false;
}

}  // namespace cofork
