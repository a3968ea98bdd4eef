// Execution: a planned statement that can run, again and again.
//
// All values a statement works with lie in one frame: an array of Datums and one of null flags.
// Each source of rows, each expression's temporary, each parameter has its slots in it, given out
// while the plan is built. A scan writes its columns there, an expression reads them there, and so
// a join copies nothing, and an outer query's columns are simply there when a sub-select runs.
//
//   slot   0 1 | 2 3 4    | 5 …           | 12 13
//          $1 $2  t.a t.b…  temporaries     the query's result columns
//
// A node's row stands in its slots until its next next(): by-reference values lie in an arena of
// the node that made them and are good for as long. A node that reads ahead (sort, hash,
// materialize) keeps copies (RowShape::save) and puts them back into the same slots (restore).
//
// As EState, ExprState and PlanState in execnodes.h, PostgreSQL 15.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/builtin.h"
#include "model/task.h"
#include "shmem/stats.h"
#include "sql/query.h"
#include "support/arena.h"
#include "txn/snapshot.h"

namespace cofork {

class Execution;
class ExplainContext;
class PlanNode;
class SubPlan;
struct ExplainNode;

/// What one step of an expression does; slots are indexes into the frame.
enum class Op : uint8_t {
  kCopy,         ///< out = a
  kSetNull,      ///< out = NULL
  kSetBool,      ///< out = b
  kCall,         ///< out = call(site), NULL arguments and all
  kCallStrict1,  ///< out = call(site), or NULL when an argument is
  kCallStrict2,
  kCallStrict,
  kJump,         ///< to target
  kJumpNotTrue,  ///< when a is false or NULL
  kJumpNotNull,  ///< when a is not NULL
  kAndNext,      ///< out = out AND a; to target when false
  kOrNext,       ///< out = out OR a; to target when true
  kNot,
  kNullTest,  ///< out = a IS NULL (b: IS NOT NULL)
  kBoolTest,  ///< out = a IS …: b is a BoolTest
  kDistinct,  ///< out = the two arguments of site are distinct
  kNullIf,
  kMinMax,  ///< out = greatest (b) or least of site's arguments
  kArray,   ///< out = array of site's arguments (b: they are arrays)
  kRow,
  kRowNullTest,
  kRowCompare,
  kSubscript,
  kSlice,
  kIoCast,  ///< out = a through text
  kArrayCast,
  kArrayCompare,
  kSubLink,
  kGrouping,
};

/// The particulars of a step that needs more than two slots.
struct CallSite {
  FunctionCall call;
  Datum (*function)(FunctionCall&) = nullptr;
  int first = 0;                             ///< arguments are slots first, first + 1, …
  const BuiltinType* type = nullptr;         ///< of the result, or of what is compared
  const BuiltinType* source_type = nullptr;  ///< kIoCast, kArrayCast: of the argument
  std::span<const BuiltinType*> types;       ///< kRow, kRowCompare: of the arguments
  std::string_view name;
  SubPlan* sub_plan = nullptr;
  class Program* element = nullptr;  ///< kArrayCast: casts slot `first` + 1 to its result
  bool flag = false;
  std::span<const bool> present;  ///< kSlice: which bounds are given
};

struct Step {
  Op op;
  int out;
  int a = 0;
  int b = 0;
  union {
    CallSite* site = nullptr;
    int target;
  };
};

/// An expression, or several that are computed together, as a list of steps.
class Program {
 public:
  /// Computes; results go to the arena's memory and stand in the frame.
  void run(Execution& execution, Arena& arena) const;
  /// Runs, and says whether the result is true (neither false nor NULL).
  bool test(Execution& execution, Arena& arena) const;

  std::vector<Step> steps;
  int result = -1;  ///< the slot of the value, for programs of one expression
};

/// A row kept outside the frame.
struct StoredRow {
  Datum* values;
  bool* nulls;
};

/// Which slots make up a row, and their types: how rows are kept and put back.
class RowShape {
 public:
  void add(int slot, const BuiltinType* type) {
    slots_.push_back(slot);
    types_.push_back(type);
  }
  void add(const RowShape& other) {
    for (size_t i = 0; i < other.size(); ++i) add(other.slots_[i], other.types_[i]);
  }
  size_t size() const { return slots_.size(); }
  int slot(size_t i) const { return slots_[i]; }
  const BuiltinType* type(size_t i) const { return types_[i]; }

  StoredRow save(const Execution& execution, Arena& arena) const;
  void restore(Execution& execution, const StoredRow& row) const;
  /// As restore, into consecutive slots.
  void restore_to(Execution& execution, const StoredRow& row, int first_slot) const;
  void set_null(Execution& execution) const;
  /// Of the row in the frame. Equal rows hash equally; NULLs are equal to each other.
  uint64_t hash(const Execution& execution) const;
  bool equals(const Execution& execution, const StoredRow& row) const;
  bool has_null(const Execution& execution) const;

 private:
  std::vector<int> slots_;
  std::vector<const BuiltinType*> types_;
};

/// Rows by hash, in the order they came: for hash joins, groups, DISTINCT and set operations.
class RowTable {
 public:
  struct Entry {
    uint64_t hash;
    StoredRow row;
    Entry* next_in_bucket;
    void* extra;    ///< the owner's: a group's states …
    int64_t count;  ///< the owner's
  };
  explicit RowTable(const RowShape& key) : key_(key) {}
  /// The entry equal to the key in the frame, or null.
  Entry* find(const Execution& execution, uint64_t hash) const;
  /// The next equal one after `entry`.
  Entry* find_next(const Execution& execution, const Entry* entry) const;
  /// Adds the key in the frame; `row` is what to keep (the key's slots first).
  Entry* add(uint64_t hash, const StoredRow& row);
  const RowShape& key() const { return key_; }
  std::vector<Entry*>& entries() { return entries_; }
  Arena& arena() { return arena_; }
  void clear();
  /// For EXPLAIN ANALYZE: memory held, and the size of the hash table.
  size_t bytes() const {
    return arena_.footprint_bytes() + buckets_.capacity() * sizeof(Bucket) +
           entries_.capacity() * sizeof(Entry*);
  }
  size_t bucket_count() const { return buckets_.size(); }

 private:
  struct Bucket {
    Entry* first = nullptr;
    Entry* last = nullptr;
  };
  void link(Entry* entry);
  const RowShape& key_;
  std::vector<Bucket> buckets_;
  std::vector<Entry*> entries_;
  Arena arena_{8192};
};

/// What the planner expects of a node; costs in units of a page read in sequence.
struct PlanEstimate {
  double startup = 0;  ///< before the first row
  double total = 0;    ///< with all rows
  double rows = 1;
  int width = 0;  ///< bytes of a row, on average
};

/// What EXPLAIN ANALYZE saw a node do (Instrumentation in instrument.h).
struct Measurement {
  double loops = 0;
  double rows = 0;
  double startup_ms = 0;
  double total_ms = 0;
  BufferUsage buffers;
};

/// A node of the plan: rows on demand, in its slots of the frame.
class PlanNode {
 public:
  virtual ~PlanNode() = default;
  /// Starts, or starts over with new outer values and parameters.
  virtual void open(Execution& execution) = 0;
  /// Starts over when nothing outside has changed.
  virtual void rewind(Execution& execution) { open(execution); }
  /// False when there are no more rows. May wait; checks interrupts.
  virtual bool next(Execution& execution) = 0;
  /// A filter above looks at the first `columns` columns alone: what else there is of a row may
  /// wait until it has passed, when rest_of_row() asks for it.
  virtual void show_first(int /*columns*/) {}
  virtual void rest_of_row(Execution&) {}
  /// The statement is over: lets go of pages. May wait; open() makes it usable again.
  virtual void close() {}
  /// What EXPLAIN shows of it and of what is below (explain.h).
  virtual std::unique_ptr<ExplainNode> explain(ExplainContext& context) const = 0;

  PlanEstimate estimate;               ///< written by the planner
  Measurement* measurement = nullptr;  ///< made by EXPLAIN ANALYZE
  /// How many nodes stand on each other from here down, those of WITH queries included.
  uint32_t depth = 1;
};

/// A sub-select in an expression.
class SubPlan {
 public:
  SubPlan(const Expr& link) : link_(link) {}
  /// Puts the result into slot `out`.
  void evaluate(Execution& execution, int out, Arena& arena);
  /// A new run of the statement: forget what was kept.
  void reset() { is_done_ = false; }
  const Expr& link() const { return link_; }
  /// It runs once a statement, and its value is kept (an InitPlan).
  bool runs_once() const { return !is_hashed && !is_correlated && link_.args.empty(); }

  PlanNode* root = nullptr;
  int first_output = 0;
  Program test;                   ///< ANY, ALL: the comparison with one row
  std::vector<int> column_slots;  ///< where test expects the sub-select's columns
  RowShape output;
  bool is_correlated = true;
  // ANY with plain equality, not correlated: the values are hashed once.
  bool is_hashed = false;
  Program left;  ///< computes the left side into left_slots
  RowShape left_key;

 private:
  void run(Execution& execution, int out, Arena& arena);
  void run_quantified(Execution& execution, int out, Arena& arena);
  void run_hashed(Execution& execution, int out, Arena& arena);
  void load_hash(Execution& execution);
  void build_array(Execution& execution, int out, Arena& arena);

  const Expr& link_;
  bool is_done_ = false;
  Datum value_ = 0;
  bool is_null_ = false;
  Arena arena_;
  Arena row_arena_;
  std::unique_ptr<RowTable> table_;
  bool has_null_ = false;
};

/// The rows of a WITH query, read by any number of scans.
struct CommonTableState {
  PlanNode* plan = nullptr;
  RowShape output;
  std::vector<StoredRow> rows;
  Arena arena{8192};
  bool is_open = false;
  bool is_complete = false;
  /// What a recursive term reads: the rows of the previous round.
  const std::vector<StoredRow>* working = nullptr;
  double first_rows = 10;  ///< estimate for the first term of a recursive one

  void reset() {
    rows.clear();
    arena.reset();
    is_open = is_complete = false;
  }
  /// Makes row number `index` available; false when there are fewer.
  bool fetch(Execution& execution, size_t index);
};

class Execution {
 public:
  Execution(Task& owner, const EvalContext& base) : task(owner), context(base) {}
  Execution(const Execution&) = delete;

  /// Sets parameter `number` (from 1) before start().
  void set_parameter(int number, Datum value, bool is_null) {
    values[number - 1] = value;
    nulls[number - 1] = is_null;
  }
  void start();
  bool next() { return stack_bytes == 0 ? root->next(*this) : next_deep(); }
  const Datum* row_values() const { return values + first_output; }
  const bool* row_nulls() const { return nulls + first_output; }

  Task& task;
  EvalContext context;
  Datum* values = nullptr;
  bool* nulls = nullptr;
  PlanNode* root = nullptr;
  int first_output = 0;
  size_t output_count = 0;
  std::vector<CommonTableState*> common_tables;
  std::string scratch;          ///< text on its way through kIoCast
  RegisteredSnapshot snapshot;  ///< what the statement sees; set before start() if it reads tables
  /// What the nodes' calls of each other need at most; 0 when it is nothing to speak of. Nodes do
  /// not ask for stack at every level: that would be once a row.
  size_t stack_bytes = 0;
  int64_t processed = 0;  ///< rows inserted, updated, deleted
  /// The statement is over: closes every node and lets go of the snapshot.
  void finish();

  bool next_deep();

  // Owned by the execution; filled by the planner.
  Arena arena{4096};
  std::vector<std::unique_ptr<PlanNode>> nodes;
  std::vector<std::unique_ptr<SubPlan>> sub_plans;
  std::vector<std::unique_ptr<Program>> programs;
  std::vector<std::unique_ptr<CommonTableState>> owned_tables;
  std::vector<std::unique_ptr<Measurement>> measurements;
  bool is_measured = false;  ///< EXPLAIN ANALYZE: nodes count what they do
};

/// Folds the constants of `query` (into `arena`, the query's own), plans it and compiles its
/// expressions: ready to start(). `parameters` of the statement take the first slots. The query
/// must outlive the execution. Throws what a constant expression throws: 22012 for "select 1/0".
/// `is_measured`: its nodes note how long they take and what they give (EXPLAIN ANALYZE).
std::unique_ptr<Execution> plan_statement(Query& query, Arena& arena,
                                          std::span<const Oid> parameters, Task& task,
                                          const EvalContext& context, bool is_measured = false);

/// Comparison of two values where NULLs sort as `key` says.
int compare_for_sort(Datum a, bool a_null, Datum b, bool b_null, const BuiltinType& type,
                     bool descending, bool nulls_first);

}  // namespace cofork
