// See toast_value.h.
#include "access/toast_value.h"

#include <cstring>

#include "support/bytes.h"
#include "support/error.h"
#include "support/pglz.h"

namespace cofork {
namespace {

constexpr uint32_t kSizeBits = (1u << 30) - 1;
constexpr uint8_t kOnDisk = 18;  ///< VARTAG_ONDISK

}  // namespace

ToastPointer read_toast_pointer(const char* value) {
  auto word = [&](int at) { return load_le<uint32_t>(value + 2 + 4 * at); };
  return {word(0), word(1) & kSizeBits, word(1) >> 30, word(2), word(3)};
}

uint32_t toast_raw_bytes(Datum value) {
  const char* bytes = datum_to_pointer(value);
  if (varlena_is_external(bytes)) return read_toast_pointer(bytes).raw_bytes;
  if (varlena_is_compressed(bytes)) return (load_le<uint32_t>(bytes + 4) & kSizeBits) + 4;
  return varlena_bytes(bytes);
}

Datum make_toast_pointer(const ToastPointer& pointer, Arena& arena) {
  char* bytes = static_cast<char*>(arena.allocate(kToastPointerBytes, 1));
  bytes[0] = 0x01;
  bytes[1] = static_cast<char>(kOnDisk);
  store_le<uint32_t>(bytes + 2, pointer.raw_bytes);
  store_le<uint32_t>(bytes + 6, pointer.stored_bytes | pointer.method << 30);
  store_le<uint32_t>(bytes + 10, pointer.value);
  store_le<uint32_t>(bytes + 14, pointer.table);
  return datum_from_pointer(bytes);
}

Datum toast_compress(Datum value, Arena& arena) {
  std::string_view plain = varlena_view(value);
  char* bytes = static_cast<char*>(arena.allocate(8 + pglz_room(plain.size()), 8));
  std::optional<size_t> packed = pglz_compress(plain, bytes + 8);
  // Less than it was with its header, or it is not worth the trouble.
  if (!packed || *packed + 8 >= plain.size() + 4 - 2) return 0;
  store_le<uint32_t>(bytes, static_cast<uint32_t>((*packed + 8) << 2 | 2));
  store_le<uint32_t>(bytes + 4, static_cast<uint32_t>(plain.size()));
  return datum_from_pointer(bytes);
}

Datum toast_decompress(Datum value, Arena& arena) {
  const char* bytes = datum_to_pointer(value);
  auto info = load_le<uint32_t>(bytes + 4);
  if (info >> 30 != 0) {
    throw Error(sqlstate::kFeatureNotSupported, "compression method lz4 not supported");
  }
  size_t raw = info & kSizeBits;
  char* plain = allocate_varlena(arena, raw);
  std::string_view packed(bytes + 8, varlena_bytes(bytes) - 8);
  if (!pglz_decompress(packed, plain + 4, raw)) {
    throw Error(sqlstate::kDataCorrupted, "compressed pglz data is corrupt");
  }
  return datum_from_pointer(plain);
}

}  // namespace cofork
