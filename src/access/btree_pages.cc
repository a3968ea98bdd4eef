// Records of a B-tree and pages to put things on (see btree_change.h; nbtpage.c, 15).
#include <algorithm>

#include "access/btree_change.h"
#include "access/visibility.h"
#include "storage/free_space.h"
#include "support/error.h"
#include "txn/lock_manager.h"
#include "txn/snapshot.h"
#include "txn/transaction.h"
#include "txn/variable_cache.h"

namespace cofork {

BtreeRecordWriter::BtreeRecordWriter(const BtreeIndex& index, BtreeRecord kind)
    : needed_(index.relation.needs_wal()) {
  if (!needed_) return;
  record_ = &wal_record();
  record_->begin(kManagerBtree, kind, my_transaction().current_xid_if_any());
}

void BtreeRecordWriter::block(uint8_t id, const Buffer& buffer, uint8_t flags) {
  if (!needed_) return;
  const BufferTag& tag = buffer.tag();
  record_->add_block({.id = id,
                      .file = tag.file,
                      .fork = tag.fork,
                      .block = tag.block,
                      .page = buffer.page(),
                      .flags = flags});
}

void BtreeRecordWriter::data(uint8_t id, const void* bytes, size_t count) {
  if (needed_) record_->add_block_data(id, bytes, count);
}

void BtreeRecordWriter::main(const void* bytes, size_t count) {
  if (needed_) record_->add_main(bytes, count);
}

void BtreeRecordWriter::meta(uint8_t id, const Buffer& buffer) {
  const BtreeMetadata& metadata = btree_metadata(static_cast<ConstPage>(buffer.page()));
  meta_record_ = {.version = metadata.version,
                  .root = metadata.root,
                  .level = metadata.level,
                  .fast_root = metadata.fast_root,
                  .fast_level = metadata.fast_level,
                  .last_cleanup_deleted_pages = metadata.last_cleanup_deleted_pages,
                  .all_equal_image = metadata.all_equal_image,
                  .padding = {}};
  block(id, buffer, kWalBlockReinitialized | kWalBlockStandardPage);
  data(id, &meta_record_, sizeof meta_record_);
}

void BtreeRecordWriter::insert(std::initializer_list<Buffer*> changed) {
  if (!needed_) return;
  Lsn end = wal_insert(*record_);
  for (Buffer* buffer : changed) {
    if (buffer->is_valid()) set_page_lsn(buffer->page(), end);
  }
}

namespace {

/// Tells standbys that a deleted page gets another use: who is on the way to it there must go.
void log_reuse(const BtreeIndex& index, BlockNumber block, uint64_t safe_xid) {
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerBtree, kBtreeReusePage, my_transaction().current_xid_if_any());
  BtreeReuseRecord body{index.relation.file, block, safe_xid};
  record.add_main(&body, sizeof body);
  wal_insert(record);
}

/// A page the free space map knows of and nobody else is using; invalid when there is none.
Buffer take_free_page(BtreeIndex& index) {
  for (;;) {
    BlockNumber block = free_index_page(index.relation.file);
    if (block == kInvalidBlock) return {};
    Buffer buffer = read_buffer(index.relation.file, ForkNumber::kMain, block);
    // Somebody who looks at a page that is about to be taken may be a searcher on his way; waiting
    // for him while holding other pages could be waiting for ever. The map may be wrong, too.
    if (!buffer.try_lock_exclusive()) continue;
    Page page = buffer.page();
    if (!btree_is_recyclable(index, page)) continue;
    if (!page_is_new(page) && index.relation.needs_wal()) {
      log_reuse(index, block, btree_safe_xid(page));
    }
    btree_page_init(page);
    return buffer;
  }
}

}  // namespace

bool btree_is_recyclable(const BtreeIndex& index, ConstPage page) {
  if (page_is_new(page)) return true;
  if (!btree_special(page).has(kBtreeDeleted)) return false;
  return btree_nobody_needs(index, btree_safe_xid(page));
}

bool btree_nobody_needs(const BtreeIndex& index, uint64_t safe_xid) {
  constexpr uint64_t kHalfCircle = uint64_t{1} << 31;
  uint64_t next = next_full_xid().value;
  if (safe_xid + kHalfCircle <= next) return true;
  return xid_is_removable(static_cast<TransactionId>(safe_xid), horizon_kind(index.relation));
}

Buffer btree_new_page(BtreeIndex& index) {
  Buffer buffer = take_free_page(index);
  if (buffer.is_valid()) return buffer;
  const Relation& relation = index.relation;
  LockTag tag = LockTag::relation_extend(relation.file.database, relation.oid);
  bool shared = relation.persistence != 't';
  if (shared) lock_acquire(tag, LockMode::kExclusive);
  buffer = extend_relation(relation.file, ForkNumber::kMain);
  if (shared) lock_release(tag, LockMode::kExclusive);
  btree_page_init(buffer.page());
  return buffer;
}

}  // namespace cofork
