// ProcSignal: one signal number, SIGUSR1, carries many meanings (as procsignal.c, 15).
//
// The sender raises a flag in the receiver's slot and signals it. The receiver's handler sets
// kInterruptProcSignal and the latch; its next interrupt check calls take_proc_signal() for each
// reason it knows. The slot also holds the key a cancel request must show (as PostgreSQL 18 does;
// 15 lets the forked child search the postmaster's private list, which a task that shares no
// private memory could not).
#pragma once

#include <atomic>
#include <cstdint>

#include "model/cells.h"
#include "shmem/condition_variable.h"
#include "shmem/segment.h"

namespace cofork {

enum class ProcSignal : uint8_t {
  kCatchupInterrupt,
  kNotifyInterrupt,
  kParallelMessage,
  kWalSenderInitStopping,
  kBarrier,
  kLogMemoryContext,
  kRecoveryConflictDatabase,
  kRecoveryConflictTablespace,
  kRecoveryConflictLock,
  kRecoveryConflictSnapshot,
  kRecoveryConflictBufferPin,
  kRecoveryConflictStartupDeadlock,
  kCount,
};

/// Things every task must have done before some action may go on (ProcSignalBarrierType).
enum class Barrier : uint8_t { kStorageRelease };

struct alignas(8) ProcSignalSlot {
  std::atomic<Pid> pid;  ///< 0: free
  std::atomic<int32_t> cancel_key;
  std::atomic<bool> has_cancel_key;
  std::atomic<uint8_t> flags[static_cast<size_t>(ProcSignal::kCount)];
  std::atomic<uint32_t> barrier_mask;        ///< barriers to be absorbed
  std::atomic<uint64_t> barrier_generation;  ///< absorbed up to here
  ConditionVariable barrier_moved;
};

struct ProcSignalHeader {
  static constexpr Area kArea = Area::kProcSignal;
  static constexpr const char* kName = "ProcSignal";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits&);

  std::atomic<uint64_t> barrier_generation;
  ProcSignalSlot* slots() { return reinterpret_cast<ProcSignalSlot*>(this + 1); }
};

/// Takes the slot of the running task's Proc, until it ends. After init_process().
void proc_signal_init();
/// The key a cancel request for this backend must show.
void set_cancel_key(int32_t key);

/// Raises a flag and signals: 0, or -ESRCH when nobody with that pid is there. `slot` speeds up
/// the search when it is known (MyProc::status_slot of the receiver), else -1.
int send_proc_signal(Pid pid, ProcSignal reason, int32_t slot = -1);
/// Takes the flag down; true when it was up.
bool take_proc_signal(ProcSignal reason);

/// Asks every task to absorb a barrier; returns the generation to wait for.
uint64_t emit_barrier(Barrier barrier);
/// Waits until every task has absorbed that generation.
void wait_for_barrier(uint64_t generation);
/// Absorbs what was asked of the running task; called when kBarrier was taken. `absorb` must not
/// throw: what it has not done would be taken for done.
void process_barrier(void (*absorb)(Barrier));

/// Serves a CancelRequest: SIGINT to the backend if the key is right, else a LOG line. The caller
/// answers nothing and closes the connection, whatever happened.
void serve_cancel_request(Pid pid, int32_t key);

}  // namespace cofork
