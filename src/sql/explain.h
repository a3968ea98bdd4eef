// EXPLAIN: what a plan says about itself, and how that is written down (explain.c, 15).
//
//   plan nodes ──explain()──▶ a tree of ExplainNode ──▶ text, JSON or YAML
//
// A node of the executor that PostgreSQL does not know (a filter, a projection) shows nothing of
// its own: it adds its conditions and its figures to the node below it, where PostgreSQL has them.
//
// Expressions are written by deparse(), with the names of the statement's tables: an alias that is
// there twice gets a number, and conditions of a scan name only the columns of others with their
// table.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/deparse.h"
#include "sql/exec.h"
#include "types/text.h"

namespace cofork {

enum class ExplainFormat : uint8_t { kText, kJson, kYaml };

struct ExplainOptions {
  bool analyze = false;
  bool verbose = false;
  bool costs = true;
  bool buffers = false;
  bool timing = false;
  bool summary = false;
  ExplainFormat format = ExplainFormat::kText;
};

/// One fact about a node: "Index Cond: (id = 5)".
struct ExplainProperty {
  enum class Kind : uint8_t { kText, kNumber, kBool, kList };
  enum class Where : uint8_t { kEverywhere, kTextOnly, kStructuredOnly };
  std::string label;
  Kind kind = Kind::kText;
  Where where = Where::kEverywhere;
  std::string value;
  std::vector<std::string> items;  ///< kList
};

struct ExplainNode {
  std::string type;      ///< "Index Scan"
  std::string headline;  ///< what the text form calls it: "Index Scan using … on …"
  std::vector<ExplainProperty> kinds;  ///< structured: what follows the type (Strategy …)
  std::vector<ExplainProperty> heads;  ///< structured: what stands before the costs
  std::vector<ExplainProperty> properties;
  std::vector<std::string> output;  ///< VERBOSE
  PlanEstimate estimate;
  const PlanNode* measured = nullptr;
  std::string relationship;  ///< to the node above: Outer, Inner, InitPlan …
  std::string sub_plan;      ///< "InitPlan 1 (returns $0)"
  std::vector<std::unique_ptr<ExplainNode>> init_plans, children, sub_plans;

  void add(std::string_view label, std::string value) {
    properties.push_back({std::string(label),
                          ExplainProperty::Kind::kText,
                          ExplainProperty::Where::kEverywhere,
                          std::move(value),
                          {}});
  }
  void add_number(std::string_view label, std::string value,
                  ExplainProperty::Where where = ExplainProperty::Where::kEverywhere) {
    properties.push_back(
        {std::string(label), ExplainProperty::Kind::kNumber, where, std::move(value), {}});
  }
  void add_list(std::string_view label, std::vector<std::string> items) {
    properties.push_back({std::string(label),
                          ExplainProperty::Kind::kList,
                          ExplainProperty::Where::kEverywhere,
                          {},
                          std::move(items)});
  }
  /// Only in the text form: "Heap Blocks: exact=7".
  void add_text_only(std::string_view label, std::string value) {
    properties.push_back({std::string(label),
                          ExplainProperty::Kind::kText,
                          ExplainProperty::Where::kTextOnly,
                          std::move(value),
                          {}});
  }
  void add_head(std::string_view label, std::string_view value) {
    heads.push_back({std::string(label),
                     ExplainProperty::Kind::kText,
                     ExplainProperty::Where::kStructuredOnly,
                     std::string(value),
                     {}});
  }
  void add_kind(std::string_view label, std::string_view value) {
    kinds.push_back({std::string(label),
                     ExplainProperty::Kind::kText,
                     ExplainProperty::Where::kStructuredOnly,
                     std::string(value),
                     {}});
  }
  /// A child; its output becomes this node's when `passes`, as that of a sort or of a join does.
  void add_child(std::string_view relation, std::unique_ptr<ExplainNode> child, bool passes = true);
};

/// What the nodes need to describe themselves.
class ExplainContext {
 public:
  ExplainContext(const Query& query, const Execution& execution, const ExplainOptions& options,
                 const EvalContext& context);
  ~ExplainContext();

  const ExplainOptions& options() const { return options_; }
  /// The whole plan.
  std::unique_ptr<ExplainNode> plan();

  // For explain() of the nodes.
  /// A node below, however deep.
  std::unique_ptr<ExplainNode> below(const PlanNode& plan);
  std::unique_ptr<ExplainNode> node(const PlanNode& plan, std::string_view type) const;
  /// A scan of a table: its name in the headline, before it `how` ("Seq Scan"), its columns as
  /// output.
  void set_table(ExplainNode& node, const RangeEntry& entry, std::string_view relation,
                 std::string_view schema);
  /// The name an entry goes by in this statement.
  std::string_view name_of(const RangeEntry& entry) const;
  /// "label: (a AND b)"; `scan`: the entry whose columns need no table name, null for joins and
  /// what is above.
  void add_condition(ExplainNode& node, std::string_view label, std::span<Expr* const> conditions,
                     const RangeEntry* scan);
  /// "Rows Removed by …", for a measured node, from what it saw and let through.
  void add_removed(ExplainNode& node, std::string_view label, double removed) const;
  /// An expression over the rows of joins, sorts, groups.
  std::string text_of(const Expr& expr);
  /// A column of a node's result: names its table only where there are several.
  std::string output_text(ExplainNode& node, const Expr& expr);
  /// Sub-selects in an expression that has no line of its own (a select list).
  void note_sub_plans(ExplainNode& node, const Expr& expr);
  /// A WITH query the node's query has.
  void add_common_table(ExplainNode& node, std::string_view name, const PlanNode& plan);
  const Execution& execution() const { return execution_; }

 private:
  struct Names;
  std::string deparse_in(ExplainNode& node, const Expr& expr, const RangeEntry* scan,
                         bool qualified);
  std::string show_sub_link(ExplainNode* node, const Expr& link);

  const Execution& execution_;
  const ExplainOptions options_;
  EvalContext context_;
  std::unique_ptr<Names> names_;
};

/// A finished statement's plan, and the lines under it.
struct ExplainSummary {
  double planning_ms = 0;
  double execution_ms = -1;  ///< -1: it was not run
  BufferUsage planning_buffers;
};

/// The lines of the result; JSON and YAML are one line each with line feeds in it.
std::vector<std::string> write_explained(const ExplainNode& plan, const ExplainOptions& options,
                                         const ExplainSummary& summary);

// Parts of write_explained() (explain_format.cc).
std::string write_structured(const ExplainNode& plan, const ExplainOptions& options,
                             const ExplainSummary& summary);

}  // namespace cofork
