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
  auto number = [](uint64_t v) { return static_cast<int64_t>(v); };
  ViewRow row(*context.arena);
  for (const AllocationRow& area : segment_allocations(shared_memory())) {
    area.has_name ? row.text(area.name) : row.null();
    area.has_offset ? row.int8(number(area.offset)) : row.null();
    row.int8(number(area.size)).int8(number(area.allocated_size)).emit(sink);
  }
}

}  // namespace

const BuiltinView kPgShmemAllocations{12134, "pg_shmem_allocations", kColumns, emit, false};

}  // namespace cofork
