// What each record does to a page: pure functions of the record and the bytes. See heap_redo.h.
#include <cstring>

#include "access/heap_change.h"
#include "access/heap_prune.h"
#include "access/heap_redo.h"
#include "access/heap_wal.h"
#include "support/error.h"

namespace cofork {

namespace {

[[noreturn]] void page_does_not_fit(const char* what) {
  throw Error(sqlstate::kDataCorrupted, "{}", what).severity(Severity::kPanic);
}

/// Reads a record's parts from front to end.
class Parts {
 public:
  explicit Parts(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T take() {
    return load_le<T>(take_bytes(sizeof(T)).data());
  }
  std::string_view take_bytes(size_t count) {
    if (bytes_.size() < count) page_does_not_fit("WAL record is too short");
    std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::string_view rest() { return take_bytes(bytes_.size()); }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

template <typename T>
T body_of(const DecodedRecord& record) {
  return Parts(record.main_data).take<T>();
}

struct OnPage {
  const DecodedRecord& record;
  Page page;
  BlockNumber block;
};

HeapTupleHeader& tuple_on_page(Page page, OffsetNumber offset, uint32_t* length = nullptr) {
  if (offset < kFirstOffset || offset > page_item_count(page) ||
      !page_item_id(page, offset).is_normal()) {
    page_does_not_fit("invalid lp");
  }
  ItemId id = page_item_id(page, offset);
  if (length != nullptr) *length = id.length();
  return *reinterpret_cast<HeapTupleHeader*>(page_item(page, id));
}

void forget_xmax(HeapTupleHeader& header) {
  clear_mask(header.infomask, kTupleXmaxBits | kTupleMoved);
}

/// xmax's bits as the record has them (fix_infomask_from_infobits).
void set_xmax_bits(HeapTupleHeader& header, uint8_t bits) {
  clear_mask(header.infomask, kTupleXmaxIsMulti | kTupleXmaxLockOnly | kTupleLockMask);
  clear_mask(header.infomask2, kTupleKeysUpdated);
  if ((bits & kWalXmaxIsMulti) != 0) set_mask(header.infomask, kTupleXmaxIsMulti);
  if ((bits & kWalXmaxLockOnly) != 0) set_mask(header.infomask, kTupleXmaxLockOnly);
  if ((bits & kWalXmaxExclusiveLock) != 0) set_mask(header.infomask, kTupleXmaxExclusiveLock);
  if ((bits & kWalXmaxKeyShareLock) != 0) set_mask(header.infomask, kTupleXmaxKeyShareLock);
  if ((bits & kWalKeysUpdated) != 0) set_mask(header.infomask2, kTupleKeysUpdated);
}

void set_first_command(HeapTupleHeader& header) {
  header.command = kFirstCommandId;
  clear_mask(header.infomask, kTupleComboCommand);
}

/// Room to put a tuple together again.
struct TupleBuilder {
  alignas(8) char bytes[kHeapTupleBytesMax];
  uint32_t length = 0;

  HeapTupleHeader& begin(const WalHeapHeader& from, TransactionId xmin, TransactionId xmax,
                         ItemPointer self) {
    std::memset(bytes, 0, sizeof(HeapTupleHeader));
    auto& header = *reinterpret_cast<HeapTupleHeader*>(bytes);
    header.xmin = xmin;
    header.xmax = xmax;
    header.ctid = self;
    header.infomask2 = from.infomask2;
    header.infomask = from.infomask;
    header.hoff = from.hoff;
    length = kTupleHeaderBytes;
    return header;
  }
  void append(std::string_view part) {
    if (length + part.size() > sizeof bytes) page_does_not_fit("tuple in WAL record is too long");
    if (part.empty()) return;
    std::memcpy(bytes + length, part.data(), part.size());
    length += static_cast<uint32_t>(part.size());
  }
  void put(Page page, OffsetNumber offset) {
    if (page_item_count(page) + 1 < offset) page_does_not_fit("invalid max offset number");
    if (page_add_item(page, bytes, length, offset, kPageAddOverwrite | kPageAddHeap) ==
        kInvalidOffset) {
      page_does_not_fit("failed to add tuple");
    }
  }
};

void apply_insert(const OnPage& at, const DecodedBlock& block) {
  auto body = body_of<WalHeapInsert>(at.record);
  Parts data(block.data);
  auto header = data.take<WalHeapHeader>();
  TupleBuilder tuple;
  tuple.begin(header, at.record.header.xid, kInvalidXid, {at.block, body.offset});
  tuple.append(data.rest());
  tuple.put(at.page, body.offset);
  if ((body.flags & kWalInsertAllVisibleCleared) != 0) {
    set_page_flag(at.page, kPageAllVisible, false);
  }
  if ((body.flags & kWalInsertAllFrozenSet) != 0) set_page_flag(at.page, kPageAllVisible, true);
}

void apply_delete(const OnPage& at) {
  auto body = body_of<WalHeapDelete>(at.record);
  HeapTupleHeader& header = tuple_on_page(at.page, body.offset);
  forget_xmax(header);
  clear_mask(header.infomask2, kTupleHotUpdated);
  set_xmax_bits(header, body.xmax_bits);
  if ((body.flags & kWalDeleteIsSuper) != 0) {
    header.xmin = kInvalidXid;
  } else {
    header.xmax = body.xmax;
  }
  set_first_command(header);
  mark_prunable(at.page, at.record.header.xid);
  if ((body.flags & kWalDeleteAllVisibleCleared) != 0) {
    set_page_flag(at.page, kPageAllVisible, false);
  }
  if ((body.flags & kWalDeleteIsPartitionMove) != 0) {
    header.set_moved_to_other_partition();
  } else {
    header.ctid = {at.block, body.offset};
  }
}

void apply_update_old(const OnPage& at, const WalHeapUpdate& body, BlockNumber new_block) {
  HeapTupleHeader& header = tuple_on_page(at.page, body.old_offset);
  bool hot = (at.record.header.info & kHeapOperationMask) == kHeapHotUpdate;
  forget_xmax(header);
  clear_mask(header.infomask2, kTupleHotUpdated);
  if (hot) set_mask(header.infomask2, kTupleHotUpdated);
  set_xmax_bits(header, body.old_xmax_bits);
  header.xmax = body.old_xmax;
  set_first_command(header);
  header.ctid = {new_block, body.new_offset};
  mark_prunable(at.page, at.record.header.xid);
  if ((body.flags & kWalUpdateOldAllVisibleCleared) != 0) {
    set_page_flag(at.page, kPageAllVisible, false);
  }
}

void apply_update_new(const OnPage& at, const WalHeapUpdate& body, const DecodedBlock& block) {
  Parts data(block.data);
  uint16_t prefix = 0;
  uint16_t suffix = 0;
  if ((body.flags & kWalUpdatePrefixFromOld) != 0) prefix = data.take<uint16_t>();
  if ((body.flags & kWalUpdateSuffixFromOld) != 0) suffix = data.take<uint16_t>();
  auto from = data.take<WalHeapHeader>();
  std::string_view old_data;
  if (prefix > 0 || suffix > 0) {
    uint32_t old_length;
    const HeapTupleHeader& old = tuple_on_page(at.page, body.old_offset, &old_length);
    old_data = {old.bytes() + old.hoff, old_length - old.hoff};
    if (old_data.size() < prefix || old_data.size() < suffix) page_does_not_fit("invalid lp");
  }
  TupleBuilder tuple;
  tuple.begin(from, at.record.header.xid, body.new_xmax, {at.block, body.new_offset});
  tuple.append(data.take_bytes(from.hoff - kTupleHeaderBytes));
  tuple.append(old_data.substr(0, prefix));
  tuple.append(data.rest());
  tuple.append(old_data.substr(old_data.size() - suffix));
  tuple.put(at.page, body.new_offset);
  if ((body.flags & kWalUpdateNewAllVisibleCleared) != 0) {
    set_page_flag(at.page, kPageAllVisible, false);
  }
}

/// Block 0 has the new version; the old one is there too unless the record has a block 1.
void apply_update(const OnPage& at, int block_id) {
  auto body = body_of<WalHeapUpdate>(at.record);
  const DecodedBlock& new_block = at.record.blocks[0];
  bool same_page = at.record.block_id_max < 1 || !at.record.blocks[1].in_use;
  if (block_id == 1 || same_page) apply_update_old(at, body, new_block.block);
  if (block_id == 0) apply_update_new(at, body, new_block);
}

void apply_lock(const OnPage& at) {
  auto body = body_of<WalHeapLock>(at.record);
  HeapTupleHeader& header = tuple_on_page(at.page, body.offset);
  forget_xmax(header);
  set_xmax_bits(header, body.xmax_bits);
  if (header.mask_is_only_locked()) {
    clear_mask(header.infomask2, kTupleHotUpdated);
    header.ctid = {at.block, body.offset};
  }
  header.xmax = body.xmax;
  set_first_command(header);
}

void apply_lock_updated(const OnPage& at) {
  auto body = body_of<WalLockUpdated>(at.record);
  HeapTupleHeader& header = tuple_on_page(at.page, body.offset);
  forget_xmax(header);
  set_xmax_bits(header, body.xmax_bits);
  header.xmax = body.xmax;
}

void apply_confirm(const OnPage& at) {
  auto body = body_of<WalHeapConfirm>(at.record);
  tuple_on_page(at.page, body.offset).ctid = {at.block, body.offset};
}

void apply_inplace(const OnPage& at, const DecodedBlock& block) {
  auto body = body_of<WalHeapInplace>(at.record);
  uint32_t length;
  HeapTupleHeader& header = tuple_on_page(at.page, body.offset, &length);
  if (length - header.hoff != block.data.size()) page_does_not_fit("wrong tuple length");
  std::memcpy(header.bytes() + header.hoff, block.data.data(), block.data.size());
}

void apply_multi_insert(const OnPage& at, const DecodedBlock& block) {
  Parts main(at.record.main_data);
  auto body = main.take<WalHeapMultiInsert>();
  bool new_page = (at.record.header.info & kHeapInitPage) != 0;
  Parts data(block.data);
  for (uint16_t i = 0; i < body.tuples; ++i) {
    auto offset = new_page ? static_cast<OffsetNumber>(kFirstOffset + i) : main.take<uint16_t>();
    if (((block.data.size() - data.left()) & 1) != 0) data.take_bytes(1);
    auto from = data.take<WalMultiInsertTuple>();
    TupleBuilder tuple;
    tuple.begin({from.infomask2, from.infomask, from.hoff}, at.record.header.xid, kInvalidXid,
                {at.block, offset});
    tuple.append(data.take_bytes(from.data_bytes));
    tuple.put(at.page, offset);
  }
  if (data.left() != 0) page_does_not_fit("total tuple length mismatch");
  if ((body.flags & kWalInsertAllVisibleCleared) != 0) {
    set_page_flag(at.page, kPageAllVisible, false);
  }
  if ((body.flags & kWalInsertAllFrozenSet) != 0) set_page_flag(at.page, kPageAllVisible, true);
}

/// Lists of offsets in block data, copied to where they are aligned.
struct OffsetList {
  OffsetNumber items[kPageBytes / sizeof(OffsetNumber)];
  size_t count;

  explicit OffsetList(std::string_view data) : count(data.size() / sizeof(OffsetNumber)) {
    if (data.size() > sizeof items) page_does_not_fit("WAL record is too long");
    std::memcpy(items, data.data(), count * sizeof(OffsetNumber));
  }
  std::span<const OffsetNumber> slice(size_t first, size_t length) const {
    if (first + length > count) page_does_not_fit("WAL record is too short");
    return {items + first, length};
  }
};

void apply_prune_record(const OnPage& at, const DecodedBlock& block) {
  auto body = body_of<WalHeapPrune>(at.record);
  OffsetList list(block.data);
  size_t pairs = size_t{body.redirected} * 2;
  apply_prune(at.page, list.slice(0, pairs), list.slice(pairs, body.dead),
              list.slice(pairs + body.dead, list.count - pairs - body.dead));
}

void apply_vacuum(const OnPage& at, const DecodedBlock& block) {
  OffsetList list(block.data);
  for (OffsetNumber offset : list.slice(0, list.count)) page_item_id(at.page, offset).set_unused();
  page_truncate_item_ids(at.page);
}

void apply_freeze_page(const OnPage& at, const DecodedBlock& block) {
  auto body = body_of<WalFreezePage>(at.record);
  Parts data(block.data);
  for (uint16_t i = 0; i < body.tuples; ++i) {
    auto plan = data.take<FreezePlan>();
    HeapTupleHeader& header = tuple_on_page(at.page, plan.offset);
    header.xmax = plan.xmax;
    header.infomask = plan.infomask;
    header.infomask2 = plan.infomask2;
  }
}

void apply_heap(const OnPage& at, const DecodedBlock& block, int block_id) {
  switch (at.record.header.info & kHeapOperationMask) {
    case kHeapInsert:
      return apply_insert(at, block);
    case kHeapDelete:
      return apply_delete(at);
    case kHeapUpdate:
    case kHeapHotUpdate:
      return apply_update(at, block_id);
    case kHeapConfirm:
      return apply_confirm(at);
    case kHeapLock:
      return apply_lock(at);
    case kHeapInplace:
      return apply_inplace(at, block);
    default:
      throw Error(sqlstate::kInternalError, "heap_redo: unknown op code {}", at.record.header.info)
          .severity(Severity::kPanic);
  }
}

void apply_heap2(const OnPage& at, const DecodedBlock& block) {
  switch (at.record.header.info & kHeapOperationMask) {
    case kHeap2Prune:
      return apply_prune_record(at, block);
    case kHeap2Vacuum:
      return apply_vacuum(at, block);
    case kHeap2FreezePage:
      return apply_freeze_page(at, block);
    case kHeap2Visible:
      return set_page_flag(at.page, kPageAllVisible, true);
    case kHeap2MultiInsert:
      return apply_multi_insert(at, block);
    case kHeap2LockUpdated:
      return apply_lock_updated(at);
    default:
      throw Error(sqlstate::kInternalError, "heap2_redo: unknown op code {}", at.record.header.info)
          .severity(Severity::kPanic);
  }
}

}  // namespace

void apply_heap_record(const DecodedRecord& record, int block_id, Page page) {
  const DecodedBlock& block = record.blocks[static_cast<size_t>(block_id)];
  if (block.will_init) page_init(page, 0);
  OnPage at{record, page, block.block};
  if (record.header.resource_manager == kManagerHeap) return apply_heap(at, block, block_id);
  apply_heap2(at, block);
}

}  // namespace cofork
