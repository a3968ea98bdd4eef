// Doing B-tree records again (btree_redo in nbtxlog.c, 15). Nobody looks at the tree meanwhile, so
// the pages of a record are done one after another.
#include "access/btree.h"
#include "access/btree_records.h"
#include "access/redo_page.h"

namespace cofork {

void btree_redo(const DecodedRecord& record) {
  // VACUUM had every scan let go of the page before it removed entries; so does its redo.
  bool cleanup = record.own_info() == kBtreeVacuum;
  for (int id = 0; id <= record.block_id_max; ++id) {
    if (!record.blocks[static_cast<size_t>(id)].in_use) continue;
    Buffer buffer;
    if (redo_page(record, static_cast<uint8_t>(id), buffer, cleanup) != RedoAction::kApply) {
      continue;
    }
    apply_btree_record(record, id, buffer.page());
    redo_changed(record, buffer);
  }
}

}  // namespace cofork
