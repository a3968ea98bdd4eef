// See nodes_join.h.
#include "sql/nodes_join.h"

#include <fmt/core.h>

namespace cofork {

bool FilterNode::next(Execution& execution) {
  while (child_->next(execution)) {
    arena_.reset();
    if (condition_->test(execution, arena_)) return true;
  }
  return false;
}

void FilterNode::explain(ExplainSink& sink) const {
  child_->explain(sink);
}

// --- materialize ------------------------------------------------------------------------------

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

void MaterializeNode::explain(ExplainSink& sink) const {
  sink.node("Materialize");
  sink.child(*child_);
}

// --- nested loop ------------------------------------------------------------------------------

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
        if (!condition_->test(execution, arena_)) continue;
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

void NestedLoopNode::explain(ExplainSink& sink) const {
  sink.node(kind_ == JoinKind::kLeft ? "Nested Loop Left Join" : "Nested Loop");
  sink.child(*left_);
  sink.child(*right_);
}

// --- hash join --------------------------------------------------------------------------------

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
    if (has_null && kind_ != JoinKind::kFull) continue;
    StoredRow row = stored_.save(execution, table_->arena());
    if (has_null) {
      null_rows_.push_back(
          table_->arena().make<RowTable::Entry>(RowTable::Entry{0, row, nullptr, nullptr, 0}));
    } else {
      table_->add(right_key.hash(execution), row);
    }
  }
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
      if (!condition_->test(execution, arena_)) continue;
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
    if (next_match(execution)) return true;
    has_left_ = false;
    if (kind_ != JoinKind::kInner && !matched_) {
      right_shape_.set_null(execution);
      return true;
    }
  }
  return kind_ == JoinKind::kFull && next_unmatched_right(execution);
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

void HashJoinNode::explain(ExplainSink& sink) const {
  sink.node(kind_ == JoinKind::kInner  ? "Hash Join"
            : kind_ == JoinKind::kLeft ? "Hash Left Join"
                                       : "Hash Full Join");
  sink.child(*left_);
  ++sink.level;
  sink.node("Hash");
  sink.child(*right_);
  --sink.level;
}

}  // namespace cofork
