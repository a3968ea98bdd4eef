// Index tuples and B-tree pages, against indexes of a real server (tests/data/btree, PostgreSQL
// 15.18): taken apart, put together, compared, searched, split.
#include <gtest/gtest.h>

#include <algorithm>

#include "access/btree_search.h"
#include "access/btree_split_choice.h"
#include "access_btree_checker.h"
#include "test_data.h"
#include "types/type_oids.h"

namespace cofork {
namespace {

int compare_int4(Datum a, Datum b) {
  int32_t x = datum_to_int32(a), y = datum_to_int32(b);
  return x < y ? -1 : (x > y ? 1 : 0);
}
int compare_text(Datum a, Datum b) {
  return varlena_view(a).compare(varlena_view(b));
}

Attribute int4_column() {
  return {.type = type_oid::kInt4, .length = 4, .by_value = true, .align = 'i', .storage = 'p'};
}
Attribute text_column() {
  return {.type = type_oid::kText, .length = -1, .align = 'i', .storage = 'x'};
}
IndexShape int4_shape() {
  return {.tuple = TupleShape({int4_column()}), .keys = {{.compare = compare_int4}}};
}
IndexShape text_shape() {
  return {.tuple = TupleShape({text_column()}), .keys = {{.compare = compare_text}}};
}

/// The file of an index, its pages aligned.
class IndexFile {
 public:
  explicit IndexFile(const char* name)
      : bytes_(testing_support::read_gz(
            testing_support::data_path(std::string("btree/") + name + ".main.gz"))) {}
  BlockNumber blocks() const { return static_cast<BlockNumber>(bytes_.size() / kPageBytes); }
  const char* page(BlockNumber block) const { return bytes_.data() + block * kPageBytes; }
  testing_support::BtreeChecker checker(const IndexShape& shape) const {
    return {shape, blocks(), [this](BlockNumber block) { return page(block); }};
  }

 private:
  std::string bytes_;
};

TEST(BtreePage, CheckerAcceptsTheServersIndexes) {
  struct Case {
    const char* name;
    IndexShape shape;
    size_t entries;
    uint32_t height;
    int deleted;
  };
  for (const Case& c :
       {Case{"bt_k", text_shape(), 40, 2, 18}, Case{"dd_a", int4_shape(), 230, 0, 0},
        Case{"kd_a", int4_shape(), 401, 0, 0}}) {
    IndexFile file(c.name);
    auto checker = file.checker(c.shape);
    EXPECT_EQ(checker.check(), "") << c.name;
    EXPECT_EQ(checker.height(), c.height) << c.name;
    EXPECT_EQ(checker.deleted_pages(), c.deleted) << c.name;
    EXPECT_GE(checker.entries().size(), c.entries) << c.name;
  }
}

TEST(BtreePage, TuplesAreTheServersBytes) {
  for (const char* name : {"bt_k", "kd_a"}) {
    IndexShape shape = name[0] == 'b' ? text_shape() : int4_shape();
    IndexFile file(name);
    auto checker = file.checker(shape);
    ASSERT_EQ(checker.check(), "");
    Arena arena;
    for (const auto& entry : checker.entries()) {
      Datum value;
      bool is_null;
      index_deform(*entry.tuple, shape, 1, &value, &is_null);
      IndexTuple* again = index_form_tuple(shape, &value, &is_null, arena);
      again->t_tid = entry.tid;
      ASSERT_EQ(again->size(), entry.tuple->size());
      ASSERT_EQ(std::memcmp(again, entry.tuple, again->size()), 0);
    }
  }
}

TEST(BtreePage, FindsEveryEntryByItsKey) {
  IndexShape shape = int4_shape();
  IndexFile file("dd_a");  // posting lists
  const char* page = file.page(1);
  OffsetNumber last = page_item_count(page);
  for (OffsetNumber i = 1; i <= last; ++i) {
    const IndexTuple& tuple = btree_item(page, i);
    SearchKey key;
    btree_key_of(shape, tuple, key);
    for (const ItemPointer& tid : tuple.heap_tids()) {
      key.heap_tid = &tid;
      EXPECT_EQ(btree_compare(shape, key, page, i), 0);
      EXPECT_EQ(btree_binary_search(shape, key, page), i);
    }
    key.heap_tid = nullptr;
    OffsetNumber first = btree_binary_search(shape, key, page);
    EXPECT_LE(first, i);
    EXPECT_EQ(btree_compare(shape, key, page, first), 0);
    if (first > 1) {
      EXPECT_GT(btree_compare(shape, key, page, static_cast<OffsetNumber>(first - 1)), 0);
    }
    key.next_key = true;
    OffsetNumber after = btree_binary_search(shape, key, page);
    EXPECT_GT(after, i);
    if (after <= last) {
      EXPECT_LT(btree_compare(shape, key, page, after), 0);
    }
  }
}

/// A tuple of (int4, int4) at a row.
IndexTuple* pair_tuple(const IndexShape& shape, int a, int b, ItemPointer tid, Arena& arena) {
  Datum values[] = {datum_from_int32(a), datum_from_int32(b)};
  bool nulls[] = {false, false};
  IndexTuple* tuple = index_form_tuple(shape, values, nulls, arena);
  tuple->t_tid = tid;
  return tuple;
}
IndexShape pair_shape() {
  return {.tuple = TupleShape({int4_column(), int4_column()}),
          .keys = {{.compare = compare_int4}, {.compare = compare_int4}}};
}

TEST(BtreePage, TruncationKeepsNoMoreThanItMust) {
  IndexShape shape = pair_shape();
  Arena arena;
  auto* low = pair_tuple(shape, 1, 5, {7, 3}, arena);
  auto* other_first = pair_tuple(shape, 2, 0, {7, 1}, arena);
  auto* other_second = pair_tuple(shape, 1, 6, {7, 1}, arena);
  auto* same = pair_tuple(shape, 1, 5, {7, 4}, arena);

  IndexTuple* pivot = index_truncate(shape, *low, *other_first, arena);
  EXPECT_EQ(pivot->column_count(shape), 1);
  EXPECT_EQ(pivot->size(), 16u);
  EXPECT_EQ(pivot->heap_tid(), nullptr);
  pivot = index_truncate(shape, *low, *other_second, arena);
  EXPECT_EQ(pivot->column_count(shape), 2);
  EXPECT_EQ(pivot->size(), 16u);
  EXPECT_EQ(pivot->heap_tid(), nullptr);
  pivot = index_truncate(shape, *low, *same, arena);
  EXPECT_EQ(pivot->column_count(shape), 2);
  EXPECT_EQ(pivot->size(), 24u);
  ASSERT_NE(pivot->heap_tid(), nullptr);
  EXPECT_EQ(*pivot->heap_tid(), (ItemPointer{7, 3}));
}

TEST(BtreePage, TruncationLetsNullsGoWithTheirColumns) {
  IndexShape shape = pair_shape();
  Arena arena;
  Datum values[] = {datum_from_int32(3), 0};
  bool nulls[] = {false, true};
  IndexTuple* right = index_form_tuple(shape, values, nulls, arena);
  right->t_tid = {1, 1};
  EXPECT_TRUE(right->has_nulls());
  EXPECT_EQ(right->size(), 24u);
  IndexTuple* pivot = index_truncate(shape, *pair_tuple(shape, 2, 2, {1, 2}, arena), *right, arena);
  EXPECT_FALSE(pivot->has_nulls());
  EXPECT_EQ(pivot->size(), 16u);
  bool is_null;
  EXPECT_EQ(datum_to_int32(index_attribute(*pivot, shape, 0, is_null)), 3);
}

TEST(BtreePage, PostingListsTakeAndGiveUpRows) {
  IndexShape shape = int4_shape();
  Arena arena;
  Datum value = datum_from_int32(9);
  bool is_null = false;
  IndexTuple* plain = index_form_tuple(shape, &value, &is_null, arena);
  ItemPointer rows[] = {{1, 1}, {1, 5}, {2, 1}};
  IndexTuple* posting = index_form_posting(*plain, rows, arena);
  EXPECT_TRUE(posting->is_posting());
  EXPECT_EQ(posting->size(), 40u);
  plain->t_tid = {1, 3};
  IndexTuple* swapped = btree_swap_posting(*plain, *posting, 1, arena);
  EXPECT_EQ(plain->t_tid, (ItemPointer{2, 1}));
  EXPECT_EQ(std::vector(swapped->heap_tids().begin(), swapped->heap_tids().end()),
            (std::vector<ItemPointer>{{1, 1}, {1, 3}, {1, 5}}));
  uint16_t first_and_last[] = {0, 2};
  IndexTuple* rest = btree_remove_from_posting(*swapped, first_and_last, arena);
  EXPECT_FALSE(rest->is_posting());
  EXPECT_EQ(rest->size(), 16u);
  EXPECT_EQ(rest->t_tid, (ItemPointer{1, 3}));
}

/// A leaf filled with tuples of (a, b); returns how many it takes.
struct Leaf {
  Leaf(const IndexShape& leaf_shape, bool rightmost) : shape(leaf_shape) {
    btree_page_init(page);
    btree_special(page) = {0, rightmost ? kBtreeNone : 9u, 0, kBtreeLeaf, 0};
  }
  void high_key(int a, int b) {
    IndexTuple* tuple = pair_tuple(shape, a, b, {0, 0}, arena);
    tuple->set_pivot(2, false);
    ASSERT_TRUE(btree_add_item(page, 1, *tuple, false));
  }
  bool add(int a, int b, ItemPointer tid) {
    IndexTuple* tuple = pair_tuple(shape, a, b, tid, arena);
    if (page_free_space(page) < tuple->size()) return false;
    return btree_add_item(page, static_cast<OffsetNumber>(page_item_count(page) + 1), *tuple,
                          false);
  }
  SplitPlace split(int a, int b, ItemPointer tid) {
    IndexTuple* tuple = pair_tuple(shape, a, b, tid, arena);
    SearchKey key;
    btree_key_of(shape, *tuple, key);
    key.heap_tid = &tuple->t_tid;
    place = btree_binary_search(shape, key, page);
    return btree_choose_split(page, shape, place, *tuple, 90, "t");
  }
  const IndexShape& shape;
  alignas(8) char page[kPageBytes] = {};
  Arena arena;
  OffsetNumber place = 0;
};

TEST(BtreeSplitChoice, RightmostPageKeepsItsFillfactor) {
  IndexShape shape = pair_shape();
  Leaf leaf(shape, true);
  int n = 0;
  while (leaf.add(n, 0, {static_cast<BlockNumber>(n), 1})) ++n;
  SplitPlace place = leaf.split(n, 0, {static_cast<BlockNumber>(n), 1});
  // A real server leaves 366 entries on each page of an index filled in this way.
  EXPECT_EQ(n, 407);
  EXPECT_EQ(place.first_right, 367);
}

TEST(BtreeSplitChoice, OtherPagesAreHalved) {
  IndexShape shape = pair_shape();
  Leaf leaf(shape, false);
  leaf.high_key(100000, 0);
  int n = 0;
  while (leaf.add(10 * n, 0, {static_cast<BlockNumber>(n), 1})) ++n;
  SplitPlace place = leaf.split(55, 0, {5000, 1});
  EXPECT_NEAR(place.first_right, 204, 2);
}

TEST(BtreeSplitChoice, GrowingGroupsSplitBehindTheNewEntry) {
  IndexShape shape = pair_shape();
  Leaf leaf(shape, false);
  leaf.high_key(100000, 0);
  int n = 0;
  while (leaf.add(n < 100 ? 1 : 2, n, {static_cast<BlockNumber>(n < 100 ? 1000 : n), 1})) ++n;
  SplitPlace place = leaf.split(1, 100, {1000, 2});
  EXPECT_EQ(place.first_right, leaf.place);
  EXPECT_TRUE(place.new_item_on_left);
}

TEST(BtreeSplitChoice, OneValueFillsThePage) {
  IndexShape shape = pair_shape();
  Leaf leaf(shape, true);
  int n = 0;
  while (leaf.add(1, 1, {static_cast<BlockNumber>(n), 1})) ++n;
  SplitPlace place = leaf.split(1, 1, {static_cast<BlockNumber>(n), 1});
  EXPECT_NEAR(place.first_right, 1 + n * 96 / 100, 2);
}

TEST(BtreeSplitChoice, DuplicatesStayTogether) {
  IndexShape shape = pair_shape();
  Leaf leaf(shape, false);
  leaf.high_key(100000, 0);
  int n = 0;
  // A group around the middle: it is split off as a whole.
  while (leaf.add(n < 100 ? n : (n < 280 ? 500 : 1000 + n), 0, {static_cast<BlockNumber>(n), 1})) {
    ++n;
  }
  SplitPlace place = leaf.split(3, 3, {5000, 1});
  EXPECT_TRUE(place.first_right == 102 || place.first_right == 282) << place.first_right;
}

}  // namespace
}  // namespace cofork
