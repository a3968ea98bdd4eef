// See relation_storage.h.
#include "access/relation_storage.h"

#include "access/redo_page.h"
#include "storage/buffer_pool.h"
#include "storage/free_space.h"
#include "storage/relation_files.h"
#include "storage/visibility_map.h"
#include "support/bytes.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {

namespace {

struct WalStorageCreate {
  RelationFile file;
  int32_t fork;
};
static_assert(sizeof(WalStorageCreate) == 16);

struct WalStorageTruncate {
  BlockNumber blocks;
  RelationFile file;
  int32_t forks;  ///< 1 heap, 2 visibility map, 4 free space map
};
static_assert(sizeof(WalStorageTruncate) == 20);
constexpr int32_t kTruncateHeap = 1;
constexpr int32_t kTruncateVisibilityMap = 2;
constexpr int32_t kTruncateFreeSpaceMap = 4;
constexpr int32_t kTruncateAll = 7;

void log_create(const RelationFile& file, ForkNumber fork) {
  WalStorageCreate body{file, static_cast<int32_t>(fork)};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerStorage, kStorageCreate | kWalInfoSpecialRelationUpdate,
               my_transaction().current_xid_if_any());
  record.add_main(&body, sizeof body);
  wal_insert(record);
}

}  // namespace

void create_relation_storage(const RelationFile& file, char persistence) {
  create_relation_file(file, ForkNumber::kMain);
  if (persistence == 'p') log_create(file, ForkNumber::kMain);
  my_transaction().add_pending_delete(file, false);
}

void create_init_fork(const RelationFile& file) {
  create_relation_file(file, ForkNumber::kInit);
  log_create(file, ForkNumber::kInit);
  sync_fork(file, ForkNumber::kInit);
}

namespace {

void cut_fork(const RelationFile& file, ForkNumber fork, BlockNumber blocks) {
  drop_relation_buffers(file, fork, blocks);
  truncate_fork(file, fork, blocks);
}

/// The maps' pages that stay are cleaned before, of what they say about pages that go.
struct MapLengths {
  BlockNumber visibility = kInvalidBlock;
  BlockNumber free_space = kInvalidBlock;
};
MapLengths prepare_maps(const RelationFile& file, BlockNumber blocks, bool needs_wal) {
  return {visibility_map_prepare_truncate(file, blocks),
          truncate_free_space(file, blocks, needs_wal)};
}

void cut_maps(const RelationFile& file, const MapLengths& lengths) {
  if (lengths.free_space != kInvalidBlock) {
    cut_fork(file, ForkNumber::kFreeSpaceMap, lengths.free_space);
  }
  if (lengths.visibility != kInvalidBlock) {
    cut_fork(file, ForkNumber::kVisibilityMap, lengths.visibility);
  }
}

Lsn log_truncate(const RelationFile& file, BlockNumber blocks) {
  WalStorageTruncate body{blocks, file, kTruncateAll};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerStorage, kStorageTruncate | kWalInfoSpecialRelationUpdate,
               my_transaction().current_xid_if_any());
  record.add_main(&body, sizeof body);
  return wal_insert(record);
}

}  // namespace

void truncate_relation(Relation& relation, BlockNumber blocks) {
  const RelationFile& file = relation.file;
  relation.target_block = kInvalidBlock;
  MapLengths lengths = prepare_maps(file, blocks, relation.needs_wal());
  bool has_maps = lengths.visibility != kInvalidBlock || lengths.free_space != kInvalidBlock;
  if (relation.needs_wal()) {
    Lsn end = log_truncate(file, blocks);
    // The main fork's pages have LSNs that keep what they had from being lost too early; the maps'
    // do not.
    if (has_maps) wal_flush(end);
  }
  cut_fork(file, ForkNumber::kMain, blocks);
  cut_maps(file, lengths);
  free_space_vacuum_range(file, blocks, kInvalidBlock);
}

void drop_relation_storage(const RelationFile& file) {
  my_transaction().add_pending_delete(file, true);
}

void storage_redo(const DecodedRecord& record) {
  switch (record.own_info()) {
    case kStorageCreate: {
      auto body = load_le<WalStorageCreate>(record.main_data.data());
      create_relation_file(body.file, static_cast<ForkNumber>(body.fork), true);
      return;
    }
    case kStorageTruncate: {
      auto body = load_le<WalStorageTruncate>(record.main_data.data());
      create_relation_file(body.file, ForkNumber::kMain, true);
      if ((body.forks & kTruncateHeap) != 0) {
        cut_fork(body.file, ForkNumber::kMain, body.blocks);
        redo_forget_missing(body.file, ForkNumber::kMain, body.blocks);
      }
      MapLengths lengths = prepare_maps(body.file, body.blocks, false);
      if ((body.forks & kTruncateVisibilityMap) == 0) lengths.visibility = kInvalidBlock;
      if ((body.forks & kTruncateFreeSpaceMap) == 0) lengths.free_space = kInvalidBlock;
      cut_maps(body.file, lengths);
      redo_forget_sizes(body.file);
      return;
    }
    default:
      throw Error(sqlstate::kInternalError, "smgr_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
