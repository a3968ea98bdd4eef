// What a vacuum may remove and must freeze. See heap_vacuum.h.
#include <algorithm>
#include <cmath>

#include "access/heap_vacuum.h"
#include "access/visibility.h"
#include "log/log.h"
#include "settings/settings.h"
#include "txn/multixact.h"
#include "txn/variable_cache.h"

namespace cofork {

namespace {

constexpr const char* kCloseTransactions =
    "Close open transactions soon to avoid wraparound problems.\n"
    "You might also need to commit or roll back old prepared transactions, or drop stale "
    "replication slots.";

/// `age` before a point of the circle, without leaving it.
TransactionId xid_back(TransactionId from, int32_t age) {
  auto xid = from - static_cast<uint32_t>(age);
  return xid_is_normal(xid) ? xid : kFirstNormalXid;
}
MultiXactId multi_back(MultiXactId from, int32_t age) {
  auto multi = from - static_cast<uint32_t>(age);
  return multi < kFirstMultiXactId ? kFirstMultiXactId : multi;
}

int32_t age_or(int32_t age, bool freeze, int32_t fallback) {
  if (freeze) return 0;
  return age >= 0 ? age : fallback;
}

void warn_far_in_the_past(const char* message) {
  ErrorData warning;
  warning.severity = Severity::kWarning;
  warning.sqlstate = sqlstate::kWarning;
  warning.message = message;
  warning.hint = kCloseTransactions;
  report(std::move(warning));
}

TransactionId freeze_xid_cutoff(const VacuumOptions& options, TransactionId oldest_xmin,
                                TransactionId next) {
  int32_t max_age = settings().get(setting::kAutovacuumFreezeMaxAge);
  int32_t age =
      age_or(options.freeze_min_age, options.freeze, settings().get(setting::kVacuumFreezeMinAge));
  TransactionId cutoff = xid_back(oldest_xmin, std::min(age, max_age / 2));
  if (!xid_precedes(cutoff, xid_back(next, max_age))) return cutoff;
  warn_far_in_the_past("oldest xmin is far in the past");
  return oldest_xmin;
}

MultiXactId freeze_multi_cutoff(const VacuumOptions& options, MultiXactId oldest_multi,
                                MultiXactId next) {
  int32_t max_age = settings().get(setting::kAutovacuumMultixactFreezeMaxAge);
  int32_t age = age_or(options.multixact_freeze_min_age, options.freeze,
                       settings().get(setting::kVacuumMultixactFreezeMinAge));
  MultiXactId cutoff = multi_back(oldest_multi, std::min(age, max_age / 2));
  if (!multixact_precedes(cutoff, multi_back(next, max_age))) return cutoff;
  warn_far_in_the_past("oldest multixact is far in the past");
  return oldest_multi;
}

/// Is the table so old that everything in it should be frozen?
bool is_old_table(const TableFacts& facts, const VacuumOptions& options, TransactionId next,
                  MultiXactId next_multi) {
  auto share = [](int32_t max_age) { return static_cast<int32_t>(max_age * 0.95); };
  int32_t age = age_or(options.freeze_table_age, options.freeze,
                       settings().get(setting::kVacuumFreezeTableAge));
  age = std::min(age, share(settings().get(setting::kAutovacuumFreezeMaxAge)));
  if (xid_precedes_or_equals(facts.frozen_xid, xid_back(next, age))) return true;
  age = age_or(options.multixact_freeze_table_age, options.freeze,
               settings().get(setting::kVacuumMultixactFreezeTableAge));
  age = std::min(age, share(settings().get(setting::kAutovacuumMultixactFreezeMaxAge)));
  MultiXactId limit = multi_back(next_multi, age);
  return facts.min_multi == limit || multixact_precedes(facts.min_multi, limit);
}

}  // namespace

VacuumCutoffs vacuum_cutoffs(const Relation& relation, const TableFacts& facts,
                             const VacuumOptions& options) {
  VacuumCutoffs cutoffs;
  TransactionId next = next_full_xid().xid();
  MultiXactId next_multi = next_multixact();
  cutoffs.oldest_xmin = oldest_removable_xid(horizon_kind(relation));
  cutoffs.oldest_multi = oldest_multixact();
  cutoffs.freeze.relation_xid = facts.frozen_xid;
  cutoffs.freeze.relation_multi = facts.min_multi;
  cutoffs.freeze.cutoff_xid = freeze_xid_cutoff(options, cutoffs.oldest_xmin, next);
  cutoffs.freeze.cutoff_multi = freeze_multi_cutoff(options, cutoffs.oldest_multi, next_multi);
  cutoffs.aggressive =
      options.disable_page_skipping || is_old_table(facts, options, next, next_multi);
  return cutoffs;
}

bool vacuum_failsafe_needed(const TableFacts& facts) {
  auto limit = [](int32_t failsafe_age, int32_t max_age) {
    return std::max(failsafe_age, static_cast<int32_t>(std::min(max_age * 1.05, 2.1e9)));
  };
  int32_t age = limit(settings().get(setting::kVacuumFailsafeAge),
                      settings().get(setting::kAutovacuumFreezeMaxAge));
  if (xid_precedes(facts.frozen_xid, xid_back(next_full_xid().xid(), age))) return true;
  age = limit(settings().get(setting::kVacuumMultixactFailsafeAge),
              settings().get(setting::kAutovacuumMultixactFreezeMaxAge));
  return multixact_precedes(facts.min_multi, multi_back(next_multixact(), age));
}

double estimate_tuples(const TableFacts& facts, BlockNumber pages, BlockNumber scanned_pages,
                       double scanned_tuples) {
  if (scanned_pages >= pages) return scanned_tuples;
  // The same few pages again and again would let the estimate drift towards them.
  if (facts.pages == pages && scanned_pages < pages * 0.02) return facts.tuples;
  if (scanned_pages <= 1) return facts.tuples;
  if (facts.tuples < 0 || facts.pages == 0) {
    return std::floor(scanned_tuples / scanned_pages * pages + 0.5);
  }
  double old_density = facts.tuples / facts.pages;
  return std::floor(old_density * (pages - scanned_pages) + scanned_tuples + 0.5);
}

}  // namespace cofork
