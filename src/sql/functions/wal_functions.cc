// Functions about the write-ahead log: pg_current_wal_lsn(), pg_switch_wal(), pg_walfile_name() …
// (xlogfuncs.c, 15).
#include "catalog/functions/wrap.h"
#include "sql/functions/session_functions.h"
#include "sql/session.h"
#include "support/error.h"
#include "wal/insert.h"
#include "wal/write.h"

namespace cofork {
namespace {

using namespace type_oid;

int64_t current_wal_lsn(EvalContext&) {
  return static_cast<int64_t>(wal_written().value);
}
int64_t current_wal_insert_lsn(EvalContext&) {
  return static_cast<int64_t>(wal_insert_position().value);
}
int64_t current_wal_flush_lsn(EvalContext&) {
  return static_cast<int64_t>(wal_flushed().value);
}

int64_t switch_wal(EvalContext& context) {
  if (!context.session->is_superuser) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied for function pg_switch_wal");
  }
  return static_cast<int64_t>(wal_switch_segment().value);
}

/// The file the byte before lies in: of a position on a boundary, the file that ends there.
std::string walfile_name(EvalContext&, int64_t lsn) {
  WalShared& wal = wal_shared();
  WalGeometry geometry = wal.geometry();
  return geometry.segment_name(wal.timeline, geometry.segment_before({static_cast<uint64_t>(lsn)}));
}

constexpr BuiltinFunction kFunctions[] = {
    BuiltinFunction{2848, "pg_switch_wal", kPgLsn, {}, fn<switch_wal>}.changing(),
    BuiltinFunction{2849, "pg_current_wal_lsn", kPgLsn, {}, fn<current_wal_lsn>}.changing(),
    BuiltinFunction{2852, "pg_current_wal_insert_lsn", kPgLsn, {}, fn<current_wal_insert_lsn>}
        .changing(),
    BuiltinFunction{3330, "pg_current_wal_flush_lsn", kPgLsn, {}, fn<current_wal_flush_lsn>}
        .changing(),
    {2851, "pg_walfile_name", kText, {kPgLsn}, fn<walfile_name>},
};

}  // namespace

std::span<const BuiltinFunction> wal_functions() {
  return kFunctions;
}

}  // namespace cofork
