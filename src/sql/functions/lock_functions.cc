// Functions about locks: advisory ones, and who blocks whom (lockfuncs.c, 15).
//
// Advisory locks mean what the application wants them to mean. Keys are one bigint or two integers,
// which are different spaces; a lock belongs to the session or to the transaction.
#include "catalog/functions/wrap.h"
#include "shmem/proc.h"
#include "sql/functions/session_functions.h"
#include "sql/session.h"
#include "txn/lock_manager.h"
#include "types/array.h"

namespace cofork {
namespace {

using namespace type_oid;

uint32_t my_database() {
  return my_proc().database_id.load(std::memory_order_relaxed);
}
LockTag tag_of(const FunctionCall& call) {
  if (call.count == 1) return LockTag::advisory(my_database(), datum_to_int64(call.args[0]));
  return LockTag::advisory(my_database(), datum_to_int32(call.args[0]),
                           datum_to_int32(call.args[1]));
}

template <LockMode mode, LockOwner owner>
Datum lock(FunctionCall& call) {
  lock_acquire(tag_of(call), mode, LockWait::kWait, owner);
  return 0;
}
template <LockMode mode, LockOwner owner>
Datum try_lock(FunctionCall& call) {
  LockOutcome outcome = lock_acquire(tag_of(call), mode, LockWait::kNoWait, owner);
  return datum_from_bool(outcome != LockOutcome::kNotAvailable);
}
template <LockMode mode>
Datum unlock(FunctionCall& call) {
  return datum_from_bool(lock_release(tag_of(call), mode, LockOwner::kSession));
}
Datum unlock_all(FunctionCall&) {
  release_session_advisory_locks();
  return 0;
}

Datum blocking(FunctionCall& call) {
  std::vector<Datum> pids;
  for (Pid pid : blocking_pids(datum_to_int32(call.args[0]))) pids.push_back(datum_from_int32(pid));
  auto shape =
      pids.empty() ? ArrayShape{} : ArrayShape::one_dimension(static_cast<int>(pids.size()));
  return build_array(call.arena(), kInt4, {4, true, 'i'}, shape, pids, nullptr);
}

constexpr auto kShared = LockMode::kShare;
constexpr auto kExclusive = LockMode::kExclusive;
constexpr auto kSession = LockOwner::kSession;
constexpr auto kTransaction = LockOwner::kTransaction;

constexpr BuiltinFunction row(Oid oid, const char* name, Oid result, OidList args,
                              Datum (*call)(FunctionCall&)) {
  return BuiltinFunction{oid, name, result, args, call}.changing();
}

constexpr BuiltinFunction kLockFunctions[] = {
    row(2880, "pg_advisory_lock", kVoid, {kInt8}, lock<kExclusive, kSession>),
    row(2881, "pg_advisory_lock_shared", kVoid, {kInt8}, lock<kShared, kSession>),
    row(2882, "pg_try_advisory_lock", kBool, {kInt8}, try_lock<kExclusive, kSession>),
    row(2883, "pg_try_advisory_lock_shared", kBool, {kInt8}, try_lock<kShared, kSession>),
    row(2884, "pg_advisory_unlock", kBool, {kInt8}, unlock<kExclusive>),
    row(2885, "pg_advisory_unlock_shared", kBool, {kInt8}, unlock<kShared>),
    row(2886, "pg_advisory_lock", kVoid, {kInt4, kInt4}, lock<kExclusive, kSession>),
    row(2887, "pg_advisory_lock_shared", kVoid, {kInt4, kInt4}, lock<kShared, kSession>),
    row(2888, "pg_try_advisory_lock", kBool, {kInt4, kInt4}, try_lock<kExclusive, kSession>),
    row(2889, "pg_try_advisory_lock_shared", kBool, {kInt4, kInt4}, try_lock<kShared, kSession>),
    row(2890, "pg_advisory_unlock", kBool, {kInt4, kInt4}, unlock<kExclusive>),
    row(2891, "pg_advisory_unlock_shared", kBool, {kInt4, kInt4}, unlock<kShared>),
    row(2892, "pg_advisory_unlock_all", kVoid, {}, unlock_all),
    row(3089, "pg_advisory_xact_lock", kVoid, {kInt8}, lock<kExclusive, kTransaction>),
    row(3090, "pg_advisory_xact_lock_shared", kVoid, {kInt8}, lock<kShared, kTransaction>),
    row(3091, "pg_try_advisory_xact_lock", kBool, {kInt8}, try_lock<kExclusive, kTransaction>),
    row(3092, "pg_try_advisory_xact_lock_shared", kBool, {kInt8}, try_lock<kShared, kTransaction>),
    row(3093, "pg_advisory_xact_lock", kVoid, {kInt4, kInt4}, lock<kExclusive, kTransaction>),
    row(3094, "pg_advisory_xact_lock_shared", kVoid, {kInt4, kInt4}, lock<kShared, kTransaction>),
    row(3095, "pg_try_advisory_xact_lock", kBool, {kInt4, kInt4},
        try_lock<kExclusive, kTransaction>),
    row(3096, "pg_try_advisory_xact_lock_shared", kBool, {kInt4, kInt4},
        try_lock<kShared, kTransaction>),
    row(2561, "pg_blocking_pids", kInt4Array, {kInt4}, blocking),
};

}  // namespace

std::span<const BuiltinFunction> lock_functions() {
  return kLockFunctions;
}

}  // namespace cofork
