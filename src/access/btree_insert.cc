// Entering a row into a B-tree, and seeing to it that unique keys stay unique (as nbtinsert.c, 15).
//
// The leaf with the lowest entry of the key is locked exclusively before the check and stays locked
// until the entry is in: two tasks that insert the same key meet there. If the outcome depends on a
// transaction that still runs, everything is let go, the transaction waited for, and the search
// begins again.
#include <algorithm>
#include <vector>

#include "access/btree_change.h"
#include "access/btree_records.h"
#include "model/task.h"
#include "support/error.h"
#include "txn/lock_manager.h"

namespace cofork {

namespace {

class Insertion {
 public:
  Insertion(BtreeIndex& index, IndexTuple& tuple, UniqueCheck check, IndexedTable& table)
      : index_(index), shape_(index.shape), tuple_(tuple), check_(check), table_(table) {
    btree_key_of(shape_, tuple, key_);
    // Nulls are not equal to anything, unless the index says so.
    looks_for_duplicates_ =
        check != UniqueCheck::kNo && (!key_.any_null || shape_.nulls_not_distinct);
    if (!looks_for_duplicates_) key_.heap_tid = &tuple_.t_tid;
  }

  BtreeInserted run();

 private:
  void find_leaf();
  bool try_last_rightmost();
  TransactionId check_unique();
  enum class Verdict : uint8_t { kGoOn, kStop };
  Verdict judge_item(ConstPage page, OffsetNumber offset, Buffer& buffer, TransactionId& in_doubt);
  OffsetNumber search_page();
  int search_posting(OffsetNumber number) const;
  OffsetNumber find_place();
  void check_size() const;
  void step_right();
  void delete_dead_items();

  BtreeIndex& index_;
  const IndexShape& shape_;
  IndexTuple& tuple_;
  UniqueCheck check_;
  IndexedTable& table_;
  SearchKey key_;
  bool looks_for_duplicates_ = false;
  BtreeInserted result_;
  bool found_itself_ = false;  ///< kExisting

  Buffer buffer_;  ///< the leaf, exclusively locked
  BtreeStack stack_;
  // What is known of the place on buffer_: items below low_ are below the key, those from
  // strict_high_ on above it.
  bool bounds_known_ = false;
  OffsetNumber low_ = 0, strict_high_ = 0;
  /// The row lies within the posting list at low_, behind so many of its rows; -1: that list is
  /// dead.
  int posting_place_ = 0;
};

BtreeInserted Insertion::run() {
  for (;;) {
    find_leaf();
    if (!looks_for_duplicates_) break;
    TransactionId in_doubt = check_unique();
    if (in_doubt == 0) break;
    buffer_.release();
    xact_lock_wait(in_doubt, {.operation = XactWaitContext::Operation::kInsertIndex,
                              .relation = index_.relation.name.c_str(),
                              .block = tuple_.t_tid.block(),
                              .offset = tuple_.t_tid.offset});
  }
  bool refused = !result_.is_unique && check_ == UniqueCheck::kYes;
  if (check_ == UniqueCheck::kExisting || refused) return result_;
  key_.heap_tid = &tuple_.t_tid;
  OffsetNumber offset = find_place();
  BtreeInsertion insertion{.tuple = &tuple_, .offset = offset, .posting_place = posting_place_};
  if (posting_place_ > 0) ++insertion.offset;
  btree_insert_on_page(index_, std::move(buffer_), {}, stack_, insertion);
  return result_;
}

void Insertion::find_leaf() {
  bounds_known_ = false;
  stack_.clear();
  if (try_last_rightmost()) return;
  buffer_ = btree_search(index_, key_, BtreeAccess::kWrite, &stack_);
}

/// Keys that only grow go to the last leaf: it is tried without the way down.
bool Insertion::try_last_rightmost() {
  if (index_.last_rightmost == kInvalidBlock) return false;
  buffer_ = read_buffer(index_.relation.file, ForkNumber::kMain, index_.last_rightmost);
  if (buffer_.try_lock_exclusive()) {
    btree_check_page(index_, buffer_);
    ConstPage page = buffer_.page();
    const BtreeSpecial& special = btree_special(page);
    if (special.is_rightmost() && special.is_leaf() && !special.is_ignored() &&
        page_free_space(page) > tuple_.size() && page_item_count(page) > 0 &&
        btree_compare(shape_, key_, page, 1) > 0) {
      return true;
    }
  }
  buffer_.release();
  index_.last_rightmost = kInvalidBlock;
  return false;
}

/// Looks at all entries with the same key, from the leaf on to the right. Returns the transaction
/// to wait for, or 0 with the answer in result_ (_bt_check_unique).
TransactionId Insertion::check_unique() {
  Buffer next;  // a page further right, locked for reading
  ConstPage page = buffer_.page();
  OffsetNumber offset = search_page();
  result_ = {};
  found_itself_ = false;
  for (;;) {
    OffsetNumber last = page_item_count(page);
    for (; offset <= last; ++offset) {
      if (!next.is_valid() && offset == strict_high_) break;
      if (page_item_id(page, offset).is_dead()) continue;
      if (btree_compare(shape_, key_, page, offset) != 0) break;
      TransactionId in_doubt = 0;
      if (judge_item(page, offset, next.is_valid() ? next : buffer_, in_doubt) == Verdict::kStop) {
        return in_doubt;
      }
    }
    const BtreeSpecial* special = &btree_special(page);
    if (offset <= last || special->is_rightmost()) break;
    if (btree_compare(shape_, key_, page, kBtreeHighKey) != 0) break;
    do {
      if (special->is_rightmost()) {
        throw Error(sqlstate::kInternalError, "fell off the end of index \"{}\"",
                    index_.relation.name);
      }
      BlockNumber right = special->right;
      next = btree_get_page(index_, right, BtreeAccess::kRead);
      page = next.page();
      special = &btree_special(page);
    } while (special->is_ignored());
    offset = special->first_data();
  }
  if (check_ == UniqueCheck::kExisting && !found_itself_) {
    throw Error(sqlstate::kInternalError, "failed to re-find tuple within index \"{}\"",
                index_.relation.name)
        .hint("This may be because of a non-immutable index expression.");
  }
  return 0;
}

/// An entry with the same key. kStop: the question is answered (result_), or `in_doubt` says who
/// must end first. Marks it dead when nobody can see its rows any more.
Insertion::Verdict Insertion::judge_item(ConstPage page, OffsetNumber offset, Buffer& buffer,
                                         TransactionId& in_doubt) {
  bool all_dead = true;
  for (const ItemPointer& tid : btree_item(page, offset).heap_tids()) {
    if (check_ == UniqueCheck::kExisting && tid == tuple_.t_tid) {
      found_itself_ = true;
      all_dead = false;
      continue;
    }
    IndexedTable::Row row = table_.look_at(tid);
    if (row.live) {
      if (check_ == UniqueCheck::kPartial) {
        result_ = {.is_unique = false, .conflict = tid};
        return Verdict::kStop;
      }
      if (row.in_doubt != 0) {
        in_doubt = row.in_doubt;
        return Verdict::kStop;
      }
      // A trigger or a concurrent update may have ended the new row already: no conflict then.
      if (table_.is_alive(tuple_.t_tid)) result_ = {.is_unique = false, .conflict = tid};
      return Verdict::kStop;
    }
    all_dead &= row.dead_to_all;
  }
  if (all_dead) {
    // A hint only: searches may pass the entry by, and the next one who needs room removes it.
    page_item_id(buffer.page(), offset).mark_dead();
    btree_special(buffer.page()).set(kBtreeHasGarbage);
    buffer.mark_dirty_hint();
  }
  return Verdict::kGoOn;
}

/// In front of which item the key belongs; remembers the bounds for the next call
/// (_bt_binsrch_insert).
OffsetNumber Insertion::search_page() {
  ConstPage page = buffer_.page();
  OffsetNumber low = low_, high = strict_high_;
  if (!bounds_known_) {
    low = btree_special(page).first_data();
    high = static_cast<OffsetNumber>(page_item_count(page) + 1);
  }
  OffsetNumber strict_high = std::max(low, high);
  posting_place_ = 0;
  while (high > low) {
    auto middle = static_cast<OffsetNumber>(low + (high - low) / 2);
    int result = btree_compare(shape_, key_, page, middle);
    if (result > 0) {
      low = static_cast<OffsetNumber>(middle + 1);
      continue;
    }
    high = middle;
    if (result != 0) {
      strict_high = high;
    } else if (key_.heap_tid != nullptr) {
      posting_place_ = search_posting(middle);
    }
  }
  low_ = low;
  strict_high_ = strict_high;
  bounds_known_ = true;
  return low;
}

/// How many rows of a posting list are below the new one; -1 when the list is dead
/// (_bt_binsrch_posting).
int Insertion::search_posting(OffsetNumber number) const {
  ConstPage page = buffer_.page();
  const IndexTuple& posting = btree_item(page, number);
  if (!posting.is_posting()) {
    throw Error(sqlstate::kIndexCorrupted,
                "table tid from new index tuple ({},{}) overlaps with invalid duplicate tuple at "
                "offset {} of block {} in index \"{}\"",
                tuple_.t_tid.block(), tuple_.t_tid.offset, number, buffer_.block(),
                index_.relation.name);
  }
  if (page_item_id(page, number).is_dead()) return -1;
  std::span<const ItemPointer> tids = posting.heap_tids();
  auto place = std::lower_bound(tids.begin(), tids.end(), tuple_.t_tid) - tids.begin();
  return static_cast<int>(place);
}

void Insertion::check_size() const {
  if (tuple_.size() <= kBtreeMaxItemBytes) [[likely]]
    return;
  throw Error(sqlstate::kProgramLimitExceeded,
              "index row size {} exceeds btree version {} maximum {} for index \"{}\"",
              tuple_.size(), kBtreeVersion, kBtreeMaxItemBytes, index_.relation.name)
      .detail("Index row references tuple ({},{}) in relation \"{}\".", tuple_.t_tid.block(),
              tuple_.t_tid.offset, index_.table_name)
      .hint(
          "Values larger than 1/3 of a buffer page cannot be indexed.\n"
          "Consider a function index of an MD5 hash of the value, or use full text indexing.");
}

/// The leaf and the place on it (_bt_findinsertloc). Makes room by removing dead entries.
OffsetNumber Insertion::find_place() {
  check_size();
  // The search was for the first entry of the key. The new one, with its address, may belong on a
  // page further right.
  while (looks_for_duplicates_) {
    ConstPage page = buffer_.page();
    const BtreeSpecial& special = btree_special(page);
    if (bounds_known_ && low_ <= strict_high_ && strict_high_ <= page_item_count(page)) break;
    if (special.is_rightmost() || btree_compare(shape_, key_, page, kBtreeHighKey) <= 0) break;
    step_right();
  }
  if (page_free_space(buffer_.page()) < tuple_.size()) delete_dead_items();
  OffsetNumber offset = search_page();
  if (posting_place_ < 0) {
    delete_dead_items();
    offset = search_page();
  }
  return offset;
}

void Insertion::step_right() {
  BlockNumber right = btree_special(buffer_.page()).right;
  for (;;) {
    Buffer next = btree_get_page(index_, right, BtreeAccess::kWrite);
    const BtreeSpecial& special = btree_special(next.page());
    if (special.has(kBtreeIncompleteSplit)) {
      btree_finish_split(index_, std::move(next), stack_);
      continue;
    }
    if (!special.is_ignored()) {
      buffer_ = std::move(next);
      bounds_known_ = false;
      return;
    }
    if (special.is_rightmost()) {
      throw Error(sqlstate::kInternalError, "fell off the end of index \"{}\"",
                  index_.relation.name);
    }
    right = special.right;
  }
}

/// Removes the entries marked dead, if there are any (_bt_simpledel_pass, _bt_delitems_delete).
void Insertion::delete_dead_items() {
  Page page = buffer_.page();
  std::vector<OffsetNumber> dead;
  std::vector<ItemPointer> tids;
  OffsetNumber last = page_item_count(page);
  for (OffsetNumber i = btree_special(page).first_data(); i <= last; ++i) {
    if (!page_item_id(page, i).is_dead()) continue;
    dead.push_back(i);
    for (const ItemPointer& tid : btree_item(page, i).heap_tids()) tids.push_back(tid);
  }
  if (dead.empty()) return;
  BtreeDeleteRecord body{
      .latest_removed_xid = index_.relation.needs_wal() ? table_.latest_removed_xid(tids) : 0,
      .deleted = static_cast<uint16_t>(dead.size()),
      .updated = 0};
  CriticalSection critical;
  page_index_multi_delete(page, dead);
  btree_special(page).clear(kBtreeHasGarbage);
  buffer_.mark_dirty();
  BtreeRecordWriter record(index_, kBtreeDelete);
  record.block(0, buffer_, kWalBlockStandardPage);
  record.data(0, dead.data(), dead.size() * sizeof dead[0]);
  record.main(&body, sizeof body);
  record.insert({&buffer_});
  critical.end();
  bounds_known_ = false;
}

}  // namespace

BtreeInserted btree_insert(BtreeIndex& index, const Datum* values, const bool* nulls,
                           const ItemPointer& tid, UniqueCheck check, IndexedTable& table) {
  index.scratch.reset();
  IndexTuple* tuple = index_form_tuple(index.shape, values, nulls, index.scratch);
  tuple->t_tid = tid;
  return Insertion(index, *tuple, check, table).run();
}

}  // namespace cofork
