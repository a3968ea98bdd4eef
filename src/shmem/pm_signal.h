// PMSignal: how children tell the postmaster something, and how it knows whether they left shared
// memory in order (as pmsignal.c, 15).
//
// A child sets a flag and sends SIGUSR1; the postmaster looks at the flags. That, and one int per
// child, is all of shared memory the postmaster ever looks at while children run: it must survive
// whatever they do to the rest.
//
//   PMChildFlags   UNUSED ──assign (postmaster)──> ASSIGNED ──mark active (child)──> ACTIVE
//                    ^                              |    ^                             |
//                    \ walsender └───release (postmaster)───────┘    └──mark inactive (child
//                    exit)─┴── WALSENDER
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "shmem/segment.h"

namespace cofork {

enum class PmSignal : uint8_t {
  kRecoveryStarted,
  kBeginHotStandby,
  kRotateLogfile,
  kStartAutovacuumLauncher,
  kStartAutovacuumWorker,
  kBackgroundWorkerChange,
  kStartWalReceiver,
  kAdvanceStateMachine,
  kCount,
};

/// Why the postmaster sends SIGQUIT: the child chooses its last words by it.
enum class QuitReason : int32_t { kNotSent, kForCrash, kForStop };

enum class ChildFlag : int32_t { kUnused, kAssigned, kActive, kWalSender };

struct PmSignalState {
  static constexpr Area kArea = Area::kPmSignalState;
  static constexpr const char* kName = "PMSignalState";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits&);

  std::atomic<int32_t> flags[static_cast<size_t>(PmSignal::kCount)];
  std::atomic<QuitReason> quit_reason;
  int32_t child_flag_count;
  std::atomic<ChildFlag>* child_flags() {
    return reinterpret_cast<std::atomic<ChildFlag>*>(this + 1);
  }
};
static_assert(sizeof(PmSignalState) == 40);

// --- children
/// Sets the flag and signals the postmaster. Safe in a signal handler.
void send_postmaster_signal(PmSignal reason);
QuitReason quit_reason();
/// ASSIGNED → ACTIVE, by init_process(); ACTIVE → ASSIGNED at exit. Slots count from 1.
void mark_child_active(int32_t slot);
void mark_child_inactive(int32_t slot);
/// ACTIVE → WALSENDER, when a WAL sender begins to stream.
void mark_child_wal_sender(int32_t slot);

// --- postmaster
/// Takes the flag down; true when it was up.
bool take_postmaster_signal(PmSignal reason);
void set_quit_reason(QuitReason reason);

/// The postmaster's view of the child slots. It keeps the free ones and the array's length in its
/// own memory, so that a damaged segment can neither mislead it nor make it search.
class ChildSlots {
 public:
  /// For the segment as it is now; made anew after a crash.
  explicit ChildSlots(SharedMemory& memory);
  /// A slot (from 1), now ASSIGNED; 0 when all are taken.
  int32_t assign();
  /// Frees the slot of a dead child. False when the child had not left shared memory in order: a
  /// crash, whatever its exit status said.
  bool release(int32_t slot);
  /// A child that streams WAL is stopped later than others.
  bool is_wal_sender(int32_t slot) const;
  int32_t count() const { return count_; }

 private:
  PmSignalState* state_;
  int32_t count_;
  std::vector<int32_t> free_;  ///< given back
  int32_t next_fresh_ = 1;
};

}  // namespace cofork
