// See relation_load.h.
#include "catalog/relation_load.h"

#include <algorithm>

#include "catalog/array_element.h"
#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/object_address.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_attrdef.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_depend.h"
#include "catalog/system/pg_index.h"
#include "catalog/system/pg_rewrite.h"
#include "catalog/system/pg_sequence.h"
#include "catalog/type_layout.h"
#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

std::vector<std::pair<std::string, std::string>> parse_options(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> options;
  for (const std::string& text : texts) {
    size_t equals = std::min(text.find('='), text.size());
    options.emplace_back(text.substr(0, equals), text.substr(std::min(equals + 1, text.size())));
  }
  return options;
}

namespace {

constexpr int kIndexFillfactor = 90;

/// What pg_class says of the relation itself; the same for a table and for an index.
struct ClassRow {
  explicit ClassRow(CatalogRow& row);
  Oid oid, schema, row_type, owner, file_number, toast, tablespace;
  std::string name;
  char kind, persistence;
  bool is_shared, has_index, has_triggers, has_rules;
  int16_t columns, checks;
  int32_t pages, all_visible;
  float tuples;
  TransactionId frozen_xid;
  MultiXactId min_multi;
  std::vector<std::pair<std::string, std::string>> options;
};

ClassRow::ClassRow(CatalogRow& row) {
  oid = row.oid(pg_class::oid);
  schema = row.oid(pg_class::relnamespace);
  row_type = row.oid(pg_class::reltype);
  owner = row.oid(pg_class::relowner);
  // Mapped catalogs keep the number they were born with.
  file_number = row.oid(pg_class::relfilenode);
  if (file_number == kInvalidOid) file_number = oid;
  toast = row.oid(pg_class::reltoastrelid);
  tablespace = row.oid(pg_class::reltablespace);
  name = row.name(pg_class::relname);
  kind = row.character(pg_class::relkind);
  persistence = row.character(pg_class::relpersistence);
  is_shared = row.boolean(pg_class::relisshared);
  has_index = row.boolean(pg_class::relhasindex);
  has_triggers = row.boolean(pg_class::relhastriggers);
  has_rules = row.boolean(pg_class::relhasrules);
  columns = row.int2(pg_class::relnatts);
  checks = row.int2(pg_class::relchecks);
  pages = row.int4(pg_class::relpages);
  all_visible = row.int4(pg_class::relallvisible);
  tuples = row.float4(pg_class::reltuples);
  frozen_xid = row.oid(pg_class::relfrozenxid);
  min_multi = row.oid(pg_class::relminmxid);
  options = parse_options(row.texts(pg_class::reloptions));
}

int fillfactor_of(const ClassRow& row, int standard) {
  for (const auto& [name, value] : row.options) {
    if (name == "fillfactor") return parse_int4(value);
  }
  return standard;
}

void fill_access(Relation& access, const ClassRow& row, std::string_view schema_name) {
  access.oid = row.oid;
  access.name = row.name;
  access.schema_name = schema_name;
  access.is_shared = row.is_shared;
  access.is_catalog = row.oid < kFirstNormalOid;
  access.persistence = row.persistence;
  Oid tablespace = row.is_shared                   ? kGlobalTablespaceOid
                   : row.tablespace != kInvalidOid ? row.tablespace
                                                   : kDefaultTablespaceOid;
  access.file = {tablespace, row.is_shared ? kInvalidOid : my_database(), row.file_number};
}

/// The one element of attmissingval, with bytes of its own.
Datum missing_value(CatalogRow& row, Oid type_oid, Arena& arena) {
  const BuiltinType& type = element_type_of(type_oid);
  Arena scratch;
  Datum stored = row.datum(pg_attribute::attmissingval);
  if (varlena_is_short(datum_to_pointer(stored))) {
    stored = varlena_from(scratch, varlena_view(stored));
  }
  ArrayView array(stored);
  ArrayReader reader(array, layout_of(type));
  Datum value = 0;
  bool is_null = false;
  reader.next(value, is_null);
  return copy_datum(type, value, arena);
}

class Loader {
 public:
  explicit Loader(const ClassRow& row) : row_(row), relation_(std::make_unique<RelationDesc>()) {}

  std::unique_ptr<RelationDesc> load() {
    RelationDesc& relation = *relation_;
    copy_row();
    read_columns();
    read_defaults();
    relation.shape = TupleShape(std::move(attributes_));
    relation.access.shape = &relation.shape;
    fill_access(relation.access, row_, relation.schema_name);
    if (row_.kind == 'r' || row_.kind == 't' || row_.kind == 'm') {
      relation.access.fillfactor = fillfactor_of(row_, 100);
      if (row_.has_index) read_indexes();
      if (row_.checks > 0 || row_.has_index || row_.has_triggers) read_constraints();
      if (row_.has_triggers) read_referencing();
      note_indexed_columns();
    }
    if (row_.kind == 'v' && row_.has_rules) read_view();
    if (row_.kind == 'S') read_sequence();
    if (row_.kind == 'i') read_indexed_table();
    return std::move(relation_);
  }

 private:
  void copy_row();
  void read_columns();
  void read_defaults();
  void read_indexes();
  void read_constraints();
  void read_referencing();
  void note_indexed_columns();
  void read_view();
  void read_sequence();
  void read_indexed_table();

  const ClassRow& row_;
  std::unique_ptr<RelationDesc> relation_;
  std::vector<Attribute> attributes_;
};

void Loader::copy_row() {
  RelationDesc& to = *relation_;
  to.oid = row_.oid;
  to.schema = row_.schema;
  to.name = row_.name;
  to.schema_name = namespace_name(row_.schema);
  to.kind = row_.kind;
  to.persistence = row_.persistence;
  to.owner = row_.owner;
  to.row_type = row_.row_type;
  to.toast = row_.toast;
  to.is_shared = row_.is_shared;
  to.is_system = row_.oid < kFirstNormalOid;
  to.tuples = row_.tuples;
  to.pages = row_.pages;
  to.all_visible = row_.all_visible;
  to.has_index = row_.has_index;
  to.has_triggers = row_.has_triggers;
  to.frozen_xid = row_.frozen_xid;
  to.min_multi = row_.min_multi;
  to.options = row_.options;
}

void Loader::read_columns() {
  CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex, {key_of(row_.oid)});
  while (scan.next()) {
    CatalogRow& row = scan.row();
    if (row.int2(pg_attribute::attnum) <= 0) continue;  // system columns come first
    ColumnDesc column;
    column.number = row.int2(pg_attribute::attnum);
    column.name = row.name(pg_attribute::attname);
    column.type = row.oid(pg_attribute::atttypid);
    column.typmod = row.int4(pg_attribute::atttypmod);
    column.not_null = row.boolean(pg_attribute::attnotnull);
    column.dropped = row.boolean(pg_attribute::attisdropped);
    column.identity = row.character(pg_attribute::attidentity);
    column.generated = row.character(pg_attribute::attgenerated);
    column.storage = row.character(pg_attribute::attstorage);
    column.collation = row.oid(pg_attribute::attcollation);
    column.statistics_target = row.int4(pg_attribute::attstattarget);
    Attribute attribute;
    attribute.type = column.type;
    attribute.length = row.int2(pg_attribute::attlen);
    attribute.by_value = row.boolean(pg_attribute::attbyval);
    attribute.align = row.character(pg_attribute::attalign);
    attribute.storage = column.storage;
    attribute.not_null = column.not_null;
    attribute.dropped = column.dropped;
    attribute.typmod = column.typmod;
    if (row.boolean(pg_attribute::atthasmissing)) {
      attribute.has_missing = true;
      attribute.missing = missing_value(row, column.type, relation_->missing_values);
    }
    relation_->columns.push_back(std::move(column));
    attributes_.push_back(attribute);
  }
  if (static_cast<int>(relation_->columns.size()) != row_.columns) {
    throw Error(sqlstate::kInternalError,
                "pg_attribute catalog is missing {} attribute(s) for relation OID {}",
                row_.columns - static_cast<int>(relation_->columns.size()), row_.oid);
  }
}

void Loader::read_defaults() {
  if (row_.oid < kFirstNormalOid) return;
  CatalogScan scan(pg_attrdef::kCatalog, pg_attrdef::kAdrelidAdnumIndex, {key_of(row_.oid)});
  while (scan.next()) {
    auto at = static_cast<size_t>(scan.row().int2(pg_attrdef::adnum) - 1);
    relation_->columns[at].default_text = scan.row().text(pg_attrdef::adbin);
  }
}

void Loader::read_indexes() {
  CatalogScan scan(pg_index::kCatalog, pg_index::kIndrelidIndex, {key_of(row_.oid)});
  while (scan.next()) {
    if (!scan.row().boolean(pg_index::indislive)) continue;
    relation_->indexes.push_back(load_index(*relation_, scan.row()));
  }
  // All tasks lock and fill indexes in the same order.
  std::ranges::sort(relation_->indexes, {}, [](const auto& index) { return index->oid; });
}

ConstraintDesc constraint_of(CatalogRow& row) {
  ConstraintDesc constraint;
  constraint.oid = row.oid(pg_constraint::oid);
  constraint.name = row.name(pg_constraint::conname);
  constraint.type = row.character(pg_constraint::contype);
  constraint.table = row.oid(pg_constraint::conrelid);
  constraint.index = row.oid(pg_constraint::conindid);
  constraint.deferrable = row.boolean(pg_constraint::condeferrable);
  constraint.deferred = row.boolean(pg_constraint::condeferred);
  constraint.validated = row.boolean(pg_constraint::convalidated);
  constraint.no_inherit = row.boolean(pg_constraint::connoinherit);
  constraint.columns = row.int2s(pg_constraint::conkey);
  if (constraint.type == 'c') constraint.check_text = row.text(pg_constraint::conbin);
  if (constraint.type == 'f') {
    constraint.referenced = row.oid(pg_constraint::confrelid);
    constraint.referenced_columns = row.int2s(pg_constraint::confkey);
    constraint.match = row.character(pg_constraint::confmatchtype);
    constraint.on_update = row.character(pg_constraint::confupdtype);
    constraint.on_delete = row.character(pg_constraint::confdeltype);
    constraint.set_columns = row.int2s(pg_constraint::confdelsetcols);
  }
  return constraint;
}

void Loader::read_constraints() {
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kConrelidContypidConnameIndex,
                   {key_of(row_.oid)});
  while (scan.next()) {
    ConstraintDesc constraint = constraint_of(scan.row());
    IndexDesc* index = relation_->find_index(constraint.index);
    if (index != nullptr && constraint.type != 'f') index->constraint = constraint.oid;
    relation_->constraints.push_back(std::move(constraint));
  }
}

/// Foreign keys depend on the columns they refer to: pg_depend leads to them.
void Loader::read_referencing() {
  std::vector<Oid> constraints;
  CatalogScan scan(pg_depend::kCatalog, pg_depend::kReferenceIndex,
                   {key_of(class_oid::kRelation), key_of(row_.oid)});
  while (scan.next()) {
    if (scan.row().oid(pg_depend::classid) != class_oid::kConstraint) continue;
    constraints.push_back(scan.row().oid(pg_depend::objid));
  }
  std::ranges::sort(constraints);
  auto rest = std::ranges::unique(constraints);
  constraints.erase(rest.begin(), rest.end());
  for (Oid oid : constraints) {
    CatalogScan one(pg_constraint::kCatalog, pg_constraint::kOidIndex, {key_of(oid)});
    if (!one.next()) continue;
    ConstraintDesc constraint = constraint_of(one.row());
    if (constraint.type == 'f' && constraint.referenced == row_.oid) {
      relation_->referencing.push_back(std::move(constraint));
    }
  }
}

void sort_unique(std::vector<int16_t>& columns) {
  std::ranges::sort(columns);
  auto rest = std::ranges::unique(columns);
  columns.erase(rest.begin(), rest.end());
}

/// What HOT and FOR KEY SHARE must know. An expression may use any column, and so may a predicate:
/// which ones, pg_depend knows.
void Loader::note_indexed_columns() {
  std::vector<int16_t>& indexed = relation_->access.indexed_columns;
  std::vector<int16_t>& keys = relation_->access.key_columns;
  for (const auto& index : relation_->indexes) {
    bool is_key =
        index->unique && index->immediate && index->predicate.empty() && index->expressions.empty();
    for (size_t i = 0; i < index->columns.size(); ++i) {
      if (index->columns[i] == 0) continue;
      auto column = static_cast<int16_t>(index->columns[i] - 1);
      indexed.push_back(column);
      if (is_key && static_cast<int>(i) < index->key_count) keys.push_back(column);
    }
    if (index->predicate.empty() && index->expressions.empty()) continue;
    CatalogScan scan(pg_depend::kCatalog, pg_depend::kDependerIndex,
                     {key_of(class_oid::kRelation), key_of(index->oid)});
    while (scan.next()) {
      if (scan.row().oid(pg_depend::refclassid) != class_oid::kRelation) continue;
      if (scan.row().oid(pg_depend::refobjid) != row_.oid) continue;
      int32_t number = scan.row().int4(pg_depend::refobjsubid);
      if (number > 0) indexed.push_back(static_cast<int16_t>(number - 1));
    }
  }
  sort_unique(indexed);
  sort_unique(keys);
}

void Loader::read_view() {
  CatalogScan scan(pg_rewrite::kCatalog, pg_rewrite::kRelRulenameIndex, {key_of(row_.oid)});
  if (scan.next()) relation_->view_text = scan.row().text(pg_rewrite::ev_action);
}

void Loader::read_sequence() {
  CatalogScan scan(pg_sequence::kCatalog, pg_sequence::kSeqrelidIndex, {key_of(row_.oid)});
  if (!scan.next()) return;
  CatalogRow& row = scan.row();
  SequenceDesc sequence;
  sequence.type = row.oid(pg_sequence::seqtypid);
  sequence.start = row.int8(pg_sequence::seqstart);
  sequence.increment = row.int8(pg_sequence::seqincrement);
  sequence.maximum = row.int8(pg_sequence::seqmax);
  sequence.minimum = row.int8(pg_sequence::seqmin);
  sequence.cache = row.int8(pg_sequence::seqcache);
  sequence.cycle = row.boolean(pg_sequence::seqcycle);
  relation_->sequence = sequence;
}

void Loader::read_indexed_table() {
  CatalogScan scan(pg_index::kCatalog, pg_index::kIndexrelidIndex, {key_of(row_.oid)});
  if (scan.next()) relation_->indexed_table = scan.row().oid(pg_index::indrelid);
}

/// Several expressions of one index stand in one text, separated so.
std::vector<std::string> split_expressions(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(kExpressionSeparator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// An index's columns, as its rows of pg_attribute have them.
std::vector<Attribute> index_attributes(Oid index) {
  std::vector<Attribute> attributes;
  CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex, {key_of(index)});
  while (scan.next()) {
    CatalogRow& row = scan.row();
    Attribute attribute;
    attribute.type = row.oid(pg_attribute::atttypid);
    attribute.length = row.int2(pg_attribute::attlen);
    attribute.by_value = row.boolean(pg_attribute::attbyval);
    attribute.align = row.character(pg_attribute::attalign);
    attribute.storage = row.character(pg_attribute::attstorage);
    attribute.typmod = row.int4(pg_attribute::atttypmod);
    attributes.push_back(attribute);
  }
  return attributes;
}

}  // namespace

std::unique_ptr<IndexDesc> load_index(const RelationDesc& table, CatalogRow& row) {
  auto index = std::make_unique<IndexDesc>();
  index->oid = row.oid(pg_index::indexrelid);
  index->columns = row.int2s(pg_index::indkey);
  index->key_count = row.int2(pg_index::indnkeyatts);
  index->unique = row.boolean(pg_index::indisunique);
  index->primary = row.boolean(pg_index::indisprimary);
  index->immediate = row.boolean(pg_index::indimmediate);
  index->valid = row.boolean(pg_index::indisvalid);
  index->ready = row.boolean(pg_index::indisready);
  index->clustered = row.boolean(pg_index::indisclustered);
  index->nulls_not_distinct = row.boolean(pg_index::indnullsnotdistinct);
  index->expressions = split_expressions(row.text(pg_index::indexprs));
  index->predicate = row.text(pg_index::indpred);
  index->collations = row.oids(pg_index::indcollation);
  index->options = row.int2s(pg_index::indoption);

  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(index->oid)});
  if (!scan.next()) {
    throw Error(sqlstate::kInternalError, "cache lookup failed for relation {}", index->oid);
  }
  ClassRow own(scan.row());
  index->name = own.name;
  index->schema = own.schema;
  index->tuples = own.tuples;
  index->pages = own.pages;

  index->shape.tuple = TupleShape(index_attributes(index->oid));
  for (int i = 0; i < index->key_count; ++i) {
    Oid type = index->shape.tuple[i].type;
    auto option = static_cast<uint16_t>(index->options[static_cast<size_t>(i)]);
    index->shape.keys.push_back({find_type(type)->compare, (option & 1) != 0, (option & 2) != 0});
  }
  index->shape.unique = index->unique;
  index->shape.nulls_not_distinct = index->nulls_not_distinct;
  fill_access(index->access, own, table.schema_name);
  index->access.shape = &index->shape.tuple;
  index->access.fillfactor = fillfactor_of(own, kIndexFillfactor);
  return index;
}

std::unique_ptr<RelationDesc> load_relation(Oid oid) {
  CatalogScan scan(pg_class::kCatalog, pg_class::kOidIndex, {key_of(oid)});
  if (!scan.next()) return nullptr;
  ClassRow row(scan.row());
  return Loader(row).load();
}

}  // namespace cofork
