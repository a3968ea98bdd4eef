// See database_storage.h.
#include "access/database_storage.h"

#include <fcntl.h>

#include <cstring>
#include <vector>

#include "access/redo_page.h"
#include "io/durable.h"
#include "log/log.h"
#include "storage/buffer_pool.h"
#include "storage/relation_files.h"
#include "storage/sync_request.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

struct CreateFileCopy {
  uint32_t database, tablespace, source_database, source_tablespace;
};
struct DropDatabase {
  uint32_t database;
  int32_t tablespaces;
  uint32_t tablespace;
};

std::string directory_of(uint32_t database) {
  return database_path(database, kDefaultTablespaceOid);
}

void copy_file(const std::string& from, const std::string& to) {
  constexpr size_t kChunk = 256 * 1024;
  File source, target;
  if (int error = source.open(from, O_RDONLY); error < 0) throw file_error("open", from, error);
  if (int error = target.open(to, O_RDWR | O_CREAT | O_EXCL); error < 0) {
    throw file_error("create", to, error);
  }
  std::vector<char> chunk(kChunk);
  for (off_t at = 0;;) {
    this_task().check_interrupts();
    ssize_t n = source.read_at(chunk.data(), chunk.size(), at, WaitEventId::kDataFileRead);
    if (n < 0) throw file_error("read", from, static_cast<int>(n));
    if (n == 0) return;
    ssize_t written =
        target.write_at(chunk.data(), static_cast<size_t>(n), at, WaitEventId::kDataFileWrite);
    if (written < 0) throw file_error("write", to, static_cast<int>(written));
    at += n;
  }
}

void copy_directory(const std::string& from, const std::string& to) {
  if (int error = task_files().mkdir(to, directory_create_mode()); error < 0) {
    throw file_error("create", to, error);
  }
  std::vector<std::string> names;
  if (int error = task_files().list(from, names); error < 0) {
    throw file_error("open", from, error);
  }
  for (const std::string& name : names) copy_file(from + "/" + name, to + "/" + name);
  for (const std::string& name : names) sync_path(to + "/" + name, false);
  sync_path(to, true);
  sync_parent(to);
}

void remove_directory(const std::string& path) {
  std::vector<std::string> names;
  if (task_files().list(path, names) < 0) return;
  for (const std::string& name : names) task_files().unlink(path + "/" + name);
  if (int error = task_files().rmdir(path); error < 0) {
    log(Severity::kWarning,
        "some useless files may be left behind in old database directory \"{}\"", path);
  }
}

void forget_database(uint32_t database) {
  drop_database_buffers(database);
  forget_database_syncs(database);
}

}  // namespace

void copy_database_directory(uint32_t source, uint32_t target) {
  my_transaction().on_abort([target] { remove_database_directory(target, false); });
  copy_directory(directory_of(source), directory_of(target));
  CreateFileCopy body{target, kDefaultTablespaceOid, source, kDefaultTablespaceOid};
  TransactionId xid = my_transaction().current_xid();
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerDatabase, kDatabaseCreateFileCopy, xid);
  record.add_main(&body, sizeof body);
  wal_insert(record);
}

void remove_database_directory(uint32_t database, bool logged) {
  forget_database(database);
  remove_directory(directory_of(database));
  if (!logged) return;
  DropDatabase body{database, 1, kDefaultTablespaceOid};
  TransactionId xid = my_transaction().current_xid();
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerDatabase, kDatabaseDrop, xid);
  record.add_main(&body, sizeof body);
  wal_insert(record);
}

void database_redo(const DecodedRecord& record) {
  switch (record.own_info()) {
    case kDatabaseCreateFileCopy: {
      CreateFileCopy body;
      std::memcpy(&body, record.main_data.data(), sizeof body);
      remove_directory(directory_of(body.database));
      flush_database_buffers(body.source_database);
      copy_directory(directory_of(body.source_database), directory_of(body.database));
      break;
    }
    case kDatabaseDrop: {
      DropDatabase body;
      std::memcpy(&body, record.main_data.data(), sizeof body);
      forget_database(body.database);
      redo_forget_missing_database(body.database);
      remove_directory(directory_of(body.database));
      break;
    }
    default:
      throw Error(sqlstate::kInternalError, "dbase_redo: unknown op code {}", record.own_info())
          .severity(Severity::kPanic);
  }
}

}  // namespace cofork
