// The tree of what EXPLAIN shows: see explain.h. Writing it down: explain_format.cc.
#include "sql/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "catalog/relation_cache.h"
#include "model/stack.h"
#include "sql/analyze.h"

namespace cofork {

void ExplainNode::add_child(std::string_view relation, std::unique_ptr<ExplainNode> child,
                            bool passes) {
  child->relationship = relation;
  if (passes) output.insert(output.end(), child->output.begin(), child->output.end());
  children.push_back(std::move(child));
}

/// Names of entries and numbers of sub-selects, in the whole statement.
struct ExplainContext::Names {
  std::map<const RangeEntry*, std::string> entries;
  std::map<std::string, int, std::less<>> uses;
  size_t entry_count = 0;
  std::map<const Expr*, std::string> sub_links;  ///< what stands for it in an expression
  int sub_plans = 0;
  int parameters = 0;
  /// Of the queries being shown, from the outside in: their InitPlans so far.
  std::vector<std::vector<std::unique_ptr<ExplainNode>>*> init_plans;

  void add_entry(const RangeEntry& entry);
  void add_query(const Query& query);
  void add_queries(const Query& top);
};

void ExplainContext::Names::add_entry(const RangeEntry& entry) {
  if (entries.contains(&entry)) return;
  int use = uses[std::string(entry.name)]++;
  entries[&entry] =
      use == 0 ? std::string(entry.name) : fmt::format("{}_{}", std::string(entry.name), use);
  ++entry_count;
}

void ExplainContext::Names::add_query(const Query& query) {
  if (query.modification != nullptr && query.modification->row != nullptr) {
    const Modification& modification = *query.modification;
    const RangeEntry* target =
        modification.old_row != nullptr ? modification.old_row : modification.row;
    add_entry(*target);
    entries[modification.row] = entries[target];
  }
  for (const RangeEntry* entry : query.entries) add_entry(*entry);
}

/// The queries within come after the one they are in.
void ExplainContext::Names::add_queries(const Query& top) {
  std::vector<const Query*> pending = {&top};
  for (size_t i = 0; i < pending.size(); ++i) {
    const Query& query = *pending[i];
    add_query(query);
    for (const RangeEntry* entry : query.entries) pending.push_back(entry->subquery);
    for (const CommonTable* table : query.tables) pending.push_back(table->query);
    pending.push_back(query.left);
    pending.push_back(query.right);
    std::erase(pending, nullptr);
  }
  walk_query(top, 0, [&](const Expr& part, int) {
    if (part.subquery != nullptr) add_query(*part.subquery);
    return true;
  });
}

ExplainContext::ExplainContext(const Query& query, const Execution& execution,
                               const ExplainOptions& options, const EvalContext& context)
    : execution_(execution),
      options_(options),
      context_(context),
      names_(std::make_unique<Names>()) {
  names_->add_queries(query);
}

ExplainContext::~ExplainContext() = default;

std::unique_ptr<ExplainNode> ExplainContext::plan() {
  std::vector<std::unique_ptr<ExplainNode>> init_plans;
  names_->init_plans.push_back(&init_plans);
  auto node = below(*execution_.root);
  names_->init_plans.pop_back();
  for (auto& plan : init_plans) node->init_plans.push_back(std::move(plan));
  return node;
}

std::unique_ptr<ExplainNode> ExplainContext::below(const PlanNode& plan) {
  return with_stack([&] { return plan.explain(*this); });
}

std::unique_ptr<ExplainNode> ExplainContext::node(const PlanNode& plan,
                                                  std::string_view type) const {
  auto node = std::make_unique<ExplainNode>();
  node->type = type;
  node->headline = type;
  node->estimate = plan.estimate;
  node->measured = &plan;
  return node;
}

std::string_view ExplainContext::name_of(const RangeEntry& entry) const {
  auto at = names_->entries.find(&entry);
  return at == names_->entries.end() ? entry.name : std::string_view(at->second);
}

void ExplainContext::set_table(ExplainNode& node, const RangeEntry& entry,
                               std::string_view relation, std::string_view schema) {
  std::string_view alias = name_of(entry);
  std::string shown = quote_identifier(relation);
  if (options_.verbose && !schema.empty()) {
    shown = fmt::format("{}.{}", quote_identifier(schema), shown);
  }
  node.headline += fmt::format(" on {}", shown);
  if (alias != relation) node.headline += fmt::format(" {}", quote_identifier(alias));
  if (!relation.empty()) node.add_head("Relation Name", relation);
  if (options_.verbose && !schema.empty()) node.add_head("Schema", schema);
  node.add_head("Alias", alias);
  bool qualified = names_->entry_count > 1;
  for (size_t i = 0; i < entry.columns.size(); ++i) {
    if (i < entry.used.size() && !entry.used[i]) continue;
    std::string column = quote_identifier(entry.columns[i].name);
    node.output.push_back(qualified ? fmt::format("{}.{}", quote_identifier(alias), column)
                                    : column);
  }
}

std::string ExplainContext::deparse_in(ExplainNode& node, const Expr& expr, const RangeEntry* scan,
                                       bool qualified) {
  DeparseOptions options;
  options.own = scan;
  options.qualified = qualified;
  options.entry_name = [this](const RangeEntry& entry) { return name_of(entry); };
  options.sub_link = [this, &node](const Expr& link) { return show_sub_link(&node, link); };
  return deparse(expr, context_, options);
}

void ExplainContext::add_condition(ExplainNode& node, std::string_view label,
                                   std::span<Expr* const> conditions, const RangeEntry* scan) {
  if (conditions.empty()) return;
  bool qualified = options_.verbose || (scan == nullptr && names_->entry_count > 1);
  std::string text;
  for (const Expr* condition : conditions) {
    if (!text.empty()) text += " AND ";
    text += deparse_in(node, *condition, scan, qualified);
  }
  if (conditions.size() > 1) text = fmt::format("({})", text);
  node.add(label, std::move(text));
}

void ExplainContext::add_removed(ExplainNode& node, std::string_view label, double removed) const {
  if (!options_.analyze || node.measured == nullptr) return;
  const Measurement* m = node.measured->measurement;
  double loops = m == nullptr ? 0 : m->loops;
  double shown = loops > 0 ? removed / loops : 0;
  if (removed > 0) {
    node.add_number(label, fmt::format("{:.0f}", shown));
  } else if (options_.format != ExplainFormat::kText) {
    node.add_number(label, "0", ExplainProperty::Where::kStructuredOnly);
  }
}

std::string ExplainContext::text_of(const Expr& expr) {
  DeparseOptions options;
  options.qualified = options_.verbose || names_->entry_count > 1;
  options.entry_name = [this](const RangeEntry& entry) { return name_of(entry); };
  options.sub_link = [this](const Expr& link) { return show_sub_link(nullptr, link); };
  return deparse(expr, context_, options);
}

std::string ExplainContext::output_text(ExplainNode& node, const Expr& expr) {
  return deparse_in(node, expr, nullptr, names_->entry_count > 1);
}

void ExplainContext::note_sub_plans(ExplainNode& node, const Expr& expr) {
  walk(&expr, 0, [&](const Expr& part, int depth) {
    if (part.kind == ExprKind::kSubLink && depth == 0) show_sub_link(&node, part);
    return depth == 0;
  });
}

/// "$0", "(SubPlan 1)": and the first time, the plan goes below `node` or to the query's InitPlans.
std::string ExplainContext::show_sub_link(ExplainNode* node, const Expr& link) {
  if (auto known = names_->sub_links.find(&link); known != names_->sub_links.end()) {
    return known->second;
  }
  // An expression may have been compiled for a way of joining that was not taken: the last one
  // runs.
  auto at = std::find_if(execution_.sub_plans.rbegin(), execution_.sub_plans.rend(),
                         [&](const auto& plan) { return &plan->link() == &link; });
  if (at == execution_.sub_plans.rend() || (node == nullptr && !(*at)->runs_once())) {
    return "(SubPlan)";
  }
  const SubPlan& sub = **at;
  int number = ++names_->sub_plans;
  std::string shown, title;
  if (sub.runs_once()) {
    int parameter = names_->parameters++;
    shown = fmt::format("${}", parameter);
    title = fmt::format("InitPlan {} (returns {})", number, shown);
  } else {
    title = fmt::format("SubPlan {}", number);
    shown = fmt::format("({}{})", sub.is_hashed ? "hashed " : "", title);
  }
  names_->sub_links[&link] = shown;
  std::vector<std::unique_ptr<ExplainNode>> init_plans;
  names_->init_plans.push_back(&init_plans);
  auto plan = below(*sub.root);
  names_->init_plans.pop_back();
  for (auto& init : init_plans) plan->init_plans.push_back(std::move(init));
  plan->sub_plan = title;
  plan->relationship = sub.runs_once() ? "InitPlan" : "SubPlan";
  if (sub.runs_once()) {
    names_->init_plans.back()->push_back(std::move(plan));
  } else {
    node->sub_plans.push_back(std::move(plan));
  }
  return shown;
}

void ExplainContext::add_common_table(ExplainNode& node, std::string_view name,
                                      const PlanNode& plan) {
  ++names_->sub_plans;
  ++names_->parameters;
  std::vector<std::unique_ptr<ExplainNode>> init_plans;
  names_->init_plans.push_back(&init_plans);
  auto shown = below(plan);
  names_->init_plans.pop_back();
  for (auto& init : init_plans) shown->init_plans.push_back(std::move(init));
  shown->sub_plan = fmt::format("CTE {}", name);
  shown->relationship = "InitPlan";
  node.init_plans.push_back(std::move(shown));
}

}  // namespace cofork
