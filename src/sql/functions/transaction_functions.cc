// Functions about transactions and snapshots: txid_current(), pg_current_xact_id(),
// pg_current_snapshot() … (xid8funcs.c, 15).
#include "catalog/functions/wrap.h"
#include "catalog/xid_snapshot.h"
#include "shmem/lwlock.h"
#include "sql/functions/session_functions.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr Oid kTxidSnapshot = 2970;
constexpr Oid kPgSnapshot = 5038;

int64_t signed_of(uint64_t xid) {
  return static_cast<int64_t>(xid);
}

int64_t current_xid(EvalContext&) {
  return signed_of(my_transaction().top_full_xid().value);
}
std::optional<int64_t> current_xid_if_assigned(EvalContext&) {
  FullTransactionId full = my_transaction().top_full_xid_if_any();
  if (!full.is_valid()) return std::nullopt;
  return signed_of(full.value);
}

Datum current_snapshot(Arena& arena) {
  const Snapshot* snapshot = active_snapshot();
  RegisteredSnapshot own;  // one that holds nothing back once the function is done
  if (snapshot == nullptr) {
    own = register_snapshot(take_snapshot());
    snapshot = &*own;
  }
  FullTransactionId next = next_full_xid();
  std::vector<uint64_t> xids;
  // Subtransactions are not told of: who wants to know asks about whole transactions.
  for (TransactionId xid : snapshot->xip) xids.push_back(full_xid(xid, next).value);
  return make_xid_snapshot(arena, full_xid(snapshot->xmin, next).value,
                           full_xid(snapshot->xmax, next).value, std::move(xids));
}

int64_t snapshot_xmin(Datum snapshot) {
  return signed_of(XidSnapshotView(snapshot).xmin());
}
int64_t snapshot_xmax(Datum snapshot) {
  return signed_of(XidSnapshotView(snapshot).xmax());
}
bool snapshot_sees(int64_t xid, Datum snapshot) {
  return XidSnapshotView(snapshot).sees(static_cast<uint64_t>(xid));
}

bool snapshot_xip(SetCall& set) {
  auto* next = static_cast<uint32_t*>(set.state);
  if (next == nullptr) set.state = next = set.state_arena.make<uint32_t>(0u);
  XidSnapshotView snapshot(set.call.args[0]);
  if (*next == snapshot.count()) return false;
  set.values[0] = datum_from_int64(signed_of(snapshot.xid((*next)++)));
  return true;
}

/// Can the end of this transaction still be looked up? Throws for one that is yet to come.
bool is_in_recent_past(FullTransactionId full) {
  FullTransactionId next = next_full_xid();
  if (!full.is_valid()) return false;
  if (!xid_is_normal(full.xid())) return true;
  if (full >= next) {
    throw Error(sqlstate::kInvalidParameterValue, "transaction ID {} is in the future", full.value);
  }
  return full_xid(variable_cache().oldest_clog_xid, next) <= full;
}

std::optional<std::string_view> status(int64_t xid) {
  FullTransactionId full{static_cast<uint64_t>(xid)};
  // Nobody removes the page while it is read.
  LwLockGuard no_truncation(LwTranche::kXactTruncation, LwMode::kShared);
  if (!is_in_recent_past(full)) return std::nullopt;
  if (xid_in_progress(full.xid())) return "in progress";
  return xid_did_commit(full.xid()) ? "committed" : "aborted";
}

constexpr BuiltinFunction kTransactionFunctions[] = {
    BuiltinFunction{2943, "txid_current", kInt8, {}, fn<current_xid>}.stable(),
    BuiltinFunction{3348, "txid_current_if_assigned", kInt8, {}, fn<current_xid_if_assigned>}
        .stable(),
    BuiltinFunction{2944, "txid_current_snapshot", kTxidSnapshot, {}, fn<current_snapshot>}
        .stable(),
    {2945, "txid_snapshot_xmin", kInt8, {kTxidSnapshot}, fn<snapshot_xmin>},
    {2946, "txid_snapshot_xmax", kInt8, {kTxidSnapshot}, fn<snapshot_xmax>},
    {2947, "txid_snapshot_xip", kInt8, {kTxidSnapshot}, nullptr, snapshot_xip},
    {2948, "txid_visible_in_snapshot", kBool, {kInt8, kTxidSnapshot}, fn<snapshot_sees>},
    BuiltinFunction{3360, "txid_status", kText, {kInt8}, fn<status>}.changing(),
    BuiltinFunction{5059, "pg_current_xact_id", kXid8, {}, fn<current_xid>}.stable(),
    BuiltinFunction{5060, "pg_current_xact_id_if_assigned", kXid8, {}, fn<current_xid_if_assigned>}
        .stable(),
    BuiltinFunction{5061, "pg_current_snapshot", kPgSnapshot, {}, fn<current_snapshot>}.stable(),
    {5062, "pg_snapshot_xmin", kXid8, {kPgSnapshot}, fn<snapshot_xmin>},
    {5063, "pg_snapshot_xmax", kXid8, {kPgSnapshot}, fn<snapshot_xmax>},
    {5064, "pg_snapshot_xip", kXid8, {kPgSnapshot}, nullptr, snapshot_xip},
    {5065, "pg_visible_in_snapshot", kBool, {kXid8, kPgSnapshot}, fn<snapshot_sees>},
    BuiltinFunction{5066, "pg_xact_status", kText, {kXid8}, fn<status>}.changing(),
};

}  // namespace

std::span<const BuiltinFunction> transaction_functions() {
  return kTransactionFunctions;
}

}  // namespace cofork
