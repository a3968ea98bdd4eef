// pg_snapshot and its older name txid_snapshot: "xmin:xmax:xip,xip" (pg_snapshot_in … in
// xid8funcs.c, 15).
#include <charconv>
#include <optional>

#include "catalog/function_tables.h"
#include "catalog/xid_snapshot.h"
#include "support/error.h"
#include "types/binary_reader.h"

namespace cofork {
namespace {

/// Takes a number off the front; nullopt when there is none.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

bool parse(std::string_view text, uint64_t& xmin, uint64_t& xmax, std::vector<uint64_t>& xids) {
  std::optional<uint64_t> first = take_number(text);
  if (!first || !take(text, ':')) return false;
  std::optional<uint64_t> second = take_number(text);
  if (!second || !take(text, ':')) return false;
  xmin = *first;
  xmax = *second;
  if (xmin == 0 || xmax == 0 || xmin > xmax) return false;
  uint64_t last = 0;
  while (!text.empty()) {
    std::optional<uint64_t> xid = take_number(text);
    if (!xid || *xid < xmin || *xid >= xmax || *xid < last) return false;
    xids.push_back(last = *xid);
    if (!text.empty() && !take(text, ',')) return false;
  }
  return true;
}

Datum input(EvalContext& context, const BuiltinType& type, std::string_view text, int32_t) {
  uint64_t xmin = 0, xmax = 0;
  std::vector<uint64_t> xids;
  if (!parse(text, xmin, xmax, xids)) {
    throw Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"",
                type.name, text);
  }
  return make_xid_snapshot(*context.arena, xmin, xmax, std::move(xids));
}

void output(EvalContext&, Datum value, std::string& text) {
  XidSnapshotView snapshot(value);
  text += fmt::format("{}:{}:", snapshot.xmin(), snapshot.xmax());
  for (uint32_t i = 0; i < snapshot.count(); ++i) {
    text += fmt::format("{}{}", i > 0 ? "," : "", snapshot.xid(i));
  }
}

Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
  BinaryReader reader(bytes);
  auto count = reader.take<int32_t>();
  auto xmin = reader.take<uint64_t>();
  auto xmax = reader.take<uint64_t>();
  std::vector<uint64_t> xids;
  bool good = count >= 0 && xmin != 0 && xmax != 0 && xmin <= xmax;
  for (int32_t i = 0; good && i < count; ++i) {
    xids.push_back(reader.take<uint64_t>());
    good = xids.back() >= xmin && xids.back() < xmax &&
           (i == 0 || xids.back() >= xids[xids.size() - 2]);
  }
  if (!good) {
    throw Error(sqlstate::kInvalidBinaryRepresentation, "invalid external pg_snapshot data");
  }
  return make_xid_snapshot(*context.arena, xmin, xmax, std::move(xids));
}

void send(EvalContext&, Datum value, std::string& bytes) {
  XidSnapshotView snapshot(value);
  append_be(bytes, snapshot.count());
  append_be(bytes, snapshot.xmin());
  append_be(bytes, snapshot.xmax());
  for (uint32_t i = 0; i < snapshot.count(); ++i) append_be(bytes, snapshot.xid(i));
}

constexpr BuiltinType snapshot_type(Oid oid, const char* name, Oid array) {
  return {oid, name, name, -1, false, 'd', 'U', false, array, 0, input, output, receive, send};
}

constexpr BuiltinType kRows[] = {
    snapshot_type(2970, "txid_snapshot", 2949),
    snapshot_type(5038, "pg_snapshot", 5039),
};

}  // namespace

constinit const std::span<const BuiltinType> kSnapshotTypes = kRows;

}  // namespace cofork
