// Filling an index from its table, and giving relations new files (heapam_index_build_range_scan,
// reindex_index, RelationSetNewRelfilenode, ExecuteTruncateGuts, 15).
//
// The table is read page by page; every version that anybody may still see gets an entry. An entry
// leads to the beginning of a HOT chain, whichever version of the chain the index is told about.
#include <algorithm>

#include "access/btree_build.h"
#include "access/heap_prune.h"
#include "access/relation_storage.h"
#include "access/visibility.h"
#include "catalog/builtin.h"
#include "catalog/ddl_parts.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/toast.h"
#include "settings/settings.h"
#include "support/error.h"
#include "txn/lock_manager.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

class IndexFiller {
 public:
  IndexFiller(RelationDesc& table, IndexDesc& index, const IndexRow& row)
      : table_(table),
        index_(index),
        row_(row),
        build_(index.btree,
               static_cast<size_t>(settings().get(setting::kMaintenanceWorkMem)) * 1024),
        values_(static_cast<size_t>(table.shape.columns())),
        nulls_(values_.size()),
        reader_(table.shape, values_.data(), reinterpret_cast<bool*>(nulls_.data())),
        keys_(index.columns.size()),
        key_nulls_(index.columns.size()) {}

  void fill() {
    BlockNumber blocks = relation_blocks(table_.access.file, ForkNumber::kMain);
    AccessStrategy strategy(AccessStrategy::Kind::kBulkRead);
    for (BlockNumber block = 0; block < blocks; ++block) {
      this_task().check_interrupts();
      Buffer buffer =
          read_buffer(table_.access.file, ForkNumber::kMain, block, ReadMode::kNormal, &strategy);
      read_page(buffer);
    }
    std::optional<BtreeBuild::Duplicate> duplicate = build_.finish();
    if (duplicate) refuse(*duplicate);
  }
  double entries() const { return entries_; }
  double rows() const { return rows_; }

 private:
  enum class Verdict : uint8_t { kSkip, kLive, kDead };
  void read_page(Buffer& buffer);
  Verdict judge(const HeapTuple& tuple, Buffer& buffer, TransactionId& wait_for);
  void add(const HeapTuple& tuple, const ItemPointer& root, bool live);
  [[noreturn]] void refuse(const BtreeBuild::Duplicate& duplicate);

  RelationDesc& table_;
  IndexDesc& index_;
  const IndexRow& row_;
  BtreeBuild build_;
  std::vector<Datum> values_;
  std::vector<char> nulls_;
  TupleReader reader_;
  std::vector<Datum> keys_;
  std::vector<char> key_nulls_;
  Arena key_arena_;
  double entries_ = 0;
  double rows_ = 0;
};

IndexFiller::Verdict IndexFiller::judge(const HeapTuple& tuple, Buffer& buffer,
                                        TransactionId& wait_for) {
  TransactionId dead_after = 0;
  Transaction& mine = my_transaction();
  bool is_hot = tuple.header->is_hot_updated();
  switch (tuple_vacuum_state(tuple, buffer, dead_after)) {
    case VacuumState::kDead:
      return Verdict::kSkip;
    case VacuumState::kLive:
      return Verdict::kLive;
    case VacuumState::kRecentlyDead:
      // The chain goes on: its later version gives the entry.
      return is_hot ? Verdict::kSkip : Verdict::kDead;
    case VacuumState::kInsertInProgress:
      if (!mine.is_current_xid(tuple.header->xmin)) wait_for = tuple.header->xmin;
      return Verdict::kLive;
    case VacuumState::kDeleteInProgress: {
      TransactionId deleter = tuple_update_xid(*tuple.header);
      if (!mine.is_current_xid(deleter)) wait_for = deleter;
      return is_hot ? Verdict::kSkip : Verdict::kDead;
    }
  }
  return Verdict::kSkip;
}

void IndexFiller::read_page(Buffer& buffer) {
  // Copies: computing a key may wait, and nothing may wait with the page locked.
  struct Found {
    HeapTuple tuple;
    ItemPointer root;
    bool live;
  };
  std::vector<Found> found;
  Arena arena;
  while (true) {
    TransactionId wait_for = 0;
    found.clear();
    arena.reset();
    buffer.lock_shared();
    OffsetNumber roots[kMaxHeapTuplesPerPage];
    find_hot_roots(buffer.page(), roots);
    OffsetNumber count = page_item_count(buffer.page());
    for (OffsetNumber offset = kFirstOffset; offset <= count && wait_for == 0; ++offset) {
      ItemId id = page_item_id(buffer.page(), offset);
      if (!id.is_normal()) continue;
      HeapTuple tuple{reinterpret_cast<HeapTupleHeader*>(page_item(buffer.page(), id)),
                      id.length(),
                      {buffer.block(), offset},
                      table_.oid};
      Verdict verdict = judge(tuple, buffer, wait_for);
      if (verdict == Verdict::kSkip) continue;
      OffsetNumber root = tuple.header->is_heap_only() ? roots[offset - 1] : offset;
      found.push_back(
          {copy_tuple(tuple, arena), {buffer.block(), root}, verdict == Verdict::kLive});
    }
    buffer.unlock();
    if (wait_for == 0) break;
    xact_lock_wait(wait_for);
  }
  for (const Found& row : found) add(row.tuple, row.root, row.live);
}

void IndexFiller::add(const HeapTuple& tuple, const ItemPointer& root, bool live) {
  if (live) ++rows_;
  if (row_) {
    if (!row_(tuple, keys_.data(), reinterpret_cast<bool*>(key_nulls_.data()))) return;
  } else {
    key_arena_.reset();
    reader_.start(tuple.header);
    for (size_t i = 0; i < index_.columns.size(); ++i) {
      auto column = static_cast<size_t>(index_.columns[i] - 1);
      reader_.need(static_cast<int>(column) + 1);
      keys_[i] = values_[column];
      key_nulls_[i] = nulls_[column];
      bool may_be_long =
          table_.toast != kInvalidOid && index_.shape.tuple[static_cast<int>(i)].length == -1;
      if (may_be_long && nulls_[column] == 0 && is_toasted(keys_[i])) {
        keys_[i] = detoast(keys_[i], key_arena_);
      }
    }
  }
  build_.add(keys_.data(), reinterpret_cast<const bool*>(key_nulls_.data()), root, live);
  ++entries_;
}

void IndexFiller::refuse(const BtreeBuild::Duplicate& duplicate) {
  std::vector<bool> nulls(duplicate.nulls.begin(), duplicate.nulls.end());
  Error error(sqlstate::kUniqueViolation, "could not create unique index \"{}\"", index_.name);
  std::string key = describe_key(table_, index_, duplicate.values, nulls);
  error.data().schema_name = table_.schema_name;
  error.data().table_name = table_.name;
  error.data().constraint_name = index_.name;
  throw std::move(error).detail("Key {} is duplicated.", key);
}

/// What CREATE INDEX learns about the table on its way: later plans use it.
void note_figures(RelationDesc& table, IndexDesc& index, double rows, double entries) {
  change_class(index.oid, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple
        .set_int4(pg_class::relpages,
                  static_cast<int32_t>(relation_blocks(index.access.file, ForkNumber::kMain)))
        .set_float4(pg_class::reltuples, static_cast<float>(entries));
  });
  BlockNumber blocks = relation_blocks(table.access.file, ForkNumber::kMain);
  if (blocks == 0) return;  // as CREATE TABLE left it: not counted yet
  change_class(table.oid, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_int4(pg_class::relpages, static_cast<int32_t>(blocks))
        .set_float4(pg_class::reltuples, static_cast<float>(rows));
  });
}

}  // namespace

std::string describe_key(const RelationDesc& table, const IndexDesc& index,
                         std::span<const Datum> values, const std::vector<bool>& nulls) {
  Arena arena;
  EvalContext context{&arena};
  std::string names, texts;
  size_t expression = 0;
  for (int i = 0; i < index.key_count; ++i) {
    auto at = static_cast<size_t>(i);
    if (i > 0) {
      names += ", ";
      texts += ", ";
    }
    int16_t column = index.columns[at];
    names += column == 0 ? index.expressions[expression++]
                         : quote_identifier(table.columns[static_cast<size_t>(column - 1)].name);
    if (nulls[at]) {
      texts += "null";
    } else {
      find_type(index.shape.tuple[i].type)->to_text(context, values[at], texts);
    }
  }
  return fmt::format("({})=({})", names, texts);
}

void build_index(RelationDesc& table, IndexDesc& index, const IndexRow& row) {
  double rows = 0, entries = 0;
  {
    IndexFiller filler(table, index, row);
    filler.fill();
    rows = filler.rows();
    entries = filler.entries();
  }
  note_figures(table, index, rows, entries);
  invalidate_relation(table.oid);
  show_changes();
}

// --- new files

namespace {

void give_new_file(Oid relation, const RelationFile& old, char persistence) {
  Oid number = new_oid();
  while (relation_file_exists(relation_file(number), ForkNumber::kMain)) number = new_oid();
  create_relation_storage(relation_file(number), persistence);
  drop_relation_storage(old);
  change_class(relation, [&](CatalogTuple& tuple, CatalogRow&) {
    tuple.set_oid(pg_class::relfilenode, number)
        .set_int4(pg_class::relpages, 0)
        .set_float4(pg_class::reltuples, -1)
        .set_int4(pg_class::relallvisible, 0);
  });
}

/// New empty files for a table and its indexes; the indexes are complete, for there are no rows.
void renew_storage(Oid table) {
  RelationDesc& old = open_relation(table, LockMode::kNone);
  give_new_file(table, old.access.file, old.persistence);
  if (old.persistence == 'u') {
    show_changes();
    create_init_fork(open_relation(table, LockMode::kNone).access.file);
  }
  for (const auto& index : old.indexes) {
    give_new_file(index->oid, index->access.file, old.persistence);
  }
  invalidate_relation(table);
  show_changes();
  RelationDesc& renewed = open_relation(table, LockMode::kNone);
  if (renewed.toast != kInvalidOid) {
    open_relation(renewed.toast, LockMode::kAccessExclusive);
    renew_storage(renewed.toast);
  }
  for (const auto& index : renewed.indexes) {
    btree_create_empty(index->btree, ForkNumber::kMain);
    if (renewed.persistence != 'u') continue;
    create_init_fork(index->access.file);
    btree_create_empty(index->btree, ForkNumber::kInit);
  }
}

}  // namespace

RelationFile replace_storage(Oid table) {
  RelationFile old = open_table_for_change(table).access.file;
  renew_storage(table);
  return old;
}

void rebuild_index(Oid index, const IndexRowFactory& rows) {
  IndexDesc& old = open_index(index, LockMode::kAccessExclusive);
  Oid table = open_relation(index, LockMode::kNone).indexed_table;
  RelationDesc& relation = open_relation(table, LockMode::kShare);
  must_own_relation(relation);
  give_new_file(index, old.access.file, relation.persistence);
  invalidate_relation(table);
  show_changes();
  RelationDesc& renewed = open_relation(table, LockMode::kNone);
  IndexDesc& made = *renewed.find_index(index);
  build_index(renewed, made, rows ? rows(renewed, made) : IndexRow());
}

// --- TRUNCATE

namespace {

RelationDesc& open_for_truncation(Oid table) {
  RelationDesc& relation = open_relation(table, LockMode::kAccessExclusive);
  if (relation.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not a table", relation.name);
  }
  if (relation.is_system) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                relation.name);
  }
  check_relation_privileges(relation, kPrivilegeTruncate);
  return relation;
}

}  // namespace

void truncate_tables(std::span<const Oid> tables, bool cascade, std::vector<Oid>* truncated) {
  std::vector<Oid> all;
  for (Oid table : tables) {
    open_for_truncation(table);
    if (std::ranges::find(all, table) == all.end()) all.push_back(table);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    RelationDesc& relation = open_relation(all[i], LockMode::kNone);
    for (const ConstraintDesc& reference : relation.referencing) {
      if (std::ranges::find(all, reference.table) != all.end()) continue;
      std::string name = relation_name(reference.table).value_or("");
      if (!cascade) {
        throw Error(sqlstate::kFeatureNotSupported,
                    "cannot truncate a table referenced in a foreign key constraint")
            .detail("Table \"{}\" references \"{}\".", name, relation.name)
            .hint("Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.", name);
      }
      report_notice(sqlstate::kSuccessfulCompletion,
                    fmt::format("truncate cascades to table \"{}\"", name));
      open_for_truncation(reference.table);
      all.push_back(reference.table);
    }
  }
  for (Oid table : all) renew_storage(table);
  if (truncated != nullptr) *truncated = std::move(all);
}

}  // namespace cofork
