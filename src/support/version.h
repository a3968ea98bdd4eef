// What this server says it is. Clients choose their queries by the first number.
#pragma once

#define COFORK_VERSION "0.1"
#define COFORK_SERVER_VERSION "15.18 (cofork " COFORK_VERSION ")"

namespace cofork {

/// server_version and server_version_num.
inline constexpr const char* kServerVersion = COFORK_SERVER_VERSION;
inline constexpr int kServerVersionNumber = 150018;

/// version(): with the compiler that built this binary.
inline constexpr const char* kVersionText =
    "PostgreSQL " COFORK_SERVER_VERSION " on x86_64-pc-linux-gnu, compiled by "
#ifdef __clang__
    __VERSION__
#else
    "gcc " __VERSION__
#endif
    ", 64-bit";

}  // namespace cofork
