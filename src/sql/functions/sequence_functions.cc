// nextval, currval, lastval, setval, and the sequence behind a serial column (sequence.c, 15).
#include "catalog/sequence.h"

#include "catalog/functions/wrap.h"
#include "catalog/names.h"
#include "sql/functions/session_functions.h"
#include "support/error.h"

namespace cofork {

using namespace type_oid;

namespace {

Datum nextval(FunctionCall& call) {
  return datum_from_int64(sequence_next(datum_to_oid(call.args[0])));
}

Datum currval(FunctionCall& call) {
  return datum_from_int64(sequence_current(datum_to_oid(call.args[0])));
}

Datum lastval(FunctionCall&) {
  return datum_from_int64(sequence_last());
}

Datum setval(FunctionCall& call) {
  bool is_called = call.count < 3 || datum_to_bool(call.args[2]);
  sequence_set(datum_to_oid(call.args[0]), datum_to_int64(call.args[1]), is_called);
  return call.args[1];
}

Datum serial_sequence(FunctionCall& call) {
  // The first argument is a name as one would write it, the second the bare column.
  std::string_view table = varlena_view(call.args[0]);
  std::string_view column = varlena_view(call.args[1]);
  const BuiltinType& regclass = *find_type(kRegclass);
  Oid oid = datum_to_oid(regclass.from_text(call.context, table));
  RelationDesc& relation = open_relation(oid, LockMode::kAccessShare);
  const ColumnDesc* found = relation.find_column(column);
  if (found == nullptr) {
    throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                column, relation.name);
  }
  Oid sequence = sequence_of_column(oid, found->number);
  std::optional<RelationKey> key = relation_key(sequence);
  if (sequence == kInvalidOid || !key) return call.null();
  return varlena_from(call.arena(), qualified_name(namespace_name(key->schema), key->name));
}

constexpr BuiltinFunction kSequenceFunctions[] = {
    BuiltinFunction{1574, "nextval", kInt8, {kRegclass}, nextval}.changing(),
    BuiltinFunction{1575, "currval", kInt8, {kRegclass}, currval}.changing(),
    BuiltinFunction{2559, "lastval", kInt8, {}, lastval}.changing(),
    BuiltinFunction{1576, "setval", kInt8, {kRegclass, kInt8}, setval}.changing(),
    BuiltinFunction{1765, "setval", kInt8, {kRegclass, kInt8, kBool}, setval}.changing(),
    BuiltinFunction{1665, "pg_get_serial_sequence", kText, {kText, kText}, serial_sequence}
        .stable(),
};

}  // namespace

std::span<const BuiltinFunction> sequence_functions() {
  return kSequenceFunctions;
}

}  // namespace cofork
