// Values of the types pg_snapshot and txid_snapshot: full xids as lists of running ones
// (xid8funcs.c, 15). The bytes: number of xids (4), xmin (8), xmax (8), the xids (8 each,
// ascending).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "support/arena.h"
#include "support/bytes.h"
#include "types/datum.h"
#include "types/text.h"

namespace cofork {

class XidSnapshotView {
 public:
  explicit XidSnapshotView(Datum value) : bytes_(varlena_view(value)) {}
  uint32_t count() const { return load_le<uint32_t>(bytes_.data()); }
  uint64_t xmin() const { return load_le<uint64_t>(bytes_.data() + 4); }
  uint64_t xmax() const { return load_le<uint64_t>(bytes_.data() + 12); }
  uint64_t xid(uint32_t i) const { return load_le<uint64_t>(bytes_.data() + 20 + size_t{i} * 8); }
  /// Had it ended for this snapshot?
  bool sees(uint64_t xid_asked) const {
    if (xid_asked < xmin()) return true;
    if (xid_asked >= xmax()) return false;
    for (uint32_t i = 0; i < count(); ++i) {
      if (xid(i) == xid_asked) return false;
    }
    return true;
  }

 private:
  std::string_view bytes_;
};

/// Sorts the xids and drops repeats.
inline Datum make_xid_snapshot(Arena& arena, uint64_t xmin, uint64_t xmax,
                               std::vector<uint64_t> xids) {
  std::sort(xids.begin(), xids.end());
  xids.erase(std::unique(xids.begin(), xids.end()), xids.end());
  std::string bytes(20 + xids.size() * 8, '\0');
  store_le(bytes.data(), static_cast<uint32_t>(xids.size()));
  store_le(bytes.data() + 4, xmin);
  store_le(bytes.data() + 12, xmax);
  for (size_t i = 0; i < xids.size(); ++i) store_le(bytes.data() + 20 + i * 8, xids[i]);
  return varlena_from(arena, bytes);
}

}  // namespace cofork
