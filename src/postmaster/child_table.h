// The postmaster's children: who is alive, by pid and by role. Private memory of the postmaster, so
// that nothing a crashed child did to shared memory can confuse it (BackendList and the …PID
// variables of postmaster.c, 15).
//
// Finding, adding and removing are O(1), and so is counting: a hundred thousand children cost no
// more to reap than ten.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "model/cells.h"
#include "postmaster/roles_table.h"
#include "postmaster/state_machine.h"

namespace cofork {

struct Child {
  Pid pid = 0;
  Role role = Role::kBackend;
  int32_t child_slot = 0;  ///< in PMChildFlags, from 1; 0: has none
};

class ChildTable {
 public:
  void add(const Child& child);
  /// nullptr when there is no such child.
  const Child* find(Pid pid) const;
  void remove(Pid pid);

  int count(Role role) const { return counts_[static_cast<size_t>(role)]; }
  /// All that hold a child slot.
  int slot_owners() const;
  /// The one child of a role that exists once; 0 when it is not running.
  Pid only(Role role) const { return last_pid_[static_cast<size_t>(role)]; }
  /// As the state machine wants to know it.
  ChildCounts counts() const;

  template <typename F>
  void for_each(F&& f) const {
    for (const auto& [pid, child] : children_) f(child);
  }

 private:
  std::unordered_map<Pid, Child> children_;
  std::array<int, kRoleCount> counts_{};
  std::array<Pid, kRoleCount> last_pid_{};
};

}  // namespace cofork
