// Names: which object a name means along search_path, and how an object is called (as namespace.c
// and the quoting of ruleutils.c, 15).
//
// search_path is a list of schemas; pg_catalog is searched first unless the list names it, and a
// session's own temporary schema before that. "$user" stands for the schema with the current user's
// name. A schema that does not exist is passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/views/view.h"
#include "txn/lock_manager.h"
#include "types/datum.h"
#include "types/text.h"

namespace cofork {

inline constexpr Oid kPgCatalogOid = 11;
inline constexpr Oid kPgToastOid = 99;
inline constexpr Oid kPublicOid = 2200;

/// Who looks for names and makes objects: the current user, in the task's database. The session
/// sets it when it begins and whenever SET ROLE changes it.
struct CatalogUser {
  Oid oid = 10;
  std::string name;
  bool is_superuser = true;
};
void set_catalog_user(CatalogUser user);
const CatalogUser& catalog_user();
/// The database the task is connected to.
Oid my_database();

// --- schemas
/// 0: no such schema. "pg_temp" is the session's own temporary one, 0 while it has none.
Oid find_namespace(std::string_view name);
/// Throws 3F000 `schema "%s" does not exist`.
Oid namespace_of(std::string_view name);
/// Throws XX000 for an oid nobody has; nothing instead.
std::string namespace_name(Oid oid);
std::optional<std::string> try_namespace_name(Oid oid);
/// The schemas searched, in order; `implicit`: pg_catalog and the temporary one too (
/// current_schemas()).
std::vector<Oid> search_path(bool implicit);
/// Where an object without a schema is made; `schema` "" for the first of search_path. Throws 3F000
/// `no schema has been selected to create in`, 42501 `permission denied for schema %s`.
Oid creation_namespace(std::string_view schema);

// --- relations
/// What a relation's name leads to: a built-in view or something with an entry in the cache.
struct FoundRelation {
  Oid oid = kInvalidOid;              ///< 0: nothing
  const BuiltinView* view = nullptr;  ///< set: a built-in view, never opened
  explicit operator bool() const { return oid != kInvalidOid; }
};
/// `schema` "": along search_path. Does not lock: who needs the relation opens it, and asks again
/// if it has gone. Throws 3F000 for a schema that does not exist unless `missing_ok`.
FoundRelation find_relation(std::string_view schema, std::string_view name, bool missing_ok = true);
/// Finds and locks in one step: a name that leads elsewhere by the time the lock is there is looked
/// up again (RangeVarGetRelid). Throws 42P01 `relation "%s" does not exist`. A built-in view is
/// not locked.
FoundRelation lock_relation(std::string_view schema, std::string_view name, LockMode mode);
/// In this schema, whatever search_path says; 0: none.
Oid find_relation_in(Oid schema, std::string_view name);
/// Would the bare name find it? (RelationIsVisible, pg_table_is_visible)
bool relation_is_visible(Oid oid);
/// relname, or nothing when there is no such relation.
std::optional<std::string> relation_name(Oid oid);
/// Quoted where needed, with the schema unless the bare name finds it: regclass's output.
std::optional<std::string> relation_display_name(Oid oid);
/// pg_class.relkind, and relnamespace; nothing when there is no such relation.
struct RelationKey {
  std::string name;
  Oid schema;
  char kind;
  Oid owner;
};
std::optional<RelationKey> relation_key(Oid oid);

/// Moves whenever somebody has committed a change of what a name could mean (CREATE, DROP, RENAME,
/// schemas), or this task has made one or set search_path: names found before may now lead
/// elsewhere.
uint64_t names_generation();

// --- spelling
// quote_identifier() is in types/text.h.
/// "schema.name", quoted.
std::string qualified_name(std::string_view schema, std::string_view name);
/// In single quotes, E'' when it has a backslash (quote_literal).
std::string quote_literal(std::string_view text);
/// Cuts to 63 bytes at a character's end, as identifiers are.
std::string truncate_name(std::string name);
/// "table_column_key": each part shortened so that the whole fits 63 bytes (makeObjectName).
std::string make_object_name(std::string_view first, std::string_view second,
                             std::string_view label);
/// The same with a number added until nobody in the schema has it (ChooseRelationName);
/// `constraint`: nor a constraint of the schema.
std::string choose_relation_name(std::string_view first, std::string_view second,
                                 std::string_view label, Oid schema, bool constraint);

}  // namespace cofork
