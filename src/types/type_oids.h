// Oids of the built-in types, as pg_type.dat of PostgreSQL 15: clients know them by heart.
//
// kChar is the one-byte type "char" (with its quotes); character(n) is kBpchar.
#pragma once

#include "types/datum.h"

namespace cofork::type_oid {

inline constexpr Oid kBool = 16;
inline constexpr Oid kBytea = 17;
inline constexpr Oid kChar = 18;
inline constexpr Oid kName = 19;
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kInt2 = 21;
inline constexpr Oid kInt2Vector = 22;
inline constexpr Oid kInt4 = 23;
inline constexpr Oid kRegproc = 24;
inline constexpr Oid kText = 25;
inline constexpr Oid kOid = 26;
inline constexpr Oid kTid = 27;
inline constexpr Oid kXid = 28;
inline constexpr Oid kCid = 29;
inline constexpr Oid kOidVector = 30;
inline constexpr Oid kJson = 114;
inline constexpr Oid kJsonArray = 199;
inline constexpr Oid kXid8Array = 271;
inline constexpr Oid kPoint = 600;
inline constexpr Oid kCidr = 650;
inline constexpr Oid kCidrArray = 651;
inline constexpr Oid kFloat4 = 700;
inline constexpr Oid kFloat8 = 701;
inline constexpr Oid kUnknown = 705;
inline constexpr Oid kInet = 869;
inline constexpr Oid kBoolArray = 1000;
inline constexpr Oid kByteaArray = 1001;
inline constexpr Oid kCharArray = 1002;
inline constexpr Oid kNameArray = 1003;
inline constexpr Oid kInt2Array = 1005;
inline constexpr Oid kInt2VectorArray = 1006;
inline constexpr Oid kInt4Array = 1007;
inline constexpr Oid kRegprocArray = 1008;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kTidArray = 1010;
inline constexpr Oid kXidArray = 1011;
inline constexpr Oid kCidArray = 1012;
inline constexpr Oid kOidVectorArray = 1013;
inline constexpr Oid kBpcharArray = 1014;
inline constexpr Oid kVarcharArray = 1015;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kPointArray = 1017;
inline constexpr Oid kFloat4Array = 1021;
inline constexpr Oid kFloat8Array = 1022;
inline constexpr Oid kOidArray = 1028;
inline constexpr Oid kInetArray = 1041;
inline constexpr Oid kBpchar = 1042;
inline constexpr Oid kVarchar = 1043;
inline constexpr Oid kDate = 1082;
inline constexpr Oid kTime = 1083;
inline constexpr Oid kTimestamp = 1114;
inline constexpr Oid kTimestampArray = 1115;
inline constexpr Oid kDateArray = 1182;
inline constexpr Oid kTimeArray = 1183;
inline constexpr Oid kTimestampTz = 1184;
inline constexpr Oid kTimestampTzArray = 1185;
inline constexpr Oid kInterval = 1186;
inline constexpr Oid kIntervalArray = 1187;
inline constexpr Oid kNumericArray = 1231;
inline constexpr Oid kCstringArray = 1263;
inline constexpr Oid kTimeTz = 1266;
inline constexpr Oid kTimeTzArray = 1270;
inline constexpr Oid kBit = 1560;
inline constexpr Oid kBitArray = 1561;
inline constexpr Oid kVarbit = 1562;
inline constexpr Oid kVarbitArray = 1563;
inline constexpr Oid kNumeric = 1700;
inline constexpr Oid kRefcursor = 1790;
inline constexpr Oid kRefcursorArray = 2201;
inline constexpr Oid kRegprocedure = 2202;
inline constexpr Oid kRegoper = 2203;
inline constexpr Oid kRegoperator = 2204;
inline constexpr Oid kRegclass = 2205;
inline constexpr Oid kRegtype = 2206;
inline constexpr Oid kRegprocedureArray = 2207;
inline constexpr Oid kRegoperArray = 2208;
inline constexpr Oid kRegoperatorArray = 2209;
inline constexpr Oid kRegclassArray = 2210;
inline constexpr Oid kRegtypeArray = 2211;
inline constexpr Oid kRecord = 2249;
inline constexpr Oid kCstring = 2275;
inline constexpr Oid kAny = 2276;
inline constexpr Oid kAnyArray = 2277;
inline constexpr Oid kVoid = 2278;
inline constexpr Oid kTrigger = 2279;
inline constexpr Oid kInternal = 2281;
inline constexpr Oid kAnyElement = 2283;
inline constexpr Oid kRecordArray = 2287;
inline constexpr Oid kAnyNonArray = 2776;
inline constexpr Oid kUuid = 2950;
inline constexpr Oid kUuidArray = 2951;
inline constexpr Oid kPgLsn = 3220;
inline constexpr Oid kPgLsnArray = 3221;
inline constexpr Oid kAnyEnum = 3500;
inline constexpr Oid kJsonb = 3802;
inline constexpr Oid kJsonbArray = 3807;
inline constexpr Oid kAnyRange = 3831;
inline constexpr Oid kRegnamespace = 4089;
inline constexpr Oid kRegnamespaceArray = 4090;
inline constexpr Oid kRegrole = 4096;
inline constexpr Oid kRegroleArray = 4097;
inline constexpr Oid kXid8 = 5069;
inline constexpr Oid kAnyCompatible = 5077;
inline constexpr Oid kAnyCompatibleArray = 5078;
inline constexpr Oid kAnyCompatibleNonArray = 5079;

}  // namespace cofork::type_oid
