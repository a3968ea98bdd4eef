// Casts: pg_cast of PostgreSQL 15 as far as its functions are here, by source and target.
//
// {source, target, function, context, through text}. What has no row goes through text when one
// side is a string type (automatic I/O conversion casts: find_coercion_pathway in parse_coerce.c).
#include "catalog/tables.h"

namespace cofork {

using namespace type_oid;

namespace {
constexpr BuiltinCast kRows[] = {
    {kBool, kInt4, 2558, CastContext::kExplicit},
    {kChar, kInt4, 77, CastContext::kExplicit},
    {kInt8, kInt2, 714, CastContext::kAssignment},
    {kInt8, kInt4, 480, CastContext::kAssignment},
    {kInt8, kRegproc, 1287, CastContext::kImplicit},
    {kInt8, kOid, 1287, CastContext::kImplicit},
    {kInt8, kFloat4, 652, CastContext::kImplicit},
    {kInt8, kFloat8, 482, CastContext::kImplicit},
    {kInt8, kNumeric, 1781, CastContext::kImplicit},
    {kInt8, kRegclass, 1287, CastContext::kImplicit},
    {kInt8, kRegtype, 1287, CastContext::kImplicit},
    {kInt2, kInt8, 754, CastContext::kImplicit},
    {kInt2, kInt4, 313, CastContext::kImplicit},
    {kInt2, kRegproc, 313, CastContext::kImplicit},
    {kInt2, kOid, 313, CastContext::kImplicit},
    {kInt2, kFloat4, 236, CastContext::kImplicit},
    {kInt2, kFloat8, 235, CastContext::kImplicit},
    {kInt2, kNumeric, 1782, CastContext::kImplicit},
    {kInt2, kRegclass, 313, CastContext::kImplicit},
    {kInt2, kRegtype, 313, CastContext::kImplicit},
    {kInt4, kBool, 2557, CastContext::kExplicit},
    {kInt4, kChar, 78, CastContext::kExplicit},
    {kInt4, kInt8, 481, CastContext::kImplicit},
    {kInt4, kInt2, 314, CastContext::kAssignment},
    {kInt4, kRegproc, 0, CastContext::kImplicit},
    {kInt4, kOid, 0, CastContext::kImplicit},
    {kInt4, kFloat4, 318, CastContext::kImplicit},
    {kInt4, kFloat8, 316, CastContext::kImplicit},
    {kInt4, kNumeric, 1740, CastContext::kImplicit},
    {kInt4, kRegclass, 0, CastContext::kImplicit},
    {kInt4, kRegtype, 0, CastContext::kImplicit},
    {kRegproc, kInt8, 1288, CastContext::kAssignment},
    {kRegproc, kInt4, 0, CastContext::kAssignment},
    {kRegproc, kOid, 0, CastContext::kImplicit},
    {kText, kBpchar, 0, CastContext::kImplicit},
    {kText, kVarchar, 0, CastContext::kImplicit},
    {kOid, kInt8, 1288, CastContext::kAssignment},
    {kOid, kInt4, 0, CastContext::kAssignment},
    {kOid, kRegproc, 0, CastContext::kImplicit},
    {kOid, kRegclass, 0, CastContext::kImplicit},
    {kOid, kRegtype, 0, CastContext::kImplicit},
    {kCidr, kInet, 0, CastContext::kImplicit},
    {kFloat4, kInt8, 653, CastContext::kAssignment},
    {kFloat4, kInt2, 238, CastContext::kAssignment},
    {kFloat4, kInt4, 319, CastContext::kAssignment},
    {kFloat4, kFloat8, 311, CastContext::kImplicit},
    {kFloat4, kNumeric, 1742, CastContext::kAssignment},
    {kFloat8, kInt8, 483, CastContext::kAssignment},
    {kFloat8, kInt2, 237, CastContext::kAssignment},
    {kFloat8, kInt4, 317, CastContext::kAssignment},
    {kFloat8, kFloat4, 312, CastContext::kAssignment},
    {kFloat8, kNumeric, 1743, CastContext::kAssignment},
    {kVarchar, kText, 0, CastContext::kImplicit},
    {kVarchar, kBpchar, 0, CastContext::kImplicit},
    {kNumeric, kInt8, 1779, CastContext::kAssignment},
    {kNumeric, kInt2, 1783, CastContext::kAssignment},
    {kNumeric, kInt4, 1744, CastContext::kAssignment},
    {kNumeric, kFloat4, 1745, CastContext::kImplicit},
    {kNumeric, kFloat8, 1746, CastContext::kImplicit},
    {kNumeric, kNumeric, 1703, CastContext::kImplicit},
    {kRegclass, kInt8, 1288, CastContext::kAssignment},
    {kRegclass, kInt4, 0, CastContext::kAssignment},
    {kRegclass, kOid, 0, CastContext::kImplicit},
    {kRegtype, kInt8, 1288, CastContext::kAssignment},
    {kRegtype, kInt4, 0, CastContext::kAssignment},
    {kRegtype, kOid, 0, CastContext::kImplicit},
};
}  // namespace

constinit const std::span<const BuiltinCast> kCasts = kRows;

}  // namespace cofork
