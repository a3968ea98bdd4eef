// COPY's binary format, read (CopyReadBinaryAttribute in copyfromparse.c, 15):
//
//   signature (11 bytes) | flags | length of an extension, the extension
//   rows: number of fields (int16), then each field's length (int32, -1: NULL) and bytes
//   trailer: int16 -1
#include "sql/copy.h"
#include "support/bytes.h"
#include "support/error.h"

namespace cofork {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

}  // namespace

bool CopyBinaryReader::have(size_t bytes) {
  if (start_ > 65536) {
    input_.erase(0, start_);
    start_ = 0;
  }
  while (input_.size() - start_ < bytes) {
    if (!source_.read(input_)) return false;
  }
  return true;
}

std::string_view CopyBinaryReader::take(size_t bytes) {
  if (!have(bytes)) throw Error(sqlstate::kBadCopyFileFormat, "unexpected EOF in COPY data");
  std::string_view taken = std::string_view(input_).substr(start_, bytes);
  start_ += bytes;
  return taken;
}

void CopyBinaryReader::read_header() {
  if (!have(kSignature.size()) || take(kSignature.size()) != kSignature) {
    throw Error(sqlstate::kBadCopyFileFormat, "COPY file signature not recognized");
  }
  if (!have(4)) {
    throw Error(sqlstate::kBadCopyFileFormat, "invalid COPY file header (missing flags)");
  }
  auto flags = load_be<uint32_t>(take(4).data());
  if ((flags & (1u << 16)) != 0) {
    throw Error(sqlstate::kBadCopyFileFormat, "invalid COPY file header (WITH OIDS)");
  }
  if ((flags >> 16) != 0) {
    throw Error(sqlstate::kBadCopyFileFormat, "unrecognized critical flags in COPY file header");
  }
  if (!have(4)) {
    throw Error(sqlstate::kBadCopyFileFormat, "invalid COPY file header (missing length)");
  }
  auto extension = load_be<int32_t>(take(4).data());
  if (extension < 0 || !have(static_cast<size_t>(extension))) {
    throw Error(sqlstate::kBadCopyFileFormat, "invalid COPY file header (wrong length)");
  }
  take(static_cast<size_t>(extension));
}

bool CopyBinaryReader::next_row(std::vector<CopyField>& fields) {
  if (!have(2)) return false;
  auto count = load_be<int16_t>(take(2).data());
  if (count == -1) {
    input_.clear();
    start_ = 0;
    while (source_.read(input_)) input_.clear();
    return false;
  }
  size_t wanted = fields.size();
  if (static_cast<size_t>(count) != wanted) {
    throw Error(sqlstate::kBadCopyFileFormat, "row field count is {}, expected {}", count, wanted);
  }
  // The whole row first: reading more may move what has been taken.
  size_t need = 0;
  for (size_t i = 0; i < wanted; ++i) {
    if (!have(need + 4)) throw Error(sqlstate::kBadCopyFileFormat, "unexpected EOF in COPY data");
    auto length = load_be<int32_t>(input_.data() + start_ + need);
    if (length < -1) throw Error(sqlstate::kBadCopyFileFormat, "invalid field size");
    need += 4 + static_cast<size_t>(std::max(length, 0));
    if (!have(need)) throw Error(sqlstate::kBadCopyFileFormat, "unexpected EOF in COPY data");
  }
  for (CopyField& field : fields) {
    auto length = load_be<int32_t>(take(4).data());
    field = {};
    field.is_null = length < 0;
    if (length >= 0) field.text = take(static_cast<size_t>(length));
  }
  return true;
}

}  // namespace cofork
