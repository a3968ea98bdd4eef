// See pm_signal.h.
#include "shmem/pm_signal.h"

#include <cassert>
#include <csignal>
#include <new>

#include "model/model.h"

namespace cofork {

namespace {

PmSignalState& state() {
  return shared_memory().area<PmSignalState>();
}

std::atomic<ChildFlag>& flag_of(int32_t slot) {
  assert(slot >= 1 && slot <= state().child_flag_count);
  return state().child_flags()[slot - 1];
}

}  // namespace

size_t PmSignalState::size(const Limits& limits) {
  return sizeof(PmSignalState) +
         sizeof(std::atomic<ChildFlag>) * static_cast<size_t>(limits.child_slots());
}

void PmSignalState::init(void* memory, const Limits& limits) {
  auto* made = new (memory) PmSignalState{};
  made->child_flag_count = limits.child_slots();
}

void send_postmaster_signal(PmSignal reason) {
  state().flags[static_cast<size_t>(reason)].store(1, std::memory_order_release);
  this_task().model().kill(shared_memory().header().creator, SIGUSR1);
}

bool take_postmaster_signal(PmSignal reason) {
  std::atomic<int32_t>& flag = state().flags[static_cast<size_t>(reason)];
  // Looking first: an exchange on every flag would write the line on every signal.
  return flag.load(std::memory_order_relaxed) != 0 &&
         flag.exchange(0, std::memory_order_acq_rel) != 0;
}

QuitReason quit_reason() {
  return state().quit_reason.load(std::memory_order_acquire);
}

void set_quit_reason(QuitReason reason) {
  state().quit_reason.store(reason, std::memory_order_release);
}

void mark_child_active(int32_t slot) {
  assert(flag_of(slot).load() == ChildFlag::kAssigned);
  flag_of(slot).store(ChildFlag::kActive, std::memory_order_release);
}

void mark_child_inactive(int32_t slot) {
  assert(flag_of(slot).load() == ChildFlag::kActive ||
         flag_of(slot).load() == ChildFlag::kWalSender);
  flag_of(slot).store(ChildFlag::kAssigned, std::memory_order_release);
}

void mark_child_wal_sender(int32_t slot) {
  assert(flag_of(slot).load() == ChildFlag::kActive);
  flag_of(slot).store(ChildFlag::kWalSender, std::memory_order_release);
}

ChildSlots::ChildSlots(SharedMemory& memory)
    : state_(&memory.area<PmSignalState>()), count_(memory.limits().child_slots()) {}

int32_t ChildSlots::assign() {
  int32_t slot;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else if (next_fresh_ <= count_) {
    slot = next_fresh_++;
  } else {
    return 0;
  }
  state_->child_flags()[slot - 1].store(ChildFlag::kAssigned, std::memory_order_release);
  return slot;
}

bool ChildSlots::release(int32_t slot) {
  assert(slot >= 1 && slot < next_fresh_);
  std::atomic<ChildFlag>& flag = state_->child_flags()[slot - 1];
  bool in_order =
      flag.exchange(ChildFlag::kUnused, std::memory_order_acq_rel) == ChildFlag::kAssigned;
  free_.push_back(slot);
  return in_order;
}

bool ChildSlots::is_wal_sender(int32_t slot) const {
  return slot >= 1 && slot <= count_ &&
         state_->child_flags()[slot - 1].load(std::memory_order_acquire) == ChildFlag::kWalSender;
}

}  // namespace cofork
