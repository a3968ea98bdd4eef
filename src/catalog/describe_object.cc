// What an object is called in messages (getObjectDescription, objectaddress.c, 15). Names are
// qualified when the bare name would not find the object.
#include <optional>

#include "catalog/builtin.h"
#include "catalog/catalog_table.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_attrdef.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_constraint.h"
#include "catalog/system/pg_namespace.h"
#include "catalog/system/pg_rewrite.h"
#include "catalog/system/pg_type.h"

namespace cofork {

namespace {

std::string kind_word(char kind) {
  switch (kind) {
    case 'r':
      return "table";
    case 'i':
      return "index";
    case 'S':
      return "sequence";
    case 't':
      return "toast table";
    case 'v':
      return "view";
    default:
      return "relation";
  }
}

std::string describe_relation(Oid oid) {
  auto key = relation_key(oid);
  if (!key) return "";
  return kind_word(key->kind) + " " + *relation_display_name(oid);
}

std::string describe_column(Oid relation, int32_t number) {
  CatalogScan scan(pg_attribute::kCatalog, pg_attribute::kRelidAttnumIndex,
                   {key_of(relation), key_of(static_cast<int16_t>(number))});
  if (!scan.next()) return "";
  return fmt::format("column {} of {}", scan.row().name(pg_attribute::attname),
                     describe_relation(relation));
}

std::string describe_default(Oid oid) {
  CatalogScan scan(pg_attrdef::kCatalog, pg_attrdef::kOidIndex, {key_of(oid)});
  if (!scan.next()) return "";
  Oid relation = scan.row().oid(pg_attrdef::adrelid);
  return "default value for " + describe_column(relation, scan.row().int2(pg_attrdef::adnum));
}

std::string describe_constraint(Oid oid) {
  CatalogScan scan(pg_constraint::kCatalog, pg_constraint::kOidIndex, {key_of(oid)});
  if (!scan.next()) return "";
  return fmt::format("constraint {} on {}", scan.row().name(pg_constraint::conname),
                     describe_relation(scan.row().oid(pg_constraint::conrelid)));
}

std::string describe_rule(Oid oid) {
  CatalogScan scan(pg_rewrite::kCatalog, pg_rewrite::kOidIndex, {key_of(oid)});
  if (!scan.next()) return "";
  return fmt::format("rule {} on {}", scan.row().name(pg_rewrite::rulename),
                     describe_relation(scan.row().oid(pg_rewrite::ev_class)));
}

std::string describe_schema(Oid oid) {
  CatalogScan scan(pg_namespace::kCatalog, pg_namespace::kOidIndex, {key_of(oid)});
  return scan.next() ? fmt::format("schema {}", scan.row().name(pg_namespace::nspname)) : "";
}

std::string type_name(Oid oid) {
  if (find_type(oid) != nullptr) return format_type(oid);
  CatalogScan scan(pg_type::kCatalog, pg_type::kOidIndex, {key_of(oid)});
  if (!scan.next()) return "";
  CatalogRow& row = scan.row();
  if (Oid element = row.oid(pg_type::typelem); element != kInvalidOid) {
    return type_name(element) + "[]";
  }
  if (Oid relation = row.oid(pg_type::typrelid); relation != kInvalidOid) {
    return relation_display_name(relation).value_or("");
  }
  return std::string(row.name(pg_type::typname));
}

}  // namespace

std::string describe_object(const ObjectAddress& object) {
  switch (object.class_id) {
    case class_oid::kRelation:
      return object.sub == 0 ? describe_relation(object.object)
                             : describe_column(object.object, object.sub);
    case class_oid::kDefault:
      return describe_default(object.object);
    case class_oid::kConstraint:
      return describe_constraint(object.object);
    case class_oid::kRule:
      return describe_rule(object.object);
    case class_oid::kNamespace:
      return describe_schema(object.object);
    case class_oid::kType:
      return "type " + type_name(object.object);
    case class_oid::kRole:
      return "role " + role_name(object.object);
    case class_oid::kDatabase: {
      auto database = find_database(object.object);
      return database ? "database " + database->name : "";
    }
    default:
      return fmt::format("object {} of catalog {}", object.object, object.class_id);
  }
}

}  // namespace cofork
