// Room for a tuple: choosing the page it goes to, and putting it there (hio.c, 15).
//
// Tried in this order: the page the caller filled last, what the free space map suggests, the last
// page, a new page at the end. A new page is made under the relation's extension lock; when others
// wait for that lock too, a few more are made and entered into the free space map, so that they
// need not queue one after the other (RelationAddExtraBlocks). Inside access/.
#pragma once

#include "access/heap.h"

namespace cofork {

/// Pins of visibility map pages that a change will need.
struct MapPins {
  Buffer page;   ///< for the page that is returned
  Buffer other;  ///< for the page the caller has
};

/// A page with room for `bytes`, pinned and exclusively locked; fillfactor is respected. If it is
/// all-visible, or `options` has kInsertFrozen and it is new, pins.page covers it.
/// Throws 54000 "row is too big: size %zu, maximum size %zu".
Buffer page_for_tuple(Relation& relation, uint32_t bytes, uint32_t options, BulkInsert* bulk,
                      Buffer& map_page);
/// For an update that does not fit its page: `old` is pinned, not locked. Afterwards both are
/// locked, in ascending order, and the maps of both are pinned where they are all-visible. Returns
/// an empty Buffer when there is room on `old` itself by now.
Buffer page_for_update(Relation& relation, uint32_t bytes, Buffer& old, MapPins& pins);

/// Puts a tuple on a page that has room, and sets tuple.self and its ctid
/// (RelationPutHeapTuple). In a critical section: no room is a PANIC.
void put_tuple(const Buffer& buffer, HeapTuple& tuple);

/// Throws "row is too big: …" if a tuple could never fit: 54000; of a system catalog 0A000, as
/// PostgreSQL would move its values out of line.
void check_tuple_size(const Relation& relation, uint32_t bytes);

/// Bytes a page keeps free for updates.
inline uint32_t reserved_bytes(const Relation& relation) {
  return kPageBytes * static_cast<uint32_t>(100 - relation.fillfactor) / 100;
}

/// Clears an all-visible page's mark and its bits in the map. The page is exclusively locked and
/// its map page pinned; in a critical section. True if there was anything to clear.
bool clear_all_visible(const Relation& relation, const Buffer& buffer, Buffer& map_page);

/// Marks the page all-visible in the map, and itself, with a WAL record; it is exclusively locked,
/// `map_page` covers it. (visibilitymap_set)
void set_all_visible(Relation& relation, Buffer& buffer, Buffer& map_page, TransactionId cutoff_xid,
                     uint8_t bits);

}  // namespace cofork
