// TOAST, the values: compressed in their row, or away in chunks with a pointer left behind
// (toast_internals.c, detoast.c, 15). Bytes only; where chunks are kept, catalog/toast.h knows.
//
//   compressed   length << 2 | 2 | 4 bytes: raw length, low 30 bits; method, high 2 (0 pglz)
//                                | the compressed bytes
//   pointer      0x01 | 18 | raw length with header | stored length, low 30 bits; method, high 2
//                | value's oid | TOAST table's oid                                  (18 bytes)
//
// What a pointer leads to is the value without its first 4 bytes of header: so a compressed value
// begins with its raw length there too.
#pragma once

#include <cstdint>

#include "access/tuple.h"
#include "support/arena.h"
#include "types/datum.h"

namespace cofork {

inline constexpr uint32_t kToastChunkBytes = 1996;   ///< TOAST_MAX_CHUNK_SIZE
inline constexpr uint32_t kToastTupleTarget = 2032;  ///< TOAST_TUPLE_TARGET
inline constexpr uint32_t kToastPointerBytes = 18;

struct ToastPointer {
  uint32_t raw_bytes = 0;  ///< of the value with its header
  uint32_t stored_bytes = 0;
  uint32_t method = 0;
  Oid value = kInvalidOid;
  Oid table = kInvalidOid;

  bool is_compressed() const { return stored_bytes < raw_bytes - 4; }
};

/// What the 18 bytes of a pointer say.
ToastPointer read_toast_pointer(const char* value);
Datum make_toast_pointer(const ToastPointer& pointer, Arena& arena);

/// A plain value compressed, or 0 when it does not pay (toast_compress_datum).
Datum toast_compress(Datum value, Arena& arena);
/// A compressed value as it was. Throws XX001 `compressed pglz data is corrupt`.
Datum toast_decompress(Datum value, Arena& arena);

/// Bytes of the value as it was, header included (toast_raw_datum_size).
uint32_t toast_raw_bytes(Datum value);

inline bool is_toasted(Datum value) {
  const char* bytes = datum_to_pointer(value);
  return varlena_is_external(bytes) || varlena_is_compressed(bytes);
}

}  // namespace cofork
