// Transaction ids and their circular order (as transam.h and transam.c, 15).
//
// A TransactionId is 32 bits and comes round again after 4 billion transactions, so "older" is a
// question of half circles: a precedes b when going on from a one meets b within 2^31 steps. A
// FullTransactionId carries the rounds in its upper half (the epoch) and never comes back; it is
// kept where it matters (the next xid, checkpoints, pg_current_xact_id()) and tuples hold the short
// one.
//
// Ids 0, 1 and 2 are outside the circle: none, the bootstrap's, and "frozen". They precede all
// others and are always committed.
#pragma once

#include <cstdint>
#include <span>

#include "wal/format.h"

namespace cofork {

/// Counts the statements of a transaction that write: what a tuple's cmin and cmax hold.
using CommandId = uint32_t;
/// Stands in xmax for several transactions at once (txn/multixact.h).
using MultiXactId = uint32_t;
/// Position of a multixact's first member among all members.
using MultiXactOffset = uint32_t;
/// Counts the subtransactions of one transaction; 1 is the transaction itself.
using SubtransactionId = uint32_t;

inline constexpr TransactionId kInvalidXid = 0;
inline constexpr TransactionId kBootstrapXid = 1;
inline constexpr TransactionId kFrozenXid = 2;
inline constexpr TransactionId kFirstNormalXid = 3;
inline constexpr TransactionId kMaxXid = 0xFFFFFFFFu;

inline constexpr CommandId kFirstCommandId = 0;
inline constexpr CommandId kInvalidCommandId = ~CommandId{0};

inline constexpr MultiXactId kInvalidMultiXactId = 0;
inline constexpr MultiXactId kFirstMultiXactId = 1;

inline constexpr SubtransactionId kInvalidSubtransactionId = 0;
inline constexpr SubtransactionId kTopSubtransactionId = 1;

constexpr bool xid_is_valid(TransactionId xid) {
  return xid != kInvalidXid;
}
constexpr bool xid_is_normal(TransactionId xid) {
  return xid >= kFirstNormalXid;
}

constexpr bool xid_precedes(TransactionId a, TransactionId b) {
  if (!xid_is_normal(a) || !xid_is_normal(b)) return a < b;
  return static_cast<int32_t>(a - b) < 0;
}
constexpr bool xid_precedes_or_equals(TransactionId a, TransactionId b) {
  return a == b || xid_precedes(a, b);
}
constexpr bool xid_follows(TransactionId a, TransactionId b) {
  return xid_precedes(b, a);
}
constexpr bool xid_follows_or_equals(TransactionId a, TransactionId b) {
  return a == b || xid_precedes(b, a);
}

/// The normal xid after and before one; the ids outside the circle are passed over.
constexpr TransactionId xid_after(TransactionId xid) {
  ++xid;
  return xid < kFirstNormalXid ? kFirstNormalXid : xid;
}
constexpr TransactionId xid_before(TransactionId xid) {
  --xid;
  return xid < kFirstNormalXid ? kMaxXid : xid;
}

/// The newest of a transaction and its children (TransactionIdLatest).
constexpr TransactionId xid_latest(TransactionId xid, std::span<const TransactionId> children) {
  for (TransactionId child : children) {
    if (xid_precedes(xid, child)) xid = child;
  }
  return xid;
}

/// Multixact ids go round too, with 0 alone outside the circle.
constexpr bool multixact_precedes(MultiXactId a, MultiXactId b) {
  return static_cast<int32_t>(a - b) < 0;
}

struct FullTransactionId {
  uint64_t value = 0;

  constexpr TransactionId xid() const { return static_cast<TransactionId>(value); }
  constexpr uint32_t epoch() const { return static_cast<uint32_t>(value >> 32); }
  constexpr bool is_valid() const { return xid() != kInvalidXid; }
  friend constexpr auto operator<=>(FullTransactionId, FullTransactionId) = default;

  static constexpr FullTransactionId of(uint32_t epoch, TransactionId xid) {
    return {uint64_t{epoch} << 32 | xid};
  }
  /// The one after; passes over the ids outside the circle.
  constexpr FullTransactionId next() const {
    FullTransactionId after{value + 1};
    if (after.xid() < kFirstNormalXid) after.value += kFirstNormalXid - after.xid();
    return after;
  }
  /// The one before; before the very first one it is the frozen one's.
  constexpr FullTransactionId previous() const {
    FullTransactionId before{value - 1};
    if (before.value >= kFirstNormalXid && before.xid() < kFirstNormalXid) {
      before.value -= before.xid() + 1;
    }
    return before;
  }
};

/// Gives an xid that is in use its epoch: `next` is the next one to be given out, and nothing in
/// use is more than half a circle behind it.
constexpr FullTransactionId full_xid(TransactionId xid, FullTransactionId next) {
  if (!xid_is_normal(xid)) return FullTransactionId::of(0, xid);
  uint32_t epoch = next.epoch();
  if (xid > next.xid() && epoch > 0) --epoch;
  return FullTransactionId::of(epoch, xid);
}

}  // namespace cofork
