// Xids on their circle, and which lock modes conflict.
#include <gtest/gtest.h>

#include "txn/lock_manager.h"
#include "txn/xid.h"

namespace cofork {
namespace {

TEST(Xid, OlderIsAQuestionOfHalfCircles) {
  EXPECT_TRUE(xid_precedes(100, 101));
  EXPECT_FALSE(xid_precedes(101, 100));
  EXPECT_TRUE(xid_precedes(kMaxXid, kFirstNormalXid));
  EXPECT_TRUE(xid_precedes(3'000'000'000u, 100));
  EXPECT_FALSE(xid_precedes(100, 3'000'000'000u));
  EXPECT_TRUE(xid_precedes_or_equals(7, 7));
  EXPECT_TRUE(xid_follows(8, 7));
}

TEST(Xid, ThoseOutsideTheCircleAreOlderThanAll) {
  for (TransactionId xid : {kFirstNormalXid, 1'000'000u, 3'000'000'000u, kMaxXid}) {
    EXPECT_TRUE(xid_precedes(kFrozenXid, xid));
    EXPECT_TRUE(xid_precedes(kBootstrapXid, xid));
    EXPECT_FALSE(xid_precedes(xid, kFrozenXid));
  }
  EXPECT_TRUE(xid_precedes(kBootstrapXid, kFrozenXid));
}

TEST(Xid, SteppingPassesOverThem) {
  EXPECT_EQ(xid_after(kMaxXid), kFirstNormalXid);
  EXPECT_EQ(xid_before(kFirstNormalXid), kMaxXid);
  EXPECT_EQ(xid_after(41), 42u);
  EXPECT_EQ(FullTransactionId::of(0, kMaxXid).next(), FullTransactionId::of(1, kFirstNormalXid));
}

TEST(Xid, GoingBackPassesOverThemToo) {
  EXPECT_EQ(FullTransactionId::of(1, kFirstNormalXid).previous(),
            FullTransactionId::of(0, kMaxXid));
  EXPECT_EQ(FullTransactionId::of(0, kFirstNormalXid).previous(), FullTransactionId::of(0, 2));
  EXPECT_EQ(FullTransactionId::of(7, 42).previous(), FullTransactionId::of(7, 41));
}

TEST(Xid, TheNextXidGivesAnOldOneItsEpoch) {
  auto next = FullTransactionId::of(5, 1000);
  EXPECT_EQ(full_xid(999, next), FullTransactionId::of(5, 999));
  EXPECT_EQ(full_xid(4'000'000'000u, next), FullTransactionId::of(4, 4'000'000'000u));
  EXPECT_EQ(full_xid(kFrozenXid, next), FullTransactionId::of(0, kFrozenXid));
}

TEST(Xid, TheNewestOfAFamily) {
  TransactionId children[] = {12, 40, 17};
  EXPECT_EQ(xid_latest(10, children), 40u);
  EXPECT_EQ(xid_latest(50, children), 50u);
  EXPECT_EQ(xid_latest(10, {}), 10u);
}

TEST(LockModes, ConflictAsInTheManual) {
  // Table 13.2 of the manual, # where it has a cross; rows and columns from ACCESS SHARE to ACCESS
  // EXCLUSIVE.
  const char* table[] = {"       #", "      ##", "    ####", "   #####",
                         "  ## ###", "  ######", " #######", "########"};
  for (int a = 0; a < kLockModes; ++a) {
    for (int b = 0; b < kLockModes; ++b) {
      EXPECT_EQ(lock_modes_conflict(static_cast<LockMode>(a + 1), static_cast<LockMode>(b + 1)),
                table[a][b] == '#')
          << a << " " << b;
    }
  }
}

TEST(LockTags, AreDescribedAsPostgreSqlDoes) {
  EXPECT_EQ(describe_lock_tag(LockTag::relation(5, 16384)), "relation 16384 of database 5");
  EXPECT_EQ(describe_lock_tag(LockTag::tuple(5, 16384, 7, 2)),
            "tuple (7,2) of relation 16384 of database 5");
  EXPECT_EQ(describe_lock_tag(LockTag::transaction(739)), "transaction 739");
  EXPECT_EQ(describe_lock_tag(LockTag::advisory(5, int64_t{1} << 32 | 7)),
            "advisory lock [5,1,7,1]");
  EXPECT_EQ(describe_lock_tag(LockTag::advisory(5, -1, 3)), "advisory lock [5,4294967295,3,2]");
}

}  // namespace
}  // namespace cofork
