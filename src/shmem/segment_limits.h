// Limits: the settings that decide how large shared memory is, and the counts derived from them.
//
// Copied into the segment's header when it is made; all code that walks an area reads them there,
// so a task cannot disagree with the segment it uses. Only `postmaster`-context settings may stand
// here. The arithmetic is PostgreSQL 15's (InitializeMaxBackends in postinit.c and its users).
#pragma once

#include <cstdint>

namespace cofork {

/// Auxiliary processes that may run at the same time, each with a Proc.
inline constexpr int32_t kAuxiliaryProcs = 5;
/// Kinds of auxiliary process, each with its own slot in pg_stat_activity.
inline constexpr int32_t kAuxiliaryKinds = 6;
/// Ceiling of max_backends(): a buffer's reference count has 18 bits.
inline constexpr int32_t kMaxBackendsCeiling = 0x3ffff;

struct Limits {
  int32_t max_connections = 100;
  int32_t autovacuum_max_workers = 3;
  int32_t max_worker_processes = 8;
  int32_t max_wal_senders = 10;
  int32_t max_prepared_transactions = 0;
  int32_t max_locks_per_transaction = 64;
  int32_t track_activity_query_size = 1024;  ///< bytes
  int32_t wal_buffers = 512;                 ///< 8 kB pages, resolved (never -1)
  int32_t shared_buffers = 16384;            ///< 8 kB pages

  /// MaxBackends: Procs that can run transactions. The launcher of autovacuum counts as one.
  int32_t max_backends() const {
    return max_connections + autovacuum_procs() + max_worker_processes + max_wal_senders;
  }
  int32_t autovacuum_procs() const { return autovacuum_max_workers + 1; }
  /// All Procs: backends first, then auxiliary ones.
  int32_t procs() const { return max_backends() + kAuxiliaryProcs; }
  /// Slots of backend status and of ProcSignal: by Proc number, then by auxiliary kind.
  int32_t status_slots() const { return max_backends() + kAuxiliaryKinds; }
  /// Children of the postmaster with a PMChildFlags slot. Twice max_backends(): children that wait
  /// for authentication or are about to be refused hold one too (MaxLivePostmasterChildren).
  int32_t child_slots() const { return 2 * max_backends(); }
  /// Rows of the task table: postmaster, logger, the auxiliary kinds, then the child slots.
  int32_t task_rows() const { return 2 + kAuxiliaryKinds + child_slots(); }
};

}  // namespace cofork
