// pg_stat_bgwriter: what the checkpointer and the background writer have counted, and what others
// had to write themselves.
#include "catalog/views/list.h"
#include "shmem/segment.h"
#include "shmem/stats.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"checkpoints_timed", kInt8},       {"checkpoints_req", kInt8},
    {"checkpoint_write_time", kFloat8}, {"checkpoint_sync_time", kFloat8},
    {"buffers_checkpoint", kInt8},      {"buffers_clean", kInt8},
    {"maxwritten_clean", kInt8},        {"buffers_backend", kInt8},
    {"buffers_backend_fsync", kInt8},   {"buffers_alloc", kInt8},
    {"stats_reset", kTimestampTz},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  const CheckpointerStats& stats = shared_memory().area<SharedStats>().checkpointer;
  ViewRow row(*context.arena);
  row.int8(stats.timed_checkpoints.load()).int8(stats.requested_checkpoints.load());
  row.float8(static_cast<double>(stats.write_time_ms.load()));
  row.float8(static_cast<double>(stats.sync_time_ms.load()));
  row.int8(stats.buffers_written.load()).int8(stats.buffers_clean.load());
  row.int8(stats.maximum_reached.load()).int8(stats.backend_writes.load());
  row.int8(stats.backend_syncs.load()).int8(stats.buffers_allocated.load());
  row.timestamptz(stats.reset_at.load()).emit(sink);
}

}  // namespace

const BuiltinView kPgStatBgwriter{12289, "pg_stat_bgwriter", kColumns, emit};

}  // namespace cofork
