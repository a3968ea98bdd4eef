// pg_buffercache: what is in each shared buffer (the view of PostgreSQL's extension of that name,
// 1.3). Each row is true by itself; no two need be of the same moment.
#include "catalog/views/list.h"
#include "shmem/segment.h"
#include "storage/buffer_pool.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kColumns[] = {
    {"bufferid", kInt4},   {"relfilenode", kOid},    {"reltablespace", kOid},
    {"reldatabase", kOid}, {"relforknumber", kInt2}, {"relblocknumber", kInt8},
    {"isdirty", kBool},    {"usagecount", kInt2},    {"pinning_backends", kInt4},
};

void emit(EvalContext& context, const Viewer&, ViewSink& sink) {
  ViewRow row(*context.arena);
  int32_t count = shared_memory().limits().shared_buffers;
  for (int32_t id = 1; id <= count; ++id) {
    BufferRow buffer = buffer_row(id);
    row.int4(id);
    if (buffer.has_tag) {
      const BufferTag& tag = buffer.tag;
      row.oid(tag.file.number).oid(tag.file.tablespace).oid(tag.file.database);
      row.int2(static_cast<int16_t>(tag.fork)).int8(tag.block).boolean(buffer.dirty);
      row.int2(static_cast<int16_t>(buffer.usage_count)).int4(buffer.pins);
    } else {
      for (size_t column = 1; column < std::size(kColumns); ++column) row.null();
    }
    row.emit(sink);
  }
}

}  // namespace

/// An oid PostgreSQL 15 gives to nothing.
const BuiltinView kPgBuffercache{9991, "pg_buffercache", kColumns, emit};

}  // namespace cofork
