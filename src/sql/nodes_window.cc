// See nodes_window.h.
#include "sql/nodes_window.h"

#include <algorithm>

#include "sql/explain.h"
#include "support/error.h"

namespace cofork {

using namespace frame_option;

// --- partitions

void WindowNode::open(Execution& execution) {
  child_->open(execution);
  rows_.clear();
  at_ = 0;
  has_ahead_ = input_ended_ = false;
}

bool WindowNode::next(Execution& ex) {
  if (at_ == count() && !read_partition(ex)) return false;
  ex.task.check_interrupts();
  result_arena_.reset();
  sum_arena_.reset();
  for (WindowCall& call : calls) compute(ex, call, at_);
  row_.restore(ex, at(at_));
  ++at_;
  return true;
}

/// Reads on until a row of another partition comes, which is kept for the next time.
bool WindowNode::read_partition(Execution& ex) {
  rows_.clear();
  at_ = 0;
  if (input_ended_) return false;
  using_ = 1 - using_;  // where the row ahead has been put
  Arena& arena = arenas_[using_];
  if (has_ahead_) {
    rows_.push_back(ahead_);
    has_ahead_ = false;
  } else {
    arena.reset();
  }
  while (child_->next(ex)) {
    if (rows_.empty() || is_same_partition(ex)) {
      rows_.push_back(row_.save(ex, arena));
      continue;
    }
    Arena& other = arenas_[1 - using_];
    other.reset();
    ahead_ = row_.save(ex, other);
    has_ahead_ = true;
    break;
  }
  input_ended_ = !has_ahead_;
  if (rows_.empty()) return false;
  find_peers();
  read_offsets(ex);
  running_arena_.reset();
  for (WindowCall& call : calls) {
    call.summed_to = 0;
    if (call.expr->aggregate != nullptr) {
      start_aggregate(call.aggregate, call.running, running_arena_);
    }
  }
  return true;
}

bool WindowNode::is_same_partition(const Execution& ex) const {
  for (size_t c : partition_columns) {
    int slot = row_.slot(c);
    if (compare_for_sort(ex.values[slot], ex.nulls[slot], at(0).values[c], at(0).nulls[c],
                         *row_.type(c), false, false) != 0) {
      return false;
    }
  }
  return true;
}

void WindowNode::find_peers() {
  peers_.clear();
  group_of_.assign(rows_.size(), 0);
  auto columns_differ = [&](const StoredRow& a, const StoredRow& b) {
    for (size_t c : order_columns) {
      if (compare_for_sort(a.values[c], a.nulls[c], b.values[c], b.nulls[c], *row_.type(c), false,
                           false) != 0) {
        return true;
      }
    }
    return false;
  };
  for (int64_t row = 0; row < count(); ++row) {
    if (row == 0 || columns_differ(at(row - 1), at(row))) peers_.push_back({row, row});
    peers_.back().end = row + 1;
    group_of_[static_cast<size_t>(row)] = static_cast<int64_t>(peers_.size()) - 1;
  }
}

// --- frames

int64_t WindowNode::read_offset(Execution& ex, Program* program, std::string_view which) {
  program->run(ex, result_arena_);
  auto slot = program->result;
  if (ex.nulls[slot]) {
    throw Error(sqlstate::kNullValueNotAllowed, "frame {} offset must not be null", which);
  }
  Datum value = ex.values[slot];
  if (range_type != nullptr) {
    ex.context.arena = &result_arena_;
    Datum zero = offset_type->from_text(ex.context, "0");
    if (offset_type->compare(value, zero) >= 0) return 0;
    throw Error(sqlstate::kInvalidPrecedingOrFollowingSize,
                "invalid preceding or following size in window function");
  }
  int64_t rows = datum_to_int64(value);
  if (rows >= 0) return rows;
  throw Error(sqlstate::kInvalidPrecedingOrFollowingSize, "frame {} offset must not be negative",
              which);
}

void WindowNode::read_offsets(Execution& ex) {
  if (start_offset != nullptr) start_rows_ = read_offset(ex, start_offset, "starting");
  if (end_offset != nullptr) end_rows_ = read_offset(ex, end_offset, "ending");
}

int64_t WindowNode::rows_bound(int64_t row, bool is_start) const {
  int64_t past = is_start ? 0 : 1;
  uint32_t options = window_.frame_options;
  if ((options & (is_start ? kStartCurrentRow : kEndCurrentRow)) != 0) return row + past;
  bool preceding = (options & (is_start ? kStartOffsetPreceding : kEndOffsetPreceding)) != 0;
  int64_t offset = std::min(is_start ? start_rows_ : end_rows_, count());
  return (preceding ? row - offset : row + offset) + past;
}

int64_t WindowNode::groups_bound(int64_t row, bool is_start) const {
  uint32_t options = window_.frame_options;
  const Peers& own = peers_of(row);
  if ((options & (is_start ? kStartCurrentRow : kEndCurrentRow)) != 0) {
    return is_start ? own.first : own.end;
  }
  bool preceding = (options & (is_start ? kStartOffsetPreceding : kEndOffsetPreceding)) != 0;
  auto groups = static_cast<int64_t>(peers_.size());
  int64_t offset = std::min(is_start ? start_rows_ : end_rows_, groups);
  int64_t group = group_of_[static_cast<size_t>(row)] + (preceding ? -offset : offset);
  if (group < 0) return 0;
  if (group >= groups) return count();
  const Peers& peers = peers_[static_cast<size_t>(group)];
  return is_start ? peers.first : peers.end;
}

int64_t WindowNode::range_bound(int64_t row, bool is_start) const {
  uint32_t options = window_.frame_options;
  const Peers& own = peers_of(row);
  bool at_current = (options & (is_start ? kStartCurrentRow : kEndCurrentRow)) != 0;
  if (at_current || range_type == nullptr || at(row).nulls[range_key]) {
    return is_start ? own.first : own.end;
  }
  // NULLs stand together at one end and are in no range.
  int64_t first = 0, end = count();
  while (range_nulls_first && at(first).nulls[range_key]) ++first;
  while (!range_nulls_first && at(end - 1).nulls[range_key]) --end;
  Datum bound = at(row).values[is_start ? range_start : range_end];
  auto before = [&](const StoredRow& other) {
    int order = range_type->compare(other.values[range_key], bound);
    if (range_descending) order = -order;
    return is_start ? order < 0 : order <= 0;
  };
  auto from = rows_.begin() + static_cast<ptrdiff_t>(first);
  auto to = rows_.begin() + static_cast<ptrdiff_t>(end);
  return std::partition_point(from, to, before) - rows_.begin();
}

WindowNode::Frame WindowNode::frame_of(int64_t row) const {
  uint32_t options = window_.frame_options;
  auto bound = [&](bool is_start) {
    int64_t at = (options & kRows) != 0     ? rows_bound(row, is_start)
                 : (options & kGroups) != 0 ? groups_bound(row, is_start)
                                            : range_bound(row, is_start);
    return std::clamp<int64_t>(at, 0, count());
  };
  Frame frame{0, count()};
  if ((options & kStartUnboundedPreceding) == 0) frame.start = bound(true);
  if ((options & kEndUnboundedFollowing) == 0) frame.end = bound(false);
  return frame;
}

bool WindowNode::is_excluded(int64_t row, int64_t current) const {
  uint32_t options = window_.frame_options;
  if ((options & kExcludeCurrentRow) != 0) return row == current;
  if ((options & (kExcludeGroup | kExcludeTies)) == 0) return false;
  const Peers& peers = peers_of(current);
  if (row < peers.first || row >= peers.end) return false;
  return row != current || (options & kExcludeGroup) != 0;
}

// --- functions

void WindowNode::set(Execution& ex, const WindowCall& call, Datum value, bool is_null) {
  ex.values[call.result_slot] = value;
  ex.nulls[call.result_slot] = is_null;
}

namespace {

/// The functions by their oids in pg_proc.
enum WindowFunction : Oid {
  kRowNumber = 3100,
  kRank = 3101,
  kDenseRank = 3102,
  kPercentRank = 3103,
  kCumeDist = 3104,
  kNtile = 3105,
  kLag = 3106,
  kLagOffset = 3107,
  kLagDefault = 3108,
  kLead = 3109,
  kLeadOffset = 3110,
  kLeadDefault = 3111,
  kFirstValue = 3112,
  kLastValue = 3113,
  kNthValue = 3114,
};

}  // namespace

void WindowNode::compute(Execution& ex, WindowCall& call, int64_t row) {
  if (call.expr->aggregate != nullptr) {
    compute_aggregate(ex, call, row);
    return;
  }
  const Peers& peers = peers_of(row);
  switch (call.expr->function->oid) {
    case kRowNumber:
      return set(ex, call, datum_from_int64(row + 1));
    case kRank:
      return set(ex, call, datum_from_int64(peers.first + 1));
    case kDenseRank:
      return set(ex, call, datum_from_int64(group_of_[static_cast<size_t>(row)] + 1));
    case kPercentRank: {
      double others = static_cast<double>(count() - 1);
      return set(ex, call,
                 datum_from_float8(others > 0 ? static_cast<double>(peers.first) / others : 0));
    }
    case kCumeDist:
      return set(ex, call,
                 datum_from_float8(static_cast<double>(peers.end) / static_cast<double>(count())));
    case kNtile:
      return set_tile(ex, call, row);
    case kLag:
    case kLagOffset:
    case kLagDefault:
      return set_neighbour(ex, call, row, false);
    case kLead:
    case kLeadOffset:
    case kLeadDefault:
      return set_neighbour(ex, call, row, true);
    default:
      return set_nth(ex, call, row);
  }
}

/// The first argument as row `row` has it; NULL for -1.
void WindowNode::set_argument_of(Execution& ex, const WindowCall& call, int64_t row) {
  if (row < 0) return set(ex, call, 0, true);
  size_t c = call.first_argument;
  set(ex, call, at(row).values[c], at(row).nulls[c]);
}

/// Tiles as even as they can be, the larger ones first.
void WindowNode::set_tile(Execution& ex, const WindowCall& call, int64_t row) {
  size_t c = call.first_argument;
  if (at(0).nulls[c]) return set(ex, call, 0, true);
  int64_t tiles = datum_to_int32(at(0).values[c]);
  if (tiles <= 0) {
    throw Error(sqlstate::kInvalidArgumentForNtile, "argument of ntile must be greater than zero");
  }
  int64_t size = count() / tiles, larger = count() % tiles;
  int64_t in_larger = larger * (size + 1);
  int64_t tile = row < in_larger ? row / (size + 1) : larger + (row - in_larger) / size;
  set(ex, call, datum_from_int32(static_cast<int32_t>(tile + 1)));
}

void WindowNode::set_neighbour(Execution& ex, const WindowCall& call, int64_t row, bool ahead) {
  size_t c = call.first_argument;
  const StoredRow& own = at(row);
  int64_t offset = 1;
  if (call.expr->args.size() > 1) {
    if (own.nulls[c + 1]) return set(ex, call, 0, true);
    offset = datum_to_int32(own.values[c + 1]);
  }
  int64_t target = ahead ? row + offset : row - offset;
  if (target >= 0 && target < count()) return set_argument_of(ex, call, target);
  if (call.expr->args.size() < 3) return set(ex, call, 0, true);
  set(ex, call, own.values[c + 2], own.nulls[c + 2]);
}

/// first_value, last_value, nth_value: rows of the frame, counted without the excluded ones.
void WindowNode::set_nth(Execution& ex, const WindowCall& call, int64_t row) {
  Oid function = call.expr->function->oid;
  Frame frame = frame_of(row);
  if (function == kLastValue) {
    int64_t last = frame.end - 1;
    while (last >= frame.start && is_excluded(last, row)) --last;
    return set_argument_of(ex, call, last >= frame.start ? last : -1);
  }
  int64_t wanted = 1;
  if (function == kNthValue) {
    size_t c = call.first_argument + 1;
    if (at(row).nulls[c]) return set(ex, call, 0, true);
    wanted = datum_to_int32(at(row).values[c]);
    if (wanted <= 0) {
      throw Error(sqlstate::kInvalidArgumentForNthValue,
                  "argument of nth_value must be greater than zero");
    }
  }
  for (int64_t other = frame.start; other < frame.end; ++other) {
    if (is_excluded(other, row) || --wanted > 0) continue;
    return set_argument_of(ex, call, other);
  }
  set_argument_of(ex, call, -1);
}

// --- aggregates

void WindowNode::sum(Execution& ex, WindowCall& call, AggregateState& state, Arena& arena,
                     int64_t from, int64_t to, int64_t current) {
  for (int64_t row = from; row < to; ++row) {
    ex.task.check_interrupts();
    if (is_excluded(row, current)) continue;
    row_.restore(ex, at(row));
    advance_aggregate(ex, call.aggregate, state, arena, result_arena_);
  }
}

void WindowNode::compute_aggregate(Execution& ex, WindowCall& call, int64_t row) {
  constexpr uint32_t kExcludes = kExcludeCurrentRow | kExcludeGroup | kExcludeTies;
  Frame frame = frame_of(row);
  if (frame.start == 0 && (window_.frame_options & kExcludes) == 0 && frame.end >= call.summed_to) {
    sum(ex, call, call.running, running_arena_, call.summed_to, frame.end, row);
    call.summed_to = frame.end;
    // Final functions only read the state, so the result need not lie beside it.
    finish_aggregate(ex, call.aggregate, call.running, sum_arena_);
    return;
  }
  AggregateState state{};
  start_aggregate(call.aggregate, state, sum_arena_);
  sum(ex, call, state, sum_arena_, frame.start, frame.end, row);
  finish_aggregate(ex, call.aggregate, state, sum_arena_);
}

std::unique_ptr<ExplainNode> WindowNode::explain(ExplainContext& context) const {
  auto node = context.node(*this, "WindowAgg");
  node->add_child("Outer", context.below(*child_));
  return node;
}

}  // namespace cofork
