// See catalog_rows.h.
#include "catalog/catalog_rows.h"

#include <algorithm>

#include "catalog/builtin.h"
#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_attribute.h"
#include "catalog/system/pg_class.h"
#include "catalog/system/pg_index.h"
#include "catalog/system/pg_type.h"
#include "catalog/type_layout.h"

namespace cofork {

using namespace type_oid;

// --- pg_class

void insert_class_row(const ClassFields& fields, uint32_t options) {
  using namespace pg_class;
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(pg_class::oid, fields.oid)
      .set_name(relname, fields.name)
      .set_oid(relnamespace, fields.schema)
      .set_oid(reltype, fields.row_type)
      .set_oid(reloftype, kInvalidOid)
      .set_oid(relowner, fields.owner)
      .set_oid(relam, fields.access_method)
      .set_oid(relfilenode, fields.file_number)
      .set_oid(reltablespace, fields.tablespace)
      .set_int4(relpages, 0)
      .set_float4(reltuples, fields.tuples)
      .set_int4(relallvisible, 0)
      .set_oid(reltoastrelid, fields.toast)
      .set_bool(relhasindex, fields.has_index)
      .set_bool(relisshared, fields.is_shared)
      .set_char(relpersistence, fields.persistence)
      .set_char(relkind, fields.kind)
      .set_int2(relnatts, fields.columns)
      .set_int2(relchecks, fields.checks)
      .set_bool(relhasrules, fields.has_rules)
      .set_bool(relhastriggers, false)
      .set_bool(relhassubclass, false)
      .set_bool(relrowsecurity, false)
      .set_bool(relforcerowsecurity, false)
      .set_bool(relispopulated, true)
      .set_char(relreplident, fields.kind == 'r' && fields.oid >= kFirstNormalOid ? 'd' : 'n')
      .set_bool(relispartition, false)
      .set_oid(relrewrite, kInvalidOid)
      .set_oid(relfrozenxid, fields.frozen_xid)
      .set_oid(relminmxid, fields.min_multi)
      .set_texts(reloptions, fields.options);
  if (!fields.acl.empty()) tuple.set(relacl, access_list(tuple.arena(), fields.acl));
  tuple.insert(options);
}

// --- pg_attribute

namespace {

constexpr SystemColumnDesc kSystemColumns[] = {
    {"ctid", -1, kTid}, {"xmin", -2, kXid}, {"cmin", -3, kCid},
    {"xmax", -4, kXid}, {"cmax", -5, kCid}, {"tableoid", -6, kOid},
};

}  // namespace

std::span<const SystemColumnDesc> row_system_columns() {
  return kSystemColumns;
}

void insert_attribute_row(const AttributeFields& fields, uint32_t options) {
  using namespace pg_attribute;
  const BuiltinType& type = *find_type(fields.type);
  bool user_column = fields.number > 0;
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(attrelid, fields.relation)
      .set_name(attname, fields.name)
      .set_oid(atttypid, fields.type)
      .set_int4(attstattarget, user_column ? -1 : 0)
      .set_int2(attlen, type.length)
      .set_int2(attnum, fields.number)
      .set_int4(attndims, type.is_array() && type.array_oid == kInvalidOid ? 1 : 0)
      .set_int4(attcacheoff, -1)
      .set_int4(atttypmod, fields.typmod)
      .set_bool(attbyval, type.by_value)
      .set_char(attalign, type.align)
      .set_char(attstorage, fields.storage != '\0' ? fields.storage : type_storage(type))
      .set_char(attcompression, '\0')
      .set_bool(attnotnull, fields.not_null)
      .set_bool(atthasdef, fields.has_default)
      .set_bool(atthasmissing, false)
      .set_char(attidentity, fields.identity)
      .set_char(attgenerated, fields.generated)
      .set_bool(attisdropped, false)
      .set_bool(attislocal, true)
      .set_int4(attinhcount, 0)
      .set_oid(attcollation, fields.collation);
  tuple.insert(options);
}

void insert_system_columns(Oid relation, uint32_t options) {
  for (const SystemColumnDesc& column : kSystemColumns) {
    AttributeFields fields;
    fields.relation = relation;
    fields.name = column.name;
    fields.type = column.type;
    fields.number = column.number;
    fields.not_null = true;
    insert_attribute_row(fields, options);
  }
}

// --- pg_index

void insert_index_row(const IndexFields& fields, uint32_t options) {
  using namespace pg_index;
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(indexrelid, fields.index)
      .set_oid(indrelid, fields.table)
      .set_int2(indnatts, static_cast<int>(fields.columns.size()))
      .set_int2(indnkeyatts, fields.key_count)
      .set_bool(indisunique, fields.unique)
      .set_bool(indnullsnotdistinct, fields.nulls_not_distinct)
      .set_bool(indisprimary, fields.primary)
      .set_bool(indisexclusion, false)
      .set_bool(indimmediate, fields.immediate)
      .set_bool(indisclustered, false)
      .set_bool(indisvalid, true)
      .set_bool(indcheckxmin, false)
      .set_bool(indisready, true)
      .set_bool(indislive, true)
      .set_bool(indisreplident, false)
      .set_int2s(indkey, fields.columns)
      .set_oids(indcollation, fields.collations)
      .set_oids(indclass, fields.opclasses)
      .set_int2s(indoption, fields.options)
      .set_text_or_null(indexprs, fields.expressions)
      .set_text_or_null(indpred, fields.predicate);
  tuple.insert(options);
}

// --- pg_type

namespace {

/// The functions of a type, by oid in pg_proc.
struct TypeFunctions {
  Oid type, input, output, receive, send, typmod_in, typmod_out, analyze, subscript;
};
// pg_type.dat of PostgreSQL 15.
constexpr TypeFunctions kTypeFunctions[] = {
    {16, 1242, 1243, 2436, 2437, 0, 0, 0, 0},          // bool
    {17, 1244, 31, 2412, 2413, 0, 0, 0, 0},            // bytea
    {18, 1245, 33, 2434, 2435, 0, 0, 0, 0},            // char
    {19, 34, 35, 2422, 2423, 0, 0, 0, 6180},           // name
    {20, 460, 461, 2408, 2409, 0, 0, 0, 0},            // int8
    {21, 38, 39, 2404, 2405, 0, 0, 0, 0},              // int2
    {22, 40, 41, 2410, 2411, 0, 0, 0, 6179},           // int2vector
    {23, 42, 43, 2406, 2407, 0, 0, 0, 0},              // int4
    {24, 44, 45, 2444, 2445, 0, 0, 0, 0},              // regproc
    {25, 46, 47, 2414, 2415, 0, 0, 0, 0},              // text
    {26, 1798, 1799, 2418, 2419, 0, 0, 0, 0},          // oid
    {27, 48, 49, 2438, 2439, 0, 0, 0, 0},              // tid
    {28, 50, 51, 2440, 2441, 0, 0, 0, 0},              // xid
    {29, 52, 53, 2442, 2443, 0, 0, 0, 0},              // cid
    {30, 54, 55, 2420, 2421, 0, 0, 0, 6179},           // oidvector
    {114, 321, 322, 323, 324, 0, 0, 0, 0},             // json
    {194, 195, 196, 197, 198, 0, 0, 0, 0},             // pg_node_tree
    {600, 117, 118, 2428, 2429, 0, 0, 0, 6180},        // point
    {650, 1267, 1427, 2498, 2499, 0, 0, 0, 0},         // cidr
    {700, 200, 201, 2424, 2425, 0, 0, 0, 0},           // float4
    {701, 214, 215, 2426, 2427, 0, 0, 0, 0},           // float8
    {705, 109, 110, 2416, 2417, 0, 0, 0, 0},           // unknown
    {869, 910, 911, 2496, 2497, 0, 0, 0, 0},           // inet
    {1033, 1031, 1032, 0, 0, 0, 0, 0, 0},              // aclitem
    {1042, 1044, 1045, 2430, 2431, 2913, 2914, 0, 0},  // bpchar
    {1043, 1046, 1047, 2432, 2433, 2915, 2916, 0, 0},  // varchar
    {1082, 1084, 1085, 2468, 2469, 0, 0, 0, 0},        // date
    {1083, 1143, 1144, 2470, 2471, 2909, 2910, 0, 0},  // time
    {1114, 1312, 1313, 2474, 2475, 2905, 2906, 0, 0},  // timestamp
    {1184, 1150, 1151, 2476, 2477, 2907, 2908, 0, 0},  // timestamptz
    {1186, 1160, 1161, 2478, 2479, 2903, 2904, 0, 0},  // interval
    {1266, 1350, 1351, 2472, 2473, 2911, 2912, 0, 0},  // timetz
    {1560, 1564, 1565, 2456, 2457, 2919, 2920, 0, 0},  // bit
    {1562, 1579, 1580, 2458, 2459, 2902, 2921, 0, 0},  // varbit
    {1700, 1701, 1702, 2460, 2461, 2917, 2918, 0, 0},  // numeric
    {1790, 46, 47, 2414, 2415, 0, 0, 0, 0},            // refcursor
    {2202, 2212, 2213, 2446, 2447, 0, 0, 0, 0},        // regprocedure
    {2203, 2214, 2215, 2448, 2449, 0, 0, 0, 0},        // regoper
    {2204, 2216, 2217, 2450, 2451, 0, 0, 0, 0},        // regoperator
    {2205, 2218, 2219, 2452, 2453, 0, 0, 0, 0},        // regclass
    {2206, 2220, 2221, 2454, 2455, 0, 0, 0, 0},        // regtype
    {2249, 2290, 2291, 2402, 2403, 0, 0, 0, 0},        // record
    {2275, 2292, 2293, 2500, 2501, 0, 0, 0, 0},        // cstring
    {2276, 2294, 2295, 0, 0, 0, 0, 0, 0},              // any
    {2277, 2296, 2297, 2502, 2503, 0, 0, 0, 0},        // anyarray
    {2278, 2298, 2299, 3120, 3121, 0, 0, 0, 0},        // void
    {2279, 2300, 2301, 0, 0, 0, 0, 0, 0},              // trigger
    {2281, 2304, 2305, 0, 0, 0, 0, 0, 0},              // internal
    {2283, 2312, 2313, 0, 0, 0, 0, 0, 0},              // anyelement
    {2287, 750, 751, 2400, 2401, 0, 0, 3816, 6179},    // _record
    {2776, 2777, 2778, 0, 0, 0, 0, 0, 0},              // anynonarray
    {2950, 2952, 2953, 2961, 2962, 0, 0, 0, 0},        // uuid
    {3220, 3229, 3230, 3238, 3239, 0, 0, 0, 0},        // pg_lsn
    {3500, 3504, 3505, 0, 0, 0, 0, 0, 0},              // anyenum
    {3802, 3806, 3804, 3805, 3803, 0, 0, 0, 6098},     // jsonb
    {4089, 4084, 4085, 4087, 4088, 0, 0, 0, 0},        // regnamespace
    {4096, 4098, 4092, 4094, 4095, 0, 0, 0, 0},        // regrole
    {4191, 4193, 4194, 4196, 4197, 0, 0, 0, 0},        // regcollation
    {5038, 5055, 5056, 5057, 5058, 0, 0, 0, 0},        // pg_snapshot
    {5069, 5070, 5081, 5082, 5083, 0, 0, 0, 0},        // xid8
    {5077, 5086, 5087, 0, 0, 0, 0, 0, 0},              // anycompatible
    {5078, 5088, 5089, 5090, 5091, 0, 0, 0, 0},        // anycompatiblearray
    {5079, 5092, 5093, 0, 0, 0, 0, 0, 0},              // anycompatiblenonarray
};
constexpr TypeFunctions kArrayFunctions = {0, 750, 751, 2400, 2401, 0, 0, 3816, 6179};
constexpr TypeFunctions kRecordFunctions = {0, 2290, 2291, 2402, 2403, 0, 0, 0, 0};

struct TypeFields {
  Oid oid;
  std::string_view name;
  Oid schema, owner;
  int16_t length;
  bool by_value;
  char type, category;
  bool preferred;
  Oid relation, element, array;
  char align, storage;
  Oid collation;
};

void insert_type_row(const TypeFields& fields, const TypeFunctions& functions, uint32_t options) {
  using namespace pg_type;
  CatalogTuple tuple(kCatalog);
  tuple.set_oid(pg_type::oid, fields.oid)
      .set_name(typname, fields.name)
      .set_oid(typnamespace, fields.schema)
      .set_oid(typowner, fields.owner)
      .set_int2(typlen, fields.length)
      .set_bool(typbyval, fields.by_value)
      .set_char(typtype, fields.type)
      .set_char(typcategory, fields.category)
      .set_bool(typispreferred, fields.preferred)
      .set_bool(typisdefined, true)
      .set_char(typdelim, ',')
      .set_oid(typrelid, fields.relation)
      .set_oid(typsubscript, functions.subscript)
      .set_oid(typelem, fields.element)
      .set_oid(typarray, fields.array)
      .set_oid(typinput, functions.input)
      .set_oid(typoutput, functions.output)
      .set_oid(typreceive, functions.receive)
      .set_oid(typsend, functions.send)
      .set_oid(typmodin, functions.typmod_in)
      .set_oid(typmodout, functions.typmod_out)
      .set_oid(typanalyze, functions.analyze)
      .set_char(typalign, fields.align)
      .set_char(typstorage, fields.storage)
      .set_bool(typnotnull, false)
      .set_oid(typbasetype, kInvalidOid)
      .set_int4(typtypmod, -1)
      .set_int4(typndims, 0)
      .set_oid(typcollation, fields.collation);
  tuple.insert(options);
}

}  // namespace

void insert_row_type(Oid type, Oid array_type, std::string_view name, Oid schema, Oid owner,
                     Oid relation, uint32_t options) {
  TypeFields row{type,  name,     schema,      owner,      -1,  false, 'c',        'C',
                 false, relation, kInvalidOid, array_type, 'd', 'x',   kInvalidOid};
  insert_type_row(row, kRecordFunctions, options);
  if (array_type == kInvalidOid) return;
  std::string array_name = make_object_name("", name, "");
  TypeFields array{array_type, array_name,  schema, owner,       -1,  false, 'b',        'A',
                   false,      kInvalidOid, type,   kInvalidOid, 'd', 'x',   kInvalidOid};
  insert_type_row(array, kArrayFunctions, options);
}

void insert_builtin_type(const BuiltinType& type, uint32_t options) {
  auto known = std::ranges::lower_bound(kTypeFunctions, type.oid, {}, &TypeFunctions::type);
  bool listed = known != std::end(kTypeFunctions) && known->type == type.oid;
  TypeFields fields{type.oid,
                    type.name,
                    kPgCatalogOid,
                    kBootstrapSuperuserOid,
                    type.length,
                    type.by_value,
                    type.is_pseudo() ? 'p' : 'b',
                    type.category,
                    type.preferred,
                    kInvalidOid,
                    type.element_oid,
                    type.array_oid,
                    type.align,
                    type_storage(type),
                    type_collation(type)};
  insert_type_row(fields, listed ? *known : kArrayFunctions, options);
}

}  // namespace cofork
