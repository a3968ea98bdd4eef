// See catalog_table.h.
#include "catalog/catalog_table.h"

#include <algorithm>
#include <map>
#include <memory>

#include "access/btree_heap.h"
#include "catalog/array_element.h"
#include "catalog/task_catalog.h"
#include "catalog/type_layout.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "types/text.h"
#include "wal/format.h"

namespace cofork {

namespace {

/// Layouts of all catalogs; made once, never changed.
class SystemShapes {
 public:
  SystemShapes() {
    for (const SystemCatalog* catalog : system_catalogs()) {
      std::vector<Attribute> attributes;
      for (const SystemColumn& column : catalog->columns) {
        attributes.push_back(attribute_of(column.type, -1, !column.nullable));
      }
      const TupleShape& heap =
          heaps_.emplace(catalog->oid, TupleShape(std::move(attributes))).first->second;
      for (const SystemIndex& index : catalog->indexes) {
        indexes_.emplace(index.oid, index_shape(heap, index));
      }
    }
  }
  const TupleShape& heap(Oid catalog) const { return heaps_.at(catalog); }
  const IndexShape& index(Oid oid) const { return indexes_.at(oid); }

 private:
  static IndexShape index_shape(const TupleShape& heap, const SystemIndex& index) {
    IndexShape shape;
    std::vector<Attribute> attributes;
    for (int i = 0; i < index.key_count(); ++i) {
      Oid type = heap[index.keys[i]].type;
      attributes.push_back(index_attribute_of(type));
      shape.keys.push_back({find_type(type)->compare});
    }
    shape.tuple = TupleShape(std::move(attributes));
    shape.unique = index.kind != SystemIndex::kPlain;
    return shape;
  }

  std::map<Oid, TupleShape> heaps_;
  std::map<Oid, IndexShape> indexes_;
};

const SystemShapes& system_shapes() {
  static const SystemShapes shapes;
  return shapes;
}

RelationFile file_of(const SystemCatalog& catalog, Oid number) {
  return catalog.is_shared ? RelationFile{kGlobalTablespaceOid, 0, number}
                           : RelationFile{kDefaultTablespaceOid, my_database(), number};
}

void describe(Relation& relation, const SystemCatalog& catalog, Oid oid, const char* name) {
  relation.oid = oid;
  relation.name = name;
  relation.schema_name = "pg_catalog";
  relation.file = file_of(catalog, oid);
  relation.is_shared = catalog.is_shared;
  relation.is_catalog = true;
}

std::vector<int16_t> columns_of_indexes(const SystemCatalog& catalog, bool unique_only) {
  std::vector<int16_t> columns;
  for (const SystemIndex& index : catalog.indexes) {
    if (unique_only && index.kind == SystemIndex::kPlain) continue;
    for (int i = 0; i < index.key_count(); ++i) {
      columns.push_back(static_cast<int16_t>(index.keys[i]));
    }
  }
  std::ranges::sort(columns);
  auto rest = std::ranges::unique(columns);
  columns.erase(rest.begin(), rest.end());
  return columns;
}

}  // namespace

const TupleShape& system_shape(const SystemCatalog& catalog) {
  return system_shapes().heap(catalog.oid);
}

const IndexShape& system_index_shape(const SystemCatalog&, const SystemIndex& index) {
  return system_shapes().index(index.oid);
}

CatalogTable::Index& CatalogTable::index(Oid oid) const {
  for (const auto& candidate : indexes) {
    if (candidate->definition->oid == oid) return *candidate;
  }
  throw Error(sqlstate::kInternalError, "catalog \"{}\" has no index {}", definition->name, oid);
}

CatalogTable& catalog_table(const SystemCatalog& catalog) {
  std::unique_ptr<CatalogTable>& slot = task_catalog().tables[catalog.oid];
  if (slot != nullptr) return *slot;
  auto table = std::make_unique<CatalogTable>();
  table->definition = &catalog;
  table->shape = &system_shape(catalog);
  describe(table->heap, catalog, catalog.oid, catalog.name);
  table->heap.shape = table->shape;
  table->heap.indexed_columns = columns_of_indexes(catalog, false);
  table->heap.key_columns = columns_of_indexes(catalog, true);
  for (const SystemIndex& definition : catalog.indexes) {
    const IndexShape& shape = system_index_shape(catalog, definition);
    auto index = std::make_unique<CatalogTable::Index>(&definition, shape);
    describe(index->relation, catalog, definition.oid, definition.name);
    index->relation.shape = &shape.tuple;
    index->relation.fillfactor = 90;
    table->indexes.push_back(std::move(index));
  }
  slot = std::move(table);
  return *slot;
}

// --- rows

CatalogRow::CatalogRow(const TupleShape& shape)
    : values_(static_cast<size_t>(shape.columns())),
      nulls_(values_.size()),
      reader_(shape, values_.data(), reinterpret_cast<bool*>(nulls_.data())) {}

std::string_view CatalogRow::name(int column) {
  return name_view(datum(column));
}

std::string_view CatalogRow::text(int column) {
  return is_null(column) ? std::string_view() : varlena_view(datum(column));
}

namespace {

/// Calls back with every element of an array as it lies in a row, its header short or long.
template <typename Each>
void for_each_element(Datum value, Each&& each) {
  Arena arena;
  if (varlena_is_short(datum_to_pointer(value))) value = varlena_from(arena, varlena_view(value));
  ArrayView array(value);
  ArrayReader reader(array, layout_of(element_type_of(array.element_type())));
  Datum item;
  bool is_null;
  while (reader.next(item, is_null)) {
    if (!is_null) each(item);
  }
}

}  // namespace

std::vector<int16_t> CatalogRow::int2s(int column) {
  std::vector<int16_t> found;
  if (is_null(column)) return found;
  for_each_element(datum(column), [&](Datum item) { found.push_back(datum_to_int16(item)); });
  return found;
}

std::vector<Oid> CatalogRow::oids(int column) {
  std::vector<Oid> found;
  if (is_null(column)) return found;
  for_each_element(datum(column), [&](Datum item) { found.push_back(datum_to_oid(item)); });
  return found;
}

std::vector<std::string> CatalogRow::texts(int column) {
  std::vector<std::string> found;
  if (is_null(column)) return found;
  for_each_element(datum(column), [&](Datum item) { found.emplace_back(varlena_view(item)); });
  return found;
}

// --- scans

CatalogScan::CatalogScan(const SystemCatalog& catalog, Oid index,
                         std::initializer_list<CatalogKey> keys)
    : table_(catalog_table(catalog)),
      snapshot_(register_snapshot(take_catalog_snapshot())),
      scan_(table_.index(index).btree, {}),
      fetch_(table_.heap),
      row_(*table_.shape) {
  size_t count = 0;
  for (const CatalogKey& key : keys) {
    conditions_[count].column = static_cast<int>(count);
    conditions_[count].value = key.value;
    ++count;
  }
  scan_.rescan({conditions_, count});
}

bool CatalogScan::next() {
  while (scan_.next()) {
    bool all_dead = false;
    if (fetch_.fetch(scan_.tid(), *snapshot_, &all_dead)) {
      row_.start(fetch_.tuple());
      return true;
    }
    if (all_dead) scan_.kill_current();
  }
  return false;
}

CatalogHeapScan::CatalogHeapScan(const SystemCatalog& catalog)
    : table_(catalog_table(catalog)),
      snapshot_(register_snapshot(take_catalog_snapshot())),
      scan_(table_.heap, *snapshot_),
      row_(*table_.shape) {}

bool CatalogHeapScan::next() {
  if (!scan_.next()) return false;
  row_.start(scan_.tuple());
  return true;
}

// --- writing

CatalogTuple::CatalogTuple(const SystemCatalog& catalog)
    : table_(catalog_table(catalog)),
      values_(static_cast<size_t>(table_.shape->columns())),
      nulls_(values_.size(), 1) {}

CatalogTuple::CatalogTuple(const SystemCatalog& catalog, CatalogRow& row) : CatalogTuple(catalog) {
  HeapTuple copy = copy_tuple(row.tuple(), arena_);
  deform_tuple(copy.header, *table_.shape, table_.shape->columns(), values_.data(),
               reinterpret_cast<bool*>(nulls_.data()));
}

CatalogTuple& CatalogTuple::set(int column, Datum value) {
  values_[static_cast<size_t>(column)] = value;
  nulls_[static_cast<size_t>(column)] = 0;
  return *this;
}

CatalogTuple& CatalogTuple::set_null(int column) {
  nulls_[static_cast<size_t>(column)] = 1;
  return *this;
}

CatalogTuple& CatalogTuple::set_name(int column, std::string_view v) {
  return set(column, name_from(arena_, v));
}

CatalogTuple& CatalogTuple::set_text(int column, std::string_view v) {
  return set(column, varlena_from(arena_, v));
}

CatalogTuple& CatalogTuple::set_text_or_null(int column, std::string_view v) {
  return v.empty() ? set_null(column) : set_text(column, v);
}

namespace {

/// An array that fits the column: the vector types count from 0.
Datum array_for(Arena& arena, Oid column_type, std::span<const Datum> values) {
  const BuiltinType& type = *find_type(column_type);
  bool is_vector = column_type == type_oid::kInt2Vector || column_type == type_oid::kOidVector;
  ArrayShape shape;
  if (is_vector || !values.empty()) {
    shape = ArrayShape::one_dimension(static_cast<int>(values.size()), is_vector ? 0 : 1);
  }
  return build_array(arena, type.element_oid, layout_of(element_type_of(type.element_oid)), shape,
                     values, nullptr);
}

}  // namespace

CatalogTuple& CatalogTuple::set_int2s(int column, std::span<const int16_t> v) {
  std::vector<Datum> values;
  for (int16_t number : v) values.push_back(datum_from_int16(number));
  return set(column, array_for(arena_, (*table_.shape)[column].type, values));
}

CatalogTuple& CatalogTuple::set_oids(int column, std::span<const Oid> v) {
  std::vector<Datum> values;
  for (Oid oid : v) values.push_back(datum_from_oid(oid));
  return set(column, array_for(arena_, (*table_.shape)[column].type, values));
}

CatalogTuple& CatalogTuple::set_texts(int column, std::span<const std::string> v) {
  if (v.empty()) return set_null(column);
  std::vector<Datum> values;
  for (const std::string& text : v) values.push_back(varlena_from(arena_, text));
  return set(column, array_for(arena_, (*table_.shape)[column].type, values));
}

void CatalogTuple::insert(uint32_t options) {
  HeapTuple tuple = form_tuple(*table_.shape, values_.data(),
                               reinterpret_cast<const bool*>(nulls_.data()), arena_);
  heap_insert(table_.heap, tuple, my_transaction().current_command(true), options);
  insert_index_entries(tuple.self);
}

namespace {

[[noreturn]] void refuse_duplicate(const CatalogTable::Index& index, const Datum* keys,
                                   const bool* nulls) {
  const SystemCatalog* catalog = nullptr;
  find_system_index(index.definition->oid, &catalog);
  Arena arena;
  EvalContext context{&arena};
  std::string names, values;
  for (int i = 0; i < index.definition->key_count(); ++i) {
    const SystemColumn& column = catalog->columns[static_cast<size_t>(index.definition->keys[i])];
    names += fmt::format("{}{}", i > 0 ? ", " : "", column.name);
    if (i > 0) values += ", ";
    nulls[i] ? void(values += "null") : find_type(column.type)->to_text(context, keys[i], values);
  }
  throw Error(sqlstate::kUniqueViolation, "duplicate key value violates unique constraint \"{}\"",
              index.definition->name)
      .detail("Key ({})=({}) already exists.", names, values);
}

}  // namespace

void CatalogTuple::insert_index_entries(const ItemPointer& tid) {
  HeapBehindIndex heap(table_.heap);
  for (const auto& index : table_.indexes) {
    Datum keys[SystemIndex::kMostKeys];
    bool nulls[SystemIndex::kMostKeys];
    for (int i = 0; i < index->definition->key_count(); ++i) {
      auto column = static_cast<size_t>(index->definition->keys[i]);
      keys[i] = values_[column];
      nulls[i] = nulls_[column] != 0;
    }
    UniqueCheck check = index->btree.shape.unique ? UniqueCheck::kYes : UniqueCheck::kNo;
    if (!btree_insert(index->btree, keys, nulls, tid, check, heap).is_unique) {
      refuse_duplicate(*index, keys, nulls);
    }
  }
}

namespace {

/// Rows of catalogs are changed by who holds a lock on their object, so nobody should be in the
/// way.
void must_be_ok(TmResult result, const char* done) {
  switch (result) {
    case TmResult::kOk:
      return;
    case TmResult::kSelfModified:
      throw Error(sqlstate::kInternalError, "tuple already updated by self");
    case TmResult::kUpdated:
      throw Error(sqlstate::kInternalError, "tuple concurrently updated");
    case TmResult::kDeleted:
      throw Error(sqlstate::kInternalError, "tuple concurrently deleted");
    default:
      throw Error(sqlstate::kInternalError, "catalog row could not be {}", done);
  }
}

}  // namespace

void CatalogTuple::update(const ItemPointer& tid) {
  HeapTuple tuple = form_tuple(*table_.shape, values_.data(),
                               reinterpret_cast<const bool*>(nulls_.data()), arena_);
  TmFailure failure;
  UpdateOutcome outcome{};
  must_be_ok(heap_update(table_.heap, tid, tuple, my_transaction().current_command(true), nullptr,
                         true, failure, outcome),
             "updated");
  if (outcome.needs_index_entries) insert_index_entries(tuple.self);
}

void CatalogTuple::update_in_place(const HeapTuple& old) {
  HeapTuple tuple = form_tuple(*table_.shape, values_.data(),
                               reinterpret_cast<const bool*>(nulls_.data()), arena_);
  tuple.self = old.self;
  heap_inplace_update(table_.heap, tuple);
}

void catalog_delete(const SystemCatalog& catalog, const ItemPointer& tid) {
  TmFailure failure;
  must_be_ok(heap_delete(catalog_table(catalog).heap, tid, my_transaction().current_command(true),
                         nullptr, true, failure),
             "deleted");
}

int catalog_delete_where(const SystemCatalog& catalog, Oid index,
                         std::initializer_list<CatalogKey> keys) {
  CatalogScan scan(catalog, index, keys);
  int count = 0;
  for (; scan.next(); ++count) catalog_delete(catalog, scan.row().tuple().self);
  return count;
}

Oid new_catalog_oid(const SystemCatalog& catalog, Oid oid_index) {
  while (true) {
    Oid oid = new_oid();
    if (!CatalogScan(catalog, oid_index, {key_of(oid)}).next()) return oid;
    this_task().check_interrupts();
  }
}

}  // namespace cofork
