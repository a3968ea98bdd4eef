// See sequence_page.h.
#include "access/sequence_page.h"

#include <cstring>

#include "access/redo_page.h"
#include "access/tuple.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "types/type_oids.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr uint32_t kMagic = 0x1717;
constexpr uint32_t kSpecialBytes = 8;

const TupleShape& row_shape() {
  static const TupleShape shape({{.type = type_oid::kInt8,
                                  .length = 8,
                                  .by_value = true,
                                  .align = 'd',
                                  .storage = 'p',
                                  .not_null = true},
                                 {.type = type_oid::kInt8,
                                  .length = 8,
                                  .by_value = true,
                                  .align = 'd',
                                  .storage = 'p',
                                  .not_null = true},
                                 {.type = type_oid::kBool,
                                  .length = 1,
                                  .by_value = true,
                                  .align = 'c',
                                  .storage = 'p',
                                  .not_null = true}});
  return shape;
}

/// Frozen from the start: whoever looks at the row sees it.
HeapTuple row_tuple(const SequenceRow& row, Arena& arena) {
  Datum values[] = {datum_from_int64(row.last_value), datum_from_int64(row.log_count),
                    datum_from_bool(row.is_called)};
  bool nulls[] = {false, false, false};
  HeapTuple tuple = form_tuple(row_shape(), values, nulls, arena);
  tuple.header->xmin = kFrozenXid;
  tuple.header->xmax = kInvalidXid;
  tuple.header->command = kFirstCommandId;
  tuple.header->infomask |= kTupleXminFrozen | kTupleXmaxInvalid;
  tuple.header->ctid = {0, kFirstOffset};
  return tuple;
}

void init_page(Page page, const char* tuple, uint32_t bytes) {
  page_init(page, kSpecialBytes);
  std::memcpy(page_special(page), &kMagic, sizeof kMagic);
  page_add_item(page, tuple, bytes, kInvalidOffset, 0);
}

HeapTupleHeader* row_header(Page page) {
  return reinterpret_cast<HeapTupleHeader*>(page_item(page, page_item_id(page, kFirstOffset)));
}

void log_row(const Buffer& buffer, const SequenceRow& row, Arena& arena) {
  HeapTuple tuple = row_tuple(row, arena);
  const BufferTag& tag = buffer.tag();
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerSequence, kSequenceLog, my_transaction().current_xid_if_any());
  record.add_block({.id = 0,
                    .file = tag.file,
                    .fork = tag.fork,
                    .block = tag.block,
                    .page = buffer.page(),
                    .flags = kWalBlockReinitialized});
  record.add_main(&tag.file, sizeof tag.file);
  record.add_main(tuple.header, tuple.length);
  set_page_lsn(buffer.page(), wal_insert(record));
}

}  // namespace

void sequence_create(Relation& relation, const SequenceRow& row, ForkNumber fork) {
  Arena arena;
  HeapTuple tuple = row_tuple(row, arena);
  my_transaction().current_xid();
  Buffer buffer = extend_relation(relation.file, fork);
  CriticalSection critical;
  init_page(buffer.page(), tuple.header->bytes(), tuple.length);
  buffer.mark_dirty();
  if (relation.needs_wal() || fork == ForkNumber::kInit) log_row(buffer, row, arena);
  critical.end();
}

SequenceRow sequence_read(const Relation& relation, const Buffer& buffer) {
  uint32_t magic = 0;
  if (page_special_bytes(buffer.page()) == kSpecialBytes) {
    std::memcpy(&magic, page_special(buffer.page()), sizeof magic);
  }
  if (magic != kMagic) {
    throw Error(sqlstate::kInternalError, "bad magic number in sequence \"{}\": {:08X}",
                relation.name, magic);
  }
  Datum values[3];
  bool nulls[3];
  deform_tuple(row_header(buffer.page()), row_shape(), 3, values, nulls);
  return {datum_to_int64(values[0]), datum_to_int64(values[1]), datum_to_bool(values[2])};
}

void sequence_write(Relation& relation, Buffer& buffer, const SequenceRow& row,
                    const SequenceRow* logged) {
  Arena arena;
  HeapTuple tuple = row_tuple(row, arena);
  bool log_it = logged != nullptr && relation.needs_wal();
  if (log_it) my_transaction().current_xid();
  CriticalSection critical;
  std::memcpy(row_header(buffer.page()), tuple.header, tuple.length);
  buffer.mark_dirty();
  if (log_it) log_row(buffer, *logged, arena);
  critical.end();
}

void sequence_redo(const DecodedRecord& record) {
  Buffer buffer;
  redo_page(record, 0, buffer);
  std::string_view tuple = record.main_data.substr(sizeof(RelationFile));
  init_page(buffer.page(), tuple.data(), static_cast<uint32_t>(tuple.size()));
  redo_changed(record, buffer);
}

}  // namespace cofork
