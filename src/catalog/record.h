// Row values: what ROW(1, 'a') makes, a varlena of type record. Fields carry their types, so that a
// record can be written and compared without a catalog of row types.
//
//   varlena header, int32 fields, then for each: oid type, int32 bytes (-1: NULL), padding to 8,
//   value
#pragma once

#include <span>

#include "catalog/builtin.h"

namespace cofork {

Datum build_record(Arena& arena, std::span<const BuiltinType* const> types, const Datum* values,
                   const bool* nulls);
/// "(1,\"a b\",)", as record_out in rowtypes.c.
void record_to_text(EvalContext& context, Datum record, std::string& text);
/// As record_send.
void record_to_binary(EvalContext& context, Datum record, std::string& bytes);
/// Field by field, NULLs last; 42804 when a field's types differ.
int compare_records(Datum a, Datum b);
uint64_t hash_record(Datum record);

}  // namespace cofork
