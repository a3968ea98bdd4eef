// How values of a type lie in rows and in index entries (what pg_type says, put together for the
// access floor).
#pragma once

#include "access/tuple.h"
#include "catalog/builtin.h"

namespace cofork {

/// pg_type.typstorage: 'p' for what has a fixed length, 'm' for numbers and addresses, else 'x'.
char type_storage(const BuiltinType& type);
/// pg_type.typcollation: 100 for text types, 950 ("C") for name, else 0.
Oid type_collation(const BuiltinType& type);

/// A column of a table. Throws 42704 for an oid that is no type.
Attribute attribute_of(Oid type, int32_t typmod, bool not_null);
/// A column of an index over a column of this type: name is stored as a C string there.
Attribute index_attribute_of(Oid type);

/// The default B-tree operator class of a type, as pg_opclass numbers it; 0: it has none.
Oid default_opclass(Oid type);
/// "int4_ops" …; "" for an oid that is none of them.
const char* opclass_name(Oid opclass);

}  // namespace cofork
