// Which tables need a TOAST table, and making it (needs_toast_table, create_toast_table in
// toasting.c, 15). See toast.h.
#include <algorithm>

#include "catalog/builtin.h"
#include "catalog/catalog_rows.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/toast.h"

namespace cofork {
namespace {

/// The most bytes a value may have; -1: there is no limit (type_maximum_size).
int64_t most_bytes(const Attribute& attribute) {
  constexpr int64_t kBytesOfCharacter = 4;  // UTF8
  int64_t typmod = attribute.typmod;
  if (typmod < 0) return -1;
  switch (attribute.type) {
    case type_oid::kBpchar:
    case type_oid::kVarchar:
      return (typmod - 4) * kBytesOfCharacter + 4;
    case type_oid::kBit:
    case type_oid::kVarbit:
      return (typmod + 7) / 8 + 8;
    case type_oid::kNumeric:
      // Digits come in fours, of two bytes each, and may begin and end within four.
      return 4 + 2 * (((typmod - 4) >> 16 & 0xFFFF) + 2 * 3 + 3) / 4 * 2 + 8;
    default:
      return -1;
  }
}

int64_t alignment_bytes(char align) {
  return align == 'd' ? 8 : align == 'i' ? 4 : align == 's' ? 2 : 1;
}

bool needs_toast_table(const RelationDesc& table) {
  if (table.toast != kInvalidOid || table.kind != 'r' || table.is_system) return false;
  int64_t bytes = 0;
  bool has_long = false;
  for (const Attribute& attribute : table.shape.attributes()) {
    if (attribute.dropped) continue;
    int64_t align = alignment_bytes(attribute.align);
    bytes = (bytes + align - 1) / align * align;
    if (attribute.length > 0) {
      bytes += attribute.length;
      continue;
    }
    int64_t most = most_bytes(attribute);
    if (attribute.storage != 'p') {
      if (most < 0) return true;
      has_long = true;
    }
    bytes += std::max<int64_t>(most, 0);
  }
  int64_t header = (23 + (table.shape.columns() + 7) / 8 + 7) / 8 * 8;
  return has_long && header + (bytes + 7) / 8 * 8 > kToastTupleTarget;
}

}  // namespace

void create_toast_table(Oid oid) {
  RelationDesc& table = open_relation(oid, LockMode::kNone);
  if (!needs_toast_table(table)) return;
  std::string name = fmt::format("pg_toast_{}", oid);
  std::vector<ColumnDefinition> columns(3);
  columns[0].name = "chunk_id";
  columns[0].type = type_oid::kOid;
  columns[1].name = "chunk_seq";
  columns[1].type = type_oid::kInt4;
  columns[2].name = "chunk_data";
  columns[2].type = type_oid::kBytea;
  Oid toast = insert_relation({'t', table.persistence, kPgToastOid, name, columns, {}});
  // Chunks are neither compressed nor moved out again.
  for (int16_t number = 1; number <= 3; ++number) {
    change_attribute(toast, number,
                     [](CatalogTuple& tuple) { tuple.set_char(pg_attribute::attstorage, 'p'); });
  }
  show_changes();
  IndexDefinition definition;
  definition.table = toast;
  definition.unique = true;
  definition.keys.resize(2);
  definition.keys[0].column = "chunk_id";
  definition.keys[1].column = "chunk_seq";
  RelationDesc& made = open_relation(toast, LockMode::kShare);
  IndexRowFactory no_rows;
  make_index(made, {definition, kPgToastOid, name + "_index", true, true, no_rows});
  change_class(oid, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_oid(pg_class::reltoastrelid, toast);
  });
  record_dependency(ObjectAddress::relation(toast), ObjectAddress::relation(oid),
                    kDependencyInternal);
  show_changes();
}

}  // namespace cofork
