// See child_table.h.
#include "postmaster/child_table.h"

#include <cassert>

namespace cofork {

void ChildTable::add(const Child& child) {
  bool added = children_.emplace(child.pid, child).second;
  assert(added);
  static_cast<void>(added);
  auto role = static_cast<size_t>(child.role);
  ++counts_[role];
  last_pid_[role] = child.pid;
}

const Child* ChildTable::find(Pid pid) const {
  auto found = children_.find(pid);
  return found != children_.end() ? &found->second : nullptr;
}

void ChildTable::remove(Pid pid) {
  auto found = children_.find(pid);
  assert(found != children_.end());
  auto role = static_cast<size_t>(found->second.role);
  --counts_[role];
  if (last_pid_[role] == pid) last_pid_[role] = 0;
  children_.erase(found);
}

int ChildTable::slot_owners() const {
  int owners = 0;
  for (const RoleSpec& spec : role_table()) {
    if (spec.owns_child_slot) owners += count(spec.role);
  }
  return owners;
}

ChildCounts ChildTable::counts() const {
  ChildCounts counts;
  counts.clients = count(Role::kBackend);
  for (const RoleSpec& spec : role_table()) {
    switch (spec.waited_for) {
      case WaitedFor::kWithBackends:
        counts.awaited += count(spec.role);
        break;
      case WaitedFor::kWithCheckpoint:
        counts.checkpointer += count(spec.role);
        break;
      case WaitedFor::kWithDeadEnds:
        counts.dead_ends += count(spec.role);
        break;
      case WaitedFor::kNever:
        break;
    }
  }
  return counts;
}

}  // namespace cofork
