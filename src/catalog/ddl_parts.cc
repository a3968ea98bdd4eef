// See ddl_parts.h.
#include "catalog/ddl_parts.h"

#include "catalog/catalog_rows.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "log/log.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

void report_notice(SqlState sqlstate, std::string message) {
  ErrorData notice;
  notice.severity = Severity::kNotice;
  notice.sqlstate = sqlstate;
  notice.message = std::move(message);
  report(notice);
}

void show_changes() {
  my_transaction().command_counter_increment();
}

RelationDesc& open_table_for_change(Oid table, LockMode mode) {
  RelationDesc& relation = open_relation(table, mode);
  if (relation.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not a table", relation.name);
  }
  must_own_user_relation(relation);
  return relation;
}

const ColumnDesc& column_of(const RelationDesc& table, std::string_view name) {
  if (const ColumnDesc* column = table.find_column(name)) return *column;
  for (const SystemColumnDesc& column : row_system_columns()) {
    if (column.name == name) {
      throw Error(sqlstate::kFeatureNotSupported, "cannot alter system column \"{}\"", name);
    }
  }
  throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name,
              table.name);
}

std::vector<int16_t> column_numbers(const RelationDesc& table, std::span<const std::string> names) {
  std::vector<int16_t> numbers;
  for (const std::string& name : names) {
    const ColumnDesc* column = table.find_column(name);
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" named in key does not exist", name);
    }
    for (int16_t before : numbers) {
      if (before == column->number) {
        throw Error(sqlstate::kDuplicateColumn, "column \"{}\" appears twice in constraint", name);
      }
    }
    numbers.push_back(column->number);
  }
  return numbers;
}

bool name_is_free(Oid schema, const std::string& name, bool if_not_exists) {
  if (find_relation_in(schema, name) == kInvalidOid) return true;
  if (!if_not_exists) {
    throw Error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", name);
  }
  report_notice(sqlstate::kDuplicateTable,
                fmt::format("relation \"{}\" already exists, skipping", name));
  return false;
}

RelationFile relation_file(Oid file_number) {
  return {kDefaultTablespaceOid, my_database(), file_number};
}

Oid new_file_number(Oid relation) {
  Oid number = relation;
  while (relation_file_exists(relation_file(number), ForkNumber::kMain)) number = new_oid();
  return number;
}

}  // namespace cofork
