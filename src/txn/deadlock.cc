// See deadlock.h.
#include "txn/deadlock.h"

#include <algorithm>
#include <span>

#include "model/stack.h"
#include "shmem/backend_status.h"
#include "shmem/stats.h"
#include "support/error.h"
#include "txn/lock_table.h"

namespace cofork {

namespace {

/// "`waiter` is behind `blocker` in the queue of `lock`"; as a constraint: it shall not be.
struct SoftEdge {
  int32_t waiter;
  int32_t blocker;
  EntryRef lock;
};

/// Another order for the queue of one lock.
struct WaitOrder {
  EntryRef lock;
  std::vector<int32_t> procs;
};

class Search {
 public:
  explicit Search(int32_t start) : start_(start) {}
  Deadlock run();

 private:
  bool is_hopeless();
  int test_configuration(std::vector<SoftEdge>& found);
  bool reorder_queues();
  bool reorder(EntryRef lock, std::span<const SoftEdge> constraints, WaitOrder& order);
  bool find_cycle(int32_t from, std::vector<SoftEdge>& soft);
  bool visit(int32_t proc, std::vector<SoftEdge>& soft);
  bool follow_holders(int32_t proc, std::vector<SoftEdge>& soft);
  bool follow_queue(int32_t proc, std::vector<SoftEdge>& soft);
  void remember_edge(int32_t proc);
  void apply();

  LockTables tables_;
  int32_t start_;
  std::vector<SoftEdge> constraints_;  ///< what is being tried
  std::vector<WaitOrder> orders_;      ///< the queues as the constraints make them
  std::vector<int32_t> visited_;
  std::vector<Deadlock::Edge> cycle_;  ///< from the last node back to the first
};

Deadlock Search::run() {
  Deadlock result;
  if (is_hopeless()) {
    // Once more without constraints, for the edges as they really are.
    constraints_.clear();
    orders_.clear();
    std::vector<SoftEdge> soft;
    find_cycle(start_, soft);
    result.state = DeadlockState::kHard;
    result.cycle.assign(cycle_.rbegin(), cycle_.rend());
    return result;
  }
  result.state = orders_.empty() ? DeadlockState::kNone : DeadlockState::kSoft;
  apply();
  return result;
}

/// Tries to reverse soft edges until there is no cycle. True: nothing helps.
bool Search::is_hopeless() {
  std::vector<SoftEdge> edges;
  int count = test_configuration(edges);
  if (count < 0) return true;
  if (count == 0) return false;
  // Each constraint lets somebody go before somebody; more than tasks there are cannot help.
  if (constraints_.size() >= static_cast<size_t>(shared_memory().limits().max_backends())) {
    return true;
  }
  for (const SoftEdge& edge : edges) {
    constraints_.push_back(edge);
    if (!is_hopeless()) return false;
    constraints_.pop_back();
  }
  return true;
}

/// With the queues as the constraints make them: -1 there is a cycle of hard edges only, or the
/// constraints contradict each other; 0 no cycle; else the soft edges of one.
int Search::test_configuration(std::vector<SoftEdge>& found) {
  found.clear();
  if (!reorder_queues()) return -1;
  std::vector<SoftEdge> soft;
  auto test = [&](int32_t from) {
    if (!find_cycle(from, soft)) return true;
    if (soft.empty()) return false;
    found = soft;
    return true;
  };
  for (const SoftEdge& constraint : constraints_) {
    if (!test(constraint.waiter) || !test(constraint.blocker)) return -1;
  }
  if (!test(start_)) return -1;
  return static_cast<int>(found.size());
}

bool Search::reorder_queues() {
  orders_.clear();
  // The newest constraint first: its queue obeys all constraints on that lock.
  for (size_t i = constraints_.size(); i-- > 0;) {
    EntryRef lock = constraints_[i].lock;
    bool done = std::any_of(orders_.begin(), orders_.end(),
                            [lock](const WaitOrder& order) { return order.lock == lock; });
    if (done) continue;
    WaitOrder order;
    if (!reorder(lock, {constraints_.data(), i + 1}, order)) return false;
    orders_.push_back(std::move(order));
  }
  return true;
}

/// A topological sort that changes as little as possible: fills the new queue from its end, each
/// time with the last one left who need not go before somebody still left (TopoSort).
bool Search::reorder(EntryRef lock, std::span<const SoftEdge> constraints, WaitOrder& order) {
  order.lock = lock;
  std::vector<int32_t> left;
  LockTables::WaitQueue queue = tables_.queue(tables_.lock(lock));
  for (int32_t n = queue.head(); n != kNoProc; n = queue.next(n)) left.push_back(n);
  auto is_left = [&](int32_t n) { return std::find(left.begin(), left.end(), n) != left.end(); };
  while (!left.empty()) {
    auto last = std::find_if(left.rbegin(), left.rend(), [&](int32_t n) {
      return std::none_of(constraints.begin(), constraints.end(), [&](const SoftEdge& c) {
        return c.lock == lock && c.waiter == n && is_left(c.blocker);
      });
    });
    if (last == left.rend()) return false;
    order.procs.push_back(*last);
    left.erase(std::next(last).base());
  }
  std::reverse(order.procs.begin(), order.procs.end());
  return true;
}

bool Search::find_cycle(int32_t from, std::vector<SoftEdge>& soft) {
  visited_.clear();
  cycle_.clear();
  soft.clear();
  return visit(from, soft);
}

bool Search::visit(int32_t proc, std::vector<SoftEdge>& soft) {
  auto seen = std::find(visited_.begin(), visited_.end(), proc);
  // Back at the start: a cycle. Back elsewhere: a cycle that the start is no part of.
  if (seen != visited_.end()) return seen == visited_.begin();
  visited_.push_back(proc);
  EntryRef wanted = tables_.proc(proc).wait_lock;
  if (wanted == 0) return false;
  // Locks on extending a relation or on a page are held shortly, and nobody waits meanwhile.
  LockTagType type = tables_.lock(wanted).tag.type;
  if (type == LockTagType::kRelationExtend || type == LockTagType::kPage) return false;
  return with_stack([&] { return follow_holders(proc, soft) || follow_queue(proc, soft); });
}

void Search::remember_edge(int32_t proc) {
  const LockProc& waiter = tables_.proc(proc);
  cycle_.push_back({tables_.lock(waiter.wait_lock).tag, waiter.wait_mode,
                    all_procs()[proc].pid.load(std::memory_order_relaxed)});
}

bool Search::follow_holders(int32_t proc, std::vector<SoftEdge>& soft) {
  const LockProc& waiter = tables_.proc(proc);
  uint16_t conflicting = lock_conflict_mask(waiter.wait_mode);
  EntryRef ref = tables_.lock(waiter.wait_lock).first_holder;
  for (; ref != 0; ref = tables_.holder(ref).next_of_lock) {
    const Holder& holder = tables_.holder(ref);
    if (holder.proc == proc || (holder.mask & conflicting) == 0) continue;
    if (visit(holder.proc, soft)) {
      remember_edge(proc);
      return true;
    }
  }
  return false;
}

bool Search::follow_queue(int32_t proc, std::vector<SoftEdge>& soft) {
  const LockProc& waiter = tables_.proc(proc);
  uint16_t conflicting = lock_conflict_mask(waiter.wait_mode);
  auto follow = [&](int32_t ahead) {
    if ((lock_bit(tables_.proc(ahead).wait_mode) & conflicting) == 0) return false;
    if (!visit(ahead, soft)) return false;
    remember_edge(proc);
    soft.push_back({proc, ahead, waiter.wait_lock});
    return true;
  };
  auto order = std::find_if(orders_.begin(), orders_.end(),
                            [&](const WaitOrder& one) { return one.lock == waiter.wait_lock; });
  if (order != orders_.end()) {
    for (int32_t ahead : order->procs) {
      if (ahead == proc) break;
      if (follow(ahead)) return true;
    }
    return false;
  }
  LockTables::WaitQueue queue = tables_.queue(tables_.lock(waiter.wait_lock));
  for (int32_t ahead = queue.head(); ahead != proc; ahead = queue.next(ahead)) {
    if (follow(ahead)) return true;
  }
  return false;
}

void Search::apply() {
  for (const WaitOrder& order : orders_) {
    Lock& lock = tables_.lock(order.lock);
    LockTables::WaitQueue queue = tables_.queue(lock);
    while (!queue.empty()) queue.pop_head();
    for (int32_t n : order.procs) queue.push_tail(n);
    tables_.wake_waiters(lock);
  }
}

/// The statement a process runs, for the server log (pgstat_get_backend_current_activity).
std::string activity_of(const std::vector<StatusRow>& rows, Pid pid) {
  for (const StatusRow& row : rows) {
    if (row.fields.pid != pid) continue;
    return row.activity.empty() ? "<command string not enabled>" : row.activity;
  }
  return "<backend information not available>";
}

}  // namespace

Deadlock check_for_deadlock(int32_t proc) {
  return Search(proc).run();
}

void Deadlock::raise() const {
  std::string to_client;
  std::string statements;
  std::vector<StatusRow> rows = read_backend_status();
  for (size_t i = 0; i < cycle.size(); ++i) {
    const Edge& edge = cycle[i];
    const Edge& next = cycle[(i + 1) % cycle.size()];
    if (i > 0) to_client += '\n';
    to_client += fmt::format("Process {} waits for {} on {}; blocked by process {}.", edge.pid,
                             lock_mode_name(edge.mode), describe_lock_tag(edge.tag), next.pid);
    statements += fmt::format("\nProcess {}: {}", edge.pid, activity_of(rows, edge.pid));
  }
  ++my().stats.deadlocks;
  Error error(sqlstate::kTRDeadlockDetected, "deadlock detected");
  error.data().detail = to_client;
  error.data().detail_log = to_client + statements;
  error.data().hint = "See server log for query details.";
  throw error;
}

}  // namespace cofork
