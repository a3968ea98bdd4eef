// What a task knows of the tables, indexes, sequences and views it works with (as relcache.c, 15).
//
//   RelationDesc& table = open_relation(oid, LockMode::kRowExclusive);
//   for (auto& index : table.indexes) btree_insert(index->btree, …);
//
// An entry is put together from pg_class, pg_attribute, pg_index, pg_attrdef, pg_constraint once
// and used again by every statement of the task until somebody changes the relation. Who changes
// one says so in shared memory when his transaction has committed, before his locks go (see
// invalidation.h); so whoever gets a lock afterwards sees that the entry is old, and makes a new
// one.
//
// Rules
//  1. Lock first, look then: open_relation() does both. A reference is good until the end of the
//     transaction, also when the entry has been replaced meanwhile; what it says is good as long as
//     the lock is held.
//  2. A cached plan keeps oid and `version` and compares after open_relation(): another version, or
//     another names_generation() (names.h), means it must be made again.
//  3. Entries are the task's own and never shared; `access`, `btree` remember where the task wrote
//     last.
//
// Built-in views (catalog/views/view.h) have rows in pg_class but no entry here: names.h tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/btree.h"
#include "access/relation.h"
#include "txn/lock_manager.h"
#include "types/datum.h"

namespace cofork {

/// A column, as pg_attribute and pg_attrdef have it.
struct ColumnDesc {
  std::string name;
  Oid type = kInvalidOid;  ///< 0 for a dropped column
  int32_t typmod = -1;
  int16_t number = 0;  ///< attribute number, from 1: its place in the vector plus 1
  bool not_null = false;
  bool dropped = false;
  char identity = '\0';   ///< 'a' GENERATED ALWAYS, 'd' BY DEFAULT AS IDENTITY
  char generated = '\0';  ///< 's' GENERATED ALWAYS AS (…) STORED
  char storage = 'x';
  Oid collation = kInvalidOid;
  int32_t statistics_target = -1;
  bool is_local = true;
  /// SQL text of the default or of the generation expression; "" for none.
  std::string default_text;
};

struct IndexDesc {
  IndexDesc() = default;
  IndexDesc(const IndexDesc&) = delete;

  Oid oid = kInvalidOid;
  std::string name;
  Oid schema = kInvalidOid;
  Oid constraint = kInvalidOid;  ///< the PRIMARY KEY or UNIQUE constraint it serves
  /// Attribute numbers of the table, keys first, INCLUDE columns after them; 0: an expression.
  std::vector<int16_t> columns;
  int key_count = 0;
  bool unique = false;
  bool primary = false;
  bool immediate = true;  ///< false: the check of a DEFERRABLE constraint comes later
  bool valid = true;      ///< may be used by queries
  bool ready = true;      ///< must be kept up to date
  bool clustered = false;
  bool nulls_not_distinct = false;
  std::vector<std::string> expressions;  ///< SQL text of the zeros in `columns`, in order
  std::string predicate;                 ///< SQL text of WHERE; "" for none
  std::vector<Oid> collations;
  std::vector<int16_t> options;  ///< of each key: 1 DESC, 2 NULLS FIRST
  float tuples = -1;             ///< reltuples; -1: never counted
  int32_t pages = 0;             ///< relpages

  Relation access;
  IndexShape shape;
  BtreeIndex btree{access, shape};
};

/// A row of pg_constraint.
struct ConstraintDesc {
  Oid oid = kInvalidOid;
  std::string name;
  char type = 'c';          ///< c check, f foreign key, p primary key, u unique
  Oid table = kInvalidOid;  ///< whose constraint it is
  Oid index = kInvalidOid;  ///< p, u: its own; f: the referenced key's
  bool deferrable = false;
  bool deferred = false;  ///< INITIALLY DEFERRED
  bool validated = true;
  bool no_inherit = false;
  std::vector<int16_t> columns;
  std::string check_text;  ///< c: SQL text of the condition
  // f only
  Oid referenced = kInvalidOid;
  std::vector<int16_t> referenced_columns;
  char match = 's';      ///< s simple, f full
  char on_update = 'a';  ///< a no action, r restrict, c cascade, n set null, d set default
  char on_delete = 'a';
  std::vector<int16_t> set_columns;  ///< ON DELETE SET NULL (…), SET DEFAULT (…); empty: all
};

/// The parts of pg_sequence.
struct SequenceDesc {
  Oid type = kInvalidOid;
  int64_t start = 1, increment = 1, minimum = 1, maximum = INT64_MAX, cache = 1;
  bool cycle = false;
};

struct RelationDesc {
  RelationDesc() = default;
  RelationDesc(const RelationDesc&) = delete;

  Oid oid = kInvalidOid;
  Oid schema = kInvalidOid;
  std::string name;
  std::string schema_name;
  char kind = 'r';  ///< relkind: r table, i index, S sequence, v view, t TOAST table
  char persistence = 'p';
  Oid owner = kInvalidOid;
  Oid row_type = kInvalidOid;
  Oid toast = kInvalidOid;
  bool is_shared = false;
  bool is_system = false;  ///< a catalog: nobody changes it by SQL (42501 "… is a system catalog")
  float tuples = -1;       ///< reltuples; -1: never counted
  int32_t pages = 0;
  int32_t all_visible = 0;
  bool has_index = false;
  bool has_triggers = false;  ///< a foreign key begins or ends here
  TransactionId frozen_xid = 0;
  MultiXactId min_multi = 0;
  std::vector<std::pair<std::string, std::string>> options;  ///< reloptions: fillfactor → 70
  std::string acl;                                           ///< relacl as text; "" for the default

  std::vector<ColumnDesc> columns;                  ///< by number, dropped ones too
  std::vector<std::unique_ptr<IndexDesc>> indexes;  ///< of a table; by oid
  std::vector<ConstraintDesc> constraints;          ///< own ones; checks by name, as executed
  std::vector<ConstraintDesc> referencing;          ///< foreign keys of others (or own) to this
  std::string view_text;                            ///< of a view: its SELECT
  std::optional<SequenceDesc> sequence;
  Oid indexed_table = kInvalidOid;  ///< of an index: its table

  /// What has been looked up in pg_statistic: see column_statistics.h.
  std::shared_ptr<struct TableStatistics> statistics;
  TupleShape shape;
  Arena missing_values;  ///< bytes of what `shape` says older rows have
  Relation access;       ///< for the heap's calls; of an index: see its table's IndexDesc
  uint64_t version = 0;  ///< different for every entry the task has ever made

  /// Null: there is none of that name that is not dropped.
  const ColumnDesc* find_column(std::string_view name) const;
  IndexDesc* find_index(Oid index_oid) const;
  IndexDesc* primary_key() const;
  /// Null when the option is not set.
  const std::string* find_option(std::string_view option) const;
  /// Columns that are not dropped.
  int live_columns() const;
};

/// Locks the relation until the end of the transaction and describes it. `mode` kNone: the caller
/// has a lock. Throws 42P01 `relation with OID %u does not exist`. May wait.
RelationDesc& open_relation(Oid oid, LockMode mode);
/// The same; null when it is gone (the lock is then given back).
RelationDesc* try_open_relation(Oid oid, LockMode mode);
/// The index and the table it belongs to. Locks the index alone. Throws 42P01; 42809 `"%s" is not
/// an index`.
IndexDesc& open_index(Oid oid, LockMode mode);

/// The running task has changed rows that describe the relation: its own next open_relation() looks
/// again, and at commit everybody's does (CacheInvalidateRelcache). Call it before
/// command_counter_increment().
void invalidate_relation(Oid oid);

}  // namespace cofork
