// What analysis makes of a statement: names resolved, types known, every operator and function a
// row of the catalog's tables. The planner reads it; nothing in it changes after analysis but the
// constants that are folded and the slot numbers the planner writes.
//
// As Query, RangeTblEntry, Var, Const … in parsenodes.h and primnodes.h, with two simplifications:
//  * A Var names its range table entry directly. All entries of a statement, at every level, live
//  in
//    one frame of value slots (see plan.h), so an outer reference needs no parameter passing.
//  * A join has no entry of its own: its columns are those of its sides, and a column merged by
//    USING is the expression it stands for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "catalog/builtin.h"
#include "catalog/views/view.h"
#include "sql/list.h"
#include "types/datum.h"

namespace cofork {

struct Modification;
struct Query;
struct RangeEntry;
struct RelationDesc;

enum class ExprKind : uint8_t {
  kConst,
  kVar,
  kParam,  ///< $n
  kCall,   ///< function or operator
  kAnd,
  kOr,
  kNot,
  kCase,       ///< args: [condition, result]…, then the ELSE result if odd
  kCaseValue,  ///< the operand of CASE x WHEN …, inside the conditions
  kCoalesce,
  kMinMax,        ///< GREATEST when `flag`, else LEAST
  kNullIf,        ///< args: a, b; call compares
  kNullTest,      ///< IS NOT NULL when `flag`
  kBoolTest,      ///< IS [NOT] TRUE …: `test`
  kDistinct,      ///< IS DISTINCT FROM; `function` is the equality
  kArrayCompare,  ///< x op ANY (array) when `flag`, else ALL
  kArray,         ///< ARRAY[…]; `flag`: elements are arrays themselves
  kRow,
  kRowCompare,  ///< (a, b) < (c, d): args are a, c, b, d; `name` is the operator
  kSubscript,   ///< args: array, index…
  kSlice,       ///< args: array, then lower and upper (null when left out) by turns
  kIoCast,      ///< through text, out of one type and into another
  kArrayCast,   ///< element by element; args: array; `function` or I/O on the elements
  kRelabel,     ///< same bytes, other type
  kSubLink,
  kAggregate,
  kWindow,  ///< a function over a window
  kGrouping,
  kSetCall,  ///< a set-returning function in a select list
};

enum class SubLinkKind : uint8_t { kExists, kAny, kAll, kScalar, kArray };
enum class BoolTest : uint8_t { kTrue, kNotTrue, kFalse, kNotFalse, kUnknown, kNotUnknown };

struct SortKey;
struct Window;

struct Expr {
  ExprKind kind = ExprKind::kConst;
  Oid type = kInvalidOid;
  int32_t typmod = -1;
  int location = -1;  ///< byte offset in the statement, for error positions
  std::span<Expr*> args;
  bool flag = false;

  // kConst
  Datum value = 0;
  bool is_null = false;
  // kVar
  RangeEntry* entry = nullptr;
  int column = 0;     ///< from 0; kParam: number from 1
  int levels_up = 0;  ///< kVar, kAggregate: how many queries out it belongs
  // kCall, kDistinct, kNullIf, kArrayCompare, kSetCall
  const BuiltinFunction* function = nullptr;
  std::span<const Oid> arg_types;  ///< actual types of the arguments
  std::string_view name;           ///< operator or function name, to show it
  bool is_operator = false;
  bool implicit = false;  ///< a cast nobody wrote
  // kBoolTest
  BoolTest test = BoolTest::kTrue;
  // kAggregate, kWindow
  const BuiltinAggregate* aggregate = nullptr;
  Expr* filter = nullptr;
  bool distinct = false;
  std::span<SortKey> order;
  Window* window = nullptr;
  // kSubLink
  SubLinkKind sublink = SubLinkKind::kScalar;
  Query* subquery = nullptr;
  /// kSubLink: kCaseValues that stand for the columns of the sub-select's row in args[0], the
  /// comparison. kCase: the operand. kArrayCast: an element, and its cast.
  std::span<Expr*> subquery_columns;
  // Written by the planner.
  int slot = -1;
};

/// One ORDER BY, DISTINCT or window ordering expression.
struct SortKey {
  Expr* expr = nullptr;
  int target = -1;  ///< index in the target list; -1 for keys of aggregates and windows
  bool descending = false;
  bool nulls_first = false;
};

enum class FrameMode : uint8_t { kRange, kRows, kGroups };
struct Window {
  std::string_view name;  ///< "" for one written in its OVER
  List<SortKey> partition;
  List<SortKey> order;
  uint32_t frame_options = 0;  ///< FRAMEOPTION_* bits of parsenodes.h
  Expr* start_offset = nullptr;
  Expr* end_offset = nullptr;
  // RANGE with an offset: the order key as it is compared, and the key plus or minus the offsets.
  Expr* range_key = nullptr;
  Expr* range_start = nullptr;
  Expr* range_end = nullptr;
  int location = -1;
};

struct Column {
  std::string_view name;
  Oid type = kInvalidOid;  ///< 0: a dropped column of a table, which nothing names
  int32_t typmod = -1;
};

/// Columns every row of a table has: in a range table entry they come after those it was made with.
enum class SystemColumn : uint8_t { kCtid, kXmin, kCmin, kXmax, kCmax, kTableOid };
inline constexpr int kSystemColumns = 6;

struct CommonTable {
  std::string_view name;
  Query* query = nullptr;
  List<Column> columns;
  bool recursive = false;  ///< refers to itself
  int references = 0;
  int index = -1;  ///< written by the planner: which store
};

enum class RangeKind : uint8_t {
  kView,
  kSubquery,
  kFunction,
  kValues,
  kCommonTable,
  kSetResult,
  kTable,
};

/// How strong a row lock a FOR … clause asks for, and what to do when somebody is in the way.
enum class RowLockStrength : uint8_t { kNone, kKeyShare, kShare, kNoKeyUpdate, kUpdate };
enum class RowLockWait : uint8_t { kBlock, kSkip, kError };

/// One source of rows in FROM.
struct RangeEntry {
  RangeKind kind = RangeKind::kSubquery;
  std::string_view name;  ///< its alias
  List<Column> columns;
  const BuiltinView* view = nullptr;
  Query* subquery = nullptr;
  List<Expr*> functions;  ///< kFunction: the calls (several: ROWS FROM)
  bool ordinality = false;
  List<List<Expr*>> rows;  ///< kValues
  CommonTable* table = nullptr;
  bool self_reference = false;  ///< kCommonTable: the recursive term's own
  /// kTable: column c is attribute c + 1. Good as long as the statement's relations are unchanged.
  RelationDesc* relation = nullptr;
  RowLockStrength row_lock = RowLockStrength::kNone;
  RowLockWait row_lock_wait = RowLockWait::kBlock;
  /// kTable, written by the planner: the columns that anything reads, system columns after them.
  List<bool> used;
  bool has_alias = false;
  int first_slot = -1;  ///< written by the planner: column c is slot first_slot + c
  double tuples = -1;   ///< kTable, written by the planner: rows of the table as a whole
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull };

/// FROM as a tree: an entry, or a join of two trees.
struct FromTree {
  RangeEntry* entry = nullptr;  ///< a leaf when set
  JoinKind join = JoinKind::kInner;
  FromTree* left = nullptr;
  FromTree* right = nullptr;
  Expr* condition = nullptr;
};

struct Target {
  Expr* expr = nullptr;
  std::string_view name;
  bool junk = false;         ///< computed for ORDER BY or GROUP BY only
  int16_t table_column = 0;  ///< of INSERT and UPDATE: where the value goes
};

enum class SetOperation : uint8_t { kNone, kUnion, kIntersect, kExcept };

enum class CommandKind : uint8_t { kSelect, kInsert, kUpdate, kDelete };

struct Query {
  CommandKind command = CommandKind::kSelect;
  Modification* modification = nullptr;  ///< of INSERT, UPDATE, DELETE
  Query* parent = nullptr;
  List<RangeEntry*> entries;
  FromTree* from = nullptr;  ///< null: SELECT without FROM
  Expr* where = nullptr;
  List<Target> targets;
  List<int> group;                ///< targets grouped by
  List<List<int>> grouping_sets;  ///< positions in `group`; empty: the one set of all
  Expr* having = nullptr;
  bool has_aggregates = false;
  bool has_windows = false;
  bool has_set_calls = false;
  List<Window*> windows;
  List<SortKey> order;
  bool distinct = false;
  List<int> distinct_on;  ///< targets, when DISTINCT ON
  Expr* limit = nullptr;
  Expr* offset = nullptr;
  bool with_ties = false;
  List<CommonTable*> tables;   ///< WITH
  bool is_correlated = false;  ///< refers to an outer query
  bool is_folded = false;      ///< its constants have been computed (fold.h)
  bool locks_rows = false;     ///< FOR UPDATE … : some entry has a row_lock

  SetOperation operation = SetOperation::kNone;
  bool all = false;
  Query* left = nullptr;
  Query* right = nullptr;
  RangeEntry* set_result = nullptr;  ///< what the targets of a set operation refer to
};

/// A condition every row must meet.
struct CheckedConstraint {
  std::string_view name;
  Expr* condition = nullptr;
};

/// An expression or partial index, analysed over the rows that enter it.
struct IndexedExpressions {
  Oid index = kInvalidOid;
  List<Expr*> expressions;  ///< of the columns that are expressions, in order
  Expr* predicate = nullptr;
};

/// ON CONFLICT.
struct ConflictAction {
  bool updates = false;            ///< DO UPDATE
  List<Oid> arbiters;              ///< unique indexes; empty (DO NOTHING only): all
  RangeEntry* existing = nullptr;  ///< the row that is there already
  List<Target>
      assignments;  ///< DO UPDATE SET: table_column says which; read `existing`, the new row
  Expr* where = nullptr;
};

/// What INSERT, UPDATE and DELETE do with the rows of their Query's FROM.
///
///   INSERT   targets: a value for each column of the table; `row` is what they make
///   UPDATE   targets: the assigned columns, computed from `old_row` (which FROM scans); `row` is
///            the old row with those replaced
///   DELETE   FROM scans `old_row`
struct Modification {
  RelationDesc* relation = nullptr;
  RangeEntry* old_row = nullptr;
  RangeEntry* row = nullptr;
  List<Target> returning;  ///< over `row` (DELETE: `old_row`) and the entries of FROM
  List<CheckedConstraint> checks;
  List<Target> generated;  ///< GENERATED ALWAYS AS (…) STORED, over `row`
  List<IndexedExpressions> indexed;
  ConflictAction* conflict = nullptr;
};

}  // namespace cofork
