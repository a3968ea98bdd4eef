// Writing and reading what is moved out: see toast.h. Making the tables: ddl_toast.cc.
#include "catalog/toast.h"

#include <algorithm>
#include <cstring>

#include "access/btree_heap.h"
#include "access/btree_scan.h"
#include "support/error.h"
#include "txn/snapshot.h"
#include "txn/variable_cache.h"

namespace cofork {
namespace {

/// The TOAST table and its index, locked.
struct ToastTable {
  explicit ToastTable(Oid oid, LockMode mode)
      : relation(open_relation(oid, mode)), index(*relation.indexes.at(0)) {}
  RelationDesc& relation;
  IndexDesc& index;
};

BtreeCondition of_value(Oid value) {
  BtreeCondition condition;
  condition.column = 0;
  condition.value = datum_from_oid(value);
  return condition;
}

bool is_taken(ToastTable& toast, Oid value) {
  BtreeScan scan(toast.index.btree, {});
  BtreeCondition condition = of_value(value);
  scan.rescan({&condition, 1});
  bool found = scan.next();
  scan.end();
  return found;
}

/// Writes a value's bytes in chunks; the pointer to them (toast_save_datum).
Datum move_out(RelationDesc& relation, Datum value, CommandId command, Arena& arena) {
  ToastTable toast(relation.toast, LockMode::kRowExclusive);
  const char* bytes = datum_to_pointer(value);
  ToastPointer pointer;
  pointer.table = relation.toast;
  std::string_view stored;
  if (varlena_is_compressed(bytes)) {
    stored = {bytes + 4, varlena_bytes(bytes) - 4};
    auto info = load_le<uint32_t>(bytes + 4);
    pointer.raw_bytes = (info & ((1u << 30) - 1)) + 4;
    pointer.method = info >> 30;
  } else {
    stored = varlena_view(value);
    pointer.raw_bytes = static_cast<uint32_t>(stored.size()) + 4;
  }
  pointer.stored_bytes = static_cast<uint32_t>(stored.size());
  do {
    pointer.value = new_oid();
  } while (is_taken(toast, pointer.value));
  HeapBehindIndex heap(toast.relation.access);
  for (int32_t chunk = 0; !stored.empty(); ++chunk) {
    this_task().check_interrupts();
    Arena scratch(4096);
    std::string_view part = stored.substr(0, kToastChunkBytes);
    stored.remove_prefix(part.size());
    Datum values[] = {datum_from_oid(pointer.value), datum_from_int32(chunk),
                      varlena_from(scratch, part)};
    bool nulls[] = {false, false, false};
    HeapTuple tuple = form_tuple(toast.relation.shape, values, nulls, scratch);
    heap_insert(toast.relation.access, tuple, command);
    btree_insert(toast.index.btree, values, nulls, tuple.self, UniqueCheck::kNo, heap);
  }
  return make_toast_pointer(pointer, arena);
}

/// One row on its way to fit into its page (ToastTupleContext).
class Toaster {
 public:
  Toaster(RelationDesc& relation, const Datum* values, const bool* nulls, CommandId command,
          Arena& arena)
      : relation_(relation),
        nulls_(nulls),
        command_(command),
        arena_(arena),
        values_(values, values + relation.shape.columns()),
        is_incompressible_(values_.size()) {}

  HeapTuple fit(uint32_t header_bytes) {
    uint32_t target = kToastTupleTarget;
    if (const std::string* option = relation_.find_option("toast_tuple_target")) {
      target = static_cast<uint32_t>(std::stoul(*option));
    }
    target -= header_bytes;
    // Compress what may be moved out, and move out at once what is too long alone.
    while (bytes() > target) {
      int column = longest(true, false);
      if (column < 0) break;
      if (relation_.shape[column].storage == 'x') compress(column);
      is_incompressible_[static_cast<size_t>(column)] = true;
      if (varlena_bytes(pointer(column)) > target) move(column);
    }
    while (bytes() > target) {
      int column = longest(false, false);
      if (column < 0) break;
      move(column);
    }
    // Values of storage MAIN go last, and out only if the row would not fit into a page.
    while (bytes() > target) {
      int column = longest(true, true);
      if (column < 0) break;
      compress(column);
      is_incompressible_[static_cast<size_t>(column)] = true;
    }
    uint32_t page_target = kHeapTupleBytesMax - header_bytes;
    while (bytes() > page_target) {
      int column = longest(false, true);
      if (column < 0) break;
      move(column);
    }
    return form_tuple(relation_.shape, values_.data(), nulls_, arena_);
  }

 private:
  uint32_t bytes() const { return tuple_data_bytes(relation_.shape, values_.data(), nulls_); }
  const char* pointer(int column) const {
    return datum_to_pointer(values_[static_cast<size_t>(column)]);
  }

  /// The longest value that can still be made shorter; -1: none.
  int longest(bool to_compress, bool of_main) const {
    uint32_t most = 24;  // a pointer, aligned: nothing is won with less
    int found = -1;
    for (int i = 0; i < relation_.shape.columns(); ++i) {
      const Attribute& attribute = relation_.shape[i];
      if (nulls_[i] || attribute.length != -1) continue;
      bool is_main = attribute.storage == 'm';
      if (attribute.storage == 'p' || is_main != of_main) continue;
      if (varlena_is_external(pointer(i))) continue;
      if (to_compress &&
          (is_incompressible_[static_cast<size_t>(i)] || varlena_is_compressed(pointer(i)))) {
        continue;
      }
      if (uint32_t size = varlena_bytes(pointer(i)); size > most) {
        most = size;
        found = i;
      }
    }
    return found;
  }

  void compress(int column) {
    Datum packed = toast_compress(values_[static_cast<size_t>(column)], arena_);
    if (packed != 0) values_[static_cast<size_t>(column)] = packed;
  }
  void move(int column) {
    Datum& value = values_[static_cast<size_t>(column)];
    value = move_out(relation_, value, command_, arena_);
  }

  RelationDesc& relation_;
  const bool* nulls_;
  CommandId command_;
  Arena& arena_;
  std::vector<Datum> values_;
  std::vector<bool> is_incompressible_;
};

/// All chunks of a value, by its pointer, as one varlena without header (toast_fetch_datum).
std::string fetch_chunks(const ToastPointer& pointer) {
  ToastTable toast(pointer.table, LockMode::kAccessShare);
  std::string bytes;
  bytes.reserve(pointer.stored_bytes);
  BtreeScan scan(toast.index.btree, {.hold_pins = true});
  BtreeCondition condition = of_value(pointer.value);
  scan.rescan({&condition, 1});
  HeapIndexFetch fetch(toast.relation.access);
  Snapshot snapshot = snapshot_of(SnapshotKind::kToast);
  int32_t expected = 0;
  while (scan.next()) {
    this_task().check_interrupts();
    if (!fetch.fetch(scan.tid(), snapshot)) continue;
    bool is_null = false;
    const TupleShape& shape = toast.relation.shape;
    int32_t chunk = datum_to_int32(tuple_column(fetch.tuple().header, shape, 1, is_null));
    if (chunk != expected) break;
    ++expected;
    bytes += varlena_view(tuple_column(fetch.tuple().header, shape, 2, is_null));
  }
  fetch.release();
  scan.end();
  if (bytes.size() != pointer.stored_bytes) {
    throw Error(sqlstate::kDataCorrupted, "missing chunk number {} for toast value {} in {}",
                expected, pointer.value, toast.relation.name);
  }
  return bytes;
}

void delete_chunks(const ToastPointer& pointer, CommandId command) {
  ToastTable toast(pointer.table, LockMode::kRowExclusive);
  BtreeScan scan(toast.index.btree, {.hold_pins = true});
  BtreeCondition condition = of_value(pointer.value);
  scan.rescan({&condition, 1});
  HeapIndexFetch fetch(toast.relation.access);
  Snapshot snapshot = snapshot_of(SnapshotKind::kToast);
  std::vector<ItemPointer> places;
  while (scan.next()) {
    if (fetch.fetch(scan.tid(), snapshot)) places.push_back(fetch.tuple().self);
  }
  fetch.release();
  scan.end();
  for (const ItemPointer& place : places) {
    this_task().check_interrupts();
    TmFailure failure;
    // Nobody but who deletes the row deletes its chunks.
    if (heap_delete(toast.relation.access, place, command, nullptr, true, failure) !=
        TmResult::kOk) {
      throw Error(sqlstate::kInternalError, "tuple concurrently updated");
    }
  }
}

}  // namespace

void toast_tuple(RelationDesc& relation, const Datum* values, const bool* nulls, HeapTuple& tuple,
                 CommandId command, Arena& arena) {
  if (relation.toast == kInvalidOid || tuple.length <= kToastTupleTarget) return;
  tuple = Toaster(relation, values, nulls, command, arena).fit(tuple.header->hoff);
}

Datum detoast(Datum value, Arena& arena) {
  const char* bytes = datum_to_pointer(value);
  if (!varlena_is_external(bytes)) {
    return varlena_is_compressed(bytes) ? toast_decompress(value, arena) : value;
  }
  ToastPointer pointer = read_toast_pointer(bytes);
  std::string stored = fetch_chunks(pointer);
  if (!pointer.is_compressed()) return varlena_from(arena, stored);
  Arena scratch(stored.size() + 64);
  char* packed = static_cast<char*>(scratch.allocate(stored.size() + 4, 8));
  store_le<uint32_t>(packed, static_cast<uint32_t>((stored.size() + 4) << 2 | 2));
  std::memcpy(packed + 4, stored.data(), stored.size());
  return toast_decompress(datum_from_pointer(packed), arena);
}

void delete_toasted(RelationDesc& relation, const ItemPointer& place, CommandId command) {
  if (relation.toast == kInvalidOid) return;
  std::vector<ToastPointer> pointers;
  {
    HeapTuple tuple;
    tuple.self = place;
    Buffer buffer;
    if (!heap_fetch(relation.access, snapshot_of(SnapshotKind::kAny), tuple, buffer)) return;
    if ((tuple.header->infomask & kTupleHasExternal) == 0) return;
    for (int i = 0; i < relation.shape.columns(); ++i) {
      if (relation.shape[i].length != -1) continue;
      bool is_null = false;
      Datum value = tuple_column(tuple.header, relation.shape, i, is_null);
      if (is_null || !varlena_is_external(datum_to_pointer(value))) continue;
      pointers.push_back(read_toast_pointer(datum_to_pointer(value)));
    }
  }
  for (const ToastPointer& pointer : pointers) delete_chunks(pointer, command);
}

}  // namespace cofork
