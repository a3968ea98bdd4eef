// Changing what exists: tables, indexes, sequences, views, schemas, databases, roles (as
// commands/tablecmds.c, indexcmds.c, sequence.c, view.c, dbcommands.c, user.c and catalog/heap.c,
// index.c, dependency.c, 15).
//
// The sql floor has parsed and analysed the statement; what comes here is names, oids and checked
// SQL text. Everything happens in the running transaction and is undone with it, except for
// databases. Each function takes the locks it needs, checks ownership, writes the catalogs, their
// indexes and dependencies, and ends with command_counter_increment(), so that the caller sees the
// result. Notices are reported as they come up.
//
// Expressions are SQL text, as pg_get_expr() would show it, together with the objects they use
// (`uses`), which the caller has found while analysing: they become pg_depend rows. Rows that must
// be checked or made anew with an expression are the caller's work: it alone can evaluate.
//
// Errors that several functions throw: 42501 "must be owner of table %s", "permission denied for
// schema %s", `permission denied: "%s" is a system catalog`; 42P07 `relation "%s" already exists`;
// 42703 `column "%s" of relation "%s" does not exist`; 42809 `"%s" is not a table` …; 2BP01 with
// DETAIL and HINT.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/tuple.h"
#include "catalog/column_statistics.h"
#include "catalog/object_address.h"
#include "catalog/relation_cache.h"
#include "types/text.h"

namespace cofork {

using OptionList = std::vector<std::pair<std::string, std::string>>;  ///< WITH (name = value)

/// SQL text and what it refers to.
struct StoredExpression {
  std::string text;
  std::vector<ObjectAddress> uses;  ///< relations, columns, sequences
  bool empty() const { return text.empty(); }
};

// --- tables

struct ColumnDefinition {
  std::string name;
  Oid type = kInvalidOid;
  int32_t typmod = -1;
  Oid collation = kInvalidOid;  ///< 0: the type's
  bool not_null = false;
  StoredExpression default_value;  ///< or the generation expression
  char identity = '\0';            ///< 'a', 'd'
  char generated = '\0';           ///< 's'
};

struct ConstraintDefinition {
  char type = 'c';   ///< c check, p primary key, u unique, f foreign key
  std::string name;  ///< "": chosen as PostgreSQL chooses
  /// p, u, f: the columns; c: those the condition uses (one alone gives its name to the
  /// constraint).
  std::vector<std::string> columns;
  std::vector<std::string> include;  ///< p, u
  StoredExpression check;            ///< c
  bool deferrable = false;
  bool initially_deferred = false;
  bool not_valid = false;
  bool no_inherit = false;
  bool nulls_not_distinct = false;
  OptionList options;                           ///< p, u: WITH (fillfactor = 70)
  Oid existing_index = kInvalidOid;             ///< p, u: USING INDEX
  Oid referenced = kInvalidOid;                 ///< f; the table itself in CREATE TABLE: kSelf
  std::vector<std::string> referenced_columns;  ///< f; empty: the primary key's
  char match = 's';
  char on_update = 'a';
  char on_delete = 'a';
  std::vector<std::string> set_columns;
  /// f: the table that is being created.
  static constexpr Oid kSelf = ~Oid{0};
};

struct TableDefinition {
  std::string schema;  ///< "": the first of search_path
  std::string name;
  char persistence = 'p';  ///< p, u, t
  std::vector<ColumnDefinition> columns;
  std::vector<ConstraintDefinition> constraints;
  OptionList options;
  bool if_not_exists = false;
};
/// The new table's oid; 0 with NOTICE 42P07 `relation "%s" already exists, skipping` under IF NOT
/// EXISTS. Makes its row type, its indexes and constraints, and a TOAST table when a row could need
/// one. Throws 42P07, 42701 `column "%s" specified more than once`, 54011, 22023 `unrecognized
/// parameter "%s"`, 42P16 `multiple primary keys for table "%s" are not allowed` …
Oid create_table(const TableDefinition& definition);

/// ALTER TABLE ADD COLUMN. `missing`: what existing rows have there, when the default is one value
/// for all (it is not evaluated again); without it they have NULL. Returns the number. 42701.
int16_t add_column(Oid table, const ColumnDefinition& column, std::optional<Datum> missing,
                   bool if_not_exists = false);
enum class DropBehavior : uint8_t { kRestrict, kCascade };
void drop_column(Oid table, std::string_view column, DropBehavior behavior, bool missing_ok);
void rename_column(Oid table, std::string_view column, const std::string& name);
/// An empty text drops it. The old one's dependencies go.
void set_default(Oid table, std::string_view column, const StoredExpression& value);
/// The caller has looked at all rows already, under the lock this takes (open_relation first).
void set_not_null(Oid table, std::string_view column, bool not_null);
/// Another type, other bytes: the caller has written all rows anew with replace_storage() first, or
/// knows that the bytes stay good. Indexes of the column are made anew.
void set_column_type(Oid table, std::string_view column, Oid type, int32_t typmod);
void set_column_statistics(Oid table, std::string_view column, int32_t target);
void set_column_storage(Oid table, std::string_view column, char storage);
void set_column_identity(Oid table, std::string_view column, char identity);

/// Adds a constraint; rows that are there already are checked by the caller (c, f) or by building
/// the index (p, u; 23505). Returns its oid.
Oid add_constraint(Oid table, const ConstraintDefinition& constraint);
void drop_constraint(Oid table, std::string_view name, DropBehavior behavior, bool missing_ok);
/// VALIDATE CONSTRAINT, after the caller has checked all rows.
void mark_constraint_valid(Oid constraint);
void rename_constraint(Oid table, std::string_view name, const std::string& new_name);

/// RENAME and SET SCHEMA of a table, index, sequence or view.
void rename_relation(Oid relation, const std::string& name);
void set_relation_schema(Oid relation, std::string_view schema);
void set_relation_owner(Oid relation, std::string_view role);
/// SET (…) and RESET (…: an empty value).
void set_relation_options(Oid relation, const OptionList& options, bool reset);

/// Gives the tables, their indexes and TOAST tables new empty files; the old ones go at commit.
/// AccessExclusiveLock. Foreign keys to others: 0A000 `cannot truncate a table referenced in a
/// foreign key constraint` unless those are in the list, or `cascade` (NOTICE `truncate cascades to
/// table "%s"`). RESTART IDENTITY is the caller's, with `truncated` (those of CASCADE included).
void truncate_tables(std::span<const Oid> tables, bool cascade,
                     std::vector<Oid>* truncated = nullptr);
/// A new empty file for a table whose rows the caller will insert again (ALTER TYPE); its indexes
/// are empty too. The old file is described by what it returns until the end of the transaction.
RelationFile replace_storage(Oid table);

// --- indexes

struct IndexKeyDefinition {
  std::string column;  ///< "": an expression
  StoredExpression expression;
  std::string expression_name;  ///< what a name is made of: "lower"; "" → "expr"
  Oid type = kInvalidOid;       ///< of the expression
  int32_t typmod = -1;
  Oid collation = kInvalidOid;
  bool descending = false;
  std::optional<bool> nulls_first;  ///< default: with descending
};
struct IndexDefinition {
  std::string name;  ///< "": chosen
  Oid table = kInvalidOid;
  std::vector<IndexKeyDefinition> keys;
  std::vector<std::string> include;
  bool unique = false;
  bool nulls_not_distinct = false;
  StoredExpression predicate;
  OptionList options;
  bool if_not_exists = false;
};
/// Computes an index's columns for a row: false when the predicate leaves the row out. Needed for
/// indexes with expressions or a predicate; else null.
using IndexRow = std::function<bool(const HeapTuple& tuple, Datum* values, bool* nulls)>;
/// Made for the new index, which has a description by then.
using IndexRowFactory = std::function<IndexRow(RelationDesc& table, IndexDesc& index)>;
/// ShareLock on the table; builds it from all rows. 42P07, 23505 `could not create unique index`.
/// Returns its oid, 0 as create_table().
Oid create_index(const IndexDefinition& definition, const IndexRowFactory& rows = nullptr);
/// "(a, b)=(1, 2)": a key in an error's DETAIL (BuildIndexValueDescription). `values` are the
/// index's.
std::string describe_key(const RelationDesc& table, const IndexDesc& index,
                         std::span<const Datum> values, const std::vector<bool>& nulls);
/// REINDEX: a new file, built again from the table.
void rebuild_index(Oid index, const IndexRowFactory& rows = nullptr);

// --- sequences, views, schemas

struct SequenceDefinition {
  std::string schema, name;
  char persistence = 'p';
  SequenceDesc sequence;
  Oid owner_table = kInvalidOid;  ///< OWNED BY
  int16_t owner_column = 0;
  bool is_identity = false;  ///< belongs to it from inside (deptype i)
  bool if_not_exists = false;
};
/// Its first value has not been taken yet. The sequence's calls are in sequence.h.
Oid create_sequence(const SequenceDefinition& definition);
/// ALTER SEQUENCE: writes pg_sequence; `restart`: the value nextval() will give.
void alter_sequence(Oid sequence, const SequenceDesc& changed, std::optional<int64_t> restart);
/// Table 0: OWNED BY NONE.
void set_sequence_owner(Oid sequence, Oid table, int16_t column);

struct ViewDefinition {
  std::string schema, name;
  std::vector<ColumnDefinition> columns;
  StoredExpression query;  ///< the SELECT
  OptionList options;
  bool or_replace = false;
};
/// Replacing may add columns at the end, nothing else: 42P16 `cannot drop columns from view` …
Oid create_view(const ViewDefinition& definition);

/// `owner` "": the current user. Returns 0 with NOTICE under IF NOT EXISTS. 42P06, 42939.
Oid create_schema(const std::string& name, std::string_view owner, bool if_not_exists);
void rename_schema(std::string_view name, const std::string& new_name);

// --- dropping

/// DROP TABLE, INDEX, SEQUENCE, VIEW: `kind` is a relkind (r i S v). Looks them up, locks, and
/// drops them with what belongs to them; what else depends on them stops it (2BP01) or goes too
/// (NOTICE "drop cascades to …"). Missing: 42P01 `table "%s" does not exist` or NOTICE "…,
/// skipping".
void drop_relations(char kind, std::span<const QualifiedName> names, DropBehavior behavior,
                    bool missing_ok);
void drop_schemas(std::span<const std::string> names, DropBehavior behavior, bool missing_ok);
void drop_objects(std::span<const ObjectAddress> objects, DropBehavior behavior);

/// COMMENT ON; nothing: takes it away.
void set_comment(const ObjectAddress& object, const std::optional<std::string>& comment);

// --- databases and roles

struct DatabaseDefinition {
  std::string name, owner, template_name = "template1";
  std::optional<int32_t> encoding;
  std::optional<std::string> collate, ctype;
  std::optional<bool> is_template, allow_connections;
  std::optional<int32_t> connection_limit;
};
/// Outside of a transaction block. Copies the template's files, with WAL. 42P04, 3D000, 55006
/// `source database "%s" is being accessed by other users`.
Oid create_database(const DatabaseDefinition& definition);
/// 3D000; 55006 `database "%s" is being accessed by other users`; 55006 `cannot drop the currently
/// open database`.
void drop_database(std::string_view name, bool missing_ok);
void rename_database(std::string_view name, const std::string& new_name);

struct RoleChange {
  std::optional<bool> superuser, inherit, create_role, create_database, login, replication,
      bypass_row_security;
  std::optional<int32_t> connection_limit;
};
/// 42710 `role "%s" already exists`, 42939.
Oid create_role(const std::string& name, const RoleChange& attributes);
void alter_role(std::string_view name, const RoleChange& attributes);
void rename_role(std::string_view name, const std::string& new_name);
/// 2BP01 `role "%s" cannot be dropped because some objects depend on it`.
void drop_role(std::string_view name, bool missing_ok);

// --- what VACUUM and ANALYZE found out

struct RelationStatistics {
  int32_t pages = 0;
  float tuples = -1;
  int32_t all_visible = 0;
  bool has_index = false;
  TransactionId frozen_xid = 0;  ///< 0: as it is
  MultiXactId min_multi = 0;
};
/// Overwrites pg_class's row in place, outside of any transaction (vac_update_relstats).
void update_relation_statistics(Oid relation, const RelationStatistics& statistics);

/// Replaces what was known of these columns.
void store_column_statistics(Oid table, std::span<const ColumnStatistics> columns);

}  // namespace cofork
