// See heap_records.h.
#include "access/heap_records.h"

#include <algorithm>
#include <cstring>

#include "access/row_lock.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

WalHeapHeader wal_header(const HeapTupleHeader& header) {
  return {header.infomask2, header.infomask, header.hoff};
}

WalRecordBuilder& begin_record(uint8_t manager, uint8_t info) {
  WalRecordBuilder& record = wal_record();
  record.begin(manager, info, my_transaction().current_xid_if_any());
  return record;
}

void add_heap_block(WalRecordBuilder& record, uint8_t id, const Buffer& buffer,
                    uint8_t flags = kWalBlockStandardPage) {
  const BufferTag& tag = buffer.tag();
  record.add_block({.id = id,
                    .file = tag.file,
                    .fork = tag.fork,
                    .block = tag.block,
                    .page = buffer.page(),
                    .flags = flags});
}

/// The only tuple of its page: redo can make the page anew and needs no image of it.
bool is_alone_on_page(const Buffer& buffer, const HeapTuple& tuple) {
  return tuple.self.offset == kFirstOffset && page_item_count(buffer.page()) == kFirstOffset;
}

const char* after_header(const HeapTuple& tuple) {
  return tuple.header->bytes() + kTupleHeaderBytes;
}

}  // namespace

void log_insert(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags) {
  if (!relation.needs_wal()) return;
  bool alone = is_alone_on_page(buffer, tuple);
  WalHeapInsert body{tuple.self.offset, flags};
  WalHeapHeader header = wal_header(*tuple.header);
  WalRecordBuilder& record =
      begin_record(kManagerHeap, alone ? kHeapInsert | kHeapInitPage : kHeapInsert);
  record.add_main(&body, sizeof body);
  uint8_t block_flags = kWalBlockStandardPage;
  if (alone) block_flags |= kWalBlockReinitialized;
  add_heap_block(record, 0, buffer, block_flags);
  record.add_block_data(0, &header, sizeof header);
  record.add_block_data(0, after_header(tuple), tuple.length - kTupleHeaderBytes);
  set_page_lsn(buffer.page(), wal_insert(record));
}

void log_delete(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags) {
  if (!relation.needs_wal()) return;
  const HeapTupleHeader& header = *tuple.header;
  WalHeapDelete body{header.xmax, tuple.self.offset,
                     wal_xmax_bits(header.infomask, header.infomask2), flags};
  WalRecordBuilder& record = begin_record(kManagerHeap, kHeapDelete);
  record.add_main(&body, sizeof body);
  add_heap_block(record, 0, buffer);
  set_page_lsn(buffer.page(), wal_insert(record));
}

namespace {

/// How much of an updated row's values is the same at both ends: on the same page, redo can take
/// that from the old version. Less than three bytes are not worth their two-byte length.
struct SharedEnds {
  uint16_t prefix = 0;
  uint16_t suffix = 0;
};

SharedEnds find_shared_ends(const HeapTuple& old_tuple, const HeapTuple& new_tuple) {
  constexpr uint32_t kWorthwhile = 3;
  const char* old_data = old_tuple.header->bytes() + old_tuple.header->hoff;
  const char* new_data = new_tuple.header->bytes() + new_tuple.header->hoff;
  uint32_t old_bytes = old_tuple.length - old_tuple.header->hoff;
  uint32_t new_bytes = new_tuple.length - new_tuple.header->hoff;
  uint32_t most = std::min(old_bytes, new_bytes);
  auto prefix =
      static_cast<uint32_t>(std::mismatch(old_data, old_data + most, new_data).first - old_data);
  if (prefix < kWorthwhile) prefix = 0;
  uint32_t suffix = 0;
  while (suffix < most - prefix &&
         old_data[old_bytes - suffix - 1] == new_data[new_bytes - suffix - 1]) {
    ++suffix;
  }
  if (suffix < kWorthwhile) suffix = 0;
  return {static_cast<uint16_t>(prefix), static_cast<uint16_t>(suffix)};
}

/// The values, with what the old version shares left out.
void add_new_version(WalRecordBuilder& record, const HeapTuple& tuple, SharedEnds shared) {
  const HeapTupleHeader& header = *tuple.header;
  if (shared.prefix == 0) {
    record.add_block_data(0, after_header(tuple), tuple.length - kTupleHeaderBytes - shared.suffix);
    return;
  }
  uint32_t bitmap_bytes = header.hoff - kTupleHeaderBytes;
  if (bitmap_bytes > 0) record.add_block_data(0, after_header(tuple), bitmap_bytes);
  uint32_t left = tuple.length - header.hoff - shared.prefix - shared.suffix;
  if (left > 0) record.add_block_data(0, header.bytes() + header.hoff + shared.prefix, left);
}

}  // namespace

void log_update(Relation& relation, Buffer& old_buffer, const HeapTuple& old_tuple, Buffer& target,
                const HeapTuple& new_tuple, MapCleared cleared) {
  if (!relation.needs_wal()) return;
  Buffer& new_buffer = target.is_valid() ? target : old_buffer;
  const HeapTupleHeader& old_header = *old_tuple.header;
  const HeapTupleHeader& new_header = *new_tuple.header;
  SharedEnds shared;
  // With an image of the page in the record, the old version would not be there to take from.
  if (!target.is_valid() && wal_redo() < page_lsn(old_buffer.page())) {
    shared = find_shared_ends(old_tuple, new_tuple);
  }
  WalHeapUpdate body{old_header.xmax,
                     old_tuple.self.offset,
                     wal_xmax_bits(old_header.infomask, old_header.infomask2),
                     0,
                     new_header.xmax,
                     new_tuple.self.offset};
  if (cleared.old_page) body.flags |= kWalUpdateOldAllVisibleCleared;
  if (cleared.new_page) body.flags |= kWalUpdateNewAllVisibleCleared;
  if (shared.prefix > 0) body.flags |= kWalUpdatePrefixFromOld;
  if (shared.suffix > 0) body.flags |= kWalUpdateSuffixFromOld;
  uint8_t info = new_header.is_heap_only() ? kHeapHotUpdate : kHeapUpdate;
  uint8_t block_flags = kWalBlockStandardPage;
  if (target.is_valid() && is_alone_on_page(target, new_tuple)) {
    info |= kHeapInitPage;
    block_flags |= kWalBlockReinitialized;
  }
  WalHeapHeader header = wal_header(new_header);
  WalRecordBuilder& record = begin_record(kManagerHeap, info);
  record.add_main(&body, sizeof body);
  add_heap_block(record, 0, new_buffer, block_flags);
  if (target.is_valid()) add_heap_block(record, 1, old_buffer);
  if (shared.prefix > 0) record.add_block_data(0, &shared.prefix, sizeof shared.prefix);
  if (shared.suffix > 0) record.add_block_data(0, &shared.suffix, sizeof shared.suffix);
  record.add_block_data(0, &header, sizeof header);
  add_new_version(record, new_tuple, shared);
  Lsn end = wal_insert(record);
  set_page_lsn(new_buffer.page(), end);
  set_page_lsn(old_buffer.page(), end);
}

void log_lock(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags) {
  if (!relation.needs_wal()) return;
  const HeapTupleHeader& header = *tuple.header;
  WalHeapLock body{header.xmax, tuple.self.offset, wal_xmax_bits(header.infomask, header.infomask2),
                   flags};
  WalRecordBuilder& record = begin_record(kManagerHeap, kHeapLock);
  record.add_main(&body, sizeof body);
  add_heap_block(record, 0, buffer);
  set_page_lsn(buffer.page(), wal_insert(record));
}

void log_lock_updated(Relation& relation, Buffer& buffer, const HeapTuple& tuple, uint8_t flags) {
  if (!relation.needs_wal()) return;
  const HeapTupleHeader& header = *tuple.header;
  WalLockUpdated body{header.xmax, tuple.self.offset,
                      wal_xmax_bits(header.infomask, header.infomask2), flags};
  WalRecordBuilder& record = begin_record(kManagerHeap2, kHeap2LockUpdated);
  record.add_main(&body, sizeof body);
  add_heap_block(record, 0, buffer);
  set_page_lsn(buffer.page(), wal_insert(record));
}

void log_inplace(Relation& relation, Buffer& buffer, const HeapTuple& tuple) {
  if (!relation.needs_wal()) return;
  WalHeapInplace body{tuple.self.offset};
  WalRecordBuilder& record = begin_record(kManagerHeap, kHeapInplace);
  record.add_main(&body, sizeof body);
  add_heap_block(record, 0, buffer);
  const HeapTupleHeader& header = *tuple.header;
  record.add_block_data(0, header.bytes() + header.hoff, tuple.length - header.hoff);
  set_page_lsn(buffer.page(), wal_insert(record));
}

void log_multi_insert(Relation& relation, Buffer& buffer, std::span<const HeapTuple> tuples,
                      bool init_page, uint8_t flags, char* scratch) {
  if (!relation.needs_wal()) return;
  WalHeapMultiInsert body{flags, 0, static_cast<uint16_t>(tuples.size())};
  OffsetNumber offsets[kMaxHeapTuplesPerPage];
  char* end = scratch;
  for (size_t i = 0; i < tuples.size(); ++i) {
    const HeapTuple& tuple = tuples[i];
    offsets[i] = tuple.self.offset;
    if (((end - scratch) & 1) != 0) *end++ = 0;
    auto bytes = static_cast<uint16_t>(tuple.length - kTupleHeaderBytes);
    WalMultiInsertTuple header{bytes, tuple.header->infomask2, tuple.header->infomask,
                               tuple.header->hoff};
    std::memcpy(end, &header, sizeof header);
    std::memcpy(end + sizeof header, after_header(tuple), bytes);
    end += sizeof header + bytes;
  }
  uint8_t info = kHeap2MultiInsert;
  uint8_t block_flags = kWalBlockStandardPage;
  if (init_page) {
    info |= kHeapInitPage;
    block_flags |= kWalBlockReinitialized;
  }
  WalRecordBuilder& record = begin_record(kManagerHeap2, info);
  record.add_main(&body, sizeof body);
  if (!init_page) record.add_main(offsets, tuples.size() * sizeof(OffsetNumber));
  add_heap_block(record, 0, buffer, block_flags);
  record.add_block_data(0, scratch, static_cast<size_t>(end - scratch));
  set_page_lsn(buffer.page(), wal_insert(record));
}

}  // namespace cofork
