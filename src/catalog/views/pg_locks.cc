// pg_locks: every lock that is held or waited for (pg_lock_status in lockfuncs.c, 15).
#include "catalog/views/list.h"
#include "txn/lock_manager.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"locktype", kText},
    {"database", kOid},
    {"relation", kOid},
    {"page", kInt4},
    {"tuple", kInt2},
    {"virtualxid", kText},
    {"transactionid", kXid},
    {"classid", kOid},
    {"objid", kOid},
    {"objsubid", kInt2},
    {"virtualtransaction", kText},
    {"pid", kInt4},
    {"mode", kText},
    {"granted", kBool},
    {"fastpath", kBool},
    {"waitstart", kTimestampTz},
};

void nulls(ViewRow& row, int count) {
  for (int i = 0; i < count; ++i) row.null();
}

/// database … objsubid: which of the nine columns say something depends on the kind.
void tag_columns(ViewRow& row, const LockTag& tag) {
  switch (tag.type) {
    case LockTagType::kRelation:
    case LockTagType::kRelationExtend:
      row.oid(tag.field1).oid(tag.field2);
      return nulls(row, 7);
    case LockTagType::kDatabaseFrozenIds:
      row.oid(tag.field1);
      return nulls(row, 8);
    case LockTagType::kPage:
      row.oid(tag.field1).oid(tag.field2).int4(static_cast<int32_t>(tag.field3));
      return nulls(row, 6);
    case LockTagType::kTuple:
      row.oid(tag.field1).oid(tag.field2).int4(static_cast<int32_t>(tag.field3));
      row.int2(static_cast<int16_t>(tag.field4));
      return nulls(row, 5);
    case LockTagType::kTransaction:
      nulls(row, 5);
      row.datum(datum_from_oid(tag.field1));
      return nulls(row, 3);
    case LockTagType::kVirtualTransaction:
      nulls(row, 4);
      row.text(fmt::format("{}/{}", static_cast<int32_t>(tag.field1), tag.field2));
      return nulls(row, 4);
    case LockTagType::kSpeculativeToken:
      nulls(row, 5);
      row.datum(datum_from_oid(tag.field1)).null().oid(tag.field2).null();
      return;
    case LockTagType::kObject:
    case LockTagType::kUserLock:
    case LockTagType::kAdvisory:
      row.oid(tag.field1);
      nulls(row, 5);
      row.oid(tag.field2).oid(tag.field3).int2(static_cast<int16_t>(tag.field4));
      return;
  }
}

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  ViewRow row(*context.arena);
  for (const LockRow& lock : read_locks()) {
    row.text(lock_tag_type_name(lock.tag.type));
    tag_columns(row, lock.tag);
    row.text(fmt::format("{}/{}", lock.holder.backend, lock.holder.local));
    lock.pid != 0 ? row.int4(lock.pid) : row.null();
    row.text(lock_mode_name(lock.mode)).boolean(lock.granted).boolean(lock.fast_path);
    row.timestamptz(lock.wait_start).emit(sink);
  }
}

}  // namespace

const BuiltinView kPgLocks{12073, "pg_locks", kColumns, emit};

}  // namespace cofork
