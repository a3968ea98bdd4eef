// Functions that need OVER: row_number(), lag() … They have neither `call` nor `next`; the executor
// computes them (sql/nodes_window.h).
#pragma once

#include <span>

#include "catalog/builtin.h"

namespace cofork {

extern const std::span<const BuiltinFunction> kWindowFunctions;
bool is_window_function(const BuiltinFunction& function);

}  // namespace cofork
