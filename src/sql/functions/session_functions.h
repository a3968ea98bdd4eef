// Functions that need a session or the server: handed to load_builtins() in main(), beside the
// catalog's own.
#pragma once

#include "catalog/builtin.h"

namespace cofork {

/// Who am I, what are my settings (session_functions.cc).
std::span<const BuiltinFunction> session_functions();
/// nextval and its kin (sequence_functions.cc).
std::span<const BuiltinFunction> sequence_functions();
/// Signals, sleeping, reloading, crashing (admin_functions.cc).
std::span<const BuiltinFunction> admin_functions();
/// Advisory locks, who blocks whom (lock_functions.cc).
std::span<const BuiltinFunction> lock_functions();
/// Xids and snapshots (transaction_functions.cc).
std::span<const BuiltinFunction> transaction_functions();
/// Positions in WAL, switching to another file of it (wal_functions.cc).
std::span<const BuiltinFunction> wal_functions();
/// pg_stat_get_activity (activity_functions.cc).
std::span<const BuiltinFunction> activity_functions();

}  // namespace cofork
