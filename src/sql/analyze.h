// Analysis: a raw SELECT (or VALUES) becomes a Query. Names are looked up, literals get types,
// operators and functions are chosen, aggregates and groups are checked; every complaint carries
// the position PostgreSQL gives it.
//
// One Analyzer works on one statement. Its methods are spread over
//   analyze_select.cc   SELECT, VALUES, UNION …, WITH
//   analyze_clauses.cc  target lists, GROUP BY, ORDER BY, DISTINCT, LIMIT
//   analyze_window.cc   windows and their frames
//   analyze_from.cc     FROM, joins, name spaces
//   analyze_expr.cc     expressions          analyze_values.cc   casts, arrays, rows
//   analyze_names.cc    columns by name      analyze_sublink.cc  sub-selects, row comparisons
//   analyze_call.cc     choosing functions and operators
//   analyze_groups.cc   where aggregates may stand, what must be grouped
//   coerce.cc           casts           type_name.cc        type names and modifiers
//   analyze_table.cc    tables, views, expressions stored in the catalog, row locks
//   analyze_modify.cc   UPDATE, DELETE, what the modifying statements share
//   analyze_insert.cc   INSERT, ON CONFLICT
//
// As parse_analyze and the parse_*.c files of src/backend/parser, PostgreSQL 15.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/builtin.h"
#include "catalog/relation_cache.h"
#include "sql/ast.h"
#include "sql/parser.h"
#include "sql/query.h"
#include "sql/session.h"
#include "support/arena.h"
#include "support/error.h"

namespace cofork {

/// Where an expression stands: decides what may be in it, and what an error calls the place.
enum class Place : uint8_t {
  kNone,
  kTarget,
  kWhere,
  kJoinOn,
  kFromFunction,
  kFromSubquery,
  kValues,
  kGroupBy,
  kHaving,
  kOrderBy,
  kDistinctOn,
  kLimit,
  kOffset,
  kFilter,
  kWindowPartition,
  kWindowOrder,
  kWindowFrame,
  kExecute,
  kInsertTarget,
  kUpdateSource,
  kReturning,
  kConflictWhere,
  kCheck,
  kColumnDefault,
  kGenerated,
  kIndexExpression,
  kIndexPredicate,
};

/// A name in FROM and the columns it offers.
struct NameSpaceItem {
  struct Entry {
    std::string_view name;
    Expr* expr;
  };
  std::string_view name;  ///< "" for an unnamed join
  List<Entry> columns;
  RangeEntry* table = nullptr;   ///< has system columns
  bool relation_visible = true;  ///< "t" in t.a
  bool columns_visible = true;   ///< "a"
  bool lateral_only = false;     ///< seen only from LATERAL items
  bool lateral_allowed = true;   ///< false inside RIGHT and FULL joins: an error when used
};

struct Scope {
  Scope* parent = nullptr;
  Query* query = nullptr;
  List<NameSpaceItem*> items;
  List<CommonTable*> tables;               ///< WITH names visible here
  List<std::string_view> later_tables;     ///< WITH names that may not be referred to yet
  CommonTable* recursive_table = nullptr;  ///< set operation: the WITH RECURSIVE item it defines
  Place place = Place::kNone;
  bool lateral_active = false;
  Expr* case_value = nullptr;
};

struct AnalyzeInput {
  Session* session;                   ///< null in tests of pure analysis
  std::string_view text;              ///< the query string locations count in
  Arena* arena;                       ///< of the results
  std::vector<Oid>* parameter_types;  ///< in: declared; out: inferred. Grows when `variable`.
  bool variable_parameters = false;
  EvalContext* context;  ///< for the input functions of literals
  /// Trees of texts from the catalog (defaults, views) that the results point into; and the
  /// relations the statement depends on. Null: the statement may not use tables.
  struct Dependencies* dependencies = nullptr;
};

/// What a statement was analysed from, besides its text: when any of it has changed, it is analysed
/// again.
struct Dependencies {
  struct Relation {
    Oid oid;
    LockMode mode;
    uint64_t version;
  };
  std::vector<Relation> relations;
  std::vector<std::shared_ptr<const ParsedQuery>> trees;
  uint64_t names_generation = 0;

  void clear() {
    relations.clear();
    trees.clear();
  }
};

class Analyzer {
 public:
  explicit Analyzer(const AnalyzeInput& input) : in_(input), arena_(*input.arena) {}

  /// A SelectStmt, InsertStmt, UpdateStmt or DeleteStmt: the top of a statement.
  Query* analyze(const Node& statement);
  /// SQL text from the catalog, over the columns of one table (null: over nothing): a default, a
  /// CHECK condition … `type` kInvalidOid: whatever it is.
  Expr* stored_expression(std::string_view text, RangeEntry* row, Oid type, int32_t typmod,
                          Place place);
  /// An entry for the rows of a table outside any FROM, for stored_expression() and DDL.
  RangeEntry* row_of(RelationDesc& relation, std::string_view alias);
  /// A raw expression over the columns of one table: what CREATE TABLE and CREATE INDEX check.
  Expr* table_expression(const Node& node, RangeEntry* row, Place place);
  /// INSERT of the rows of an analysed query into the columns of a table: CREATE TABLE AS.
  Query* insert_from(RelationDesc& relation, Query* source);
  /// INSERT of rows that come from outside, into these columns: targets are the defaults of the
  /// others (COPY FROM).
  Query* insert_row(RelationDesc& relation, std::span<const int> columns);
  /// Coerces a column's default or generation expression. Throws 42804.
  Expr* coerce_default(Expr* expr, std::string_view column, Oid type, int32_t typmod);
  /// An expression outside any query: arguments of EXECUTE. Coerced to `type` by assignment.
  Expr* analyze_standalone(const Node& node, Oid type, std::string_view what, int number);
  /// Throws 42P18 when a parameter's type is still unknown.
  void check_parameters() const;

  struct TypeRef {
    const BuiltinType* type;
    int32_t typmod;
  };
  /// Throws 42704 "type \"x\" does not exist".
  TypeRef resolve_type(const Node& type_name);

 private:
  // --- select, from
  Query* select_statement(const Node& node, Scope* parent, Place place, bool is_set_leaf = false);
  void plain_select(const Node& node, Scope& scope);
  void values_select(const Node& node, Scope& scope);
  void set_operation(const Node& node, Scope& scope);
  Query* set_operand(const Node& node, Scope& scope);
  void unify_columns(const Node& node, Query& query);
  void finish_set_operation(const Node& node, Scope& scope);
  void with_clause(const Node& with, Scope& scope);
  void common_table(const Node& cte, Scope& scope, bool recursive);
  void check_recursive_shape(const Node& cte, const Node& select);
  void name_columns(CommonTable& table, const Query& query);
  void set_output_unknowns_to_text(Query& query);

  void from_clause(NodeList from, Scope& scope);
  FromTree* from_item(const Node& item, Scope& scope, List<NameSpaceItem*>& names);
  FromTree* join(const Node& item, Scope& scope, List<NameSpaceItem*>& names);
  void join_using(const Node& item, Scope& scope, FromTree& tree, List<NameSpaceItem*>& left,
                  List<NameSpaceItem*>& right, NameSpaceItem& merged);
  RangeEntry* range_relation(const Node& node, Scope& scope);
  RangeEntry* range_subselect(const Node& node, Scope& scope);
  RangeEntry* range_function(const Node& node, Scope& scope);
  void function_columns(RangeEntry& entry, Expr& call, const Node& node, bool only_function);
  RangeEntry* new_entry(RangeKind kind, Scope& scope);
  NameSpaceItem* name_space_of(RangeEntry& entry);
  void apply_alias(RangeEntry& entry, const Node* alias, std::string_view what);
  void check_name_clash(std::span<NameSpaceItem*> have, std::span<NameSpaceItem*> more);
  static void set_lateral(List<NameSpaceItem*>& items, bool only, bool allowed);
  Expr* find_column(std::string_view name, Scope& scope, int location);
  Expr* column_of(const NameSpaceItem& item, std::string_view name, int location);
  Expr* qualified_column(std::string_view schema, std::string_view relation,
                         std::string_view column, Scope& scope, int location);
  NameSpaceItem* find_relation(std::string_view name, Scope& scope, int location, int& levels_up);
  [[noreturn]] void no_such_column(std::string_view relation, std::string_view name, Scope& scope,
                                   int location);
  [[noreturn]] void missing_entry(std::string_view relation, Scope& scope, int location);
  Expr* outer(Expr* expr, Scope& scope, int levels_up, int location);
  Expr* clone_outer(const Expr* expr, int levels_up, int location);
  CommonTable* find_common_table(std::string_view name, Scope& scope);
  [[noreturn]] void no_such_relation(const Node& node, std::string_view schema,
                                     std::string_view name, Scope& scope);

  // --- tables (analyze_table.cc)
  RangeEntry* table_entry(const Node& node, Scope& scope, LockMode mode);
  RangeEntry* range_table(RelationDesc& relation, Scope& scope);
  RangeEntry* range_view(RelationDesc& relation, Scope& scope);
  RelationDesc& use_relation(Oid oid, LockMode mode);
  static bool has_system_columns(const NameSpaceItem& item) { return item.table != nullptr; }
  Expr* system_column(RangeEntry& entry, std::string_view name, int location);
  void add_table_columns(RangeEntry& entry, const RelationDesc& relation);
  void locking_clause(const Node& clause, Scope& scope);
  void refuse_row_locks(const Node& select, const Query& query);

  // --- modifying statements
  Query* insert_statement(const Node& node, Scope* parent);
  Query* update_statement(const Node& node, Scope* parent);
  Query* delete_statement(const Node& node, Scope* parent);
  RelationDesc& target_relation(const Node& node, std::string_view verb);
  RangeEntry* target_entry(RelationDesc& relation, const Node& node, Scope& scope);
  RangeEntry* copy_of_row(const RangeEntry& entry, Scope& scope);
  void returning_clause(const Node& node, RangeEntry& row, Scope& scope);
  void finish_modification(Query& query);
  Expr* assign(Expr* value, const ColumnDesc& column, int location);
  Expr* column_default(const RelationDesc& relation, const ColumnDesc& column);
  void assignments(NodeList targets, const RelationDesc& relation, RangeEntry& old_row,
                   Scope& scope, List<Target>& to);
  void add_assignment(const Node& target, const RelationDesc& relation, Expr* value,
                      bool is_default, List<Target>& to);
  void check_constraints(RelationDesc& relation, RangeEntry& row, Modification& modification);
  std::vector<int> insert_columns(const Node& node, const RelationDesc& relation);
  void insert_values(NodeList rows, std::span<const int> columns, const Node& node, Scope& scope);
  void insert_select(const Node& select, std::span<const int> columns, const Node& node,
                     Scope& scope);
  void complete_insert(std::span<const int> columns, std::span<Expr* const> values,
                       const Node& node, Scope& scope);
  void conflict_clause(const Node& clause, Scope& scope);
  void find_arbiters(const Node& infer, const RelationDesc& relation, ConflictAction& conflict);

  // --- clauses
  void target_list(NodeList targets, Scope& scope);
  void expand_star(Scope& scope, std::string_view relation, int location, List<Target>& to);
  void group_clause(const Node& node, Scope& scope);
  List<List<int>> grouping_item(const Node& item, Scope& scope);
  int find_target_sql92(const Node& node, Scope& scope, Place place);
  int find_target_sql99(const Node& node, Scope& scope, Place place);
  int add_target(Expr* expr, Scope& scope);
  SortKey sort_key(const Node& sort_by, Expr* expr, int target);
  void order_clause(NodeList order, Scope& scope);
  void distinct_clause(const Node& node, Scope& scope);
  void limit_clause(const Node& node, Scope& scope);
  Expr* limit_value(const Node& node, Scope& scope, Place place, std::string_view name);
  void window_clause(const Node& node, Scope& scope);
  Window* find_window(std::string_view name, Scope& scope, int location);
  void copy_window(const Node& definition, Window& window, Scope& scope);
  Window* make_window(const Node& definition, Scope& scope);
  void window_frame(const Node& definition, Window& window, Scope& scope);
  Expr* range_offset(Expr* offset, Window& window);
  Expr* range_bound(const Window& window, Expr* offset, bool preceding);
  Window* window_of_call(const Node& over, Scope& scope);

  // --- expressions
  Expr* expression(const Node& node, Scope& scope, Place place);
  Expr* transform(const Node& node, Scope& scope);
  Expr* transform_here(const Node& node, Scope& scope);
  Expr* constant(const Node& node);
  Expr* parameter(const Node& node);
  Expr* column_reference(const Node& node, Scope& scope);
  Expr* operator_chain(const Node& node, Scope& scope);
  Expr* operator_expression(const Node& node, Scope& scope);
  Expr* in_list(const Node& node, Scope& scope);
  Expr* between(const Node& node, Scope& scope);
  Expr* nullif(const Node& node, Scope& scope);
  Expr* array_comparison(const Node& node, Scope& scope, bool any);
  Expr* make_array_comparison(std::string_view op, Expr* left, Expr* array, bool any, int location);
  Expr* boolean_expression(const Node& node, Scope& scope);
  Expr* case_expression(const Node& node, Scope& scope);
  Expr* coalesce(const Node& node, Scope& scope);
  Expr* min_max(const Node& node, Scope& scope);
  Expr* null_test(const Node& node, Scope& scope);
  Expr* boolean_test(const Node& node, Scope& scope);
  Expr* array_expression(const Node& node, Scope& scope, Oid array_type, int32_t typmod);
  Expr* row_expression(const Node& node, Scope& scope);
  Expr* type_cast(const Node& node, Scope& scope);
  Expr* collate(const Node& node, Scope& scope);
  Expr* indirection(const Node& node, Scope& scope);
  Expr* subscripts(Expr* base, NodeList indices, Scope& scope);
  Expr* value_function(const Node& node);
  /// Throws, with a frame of its own: in a function that recurses, an Error that is hardly ever
  /// made would take half a kilobyte of stack at every level.
  [[noreturn, gnu::noinline]] void fail_at(SqlState code, std::string_view message,
                                           int location) const;
  Expr* function_call(const Node& node, Scope& scope);
  [[gnu::noinline]] Expr* call_by_names(std::string_view schema, std::string_view name,
                                        const std::vector<Expr*>& args,
                                        std::span<const std::string_view> arg_names,
                                        const Node& node, Scope& scope);
  Expr* grouping_function(const Node& node, Scope& scope);
  Expr* sublink(const Node& node, Scope& scope);
  [[gnu::noinline]] void quantified(const Node& node, Scope& scope, Expr& link, Expr* left,
                                    bool any);
  Expr* row_comparison(std::string_view op, std::span<Expr*> left, std::span<Expr*> right,
                       int location);
  Expr* distinct_expression(const Node& node, Scope& scope, bool negate);
  bool is_row(const Expr& e) const { return e.kind == ExprKind::kRow; }

  // --- calls
  struct Candidate {
    std::span<const Oid> args;  ///< as seen by this call: variadic expanded, defaults cut
    const BuiltinFunction* function = nullptr;
    const BuiltinAggregate* aggregate = nullptr;
    const BuiltinOperator* op = nullptr;
    bool variadic_expanded = false;
  };
  Expr* call_function(std::string_view schema, std::string_view name, std::span<Expr*> args,
                      const Node& node, Scope& scope);
  Expr* finish_call(const Candidate& chosen, std::string_view name, std::span<Expr*> args,
                    const Node& node, Scope& scope);
  Expr* finish_aggregate(const Candidate& chosen, std::string_view name, std::span<Expr*> args,
                         const Node& node, Scope& scope);
  void check_window_function_call(std::string_view name, const Node& node);
  Expr* finish_window_call(Expr* call, const Node& node, Scope& scope);
  std::vector<Candidate> call_candidates(std::string_view schema, std::string_view name,
                                         size_t count, bool variadic);
  /// Narrows to the best; empty: none fits, several: ambiguous.
  std::vector<Candidate> best_candidates(std::vector<Candidate> candidates,
                                         std::span<const Oid> input);
  /// Types as the call sees them: polymorphic ones resolved. False: they do not agree.
  bool resolve_polymorphic(std::span<const Oid> declared, std::span<const Oid> actual,
                           std::vector<Oid>& concrete, Oid declared_result, Oid& result);
  void coerce_arguments(std::span<const Oid> concrete, std::span<Expr*> args,
                        bool is_variadic = false);
  [[noreturn]] void no_such_function(std::string_view schema, std::string_view name,
                                     std::span<Expr*> args, int location, bool ambiguous);
  Expr* make_operator(std::string_view name, Expr* left, Expr* right, int location);
  const BuiltinOperator* choose_operator(std::string_view name, Oid left, Oid right, int location);
  [[noreturn]] void no_such_operator(std::string_view name, Oid left, Oid right, int location,
                                     bool ambiguous);
  Expr* make_call(const BuiltinFunction& function, std::span<Expr*> args, Oid type, int location);
  void require_equality(Oid type, int location) const;

  // --- groups
  void check_aggregate_place(Expr& aggregate, std::string_view name, Scope& scope);
  void check_groups(Query& query);
  void check_group_expression(const Expr* expr, const Query& query);

  // --- coercion
  enum class Pathway : uint8_t { kNone, kFunction, kRelabel, kIo, kArray };
  Pathway find_pathway(Oid source, Oid target, CastContext context,
                       const BuiltinFunction** function);
  bool can_coerce(Oid source, Oid target, CastContext context);
  Expr* coerce(Expr* expr, Oid target, int32_t typmod, CastContext context);
  Expr* coerce_unknown(Expr* expr, Oid target, int32_t typmod);
  Expr* apply_typmod(Expr* expr, int32_t typmod, CastContext context);
  /// Explicit or assignment cast with its error 42846 / 42804; null when there is no way.
  Expr* coerce_or_null(Expr* expr, Oid target, int32_t typmod, CastContext context);
  Expr* to_boolean(Expr* expr, std::string_view what);
  Oid common_type(std::span<Expr*> exprs, std::string_view what, Expr** which = nullptr);
  Expr* to_common_type(Expr* expr, Oid type, std::string_view what);
  int32_t common_typmod(std::span<Expr*> exprs, Oid type) const;
  bool is_preferred(Oid type) const;
  char category(Oid type) const;

  // --- types
  int32_t encode_typmod(const BuiltinType& type, NodeList typmods, int location);

  // --- small things
  int position(int location) const;
  Expr* make(ExprKind kind, Oid type, int location);
  Expr* make_const(Oid type, Datum value, int location);
  Expr* make_null(Oid type, int location);
  std::span<Expr*> span_of(std::initializer_list<Expr*> exprs);
  std::span<Expr*> span_of(const std::vector<Expr*>& exprs);
  Expr* whole_row(const NameSpaceItem& item, int location);

  const AnalyzeInput& in_;
  Arena& arena_;
};

// Helpers over analyzed expressions (expr_walk.cc).

/// SQL name of a type for messages: "integer".
std::string_view type_name(Oid type);
/// Structural equality, locations aside.
bool same_expr(const Expr* a, const Expr* b);
/// Calls visit(expr, depth) for every expression of `expr`, sub-selects included (depth counts
/// them). visit returns false to leave out what is below.
void walk(const Expr* expr, int depth, const std::function<bool(const Expr&, int)>& visit);
void walk_query(const Query& query, int depth, const std::function<bool(const Expr&, int)>& visit);
/// The name PostgreSQL gives a column without AS ("?column?", a function's name …).
std::string_view figure_column_name(const Node& node);

}  // namespace cofork
