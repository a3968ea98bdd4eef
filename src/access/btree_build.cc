// See btree_build.h.
#include "access/btree_build.h"

#include <cstring>
#include <memory>

#include "access/btree_search.h"
#include "access/index_sort.h"
#include "model/task.h"
#include "storage/relation_files.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/insert.h"
#include "wal/shared.h"

namespace cofork {

namespace {

constexpr uint8_t kManagerXlog = 0;
constexpr uint8_t kXlogImage = 0xB0;  // XLOG_FPI

/// Pages go from here to WAL and to the file (_bt_blwritepage).
class PageWriter {
 public:
  PageWriter(const Relation& relation, ForkNumber fork) : relation_(relation), fork_(fork) {}

  void write(Page page, BlockNumber block) {
    this_task().check_interrupts();
    if (logs()) log_image(page, block);
    if (shared_memory().area<WalShared>().page_checksums) page_set_checksum(page, block);
    if (block < written_) {
      write_block(relation_.file, fork_, block, page, false);
      return;
    }
    // A parent may have its number before pages in front of it are full: they read as zeros.
    extend_fork(relation_.file, fork_, block, page, false);
    written_ = block + 1;
  }
  /// What was written past the buffer pool no checkpoint forces to disk.
  void finish() {
    if (logs()) sync_fork(relation_.file, fork_);
  }

 private:
  /// The init fork of an unlogged index is in WAL: it is what recovery begins with.
  bool logs() const { return relation_.needs_wal() || fork_ == ForkNumber::kInit; }
  void log_image(Page page, BlockNumber block) {
    WalRecordBuilder& record = wal_record();
    record.begin(kManagerXlog, kXlogImage, my_transaction().current_xid_if_any());
    record.add_block({.id = 0,
                      .file = relation_.file,
                      .fork = fork_,
                      .block = block,
                      .page = page,
                      .flags = kWalBlockForceImage | kWalBlockStandardPage});
    CriticalSection critical;
    set_page_lsn(page, wal_insert(record));
    critical.end();
  }

  const Relation& relation_;
  ForkNumber fork_;
  BlockNumber written_ = 0;
};

/// The page of a level that is being filled: the last one so far. The place of the high key is kept
/// free until it is known whether there will be one.
struct Level {
  explicit Level(uint32_t number_, int fillfactor)
      : number(number_),
        spare_bytes(kPageBytes * (100u - static_cast<uint32_t>(fillfactor)) / 100u) {}
  uint32_t number;
  uint32_t spare_bytes;  ///< free space at which the page counts as full
  BlockNumber block = kBtreeNone;
  OffsetNumber last = kBtreeHighKey;
  IndexTuple* low_key = nullptr;  ///< what will lead here from above
  alignas(8) char page[kPageBytes];
  alignas(8) char low_key_bytes[kBtreeMaxItemBytesWithoutTid + 8];
};

/// Fills a tree from left to right (_bt_load, _bt_buildadd, _bt_uppershutdown).
class Loader {
 public:
  Loader(BtreeIndex& index, PageWriter& writer) : index_(index), writer_(writer) {}

  void add(const IndexTuple& tuple) {
    if (levels_.empty()) open_level();
    add_to_level(0, tuple);
  }
  void finish();

 private:
  void open_level();
  void start_page(Level& level, BlockNumber left);
  void add_to_level(size_t number, const IndexTuple& tuple);
  void close_page(size_t number);
  void put(Level& level, const IndexTuple& tuple, OffsetNumber where);
  void set_low_key(Level& level, const IndexTuple& tuple) {
    level.low_key = reinterpret_cast<IndexTuple*>(level.low_key_bytes);
    std::memcpy(level.low_key_bytes, tuple.bytes(), tuple.size());
  }
  void link_from_above(size_t number);

  BtreeIndex& index_;
  PageWriter& writer_;
  std::vector<std::unique_ptr<Level>> levels_;
  BlockNumber next_block_ = kBtreeMetaBlock + 1;
  std::unique_ptr<BtreePageCopy> full_page_ = std::make_unique<BtreePageCopy>();
  Arena arena_;
};

void Loader::open_level() {
  auto number = static_cast<uint32_t>(levels_.size());
  int fillfactor = number == 0 ? index_.relation.fillfactor : kBtreeInternalFillfactor;
  levels_.push_back(std::make_unique<Level>(number, fillfactor));
  start_page(*levels_.back(), kBtreeNone);
}

void Loader::start_page(Level& level, BlockNumber left) {
  level.block = next_block_++;
  std::memset(level.page, 0, kPageBytes);
  btree_page_init(level.page);
  btree_special(level.page) = {left, kBtreeNone, level.number,
                               static_cast<uint16_t>(level.number == 0 ? kBtreeLeaf : 0), 0};
  page_header(level.page).lower += sizeof(ItemId);
  level.last = kBtreeHighKey;
}

void Loader::put(Level& level, const IndexTuple& tuple, OffsetNumber where) {
  bool cut = level.number > 0 && where == kBtreeHighKey + 1;
  if (!btree_add_item(level.page, where, tuple, cut)) {
    throw Error(sqlstate::kInternalError, "failed to add item to the index page");
  }
}

void Loader::add_to_level(size_t number, const IndexTuple& tuple) {
  Level* level = levels_[number].get();
  size_t bytes = tuple.size();
  if (bytes > kBtreeMaxItemBytes && number == 0) {
    throw Error(sqlstate::kProgramLimitExceeded,
                "index row size {} exceeds btree version {} maximum {} for index \"{}\"", bytes,
                kBtreeVersion, kBtreeMaxItemBytes, index_.relation.name)
        .detail("Index row references tuple ({},{}) in relation \"{}\".", tuple.t_tid.block(),
                tuple.t_tid.offset, index_.table_name)
        .hint(
            "Values larger than 1/3 of a buffer page cannot be indexed.\n"
            "Consider a function index of an MD5 hash of the value, or use full text indexing.");
  }
  uint32_t space = page_free_space(level->page);
  // On a leaf the high key may need room for a heap address.
  size_t needed = bytes + (number == 0 ? align8(sizeof(ItemPointer)) : 0);
  if (space < needed || (space < level->spare_bytes && level->last > kBtreeHighKey + 1)) {
    close_page(number);
  }
  if (level->last == kBtreeHighKey && btree_special(level->page).is_leftmost()) {
    set_low_key(*level, btree_minus_infinity(level->block));
  }
  ++level->last;
  put(*level, tuple, level->last);
}

/// The page is full: its last item becomes the first of the next page, and its own high key.
void Loader::close_page(size_t number) {
  Level& level = *levels_[number];
  Page old = full_page_->bytes;
  std::memcpy(old, level.page, kPageBytes);
  BlockNumber old_block = level.block;
  OffsetNumber last = level.last;
  start_page(level, old_block);
  put(level, btree_item(static_cast<ConstPage>(old), last), kBtreeHighKey + 1);
  level.last = kBtreeHighKey + 1;

  page_item_id(old, kBtreeHighKey) = page_item_id(static_cast<ConstPage>(old), last);
  page_header(old).lower -= sizeof(ItemId);
  if (number == 0) {
    arena_.reset();
    const IndexTuple& last_left =
        btree_item(static_cast<ConstPage>(old), static_cast<OffsetNumber>(last - 1));
    const IndexTuple* high_key = index_truncate(
        index_.shape, last_left, btree_item(static_cast<ConstPage>(old), kBtreeHighKey), arena_);
    if (!page_index_tuple_overwrite(old, kBtreeHighKey, high_key,
                                    static_cast<uint32_t>(high_key->size()))) {
      throw Error(sqlstate::kInternalError, "failed to add high key to the index page");
    }
  }
  level.low_key->set_downlink(old_block);
  link_from_above(number);
  set_low_key(level, btree_item(static_cast<ConstPage>(old), kBtreeHighKey));
  btree_special(old).right = level.block;
  writer_.write(old, old_block);
}

/// Enters the low key of a level's page, its downlink set, one level up.
void Loader::link_from_above(size_t number) {
  if (number + 1 == levels_.size()) open_level();
  add_to_level(number + 1, *levels_[number]->low_key);
}

void Loader::finish() {
  BlockNumber root = kBtreeNone;
  uint32_t root_level = 0;
  for (size_t i = 0; i < levels_.size(); ++i) {
    Level& level = *levels_[i];
    if (i + 1 == levels_.size()) {
      btree_special(level.page).set(kBtreeRoot);
      root = level.block;
      root_level = level.number;
    } else {
      level.low_key->set_downlink(level.block);
      link_from_above(i);
    }
    // Rightmost pages have no high key: its item id goes (_bt_slideleft).
    for (OffsetNumber j = kBtreeHighKey; j < level.last; ++j) {
      page_item_id(level.page, j) =
          page_item_id(static_cast<ConstPage>(level.page), static_cast<OffsetNumber>(j + 1));
    }
    page_header(level.page).lower -= sizeof(ItemId);
    writer_.write(level.page, level.block);
  }
  Page meta = full_page_->bytes;
  std::memset(meta, 0, kPageBytes);
  btree_meta_init(meta, root, root_level, index_.shape.all_equal_image);
  writer_.write(meta, kBtreeMetaBlock);
}

}  // namespace

BtreeBuild::BtreeBuild(BtreeIndex& index, size_t memory_bytes)
    : index_(index),
      sort_(std::make_unique<IndexSort>(index.shape, memory_bytes)),
      memory_bytes_(memory_bytes) {}
BtreeBuild::~BtreeBuild() = default;

void BtreeBuild::add(const Datum* values, const bool* nulls, const ItemPointer& tid, bool live) {
  row_arena_.reset();
  IndexTuple* tuple = index_form_tuple(index_.shape, values, nulls, row_arena_);
  tuple->t_tid = tid;
  if (live || !index_.shape.unique) {
    sort_->add(*tuple);
    return;
  }
  if (dead_sort_ == nullptr) dead_sort_ = std::make_unique<IndexSort>(index_.shape, memory_bytes_);
  dead_sort_->add(*tuple);
}

bool BtreeBuild::are_duplicates(const IndexTuple& a, const IndexTuple& b) const {
  if (!index_.shape.nulls_not_distinct) {
    for (int i = 0; i < index_.shape.key_count(); ++i) {
      if (a.is_null(i)) return false;
    }
  }
  return index_compare_keys(index_.shape, a, b) == 0;
}

std::optional<BtreeBuild::Duplicate> BtreeBuild::finish() {
  sort_->sort();
  if (dead_sort_ != nullptr) dead_sort_->sort();
  PageWriter writer(index_.relation, ForkNumber::kMain);
  Loader loader(index_, writer);
  const IndexTuple* live = sort_->next();
  const IndexTuple* dead = dead_sort_ != nullptr ? dead_sort_->next() : nullptr;
  IndexTuple* before = nullptr;
  while (live != nullptr || dead != nullptr) {
    bool take_dead = live == nullptr;
    if (live != nullptr && dead != nullptr) {
      int order = index_compare_keys(index_.shape, *dead, *live);
      take_dead = order < 0 || (order == 0 && dead->t_tid < live->t_tid);
    }
    if (take_dead) {
      loader.add(*dead);
      dead = dead_sort_->next();
      continue;
    }
    if (index_.shape.unique) {
      if (before != nullptr && are_duplicates(*before, *live)) return duplicate_of(*live);
      row_arena_.reset();
      before = copy_index_tuple(*live, row_arena_);
    }
    loader.add(*live);
    live = sort_->next();
  }
  loader.finish();
  writer.finish();
  index_.metadata.reset();
  return std::nullopt;
}

BtreeBuild::Duplicate BtreeBuild::duplicate_of(const IndexTuple& tuple) {
  auto keys = static_cast<size_t>(index_.shape.key_count());
  Duplicate duplicate{.values = std::vector<Datum>(keys), .nulls = std::vector<char>(keys)};
  row_arena_.reset();
  const IndexTuple* copy = copy_index_tuple(tuple, row_arena_);
  for (size_t i = 0; i < keys; ++i) {
    bool is_null;
    duplicate.values[i] = index_attribute(*copy, index_.shape, static_cast<int>(i), is_null);
    duplicate.nulls[i] = is_null;
  }
  return duplicate;
}

void btree_create_empty(BtreeIndex& index, ForkNumber fork) {
  PageWriter writer(index.relation, fork);
  Loader(index, writer).finish();
  writer.finish();
}

}  // namespace cofork
