// Who has changed a relation: how tasks hear that what they remember of it is old (the purpose of
// inval.c and sinvaladt.c, 15; another way).
//
// Shared memory holds an array of counters; a relation's is found by hashing database and oid. Who
// has changed a relation raises its counter after the commit and before its locks go. A task that
// remembers a relation remembers the counter with it and compares when it opens the relation, lock
// in hand: one load, and nobody is ever sent a message or falls behind. Two relations that share a
// counter only cost each other a look too many.
//
// One more counter moves whenever a name may have got another meaning.
#pragma once

#include <atomic>
#include <cstdint>

#include "shmem/segment.h"
#include "types/datum.h"

namespace cofork {

struct Invalidations {
  static constexpr Area kArea = Area::kInvalidations;
  static constexpr const char* kName = "shmInvalBuffer";
  static constexpr uint32_t kCounters = 1024;
  static size_t size(const Limits&) { return sizeof(Invalidations); }
  static void init(void*, const Limits&) {}

  alignas(64) std::atomic<uint64_t> names;
  alignas(64) std::atomic<uint64_t> relations[kCounters];

  /// `database` 0: a shared relation.
  std::atomic<uint64_t>& relation(Oid database, Oid oid) {
    uint64_t mixed = (uint64_t{database} << 32 | oid) * 0x9E3779B97F4A7C15u;
    return relations[mixed >> 54];
  }
};
static_assert(Invalidations::kCounters == 1u << (64 - 54));

inline Invalidations& invalidations() {
  return shared_memory().area<Invalidations>();
}

}  // namespace cofork
