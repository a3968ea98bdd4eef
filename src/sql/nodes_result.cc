// See nodes_result.h.
#include "sql/nodes_result.h"

#include <algorithm>

#include "sql/explain.h"
#include "support/error.h"

namespace cofork {

// --- set-returning functions in the select list

void ProjectSetNode::open(Execution& execution) {
  child_->open(execution);
  active_ = false;
}

bool ProjectSetNode::next(Execution& execution) {
  for (;;) {
    execution.task.check_interrupts();
    if (!active_) {
      if (!child_->next(execution)) return false;
      for (auto& function : functions) function->open(execution);
      active_ = true;
    }
    arena_.reset();
    bool any = false;
    for (auto& function : functions) any |= function->next(execution, arena_);
    if (any) return true;
    active_ = false;
  }
}

std::unique_ptr<ExplainNode> ProjectSetNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "ProjectSet");
  node->add_child("Outer", context.below(*child_));
  return node;
}

std::unique_ptr<ExplainNode> ProjectNode::explain(ExplainContext& context) const {
  auto node = context.below(*child_);
  if (exprs_.empty()) return node;  // computes keys for the node above
  node->output.clear();
  for (const Expr* expr : exprs_) {
    context.note_sub_plans(*node, *expr);
    if (context.options().verbose) node->output.push_back(context.output_text(*node, *expr));
  }
  node->estimate = estimate;
  node->measured = this;
  return node;
}

// --- limit

int64_t LimitNode::evaluate(Execution& execution, Program* program, bool is_limit, bool& is_null) {
  is_null = true;
  if (program == nullptr) return 0;
  program->run(execution, arena_);
  is_null = execution.nulls[program->result];
  int64_t value = is_null ? 0 : datum_to_int64(execution.values[program->result]);
  if (value >= 0) return value;
  if (is_limit) {
    throw Error(sqlstate::kInvalidRowCountInLimitClause, "LIMIT must not be negative");
  }
  throw Error(sqlstate::kInvalidRowCountInResultOffsetClause, "OFFSET must not be negative");
}

void LimitNode::open(Execution& execution) {
  bool no_offset = false;
  skip_ = evaluate(execution, offset_, false, no_offset);
  left_ = evaluate(execution, limit_, true, unlimited_);
  has_last_ = false;
  child_->open(execution);
}

bool LimitNode::next(Execution& execution) {
  if (!unlimited_ && left_ == 0 && !has_last_) return false;
  for (; skip_ > 0; --skip_) {
    if (!child_->next(execution)) return false;
  }
  if (!unlimited_ && left_ == 0) {
    // WITH TIES: rows that equal the last one in the order columns still count.
    if (!child_->next(execution) || !tie_key_.equals(execution, last_)) {
      has_last_ = false;
      return false;
    }
    return true;
  }
  if (!child_->next(execution)) return false;
  if (--left_ == 0 && !unlimited_ && tie_key_.size() > 0) {
    arena_.reset();
    last_ = tie_key_.save(execution, arena_);
    has_last_ = true;
  }
  return true;
}

std::unique_ptr<ExplainNode> LimitNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Limit");
  node->add_child("Outer", context.below(*child_));
  return node;
}

// --- set operations

void AppendNode::open(Execution& execution) {
  side_ = 0;
  sides_[0].node->open(execution);
}

bool AppendNode::next(Execution& execution) {
  while (!sides_[side_].node->next(execution)) {
    if (side_ + 1 == sides_.size()) return false;
    sides_[++side_].node->open(execution);
  }
  arena_.reset();
  sides_[side_].copy->run(execution, arena_);
  return true;
}

std::unique_ptr<ExplainNode> AppendNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Append");
  for (const Side& side : sides_) {
    auto child = context.below(*side.node);
    if (node->children.empty()) node->output = child->output;
    node->add_child("Member", std::move(child), false);
  }
  return node;
}

void SetOperationNode::open(Execution& execution) {
  input_->open(execution);
  table_.clear();
  has_read_ = false;
  at_ = 0;
  repeats_ = 0;
}

namespace {

/// How often a row came from the left and the right side; lives in the table's arena.
struct Counts {
  int64_t left = 0, right = 0;
};

}  // namespace

void SetOperationNode::read_input(Execution& execution) {
  has_read_ = true;
  while (input_->next(execution)) {
    uint64_t hash = shape_.hash(execution);
    RowTable::Entry* entry = table_.find(execution, hash);
    if (entry == nullptr) {
      if (operation_ != SetOperation::kUnion && input_->side() == 1) continue;
      entry = table_.add(hash, shape_.save(execution, table_.arena()));
      entry->extra = table_.arena().make<Counts>();
    }
    auto* counts = static_cast<Counts*>(entry->extra);
    ++(input_->side() == 0 ? counts->left : counts->right);
  }
}

int64_t SetOperationNode::copies_of(const RowTable::Entry& entry) const {
  const auto& counts = *static_cast<const Counts*>(entry.extra);
  switch (operation_) {
    case SetOperation::kIntersect:
      return all_ ? std::min(counts.left, counts.right) : counts.right > 0;
    case SetOperation::kExcept:
      return all_ ? std::max<int64_t>(counts.left - counts.right, 0) : counts.right == 0;
    default:
      return 1;
  }
}

bool SetOperationNode::next(Execution& execution) {
  if (!has_read_) read_input(execution);
  auto& entries = table_.entries();
  while (repeats_ == 0) {
    if (at_ == entries.size()) return false;
    repeats_ = copies_of(*entries[at_++]);
  }
  execution.task.check_interrupts();
  --repeats_;
  shape_.restore(execution, entries[at_ - 1]->row);
  return true;
}

std::unique_ptr<ExplainNode> SetOperationNode::explain(ExplainContext& context) const {
  if (operation_ == SetOperation::kUnion) {
    auto node = context.node(*this, "Aggregate");
    node->headline = "HashAggregate";
    node->add_kind("Strategy", "Hashed");
    node->add_kind("Partial Mode", "Simple");
    std::vector<std::string> keys;
    for (const Expr* expr : key_exprs_) keys.push_back(context.text_of(*expr));
    node->add_list("Group Key", std::move(keys));
    node->add_child("Outer", context.below(*input_));
    return node;
  }
  auto node = context.node(*this, "SetOp");
  std::string command = operation_ == SetOperation::kIntersect ? "Intersect" : "Except";
  if (all_) command += " All";
  node->headline = "HashSetOp " + command;
  node->add_kind("Strategy", "Hashed");
  node->add_head("Command", command);
  node->add_child("Outer", context.below(*input_));
  return node;
}

// --- recursion

void RecursiveUnionNode::open(Execution& execution) {
  seen_.clear();
  for (int i = 0; i < 2; ++i) {
    rounds_[i].clear();
    round_arenas_[i].reset();
  }
  filling_ = 0;
  in_rounds_ = false;
  first_->open(execution);
}

bool RecursiveUnionNode::accept(Execution& execution) {
  if (distinct_) {
    uint64_t hash = shape_.hash(execution);
    if (seen_.find(execution, hash) != nullptr) return false;
    seen_.add(hash, shape_.save(execution, seen_.arena()));
  }
  rounds_[filling_].push_back(shape_.save(execution, round_arenas_[filling_]));
  return true;
}

bool RecursiveUnionNode::next(Execution& execution) {
  for (;;) {
    execution.task.check_interrupts();
    PlanNode* term = in_rounds_ ? recursive_ : first_;
    if (term->next(execution)) {
      arena_.reset();
      (in_rounds_ ? copy_recursive_ : copy_first_)->run(execution, arena_);
      if (accept(execution)) return true;
      continue;
    }
    if (rounds_[filling_].empty()) return false;
    // What was filled is what the next round reads.
    table_.working = &rounds_[filling_];
    filling_ = 1 - filling_;
    rounds_[filling_].clear();
    round_arenas_[filling_].reset();
    in_rounds_ = true;
    recursive_->open(execution);
  }
}

std::unique_ptr<ExplainNode> RecursiveUnionNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Recursive Union");
  node->add_child("Outer", context.below(*first_));
  node->add_child("Inner", context.below(*recursive_), false);
  return node;
}

}  // namespace cofork
