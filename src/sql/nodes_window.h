// WindowNode: functions over a window — row_number(), lag(), sum() OVER (…).
//
// Its input is sorted by the window's PARTITION BY and ORDER BY. One partition is read at a time
// and kept; then its rows go out one by one, each with the functions' results for it:
//
//   partition   0  1  2  3  4  5  6     rows in order
//   peers       [  0 ][ 1 ][    2   ]   rows with equal ORDER BY keys
//   frame             [start … end)     what an aggregate over row 3 sees, less the EXCLUDEd rows
//
// An aggregate whose frame begins with the partition goes on from row to row; any other frame is
// summed anew for each row (PostgreSQL has inverse transitions for some, eval_windowaggregates).
//
// As nodeWindowAgg.c and windowfuncs.c, PostgreSQL 15.
#pragma once

#include <vector>

#include "sql/exec.h"
#include "sql/nodes_group.h"
#include "sql/query.h"

namespace cofork {

/// Bits of Window::frame_options (FRAMEOPTION_* of parsenodes.h).
namespace frame_option {
inline constexpr uint32_t kNonDefault = 0x1;
inline constexpr uint32_t kRange = 0x2;
inline constexpr uint32_t kRows = 0x4;
inline constexpr uint32_t kGroups = 0x8;
inline constexpr uint32_t kStartUnboundedPreceding = 0x20;
inline constexpr uint32_t kEndUnboundedFollowing = 0x100;
inline constexpr uint32_t kStartCurrentRow = 0x200;
inline constexpr uint32_t kEndCurrentRow = 0x400;
inline constexpr uint32_t kStartOffsetPreceding = 0x800;
inline constexpr uint32_t kEndOffsetPreceding = 0x1000;
inline constexpr uint32_t kExcludeCurrentRow = 0x8000;
inline constexpr uint32_t kExcludeGroup = 0x10000;
inline constexpr uint32_t kExcludeTies = 0x20000;
}  // namespace frame_option

/// One function over the window, compiled.
struct WindowCall {
  const Expr* expr = nullptr;
  int result_slot = 0;
  size_t first_argument = 0;  ///< column of the row, of a window function's arguments
  AggregateCall aggregate;    ///< when the function is an aggregate
  AggregateState running{};   ///< of a frame that only grows
  int64_t summed_to = 0;      ///< rows before this one are in it
};

class WindowNode : public PlanNode {
 public:
  struct Frame {
    int64_t start, end;  ///< [start, end) of the partition
  };
  WindowNode(PlanNode* child, const Window& window, RowShape row)
      : child_(child), window_(window), row_(std::move(row)) {}
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  // Filled by the planner. Columns of the row:
  std::vector<size_t> partition_columns;
  std::vector<size_t> order_columns;
  Program* start_offset = nullptr;  ///< null: the frame has none
  Program* end_offset = nullptr;
  // RANGE with an offset: the order key in the type it is compared in, and its bounds.
  const BuiltinType* range_type = nullptr;
  const BuiltinType* offset_type = nullptr;
  size_t range_key = 0, range_start = 0, range_end = 0;  ///< columns of the row
  bool range_descending = false, range_nulls_first = false;
  std::vector<WindowCall> calls;

 private:
  struct Peers {
    int64_t first, end;
  };
  bool read_partition(Execution& execution);
  bool is_same_partition(const Execution& execution) const;
  void find_peers();
  void read_offsets(Execution& execution);
  int64_t read_offset(Execution& execution, Program* program, std::string_view which);
  Frame frame_of(int64_t row) const;
  int64_t rows_bound(int64_t row, bool is_start) const;
  int64_t groups_bound(int64_t row, bool is_start) const;
  int64_t range_bound(int64_t row, bool is_start) const;
  bool is_excluded(int64_t row, int64_t current) const;
  int64_t count() const { return static_cast<int64_t>(rows_.size()); }
  const Peers& peers_of(int64_t row) const {
    return peers_[static_cast<size_t>(group_of_[static_cast<size_t>(row)])];
  }
  const StoredRow& at(int64_t row) const { return rows_[static_cast<size_t>(row)]; }

  void compute(Execution& execution, WindowCall& call, int64_t row);
  void compute_aggregate(Execution& execution, WindowCall& call, int64_t row);
  void sum(Execution& execution, WindowCall& call, AggregateState& state, Arena& arena,
           int64_t from, int64_t to, int64_t current);
  void set(Execution& execution, const WindowCall& call, Datum value, bool is_null = false);
  void set_argument_of(Execution& execution, const WindowCall& call, int64_t row);
  void set_tile(Execution& execution, const WindowCall& call, int64_t row);
  void set_neighbour(Execution& execution, const WindowCall& call, int64_t row, bool ahead);
  void set_nth(Execution& execution, const WindowCall& call, int64_t row);

  PlanNode* child_;
  const Window& window_;
  const RowShape row_;
  std::vector<StoredRow> rows_;  ///< of the partition
  std::vector<int64_t> group_of_;
  std::vector<Peers> peers_;
  int64_t at_ = 0;
  int64_t start_rows_ = 0, end_rows_ = 0;  ///< offsets of ROWS and GROUPS
  bool has_ahead_ = false;                 ///< the first row of the next partition is in ahead_
  bool input_ended_ = false;
  StoredRow ahead_{};
  Arena arenas_[2]{Arena{8192}, Arena{8192}};  ///< of this partition, and of the row ahead
  int using_ = 0;
  Arena sum_arena_{8192}, running_arena_{8192}, result_arena_;
};

}  // namespace cofork
