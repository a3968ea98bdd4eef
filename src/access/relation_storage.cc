// See relation_storage.h.
#include "access/relation_storage.h"

#include "access/redo_page.h"
#include "storage/buffer_pool.h"
#include "storage/relation_files.h"
#include "support/bytes.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

struct WalStorageCreate {
  RelationFile file;
  int32_t fork;
};
static_assert(sizeof(WalStorageCreate) == 16);

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
    default:
      throw Error(sqlstate::kInternalError, "smgr_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
