// Window functions: what pg_proc says of them. They have no C++ function of their own kind: each
// needs its whole partition, so the node that has it computes them (sql/nodes_window.h).
#include "catalog/window_functions.h"

#include <iterator>

namespace cofork {

using namespace type_oid;

namespace {

constexpr BuiltinFunction kRows[] = {
    {3100, "row_number", kInt8, {}},
    {3101, "rank", kInt8, {}},
    {3102, "dense_rank", kInt8, {}},
    {3103, "percent_rank", kFloat8, {}},
    {3104, "cume_dist", kFloat8, {}},
    {3105, "ntile", kInt4, {kInt4}},
    {3106, "lag", kAnyElement, {kAnyElement}},
    {3107, "lag", kAnyElement, {kAnyElement, kInt4}},
    {3108, "lag", kAnyCompatible, {kAnyCompatible, kInt4, kAnyCompatible}},
    {3109, "lead", kAnyElement, {kAnyElement}},
    {3110, "lead", kAnyElement, {kAnyElement, kInt4}},
    {3111, "lead", kAnyCompatible, {kAnyCompatible, kInt4, kAnyCompatible}},
    {3112, "first_value", kAnyElement, {kAnyElement}},
    {3113, "last_value", kAnyElement, {kAnyElement}},
    {3114, "nth_value", kAnyElement, {kAnyElement, kInt4}},
};

}  // namespace

bool is_window_function(const BuiltinFunction& function) {
  return function.oid >= kRows[0].oid && function.oid <= std::end(kRows)[-1].oid;
}

constinit const std::span<const BuiltinFunction> kWindowFunctions = kRows;

}  // namespace cofork
