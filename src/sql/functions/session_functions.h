// Functions that need a session or the server: handed to load_builtins() in main(), beside the
// catalog's own.
#pragma once

#include "catalog/builtin.h"

namespace cofork {

/// Who am I, what are my settings (session_functions.cc).
std::span<const BuiltinFunction> session_functions();
/// Signals, sleeping, reloading, crashing (admin_functions.cc).
std::span<const BuiltinFunction> admin_functions();

}  // namespace cofork
