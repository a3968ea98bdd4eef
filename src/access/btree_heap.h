// HeapBehindIndex: a heap as what a B-tree's unique checks and clean-ups ask (see IndexedTable).
#pragma once

#include "access/btree.h"
#include "access/heap.h"

namespace cofork {

class HeapBehindIndex : public IndexedTable {
 public:
  explicit HeapBehindIndex(Relation& heap)
      : heap_(heap),
        fetch_(heap),
        dirty_(snapshot_of(SnapshotKind::kDirty)),
        self_(snapshot_of(SnapshotKind::kSelf)) {}

  Row look_at(const ItemPointer& tid) override;
  bool is_alive(const ItemPointer& tid) override;
  TransactionId latest_removed_xid(std::span<const ItemPointer> tids) override;

 private:
  Relation& heap_;
  HeapIndexFetch fetch_;
  Snapshot dirty_;
  Snapshot self_;
};

}  // namespace cofork
