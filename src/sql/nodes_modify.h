// INSERT, UPDATE and DELETE: what is done with the rows the plan below brings (nodeModifyTable.c,
// execIndexing.c and ExecConstraints in execMain.c, 15).
//
//   a new row    expressions into its slots · generated columns · NOT NULL and CHECK · into the
//   heap
//                · into each index · RETURNING
//
// A row that another transaction changed since the snapshot was taken: under READ COMMITTED its
// newest version is locked, the conditions are looked at again with its values, and the change goes
// on from there; under REPEATABLE READ that is an error 40001.
#pragma once

#include <optional>
#include <vector>

#include "access/btree.h"
#include "access/btree_heap.h"
#include "access/heap.h"
#include "access/toast_value.h"
#include "catalog/relation_cache.h"
#include "sql/exec.h"
#include "sql/nodes_table.h"
#include "sql/query.h"

namespace cofork {

class Planner;

/// "(1, foo)": the values of a row, as DETAIL shows them.
std::string describe_row(Execution& execution, const RelationDesc& relation, int first_slot);
/// "(a, b)=(1, foo)", from the columns and values of a key (BuildIndexValueDescription).
std::string describe_key(const EvalContext& context, const RelationDesc& relation,
                         const IndexDesc& index, const Datum* values, const bool* nulls);

/// One index of the table that is changed.
struct MaintainedIndex {
  IndexDesc* index = nullptr;
  Program* predicate = nullptr;       ///< null: every row enters
  std::vector<Program*> expressions;  ///< of the columns that are expressions, in order
  bool is_arbiter = false;
};

/// Puts rows, which stand in consecutive slots of the frame, into a table and its indexes.
class TableWriter {
 public:
  /// Compiles what `modification` has for its `row`, whose slots are given out already.
  TableWriter(Planner& planner, const Modification& modification);

  void open(Execution& execution);
  void close();
  /// Computes generated columns and checks constraints: 23502, 23514.
  void complete(Execution& execution, Arena& arena);
  HeapTuple form(Execution& execution, Arena& arena);
  /// Has the row to be made shorter before it is written? insert() does it; for an update it is
  /// done once the old version is locked, for its chunks are written at once.
  bool is_long(const HeapTuple& tuple) const {
    return relation.toast != kInvalidOid && tuple.length > kToastTupleTarget;
  }
  void shorten(Execution& execution, HeapTuple& tuple, Arena& arena);
  /// Into the heap and all indexes. 23505.
  void insert(Execution& execution, HeapTuple& tuple, Arena& arena, uint32_t options = 0,
              BulkInsert* bulk = nullptr);
  void enter_indexes(Execution& execution, const HeapTuple& tuple, Arena& arena);
  /// Index entries unless the update was HOT, and the system columns RETURNING may want.
  void after_update(Execution& execution, const HeapTuple& tuple, bool needs_entries, Arena& arena);
  /// ON CONFLICT: a live row that would stand in the way in an arbiter index, after waiting for
  /// transactions in doubt; its place goes to `conflict`. A null arbiter list means every index.
  bool find_conflict(Execution& execution, Arena& arena, ItemPointer& conflict);
  bool has_indexes() const { return !indexes_.empty(); }
  void set_arbiters(std::span<const Oid> arbiters);
  /// Notes the change for foreign keys; `old_slot` -1: an insertion.
  void note_change(Execution& execution, int old_slot, const ItemPointer& old_place,
                   const HeapTuple& tuple);

  RelationDesc& relation;
  const int first_slot;
  CommandId command = 0;

 private:
  struct Check {
    std::string_view name;
    Program* condition;
  };
  bool index_row(Execution& execution, const MaintainedIndex& index, Arena& arena);
  [[noreturn]] void duplicate(Execution& execution, const IndexDesc& index);

  std::vector<int> not_null_;
  std::vector<Check> checks_;
  std::vector<std::pair<int, Program*>> generated_;
  std::vector<MaintainedIndex> indexes_;
  std::vector<Datum> key_values_;  ///< of the index entry being made
  std::unique_ptr<bool[]> key_nulls_;
  std::optional<HeapBehindIndex> table_;
  bool has_foreign_keys_;
  std::optional<TableRow> shown_;  ///< system columns, when RETURNING wants them
};

class ModifyNode : public PlanNode {
 public:
  bool next(Execution& execution) override;
  void rewind(Execution&) override {}

  PlanNode* child = nullptr;
  Program* returning = nullptr;  ///< null: no rows come out

 protected:
  std::unique_ptr<ExplainNode> explain_modification(ExplainContext& context,
                                                    std::string_view operation,
                                                    const RelationDesc& relation,
                                                    const RangeEntry& entry) const;
  /// What becomes of one row of the child; true when it counts.
  virtual bool modify(Execution& execution) = 0;
  Arena arena_;
};

class InsertNode : public ModifyNode {
 public:
  InsertNode(Planner& planner, const Modification& modification);
  void open(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  Program* row = nullptr;
  // ON CONFLICT
  std::optional<TableRow> existing;
  Program* conflict_where = nullptr;
  Program* conflict_row = nullptr;  ///< computes the assigned columns into `assigned` slots
  std::vector<std::pair<int, int>> assigned;  ///< column, slot of its new value

 private:
  bool modify(Execution& execution) override;
  bool update_existing(Execution& execution, const ItemPointer& place, bool& retry);

  const Modification& modification_;
  TableWriter writer_;
  Buffer existing_buffer_;  ///< of the row in conflict, whose values RETURNING may show
};

class UpdateNode : public ModifyNode {
 public:
  UpdateNode(Planner& planner, const Modification& modification);
  void open(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  Program* assignments = nullptr;  ///< into the slots of the new row
  std::vector<int> copied;         ///< columns taken over from the old row
  Program* recheck = nullptr;      ///< WHERE, for a newer version of the row

 private:
  bool modify(Execution& execution) override;
  void make_row(Execution& execution);

  const Modification& modification_;
  TableRow old_row_;
  TableWriter writer_;
  Buffer latest_;
};

class DeleteNode : public ModifyNode {
 public:
  explicit DeleteNode(const Modification& modification);
  void open(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  Program* recheck = nullptr;

 private:
  bool modify(Execution& execution) override;

  const Modification& modification_;
  TableRow old_row_;
  bool has_foreign_keys_;
  CommandId command_ = 0;
  Buffer latest_;
};

}  // namespace cofork
