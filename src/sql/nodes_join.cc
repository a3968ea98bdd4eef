// See nodes_join.h.
#include "sql/nodes_join.h"

#include <fmt/format.h>

#include <cmath>

#include "sql/explain.h"

namespace cofork {

bool FilterNode::next(Execution& execution) {
  while (child_->next(execution)) {
    arena_.reset();
    if (!condition_->test(execution, arena_)) continue;
    child_->rest_of_row(execution);
    return true;
  }
  return false;
}

std::unique_ptr<ExplainNode> FilterNode::explain(ExplainContext& context) const {
  auto node = context.below(*child_);
  context.add_condition(*node, "Filter", conditions_, scan_);
  if (measurement != nullptr && child_->measurement != nullptr) {
    context.add_removed(*node, "Rows Removed by Filter",
                        child_->measurement->rows - measurement->rows);
  }
  node->estimate = estimate;
  node->measured = this;
  return node;
}

// --- conditions without rows

void GateNode::open(Execution& execution) {
  is_open_ = false;
  if (child_ == nullptr) return;
  arena_.reset();
  is_open_ = condition_->test(execution, arena_);
  if (is_open_) child_->open(execution);
}

std::unique_ptr<ExplainNode> GateNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Result");
  context.add_condition(*node, "One-Time Filter", conditions_, nullptr);
  if (child_ != nullptr) node->add_child("Outer", context.below(*child_));
  return node;
}

// --- materialize

void MaterializeNode::open(Execution& execution) {
  rows_.clear();
  arena_.reset();
  at_ = 0;
  complete_ = false;
  child_->open(execution);
}

bool MaterializeNode::next(Execution& execution) {
  if (at_ < rows_.size()) {
    execution.task.check_interrupts();
    shape_.restore(execution, rows_[at_++]);
    return true;
  }
  if (complete_) return false;
  if (!child_->next(execution)) {
    complete_ = true;
    return false;
  }
  rows_.push_back(shape_.save(execution, arena_));
  ++at_;
  return true;
}

std::unique_ptr<ExplainNode> MaterializeNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "Materialize");
  node->add_child("Outer", context.below(*child_));
  return node;
}

// --- nested loop

void NestedLoopNode::open(Execution& execution) {
  left_->open(execution);
  has_left_ = right_open_ = false;
}

bool NestedLoopNode::next(Execution& execution) {
  for (;;) {
    if (!has_left_) {
      if (!left_->next(execution)) return false;
      has_left_ = true;
      matched_ = false;
      if (right_open_ && !lateral_) {
        right_->rewind(execution);
      } else {
        right_->open(execution);
        right_open_ = true;
      }
    }
    while (right_->next(execution)) {
      if (condition_ != nullptr) {
        arena_.reset();
        if (!condition_->test(execution, arena_)) {
          ++removed_;
          continue;
        }
      }
      matched_ = true;
      return true;
    }
    has_left_ = false;
    if (kind_ == JoinKind::kLeft && !matched_) {
      right_shape_.set_null(execution);
      return true;
    }
  }
}

namespace {

/// "Hash Left Join", and the parts of it for JSON.
std::unique_ptr<ExplainNode> explain_join(ExplainContext& context, const PlanNode& plan,
                                          std::string_view type, std::string_view inner_headline,
                                          JoinKind kind) {
  auto node = context.node(plan, type);
  std::string_view how = kind == JoinKind::kInner   ? "Inner"
                         : kind == JoinKind::kLeft  ? "Left"
                         : kind == JoinKind::kRight ? "Right"
                                                    : "Full";
  node->headline = inner_headline;
  if (kind != JoinKind::kInner) node->headline = fmt::format("{} {} Join", type, how);
  if (kind != JoinKind::kInner && type == "Hash Join")
    node->headline = fmt::format("Hash {} Join", how);
  node->add_head("Join Type", how);
  return node;
}

}  // namespace

std::unique_ptr<ExplainNode> NestedLoopNode::explain(ExplainContext& context) const {
  auto node = explain_join(context, *this, "Nested Loop", "Nested Loop", kind_);
  context.add_condition(*node, "Join Filter", conditions_, nullptr);
  if (condition_ != nullptr) {
    context.add_removed(*node, "Rows Removed by Join Filter", static_cast<double>(removed_));
  }
  node->add_child("Outer", context.below(*left_));
  node->add_child("Inner", context.below(*right_));
  return node;
}

// --- hash join

void HashJoinNode::open(Execution& execution) {
  left_->open(execution);
  built_ = has_left_ = left_done_ = false;
  unmatched_at_ = null_at_ = 0;
}

void HashJoinNode::build(Execution& execution) {
  if (table_ == nullptr) {
    table_ = std::make_unique<RowTable>(left_key);
    stored_ = right_key;
    stored_.add(right_shape_);
  }
  table_->clear();
  null_rows_.clear();
  right_->open(execution);
  while (right_->next(execution)) {
    arena_.reset();
    right_keys->run(execution, arena_);
    bool has_null = right_key.has_null(execution);
    if (has_null && !keeps_right()) continue;
    StoredRow row = stored_.save(execution, table_->arena());
    if (has_null) {
      null_rows_.push_back(
          table_->arena().make<RowTable::Entry>(RowTable::Entry{0, row, nullptr, nullptr, 0}));
    } else {
      table_->add(right_key.hash(execution), row);
    }
  }
  hashed_bytes_ = static_cast<double>(table_->bytes());
  built_ = true;
}

namespace {

/// The part of a stored row after its key.
StoredRow without_key(const StoredRow& row, size_t key_columns) {
  return {row.values + key_columns, row.nulls + key_columns};
}

}  // namespace

bool HashJoinNode::next_match(Execution& execution) {
  while (entry_ != nullptr) {
    RowTable::Entry* entry = entry_;
    entry_ = table_->find_next(execution, entry);
    right_shape_.restore(execution, without_key(entry->row, right_key.size()));
    if (condition_ != nullptr) {
      arena_.reset();
      if (!condition_->test(execution, arena_)) {
        ++removed_;
        continue;
      }
    }
    entry->count = 1;
    matched_ = true;
    return true;
  }
  return false;
}

bool HashJoinNode::next(Execution& execution) {
  if (!built_) build(execution);
  while (!left_done_) {
    if (!has_left_) {
      if (!left_->next(execution)) {
        left_done_ = true;
        break;
      }
      key_arena_.reset();
      left_keys->run(execution, key_arena_);
      matched_ = false;
      has_left_ = true;
      entry_ = left_key.has_null(execution) ? nullptr
                                            : table_->find(execution, left_key.hash(execution));
    }
    if (existence == Existence::kNotAsked) {
      if (next_match(execution)) return true;
    } else if (next_match(execution) == (existence == Existence::kSemi)) {
      has_left_ = false;
      return true;
    }
    has_left_ = false;
    if (keeps_left() && !matched_) {
      right_shape_.set_null(execution);
      return true;
    }
  }
  return keeps_right() && next_unmatched_right(execution);
}

bool HashJoinNode::next_unmatched_right(Execution& execution) {
  left_shape_.set_null(execution);
  auto& entries = table_->entries();
  while (unmatched_at_ < entries.size()) {
    RowTable::Entry* entry = entries[unmatched_at_++];
    if (entry->count != 0) continue;
    right_shape_.restore(execution, without_key(entry->row, right_key.size()));
    return true;
  }
  if (null_at_ == null_rows_.size()) return false;
  right_shape_.restore(execution, without_key(null_rows_[null_at_++]->row, right_key.size()));
  return true;
}

std::unique_ptr<ExplainNode> HashJoinNode::explain(ExplainContext& context) const {
  auto node = explain_join(context, *this, "Hash Join", "Hash Join", kind_);
  if (existence != Existence::kNotAsked) {
    std::string_view how = existence == Existence::kSemi ? "Semi" : "Anti";
    node->headline = fmt::format("Hash {} Join", how);
    node->heads.back().value = how;
  }
  context.add_condition(*node, "Hash Cond", key_conditions, nullptr);
  context.add_condition(*node, "Join Filter", conditions_, nullptr);
  if (condition_ != nullptr) {
    context.add_removed(*node, "Rows Removed by Join Filter", static_cast<double>(removed_));
  }
  node->add_child("Outer", context.below(*left_));
  // The hash table is a node of its own in PostgreSQL; here its figures are those of its input.
  auto hash = context.node(*right_, "Hash");
  hash->estimate.startup = hash->estimate.total;
  if (context.options().analyze && built_) {
    hash->add_text_only(
        "Buckets", fmt::format("{}  Batches: 1  Memory Usage: {:.0f}kB", table_->bucket_count(),
                               std::ceil(hashed_bytes_ / 1024)));
    hash->add_number("Hash Buckets", fmt::format("{}", table_->bucket_count()),
                     ExplainProperty::Where::kStructuredOnly);
    hash->add_number("Hash Batches", "1", ExplainProperty::Where::kStructuredOnly);
    hash->add_number("Peak Memory Usage", fmt::format("{:.0f}", std::ceil(hashed_bytes_ / 1024)),
                     ExplainProperty::Where::kStructuredOnly);
  }
  hash->add_child("Outer", context.below(*right_));
  node->add_child("Inner", std::move(hash));
  return node;
}

}  // namespace cofork
