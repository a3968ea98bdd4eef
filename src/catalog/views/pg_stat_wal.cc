// pg_stat_wal: what all tasks together have written to the log (pg_stat_get_wal in pgstatfuncs.c,
// 15).
#include "catalog/views/list.h"
#include "shmem/segment.h"
#include "shmem/stats.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"wal_records", kInt8},      {"wal_fpi", kInt8},         {"wal_bytes", kNumeric},
    {"wal_buffers_full", kInt8}, {"wal_write", kInt8},       {"wal_sync", kInt8},
    {"wal_write_time", kFloat8}, {"wal_sync_time", kFloat8}, {"stats_reset", kTimestampTz},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  const WalStats& stats = shared_memory().area<SharedStats>().wal;
  ViewRow row(*context.arena);
  row.int8(stats.records).int8(stats.full_page_images);
  row.datum(find_type(kNumeric)->from_text(context, std::to_string(stats.bytes.load())));
  row.int8(stats.buffers_full).int8(stats.writes).int8(stats.syncs);
  row.float8(static_cast<double>(stats.write_time_us) / 1000);
  row.float8(static_cast<double>(stats.sync_time_us) / 1000);
  row.timestamptz(stats.reset_at).emit(sink);
}

}  // namespace

const BuiltinView kPgStatWal{12293, "pg_stat_wal", kColumns, emit};

}  // namespace cofork
