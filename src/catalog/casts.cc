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
    {kInt8, kRegclass, 1287, CastContext::kImplicit},
    {kInt8, kRegtype, 1287, CastContext::kImplicit},
    {kInt2, kInt8, 754, CastContext::kImplicit},
    {kInt2, kInt4, 313, CastContext::kImplicit},
    {kInt2, kRegproc, 313, CastContext::kImplicit},
    {kInt2, kOid, 313, CastContext::kImplicit},
    {kInt2, kRegclass, 313, CastContext::kImplicit},
    {kInt2, kRegtype, 313, CastContext::kImplicit},
    {kInt4, kBool, 2557, CastContext::kExplicit},
    {kInt4, kChar, 78, CastContext::kExplicit},
    {kInt4, kInt8, 481, CastContext::kImplicit},
    {kInt4, kInt2, 314, CastContext::kAssignment},
    {kInt4, kRegproc, 0, CastContext::kImplicit},
    {kInt4, kOid, 0, CastContext::kImplicit},
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
    {kVarchar, kText, 0, CastContext::kImplicit},
    {kVarchar, kBpchar, 0, CastContext::kImplicit},
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
