// See variable_cache.h.
#include "txn/variable_cache.h"

#include "log/log.h"
#include "settings/setting.h"
#include "settings/settings.h"
#include "shmem/lwlock.h"
#include "shmem/pm_signal.h"
#include "shmem/proc_array.h"
#include "support/error.h"
#include "txn/commit_log.h"
#include "txn/subtrans.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr uint32_t kOidsAtOnce = 8192;
constexpr TransactionId kStopMargin = 3'000'000;
constexpr TransactionId kWarnMargin = 40'000'000;
/// Near the limits the launcher of autovacuum is called once in so many transactions.
constexpr TransactionId kSignalEvery = 65536;

constexpr uint8_t kXlogManager = 0;
constexpr uint8_t kXlogNextOid = 0x30;

constexpr const char* kOldTransactionsHint =
    "You might also need to commit or roll back old prepared transactions, or drop stale "
    "replication slots.";

/// Limits as one task read them together.
struct Limit {
  TransactionId warn;
  TransactionId stop;
  TransactionId wrap;
  uint32_t database;
};

/// Called without locks; throws at the stop limit.
void warn_or_refuse(TransactionId xid, const Limit& limit) {
  if (xid_follows_or_equals(xid, limit.stop)) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "database is not accepting commands to avoid wraparound data loss in database "
                "with OID {}",
                limit.database)
        .hint("Stop the postmaster and vacuum that database in single-user mode.\n{}",
              kOldTransactionsHint);
  }
  if (xid_follows_or_equals(xid, limit.warn)) {
    ErrorData warning;
    warning.severity = Severity::kWarning;
    warning.sqlstate = sqlstate::kWarning;
    warning.message = fmt::format("database with OID {} must be vacuumed within {} transactions",
                                  limit.database, limit.wrap - xid);
    warning.hint = fmt::format(
        "To avoid a database shutdown, execute a database-wide VACUUM in that database.\n{}",
        kOldTransactionsHint);
    report(warning);
  }
}

/// The slow way of new_xid(): the vacuum limit has been passed. XidGenLock is held and is held
/// again afterwards; meanwhile others may have taken ids.
void near_the_limits(VariableCache& cache, TransactionId xid, LwLock& lock) {
  Limit limit{cache.warn_limit, cache.stop_limit, cache.wrap_limit, cache.oldest_xid_database};
  lock.release();
  if (xid % kSignalEvery == 0) send_postmaster_signal(PmSignal::kStartAutovacuumLauncher);
  warn_or_refuse(xid, limit);
  lock.acquire(LwMode::kExclusive);
}

}  // namespace

FullTransactionId new_xid(bool sub) {
  if (recovery_in_progress()) {
    throw Error(sqlstate::kInternalError, "cannot assign TransactionIds during recovery");
  }
  VariableCache& cache = variable_cache();
  LwLock& lock = main_lwlock(LwTranche::kXidGen);
  lock.acquire(LwMode::kExclusive);
  FullTransactionId full = next_full_xid();
  if (xid_follows_or_equals(full.xid(), cache.vacuum_limit)) [[unlikely]] {
    near_the_limits(cache, full.xid(), lock);
    full = next_full_xid();
  }
  // The logs have room for it before anybody can ask about it. Should that fail, the id has not
  // been given out: the next task tries the same one.
  clog_extend(full.xid());
  subtrans_extend(full.xid());
  cache.next_xid.store(full.next().value, std::memory_order_release);
  // Under the same lock: a snapshot whose xmax is beyond it must find it among the running ones.
  if (sub) {
    proc_array_add_subxid(full.xid());
  } else {
    proc_array_set_xid(full.xid());
  }
  lock.release();
  return full;
}

uint32_t new_oid() {
  if (recovery_in_progress()) {
    throw Error(sqlstate::kInternalError, "cannot assign OIDs during recovery");
  }
  VariableCache& cache = variable_cache();
  LwLockGuard guard(LwTranche::kOidGen, LwMode::kExclusive);
  if (cache.next_oid < kFirstNormalOid) {
    cache.next_oid = kFirstNormalOid;
    cache.oids_announced = 0;
  }
  if (cache.oids_announced == 0) {
    uint32_t announced_to = cache.next_oid + kOidsAtOnce;
    WalRecordBuilder& record = wal_record();
    record.begin(kXlogManager, kXlogNextOid, my_transaction().current_xid_if_any());
    record.add_main(&announced_to, sizeof announced_to);
    // Not flushed: whatever uses an oid comes later in WAL.
    wal_insert(record);
    cache.oids_announced = kOidsAtOnce;
  }
  --cache.oids_announced;
  return cache.next_oid++;
}

void advance_next_xid_past(TransactionId xid) {
  VariableCache& cache = variable_cache();
  FullTransactionId next = next_full_xid();
  auto ahead = static_cast<int32_t>(xid - next.xid());
  if (ahead < 0) return;
  // The xid is within half a circle of the next one: that gives its epoch.
  FullTransactionId seen{next.value + static_cast<uint64_t>(ahead)};
  LwLockGuard guard(LwTranche::kXidGen, LwMode::kExclusive);
  cache.next_xid.store(seen.next().value, std::memory_order_release);
}

void set_xid_limits(TransactionId oldest_xid, uint32_t oldest_database) {
  auto on_circle = [](TransactionId xid) {
    return xid < kFirstNormalXid ? xid + kFirstNormalXid : xid;
  };
  auto back = [](TransactionId xid, TransactionId by) {
    xid -= by;
    return xid < kFirstNormalXid ? xid - kFirstNormalXid : xid;
  };
  TransactionId wrap = on_circle(oldest_xid + (kMaxXid >> 1));
  auto freeze_age = static_cast<TransactionId>(settings().get(setting::kAutovacuumFreezeMaxAge));
  Limit limit{back(wrap, kWarnMargin), back(wrap, kStopMargin), wrap, oldest_database};
  TransactionId vacuum = on_circle(oldest_xid + freeze_age);
  TransactionId next;
  {
    VariableCache& cache = variable_cache();
    LwLockGuard guard(LwTranche::kXidGen, LwMode::kExclusive);
    cache.oldest_xid = oldest_xid;
    cache.vacuum_limit = vacuum;
    cache.warn_limit = limit.warn;
    cache.stop_limit = limit.stop;
    cache.wrap_limit = limit.wrap;
    cache.oldest_xid_database = oldest_database;
    next = next_full_xid().xid();
  }
  log(Severity::kDebug1, "transaction ID wrap limit is {}, limited by database with OID {}", wrap,
      oldest_database);
  if (recovery_in_progress()) return;
  if (xid_follows_or_equals(next, vacuum)) {
    send_postmaster_signal(PmSignal::kStartAutovacuumLauncher);
  }
  if (xid_precedes(next, limit.stop)) warn_or_refuse(next, limit);
}

}  // namespace cofork
