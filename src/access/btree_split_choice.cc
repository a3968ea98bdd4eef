// See btree_split_choice.h.
#include "access/btree_split_choice.h"

#include <algorithm>
#include <climits>
#include <vector>

#include "support/error.h"

namespace cofork {

namespace {

constexpr int kItemIdBytes = sizeof(ItemId);
constexpr int kMaxLeafInterval = 9;
/// Candidates whose free space differs by no more than this share of the old items' bytes from the
/// best one's are as good as it.
constexpr double kLeafTolerance = 0.050;
constexpr double kInternalTolerance = 0.075;

struct Candidate {
  int delta = 0;  ///< distance from the wanted balance
  int left_free = 0;
  int right_free = 0;
  OffsetNumber first_right = 0;
  bool new_item_on_left = false;
};

enum class Strategy : uint8_t { kDefault, kManyDuplicates, kSingleValue };

class SplitChoice {
 public:
  SplitChoice(ConstPage page, const IndexShape& shape, OffsetNumber new_offset,
              const IndexTuple& new_item, int leaf_fillfactor)
      : page_(page),
        shape_(shape),
        special_(btree_special(page)),
        new_offset_(new_offset),
        new_item_(new_item),
        new_bytes_(static_cast<int>(new_item.size()) + kItemIdBytes),
        last_(page_item_count(page)),
        fillfactor_(leaf_fillfactor / 100.0) {}

  bool collect();
  SplitPlace choose();

 private:
  void add(OffsetNumber first_right, bool new_item_on_left, int old_bytes_left,
           int first_old_right_bytes);
  void sort_by_delta(double left_share, bool use_share);
  bool grows_inside(bool& use_fillfactor) const;
  void set_default_interval();
  int decide_strategy(const Candidate& leftmost, const Candidate& rightmost, Strategy& strategy);
  void interval_edges(const Candidate*& left, const Candidate*& right) const;
  SplitPlace best(int perfect_penalty, Strategy strategy) const;
  int penalty(const Candidate& candidate) const;

  int item_bytes(OffsetNumber number) const {
    return static_cast<int>(align8(page_item_id(page_, number).length())) + kItemIdBytes;
  }
  const IndexTuple& last_left(const Candidate& candidate) const {
    if (candidate.new_item_on_left && candidate.first_right == new_offset_) return new_item_;
    return btree_item(page_, static_cast<OffsetNumber>(candidate.first_right - 1));
  }
  const IndexTuple& first_right(const Candidate& candidate) const {
    if (!candidate.new_item_on_left && candidate.first_right == new_offset_) return new_item_;
    return btree_item(page_, candidate.first_right);
  }

  ConstPage page_;
  const IndexShape& shape_;
  const BtreeSpecial& special_;
  OffsetNumber new_offset_;
  const IndexTuple& new_item_;
  int new_bytes_;
  OffsetNumber last_;
  double fillfactor_;

  int left_space_ = 0, right_space_ = 0;
  int old_bytes_ = 0;  ///< of all data items
  int least_first_right_bytes_ = INT_MAX;
  std::vector<Candidate> candidates_;
  size_t interval_ = 1;  ///< so many candidates, sorted, are considered
};

/// Notes every legal candidate, from left to right. False when there is none.
bool SplitChoice::collect() {
  left_space_ = right_space_ =
      static_cast<int>(kPageBytes - kPageHeaderBytes - sizeof(BtreeSpecial));
  // The right page gets the old page's high key.
  if (!special_.is_rightmost()) right_space_ -= item_bytes(kBtreeHighKey);
  old_bytes_ = right_space_ - static_cast<int>(page_exact_free_space(page_));
  candidates_.reserve(last_ + 1u);
  int bytes_left = 0;
  for (OffsetNumber i = special_.first_data(); i <= last_; ++i) {
    int bytes = item_bytes(i);
    if (i <= new_offset_) add(i, false, bytes_left, bytes);
    if (i >= new_offset_) add(i, true, bytes_left, bytes);
    bytes_left += bytes;
  }
  if (new_offset_ > last_) add(new_offset_, false, old_bytes_, 0);
  return !candidates_.empty();
}

void SplitChoice::add(OffsetNumber first_right_offset, bool new_item_on_left, int old_bytes_left,
                      int first_old_right_bytes) {
  bool new_is_first_right = first_right_offset == new_offset_ && !new_item_on_left;
  int first_right_bytes = new_is_first_right ? new_bytes_ : first_old_right_bytes;
  int left_free = left_space_ - old_bytes_left;
  int right_free = right_space_ - (old_bytes_ - old_bytes_left);
  // The first item on the right becomes the high key on the left. On a leaf it may grow by a heap
  // address, and a posting list is left out of it.
  left_free -= first_right_bytes;
  if (special_.is_leaf()) {
    left_free -= static_cast<int>(align8(sizeof(ItemPointer)));
    const IndexTuple& tuple =
        new_is_first_right ? new_item_ : btree_item(page_, first_right_offset);
    if (tuple.is_posting()) {
      left_free += static_cast<int>(tuple.size() - tuple.posting_offset());
    }
  } else {
    // Its own copy on the right keeps the downlink only.
    right_free += first_right_bytes - static_cast<int>(align8(sizeof(IndexTuple))) - kItemIdBytes;
  }
  (new_item_on_left ? left_free : right_free) -= new_bytes_;
  if (left_free < 0 || right_free < 0) return;
  least_first_right_bytes_ = std::min(least_first_right_bytes_, first_right_bytes);
  candidates_.push_back({.left_free = left_free,
                         .right_free = right_free,
                         .first_right = first_right_offset,
                         .new_item_on_left = new_item_on_left});
}

void SplitChoice::sort_by_delta(double left_share, bool use_share) {
  for (Candidate& candidate : candidates_) {
    candidate.delta = use_share ? static_cast<int>(left_share * candidate.left_free -
                                                   (1.0 - left_share) * candidate.right_free)
                                : candidate.left_free - candidate.right_free;
    candidate.delta = std::abs(candidate.delta);
  }
  std::stable_sort(candidates_.begin(), candidates_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.delta < b.delta; });
}

bool tids_are_adjacent(const ItemPointer& low, const ItemPointer& high) {
  return low.block() == high.block() ||
         (low.block() + 1 == high.block() && high.offset == kFirstOffset);
}

/// Does the new item continue a run of growing keys within its group (equal first column), in an
/// index of small tuples of one size? Then the split goes right behind it; with `use_fillfactor`
/// as on a rightmost page.
bool SplitChoice::grows_inside(bool& use_fillfactor) const {
  int keys = shape_.key_count();
  if (keys == 1 || new_offset_ == 2) return false;
  if (new_bytes_ != least_first_right_bytes_) return false;
  if (new_bytes_ * (last_ - 1) != old_bytes_) return false;
  constexpr int kTwoInt8 = static_cast<int>(sizeof(IndexTuple)) + 16 + kItemIdBytes;
  if (new_bytes_ > kTwoInt8) return false;
  if (new_offset_ > last_) {
    int keep = index_keep_columns(shape_, btree_item(page_, last_), new_item_);
    use_fillfactor = true;
    return keep > 1 && keep <= keys;
  }
  const IndexTuple& before = btree_item(page_, static_cast<OffsetNumber>(new_offset_ - 1));
  if (!tids_are_adjacent(*before.heap_tid(), new_item_.t_tid)) return false;
  int keep = index_keep_columns(shape_, before, new_item_);
  if (keep <= 1 || keep > keys) return false;
  use_fillfactor = static_cast<double>(new_offset_) / (last_ + 1.0) > fillfactor_;
  return true;
}

SplitPlace SplitChoice::choose() {
  double left_share = 0.50;
  bool use_share = false;
  if (!special_.is_leaf()) {
    use_share = special_.is_rightmost();
    left_share = kBtreeInternalFillfactor / 100.0;
  } else if (special_.is_rightmost()) {
    use_share = true;
    left_share = fillfactor_;
  } else if (grows_inside(use_share)) {
    if (use_share) {
      left_share = fillfactor_;
    } else {
      for (const Candidate& candidate : candidates_) {
        if (candidate.new_item_on_left && candidate.first_right == new_offset_) {
          return {new_offset_, true};
        }
      }
    }
  } else {
    use_share = false;
  }
  Candidate leftmost = candidates_.front();
  Candidate rightmost = candidates_.back();
  sort_by_delta(left_share, use_share);
  set_default_interval();
  Strategy strategy = Strategy::kDefault;
  int perfect_penalty = decide_strategy(leftmost, rightmost, strategy);
  if (strategy == Strategy::kManyDuplicates) {
    interval_ = candidates_.size();
  } else if (strategy == Strategy::kSingleValue) {
    sort_by_delta(kBtreeSingleValueFillfactor / 100.0, true);
    interval_ = 1;
  }
  return best(perfect_penalty, strategy);
}

/// As many of the sorted candidates as leave about the same free space as the best one.
void SplitChoice::set_default_interval() {
  int tolerance =
      static_cast<int>(old_bytes_ * (special_.is_leaf() ? kLeafTolerance : kInternalTolerance));
  const Candidate& optimum = candidates_.front();
  for (interval_ = 1; interval_ < candidates_.size(); ++interval_) {
    const Candidate& candidate = candidates_[interval_];
    if (std::abs(candidate.left_free - optimum.left_free) > tolerance ||
        std::abs(candidate.right_free - optimum.right_free) > tolerance) {
      return;
    }
  }
}

/// Looks at whether the interval has a place that saves the heap address. Returns the penalty that
/// cannot be bettered. Leftmost and rightmost are those of the whole page.
int SplitChoice::decide_strategy(const Candidate& leftmost, const Candidate& rightmost,
                                 Strategy& strategy) {
  if (!special_.is_leaf()) return least_first_right_bytes_;
  int keys = shape_.key_count();
  const Candidate* left_edge = nullptr;
  const Candidate* right_edge = nullptr;
  interval_edges(left_edge, right_edge);
  int keep = index_keep_columns(shape_, last_left(*left_edge), first_right(*right_edge));
  if (keep <= keys) return keep;
  keep = index_keep_columns(shape_, last_left(leftmost), first_right(rightmost));
  if (keep <= keys) {
    // Either edge of the group of duplicates will do, the nearer one.
    strategy = Strategy::kManyDuplicates;
    return keys;
  }
  if (special_.is_rightmost()) {
    strategy = Strategy::kSingleValue;
    return keep;
  }
  // Only on the last page that has this value: duplicates that come in are higher.
  keep = index_keep_columns(shape_, btree_item(page_, kBtreeHighKey), new_item_);
  if (keep <= keys) strategy = Strategy::kSingleValue;
  return keep;
}

/// The outermost candidates of the interval, which is sorted by distance from the optimum.
void SplitChoice::interval_edges(const Candidate*& left, const Candidate*& right) const {
  auto place = [](const Candidate& c) { return 2 * c.first_right + (c.new_item_on_left ? 1 : 0); };
  left = right = candidates_.data();
  for (size_t i = 1; i < interval_; ++i) {
    if (place(candidates_[i]) < place(*left)) left = &candidates_[i];
    if (place(candidates_[i]) > place(*right)) right = &candidates_[i];
  }
}

int SplitChoice::penalty(const Candidate& candidate) const {
  if (special_.is_leaf()) {
    return index_keep_columns(shape_, last_left(candidate), first_right(candidate));
  }
  if (!candidate.new_item_on_left && candidate.first_right == new_offset_) return new_bytes_;
  return item_bytes(candidate.first_right);
}

SplitPlace SplitChoice::best(int perfect_penalty, Strategy strategy) const {
  int least = INT_MAX;
  const Candidate* winner = candidates_.data();
  for (size_t i = 0; i < interval_; ++i) {
    int cost = penalty(candidates_[i]);
    if (cost < least) {
      least = cost;
      winner = &candidates_[i];
    }
    if (cost <= perfect_penalty) break;
  }
  // Keys that fall towards a big group of duplicates on their left would split the same page there
  // again and again, and leave half-empty pages behind.
  if (strategy == Strategy::kManyDuplicates && !special_.is_rightmost() &&
      !winner->new_item_on_left && winner->first_right >= new_offset_ &&
      winner->first_right < new_offset_ + kMaxLeafInterval) {
    winner = candidates_.data();
  }
  return {winner->first_right, winner->new_item_on_left};
}

}  // namespace

SplitPlace btree_choose_split(ConstPage page, const IndexShape& shape, OffsetNumber new_offset,
                              const IndexTuple& new_item, int leaf_fillfactor,
                              const char* index_name) {
  SplitChoice choice(page, shape, new_offset, new_item, leaf_fillfactor);
  if (!choice.collect()) {
    throw Error(sqlstate::kInternalError, "could not find a feasible split point for index \"{}\"",
                index_name);
  }
  return choice.choose();
}

}  // namespace cofork
