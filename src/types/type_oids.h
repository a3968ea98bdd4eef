// Oids of the built-in types, as pg_type.dat of PostgreSQL 15: clients know them by heart.
#pragma once

#include "types/datum.h"

namespace cofork::type_oid {

inline constexpr Oid kBool = 16;
inline constexpr Oid kBytea = 17;
inline constexpr Oid kChar = 18;  // "char", one byte
inline constexpr Oid kName = 19;
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kInt2 = 21;
inline constexpr Oid kInt2vector = 22;
inline constexpr Oid kInt4 = 23;
inline constexpr Oid kRegproc = 24;
inline constexpr Oid kText = 25;
inline constexpr Oid kOid = 26;
inline constexpr Oid kTid = 27;
inline constexpr Oid kXid = 28;
inline constexpr Oid kCid = 29;
inline constexpr Oid kJson = 114;
inline constexpr Oid kFloat4 = 700;
inline constexpr Oid kFloat8 = 701;
inline constexpr Oid kUnknown = 705;
inline constexpr Oid kInet = 869;
inline constexpr Oid kCidr = 650;
inline constexpr Oid kBoolArray = 1000;
inline constexpr Oid kInt2Array = 1005;
inline constexpr Oid kInt4Array = 1007;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kNameArray = 1003;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kFloat4Array = 1021;
inline constexpr Oid kFloat8Array = 1022;
inline constexpr Oid kOidArray = 1028;
inline constexpr Oid kNumericArray = 1231;
inline constexpr Oid kVarcharArray = 1015;
inline constexpr Oid kBpchar = 1042;
inline constexpr Oid kVarchar = 1043;
inline constexpr Oid kDate = 1082;
inline constexpr Oid kTime = 1083;
inline constexpr Oid kTimestamp = 1114;
inline constexpr Oid kTimestampTz = 1184;
inline constexpr Oid kInterval = 1186;
inline constexpr Oid kTimeTz = 1266;
inline constexpr Oid kNumeric = 1700;
inline constexpr Oid kRecord = 2249;
inline constexpr Oid kCstring = 2275;
inline constexpr Oid kAny = 2276;
inline constexpr Oid kAnyArray = 2277;
inline constexpr Oid kVoid = 2278;
inline constexpr Oid kAnyElement = 2283;
inline constexpr Oid kRegclass = 2205;
inline constexpr Oid kRegtype = 2206;
inline constexpr Oid kUuid = 2950;
inline constexpr Oid kXid8 = 5069;
inline constexpr Oid kPgLsn = 3220;

}  // namespace cofork::type_oid
