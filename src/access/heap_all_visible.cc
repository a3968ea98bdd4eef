// Pages marked as visible to everybody: the mark, the map's bits, and their record. See
// heap_space.h.
#include "access/heap_space.h"
#include "access/heap_wal.h"
#include "model/task.h"
#include "storage/visibility_map.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

void log_visible(Buffer& buffer, Buffer& map_page, TransactionId cutoff_xid, uint8_t bits) {
  WalHeapVisible body{cutoff_xid, bits};
  WalRecordBuilder& record = wal_record();
  record.begin(kManagerHeap2, kHeap2Visible, my_transaction().current_xid_if_any());
  record.add_main(&body, sizeof body);
  const BufferTag& map_tag = map_page.tag();
  record.add_block({.id = 0,
                    .file = map_tag.file,
                    .fork = map_tag.fork,
                    .block = map_tag.block,
                    .page = map_page.page()});
  const BufferTag& tag = buffer.tag();
  bool hints_in_wal = hints_need_wal();
  uint8_t flags = kWalBlockStandardPage;
  // Without checksums a lost mark is no more than a lost hint: no image, and no new LSN.
  if (!hints_in_wal) flags |= kWalBlockNoImage;
  record.add_block(
      {.id = 1, .file = tag.file, .block = tag.block, .page = buffer.page(), .flags = flags});
  Lsn end = wal_insert(record);
  set_page_lsn(map_page.page(), end);
  if (hints_in_wal) set_page_lsn(buffer.page(), end);
}

}  // namespace

void set_all_visible(Relation& relation, Buffer& buffer, Buffer& map_page, TransactionId cutoff_xid,
                     uint8_t bits) {
  map_page.lock_exclusive();
  CriticalSection critical;
  // The mark on the page first: a map bit without it would be damage.
  set_page_flag(buffer.page(), kPageAllVisible, true);
  buffer.mark_dirty();
  if (set_visibility_bits(map_page.page(), buffer.block(), bits)) {
    map_page.mark_dirty();
    if (relation.needs_wal()) log_visible(buffer, map_page, cutoff_xid, bits);
  }
  critical.end();
  map_page.unlock();
}

bool clear_all_visible(const Relation& relation, const Buffer& buffer, Buffer& map_page) {
  if (!page_is_all_visible(buffer.page())) return false;
  set_page_flag(buffer.page(), kPageAllVisible, false);
  visibility_map_clear(relation.file, buffer.block(), map_page, kVmAllBits);
  return true;
}

}  // namespace cofork
