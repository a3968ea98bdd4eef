// See type_layout.h. Operator classes: pg_opclass.dat of PostgreSQL 15, the defaults for btree.
#include "catalog/type_layout.h"

#include <algorithm>

#include "catalog/array_element.h"
#include "catalog/opclasses.h"

namespace cofork {

using namespace type_oid;

namespace {

constexpr Opclass kOpclasses[] = {
    {kBool, 10003, 424, "bool_ops"},
    {kBytea, 10006, 428, "bytea_ops"},
    {kChar, 10007, 429, "char_ops"},
    {kName, 10028, 1994, "name_ops"},
    {kInt8, 3124, 1976, "int8_ops"},
    {kInt2, 1979, 1976, "int2_ops"},
    {kInt4, 1978, 1976, "int4_ops"},
    {kText, 3126, 1994, "text_ops"},
    {kVarchar, 3126, 1994, "text_ops"},
    {kOid, 1981, 1989, "oid_ops"},
    {kTid, 10050, 2789, "tid_ops"},
    {kOidVector, 10032, 1991, "oidvector_ops"},
    {kFloat4, 10012, 1970, "float4_ops"},
    {kFloat8, 3123, 1970, "float8_ops"},
    {kInet, 10015, 1974, "inet_ops"},
    {kCidr, 10015, 1974, "inet_ops"},
    {kBpchar, 10004, 426, "bpchar_ops"},
    {kDate, 3122, 434, "date_ops"},
    {kTime, 10038, 1996, "time_ops"},
    {kTimestamp, 3128, 434, "timestamp_ops"},
    {kTimestampTz, 3127, 434, "timestamptz_ops"},
    {kInterval, 10022, 1982, "interval_ops"},
    {kTimeTz, 10041, 2000, "timetz_ops"},
    {kBit, 10002, 423, "bit_ops"},
    {kVarbit, 10043, 2002, "varbit_ops"},
    {kNumeric, 3125, 1988, "numeric_ops"},
    {kRecord, 10034, 2994, "record_ops"},
    {kAnyArray, 10000, 397, "array_ops"},
    {kUuid, 10065, 2968, "uuid_ops"},
    {kPgLsn, 10067, 3253, "pg_lsn_ops"},
    {kJsonb, 10088, 4033, "jsonb_ops"},
    {kXid8, 10053, 5067, "xid8_ops"},
    {kRegclass, 1981, 1989, "oid_ops"},
    {kRegtype, 1981, 1989, "oid_ops"},
    {kRegproc, 1981, 1989, "oid_ops"},
};

const BuiltinType& type_of(Oid oid) {
  return element_type_of(oid);
}

}  // namespace

std::span<const Opclass> btree_opclasses() {
  return kOpclasses;
}

char type_storage(const BuiltinType& type) {
  if (type.length != -1 || type.oid == kInt2Vector || type.oid == kOidVector) return 'p';
  if (type.oid == kNumeric || type.oid == kInet || type.oid == kCidr) return 'm';
  return 'x';
}

Oid type_collation(const BuiltinType& type) {
  constexpr Oid kDefault = 100, kC = 950;
  if (type.oid == kName) return kC;
  if (type.oid == kText || type.oid == kVarchar || type.oid == kBpchar || type.oid == kPgNodeTree) {
    return kDefault;
  }
  bool has_elements = type.is_array() && type.element_oid != kInvalidOid;
  return has_elements ? type_collation(type_of(type.element_oid)) : kInvalidOid;
}

Attribute attribute_of(Oid type, int32_t typmod, bool not_null) {
  const BuiltinType& builtin = type_of(type);
  Attribute attribute;
  attribute.type = type;
  attribute.length = builtin.length;
  attribute.by_value = builtin.by_value;
  attribute.align = builtin.align;
  attribute.storage = type_storage(builtin);
  attribute.not_null = not_null;
  attribute.typmod = typmod;
  return attribute;
}

Attribute index_attribute_of(Oid type) {
  return attribute_of(type == kName ? kCstring : type, -1, false);
}

Oid default_opclass(Oid type) {
  for (const Opclass& opclass : kOpclasses) {
    if (opclass.type == type) return opclass.oid;
  }
  const BuiltinType* builtin = find_type(type);
  return builtin != nullptr && builtin->is_array() ? default_opclass(kAnyArray) : kInvalidOid;
}

const char* opclass_name(Oid oid) {
  for (const Opclass& opclass : kOpclasses) {
    if (opclass.oid == oid) return opclass.name;
  }
  return "";
}

}  // namespace cofork
