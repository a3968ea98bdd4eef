// See proc_signal.h.
#include "shmem/proc_signal.h"

#include <cerrno>
#include <csignal>
#include <new>

#include "log/log.h"
#include "model/model.h"
#include "shmem/proc.h"

namespace cofork {

namespace {

/// How long to wait for a barrier before the log says for whom.
constexpr int64_t kBarrierPatience_ms = 5000;

constexpr uint32_t kAllBarriers = 1u << static_cast<uint32_t>(Barrier::kStorageRelease);

ProcSignalHeader& header() {
  return shared_memory().area<ProcSignalHeader>();
}
ProcSignalSlot& my_slot() {
  return header().slots()[my().status_slot];
}

void raise_flag(ProcSignalSlot& slot, ProcSignal reason) {
  slot.flags[static_cast<size_t>(reason)].store(1, std::memory_order_release);
}

void give_slot_back(Task& task) {
  ProcSignalSlot& slot = my_slot();
  if (slot.pid.load(std::memory_order_relaxed) != task.pid()) return;
  slot.has_cancel_key.store(false, std::memory_order_relaxed);
  slot.cancel_key.store(0, std::memory_order_relaxed);
  slot.pid.store(0, std::memory_order_release);
  // Whoever waits for us to absorb a barrier need not wait any longer.
  slot.barrier_moved.broadcast();
}

}  // namespace

size_t ProcSignalHeader::size(const Limits& limits) {
  return sizeof(ProcSignalHeader) +
         sizeof(ProcSignalSlot) * static_cast<size_t>(limits.status_slots());
}

void ProcSignalHeader::init(void* memory, const Limits&) {
  new (memory) ProcSignalHeader{};
}

void proc_signal_init() {
  Task& task = this_task();
  ProcSignalSlot& slot = my_slot();
  for (auto& flag : slot.flags) flag.store(0, std::memory_order_relaxed);
  slot.has_cancel_key.store(false, std::memory_order_relaxed);
  // We have nothing open yet that an earlier barrier was about. One that is being emitted right now
  // may have passed our slot while it was free: the first one absorbed does everything.
  slot.barrier_mask.store(kAllBarriers, std::memory_order_relaxed);
  slot.barrier_generation.store(header().barrier_generation.load(std::memory_order_seq_cst),
                                std::memory_order_seq_cst);
  slot.pid.store(task.pid(), std::memory_order_seq_cst);
  task.on_shmem_exit([](Task& ending, int) { give_slot_back(ending); });
}

void set_cancel_key(int32_t key) {
  ProcSignalSlot& slot = my_slot();
  slot.cancel_key.store(key, std::memory_order_relaxed);
  slot.has_cancel_key.store(true, std::memory_order_release);
}

int send_proc_signal(Pid pid, ProcSignal reason, int32_t slot_number) {
  ProcSignalSlot* slots = header().slots();
  if (slot_number >= 0) {
    ProcSignalSlot& slot = slots[slot_number];
    if (slot.pid.load(std::memory_order_acquire) != pid) return -ESRCH;
    raise_flag(slot, reason);
    return this_task().model().kill(pid, SIGUSR1);
  }
  for (int32_t i = shared_memory().limits().status_slots() - 1; pid != 0 && i >= 0; --i) {
    if (slots[i].pid.load(std::memory_order_acquire) == pid)
      return send_proc_signal(pid, reason, i);
  }
  return -ESRCH;
}

bool take_proc_signal(ProcSignal reason) {
  std::atomic<uint8_t>& flag = my_slot().flags[static_cast<size_t>(reason)];
  return flag.load(std::memory_order_relaxed) != 0 &&
         flag.exchange(0, std::memory_order_acq_rel) != 0;
}

uint64_t emit_barrier(Barrier barrier) {
  ProcSignalSlot* slots = header().slots();
  int32_t count = shared_memory().limits().status_slots();
  uint32_t bit = 1u << static_cast<uint32_t>(barrier);
  // What is to be done must be in the mask before the generation says that there is something.
  for (int32_t i = 0; i < count; ++i) {
    if (slots[i].pid.load(std::memory_order_seq_cst) != 0) slots[i].barrier_mask.fetch_or(bit);
  }
  uint64_t generation = header().barrier_generation.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (int32_t i = count - 1; i >= 0; --i) {
    Pid pid = slots[i].pid.load(std::memory_order_seq_cst);
    if (pid != 0) send_proc_signal(pid, ProcSignal::kBarrier, i);
  }
  return generation;
}

void wait_for_barrier(uint64_t generation) {
  ProcSignalSlot* slots = header().slots();
  for (int32_t i = shared_memory().limits().status_slots() - 1; i >= 0; --i) {
    ProcSignalSlot& slot = slots[i];
    auto behind = [&] {
      return slot.pid.load(std::memory_order_seq_cst) != 0 &&
             slot.barrier_generation.load(std::memory_order_seq_cst) < generation;
    };
    while (behind()) {
      if (slot.barrier_moved.timed_sleep(kBarrierPatience_ms, WaitEventId::kProcSignalBarrier)) {
        log(Severity::kLog, "still waiting for backend with PID {} to accept ProcSignalBarrier",
            slot.pid.load(std::memory_order_relaxed));
      }
    }
    cancel_condition_sleep();
  }
}

void process_barrier(void (*absorb)(Barrier)) {
  ProcSignalSlot& slot = my_slot();
  uint64_t shared = header().barrier_generation.load(std::memory_order_seq_cst);
  if (slot.barrier_generation.load(std::memory_order_relaxed) == shared) return;
  uint32_t mask = slot.barrier_mask.exchange(0, std::memory_order_seq_cst);
  while (mask != 0) {
    absorb(static_cast<Barrier>(__builtin_ctz(mask)));
    mask &= mask - 1;
  }
  slot.barrier_generation.store(shared, std::memory_order_seq_cst);
  slot.barrier_moved.broadcast();
}

void serve_cancel_request(Pid pid, int32_t key) {
  ProcSignalSlot* slots = header().slots();
  int32_t count = shared_memory().limits().status_slots();
  for (int32_t i = 0; pid != 0 && i < count; ++i) {
    ProcSignalSlot& slot = slots[i];
    if (slot.pid.load(std::memory_order_acquire) != pid) continue;
    if (!slot.has_cancel_key.load(std::memory_order_acquire)) break;
    if (slot.cancel_key.load(std::memory_order_relaxed) == key) {
      log(Severity::kDebug2, "processing cancel request: sending SIGINT to process {}", pid);
      this_task().model().kill(pid, SIGINT);
    } else {
      log(Severity::kLog, "wrong key in cancel request for process {}", pid);
    }
    return;
  }
  log(Severity::kLog, "PID {} in cancel request did not match any process", pid);
}

}  // namespace cofork
