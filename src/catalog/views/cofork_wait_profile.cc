// cofork_wait_profile: how often the wait sampler has seen tasks of each kind waiting for what.
// Empty unless cofork.wait_sampling_interval is set. A wait_event of NULL: running, or ready to
// run.
#include "shmem/wait_profile.h"

#include "catalog/views/list.h"
#include "model/wait_event.h"
#include "shmem/lwlock.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"backend_type", kText},
    {"wait_event_type", kText},
    {"wait_event", kText},
    {"count", kInt8},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  ViewRow row(*context.arena);
  for (const WaitProfileRow& seen : read_wait_profile()) {
    row.text(backend_type_name(seen.type));
    if (seen.wait_event_info == 0) {
      row.null().null();
    } else {
      row.text(wait_class_name(seen.wait_event_info));
      row.text(full_wait_event_name(seen.wait_event_info));
    }
    row.int8(static_cast<int64_t>(seen.seen)).emit(sink);
  }
}

}  // namespace

/// An oid PostgreSQL 15 gives to nothing.
const BuiltinView kCoforkWaitProfile{9990, "cofork_wait_profile", kColumns, emit};

}  // namespace cofork
