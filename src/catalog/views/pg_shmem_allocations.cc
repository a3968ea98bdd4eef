// pg_shmem_allocations: the map of the shared memory segment (pg_get_shmem_allocations in shmem.c).
#include "catalog/views/list.h"
#include "shmem/segment.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"name", kText},
    {"off", kInt8},
    {"size", kInt8},
    {"allocated_size", kInt8},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  const SegmentHeader& header = shared_memory().header();
  uint64_t named = 0;
  auto number = [](uint64_t v) { return static_cast<int64_t>(v); };
  for (const AreaInfo& area : shared_memory().areas()) {
    ViewRow row(*context.arena);
    row.text(area.name).int8(number(area.offset)).int8(number(area.size));
    row.int8(number(area.allocated_size)).emit(sink);
    named += area.allocated_size;
  }
  // What was taken without a name, then what is still free: as PostgreSQL lists them.
  uint64_t anonymous = header.free_offset - named;
  ViewRow row(*context.arena);
  row.text("<anonymous>").null().int8(number(anonymous)).int8(number(anonymous)).emit(sink);
  uint64_t unused = header.total_size - header.free_offset;
  row.null().int8(number(header.free_offset)).int8(number(unused)).int8(number(unused)).emit(sink);
}

}  // namespace

const BuiltinView kPgShmemAllocations{12134, "pg_shmem_allocations", kColumns, emit, false};

}  // namespace cofork
