// The words for locks: modes, kinds and tags, as messages and pg_locks show them (lockmethod tables
// in lock.c, LockTagTypeNames and DescribeLockTag in lmgr.c and lockfuncs.c, 15).
#include <fmt/core.h>

#include "txn/lock_manager.h"

namespace cofork {

namespace {

constexpr uint16_t bit(LockMode mode) {
  return static_cast<uint16_t>(1u << static_cast<int>(mode));
}

constexpr const char* kModeNames[] = {
    "INVALID",
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
};

constexpr const char* kTagTypeNames[] = {
    "relation",   "extend",    "frozenid", "page",     "tuple",    "transactionid",
    "virtualxid", "spectoken", "object",   "userlock", "advisory",
};

}  // namespace

const char* lock_mode_name(LockMode mode) {
  return kModeNames[static_cast<int>(mode)];
}

const char* lock_tag_type_name(LockTagType type) {
  return kTagTypeNames[static_cast<int>(type)];
}

uint16_t lock_conflict_mask(LockMode mode) {
  using enum LockMode;
  constexpr uint16_t kAccessExclusiveOnly = bit(kAccessExclusive);
  constexpr uint16_t kExclusives = kAccessExclusiveOnly | bit(kExclusive);
  constexpr uint16_t kShares = kExclusives | bit(kShareRowExclusive) | bit(kShare);
  constexpr uint16_t kUpdates = bit(kShareUpdateExclusive) | bit(kRowExclusive);
  switch (mode) {
    case kAccessShare:
      return kAccessExclusiveOnly;
    case kRowShare:
      return kExclusives;
    case kRowExclusive:
      return kShares;
    case kShareUpdateExclusive:
      return kShares | bit(kShareUpdateExclusive);
    case kShare:
      return static_cast<uint16_t>(kExclusives | bit(kShareRowExclusive) | kUpdates);
    case kShareRowExclusive:
      return kShares | kUpdates;
    case kExclusive:
      return kShares | kUpdates | bit(kRowShare);
    case kAccessExclusive:
      return kShares | kUpdates | bit(kRowShare) | bit(kAccessShare);
    case kNone:
      break;
  }
  return 0;
}

bool lock_modes_conflict(LockMode a, LockMode b) {
  return (lock_conflict_mask(a) & bit(b)) != 0;
}

std::string describe_lock_tag(const LockTag& tag) {
  switch (tag.type) {
    case LockTagType::kRelation:
      return fmt::format("relation {} of database {}", tag.field2, tag.field1);
    case LockTagType::kRelationExtend:
      return fmt::format("extension of relation {} of database {}", tag.field2, tag.field1);
    case LockTagType::kDatabaseFrozenIds:
      return fmt::format("pg_database.datfrozenxid of database {}", tag.field1);
    case LockTagType::kPage:
      return fmt::format("page {} of relation {} of database {}", tag.field3, tag.field2,
                         tag.field1);
    case LockTagType::kTuple:
      return fmt::format("tuple ({},{}) of relation {} of database {}", tag.field3, tag.field4,
                         tag.field2, tag.field1);
    case LockTagType::kTransaction:
      return fmt::format("transaction {}", tag.field1);
    case LockTagType::kVirtualTransaction:
      return fmt::format("virtual transaction {}/{}", tag.field1, tag.field2);
    case LockTagType::kSpeculativeToken:
      return fmt::format("speculative token {} of transaction {}", tag.field2, tag.field1);
    case LockTagType::kObject:
      return fmt::format("object {} of class {} of database {}", tag.field3, tag.field2,
                         tag.field1);
    case LockTagType::kUserLock:
      return fmt::format("user lock [{},{},{}]", tag.field1, tag.field2, tag.field3);
    case LockTagType::kAdvisory:
      return fmt::format("advisory lock [{},{},{},{}]", tag.field1, tag.field2, tag.field3,
                         tag.field4);
  }
  return fmt::format("unrecognized locktag type {}", static_cast<int>(tag.type));
}

}  // namespace cofork
