// The way through a B-tree (see btree_search.h).
#include "access/btree_search.h"

#include "access/btree_change.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

void btree_check_page(const BtreeIndex& index, const Buffer& buffer) {
  const char* page = buffer.page();
  if (page_is_new(page)) {
    throw Error(sqlstate::kIndexCorrupted, "index \"{}\" contains unexpected zero page at block {}",
                index.relation.name, buffer.block())
        .hint("Please REINDEX it.");
  }
  if (page_special_bytes(page) != sizeof(BtreeSpecial)) {
    throw Error(sqlstate::kIndexCorrupted, "index \"{}\" contains corrupted page at block {}",
                index.relation.name, buffer.block())
        .hint("Please REINDEX it.");
  }
}

Buffer btree_get_page(BtreeIndex& index, BlockNumber block, BtreeAccess access,
                      AccessStrategy* strategy) {
  Buffer buffer =
      read_buffer(index.relation.file, ForkNumber::kMain, block, ReadMode::kNormal, strategy);
  btree_lock(buffer, access);
  btree_check_page(index, buffer);
  return buffer;
}

const BtreeMetadata& btree_checked_metadata(const BtreeIndex& index, const Buffer& meta) {
  const BtreeMetadata& metadata = btree_metadata(static_cast<ConstPage>(meta.page()));
  if (!btree_special(static_cast<ConstPage>(meta.page())).has(kBtreeMeta) ||
      metadata.magic != kBtreeMagic) {
    throw Error(sqlstate::kIndexCorrupted, "index \"{}\" is not a btree", index.relation.name);
  }
  if (metadata.version != kBtreeVersion) {
    throw Error(sqlstate::kIndexCorrupted,
                "version mismatch in index \"{}\": file version {}, current version {}, minimal "
                "supported version {}",
                index.relation.name, metadata.version, kBtreeVersion, kBtreeVersion);
  }
  return metadata;
}

namespace {

[[noreturn]] void throw_no_live_page(const BtreeIndex& index) {
  throw Error(sqlstate::kInternalError, "no live root page found in index \"{}\"",
              index.relation.name);
}

/// From `block` on the page that is in use, read-locked: deleted ones are passed by.
Buffer get_live_page(BtreeIndex& index, BlockNumber block) {
  for (;;) {
    Buffer buffer = btree_get_page(index, block, BtreeAccess::kRead);
    const BtreeSpecial& special = btree_special(static_cast<ConstPage>(buffer.page()));
    if (!special.is_ignored()) return buffer;
    if (special.is_rightmost()) throw_no_live_page(index);
    block = special.right;
  }
}

/// The page the metapage named when it was read last, if it still is what it was.
Buffer get_remembered_root(BtreeIndex& index) {
  if (!index.metadata) return {};
  Buffer buffer = read_buffer(index.relation.file, ForkNumber::kMain, index.metadata->fast_root);
  buffer.lock_shared();
  const char* page = buffer.page();
  if (!page_is_new(page) && page_special_bytes(page) == sizeof(BtreeSpecial)) {
    const BtreeSpecial& special = btree_special(page);
    if (!special.is_ignored() && special.level == index.metadata->fast_level &&
        special.is_leftmost() && special.is_rightmost()) {
      return buffer;
    }
  }
  index.metadata.reset();
  return {};
}

/// Makes the first page of an empty index, unless somebody else has done so meanwhile.
void create_root(BtreeIndex& index, Buffer& meta) {
  meta.unlock();
  meta.lock_exclusive();
  BtreeMetadata& metadata = btree_metadata(meta.page());
  if (metadata.root != kBtreeNone) return;
  Buffer root = btree_new_page(index);
  CriticalSection critical;
  BtreeSpecial& special = btree_special(root.page());
  special = {kBtreeNone, kBtreeNone, 0, kBtreeLeaf | kBtreeRoot, 0};
  metadata.root = metadata.fast_root = root.block();
  metadata.level = metadata.fast_level = 0;
  metadata.last_cleanup_deleted_pages = 0;
  metadata.last_cleanup_heap_tuples = -1.0;
  root.mark_dirty();
  meta.mark_dirty();
  BtreeRecordWriter record(index, kBtreeNewRoot);
  BtreeNewRootRecord body{root.block(), 0};
  record.block(0, root, kWalBlockReinitialized);
  record.meta(2, meta);
  record.main(&body, sizeof body);
  record.insert({&root, &meta});
  critical.end();
}

}  // namespace

Buffer btree_get_root(BtreeIndex& index, BtreeAccess access) {
  if (Buffer buffer = get_remembered_root(index); buffer.is_valid()) return buffer;
  for (;;) {
    Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kRead);
    BtreeMetadata metadata = btree_checked_metadata(index, meta);
    if (metadata.root == kBtreeNone) {
      if (access == BtreeAccess::kRead) return {};
      create_root(index, meta);
      continue;
    }
    meta.release();
    index.metadata = metadata;
    Buffer root = get_live_page(index, metadata.fast_root);
    uint32_t level = btree_special(root.page()).level;
    if (level != metadata.fast_level) {
      throw Error(sqlstate::kInternalError,
                  "root page {} of index \"{}\" has level {}, expected {}", root.block(),
                  index.relation.name, level, metadata.fast_level);
    }
    return root;
  }
}

Buffer btree_get_true_root(BtreeIndex& index) {
  index.metadata.reset();
  Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kRead);
  BtreeMetadata metadata = btree_checked_metadata(index, meta);
  if (metadata.root == kBtreeNone) return {};
  meta.release();
  Buffer root = get_live_page(index, metadata.root);
  uint32_t level = btree_special(root.page()).level;
  if (level != metadata.level) {
    throw Error(sqlstate::kInternalError, "root page {} of index \"{}\" has level {}, expected {}",
                root.block(), index.relation.name, level, metadata.level);
  }
  return root;
}

uint32_t btree_height(BtreeIndex& index) {
  if (!index.metadata) {
    Buffer meta = btree_get_page(index, kBtreeMetaBlock, BtreeAccess::kRead);
    BtreeMetadata metadata = btree_checked_metadata(index, meta);
    if (metadata.root == kBtreeNone) return 0;
    index.metadata = metadata;
  }
  return index.metadata->fast_level;
}

Buffer btree_move_right(BtreeIndex& index, const SearchKey& key, Buffer buffer, bool for_update,
                        const BtreeStack* stack, BtreeAccess access) {
  int limit = key.next_key ? 0 : 1;
  for (;;) {
    ConstPage page = buffer.page();
    const BtreeSpecial* special = &btree_special(page);
    if (special->is_rightmost()) break;
    if (for_update && special->has(kBtreeIncompleteSplit)) {
      // Someone did not get to enter the right half above: that comes first.
      BlockNumber block = buffer.block();
      if (access == BtreeAccess::kRead) {
        buffer.unlock();
        buffer.lock_exclusive();
      }
      if (special->has(kBtreeIncompleteSplit)) {
        btree_finish_split(index, std::move(buffer), stack != nullptr ? *stack : BtreeStack{});
      } else {
        buffer.release();
      }
      buffer = btree_get_page(index, block, access);
      continue;
    }
    if (!special->is_ignored() && btree_compare(index.shape, key, page, kBtreeHighKey) < limit) {
      break;
    }
    BlockNumber next = special->right;
    buffer.release();
    this_task().check_interrupts();
    buffer = btree_get_page(index, next, access);
  }
  if (btree_special(static_cast<ConstPage>(buffer.page())).is_ignored()) {
    throw Error(sqlstate::kInternalError, "fell off the end of index \"{}\"", index.relation.name);
  }
  return buffer;
}

Buffer btree_search(BtreeIndex& index, const SearchKey& key, BtreeAccess access,
                    BtreeStack* stack) {
  Buffer buffer = btree_get_root(index, access);
  if (!buffer.is_valid()) return buffer;
  bool for_update = access == BtreeAccess::kWrite;
  BtreeAccess page_access = BtreeAccess::kRead;
  for (;;) {
    buffer = btree_move_right(index, key, std::move(buffer), for_update, stack, page_access);
    ConstPage page = buffer.page();
    const BtreeSpecial& special = btree_special(page);
    if (special.is_leaf()) break;
    OffsetNumber offset = btree_binary_search(index.shape, key, page);
    BlockNumber child = btree_item(page, offset).downlink();
    if (stack != nullptr) stack->push_back({buffer.block(), offset});
    if (special.level == 1 && access == BtreeAccess::kWrite) page_access = BtreeAccess::kWrite;
    buffer.release();
    buffer = btree_get_page(index, child, page_access);
  }
  if (access == BtreeAccess::kWrite && page_access == BtreeAccess::kRead) {
    // The root is the leaf. It may have been split while it was unlocked.
    buffer.unlock();
    buffer.lock_exclusive();
    buffer = btree_move_right(index, key, std::move(buffer), true, stack, BtreeAccess::kWrite);
  }
  return buffer;
}

Buffer btree_get_endpoint(BtreeIndex& index, uint32_t level, bool rightmost) {
  // The fast root is enough for a leaf; other levels may lie above it.
  Buffer buffer =
      level == 0 ? btree_get_root(index, BtreeAccess::kRead) : btree_get_true_root(index);
  if (!buffer.is_valid()) return buffer;
  for (;;) {
    for (;;) {
      const BtreeSpecial& special = btree_special(static_cast<ConstPage>(buffer.page()));
      bool go_right = special.is_ignored() || (rightmost && !special.is_rightmost());
      if (!go_right) break;
      BlockNumber next = special.right;
      if (next == kBtreeNone) {
        throw Error(sqlstate::kInternalError, "fell off the end of index \"{}\"",
                    index.relation.name);
      }
      buffer.release();
      buffer = btree_get_page(index, next, BtreeAccess::kRead);
    }
    ConstPage page = buffer.page();
    const BtreeSpecial& special = btree_special(page);
    if (special.level == level) return buffer;
    if (special.level < level) {
      throw Error(sqlstate::kIndexCorrupted, "btree level {} not found in index \"{}\"", level,
                  index.relation.name);
    }
    OffsetNumber offset = rightmost ? page_item_count(page) : special.first_data();
    BlockNumber child = btree_item(page, offset).downlink();
    buffer.release();
    buffer = btree_get_page(index, child, BtreeAccess::kRead);
  }
}

}  // namespace cofork
