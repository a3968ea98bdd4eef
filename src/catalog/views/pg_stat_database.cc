// pg_stat_database: what sessions have counted for each database, and a row for what belongs to
// none (system_views.sql and pgstatfuncs.c, 15). Blocks, tuples and temporary files are counted
// where there are tables; until then nothing of the kind happens, and the columns are zero.
#include <map>

#include "catalog/shared_objects.h"
#include "catalog/views/list.h"
#include "shmem/backend_status.h"
#include "shmem/stats.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"datid", kOid},
    {"datname", kName},
    {"numbackends", kInt4},
    {"xact_commit", kInt8},
    {"xact_rollback", kInt8},
    {"blks_read", kInt8},
    {"blks_hit", kInt8},
    {"tup_returned", kInt8},
    {"tup_fetched", kInt8},
    {"tup_inserted", kInt8},
    {"tup_updated", kInt8},
    {"tup_deleted", kInt8},
    {"conflicts", kInt8},
    {"temp_files", kInt8},
    {"temp_bytes", kInt8},
    {"deadlocks", kInt8},
    {"checksum_failures", kInt8},
    {"checksum_last_failure", kTimestampTz},
    {"blk_read_time", kFloat8},
    {"blk_write_time", kFloat8},
    {"session_time", kFloat8},
    {"active_time", kFloat8},
    {"idle_in_transaction_time", kFloat8},
    {"sessions", kInt8},
    {"sessions_abandoned", kInt8},
    {"sessions_fatal", kInt8},
    {"sessions_killed", kInt8},
    {"stats_reset", kTimestampTz},
};

double milliseconds(const StatCounter& microseconds) {
  return static_cast<double>(microseconds.load(std::memory_order_relaxed)) / 1000;
}

void emit_row(ViewRow& row, const DatabaseStats* found, int numbackends, ViewSink& sink) {
  static const DatabaseStats nothing{};
  const DatabaseStats& stats = found != nullptr ? *found : nothing;
  row.int4(numbackends).int8(stats.commits).int8(stats.rollbacks);
  row.int8(stats.blocks_read).int8(stats.blocks_hit);
  for (int i = 0; i < 5; ++i) row.null();  // tup_returned … tup_deleted: nobody counts them
  row.int8(0);                             // conflicts: there is no standby
  row.null().null();                       // temp_files, temp_bytes: likewise not counted
  row.int8(stats.deadlocks);
  row.null().null();  // checksum_failures, checksum_last_failure: failures are only logged
  row.float8(0).float8(0);
  row.float8(milliseconds(stats.session_time_us)).float8(milliseconds(stats.active_time_us));
  row.float8(milliseconds(stats.idle_in_transaction_time_us));
  row.int8(stats.sessions).int8(stats.sessions_abandoned).int8(stats.sessions_fatal);
  row.int8(stats.sessions_killed).timestamptz(stats.reset_at).emit(sink);
}

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  std::map<uint32_t, int> connected;
  for (const StatusRow& status : read_backend_status()) ++connected[status.fields.database_id];
  ViewRow row(*context.arena);
  row.oid(0).null();
  emit_row(row, nullptr, 0, sink);
  for (const DatabaseDesc& database : all_databases()) {
    row.oid(database.oid).name(database.name);
    emit_row(row, database_stats(database.oid), connected[database.oid], sink);
  }
}

}  // namespace

const BuiltinView kPgStatDatabase{12266, "pg_stat_database", kColumns, emit};

}  // namespace cofork
