// What this server says it is, in the one place: a PostgreSQL 15 to clients and tools, cofork to
// people.
#pragma once

namespace cofork {

inline constexpr int kPgMajorVersion = 15;
inline constexpr int kPgVersionNumber = 150018;
/// server_version, and what messages about incompatible directories show (PG_VERSION).
inline constexpr const char* kVersionText = "15.18 (cofork 0.1)";
/// Of the command line tools: "postgres (PostgreSQL) 15.18 (cofork 0.1)".
inline constexpr const char* kToolVersion = "(PostgreSQL) 15.18 (cofork 0.1)";

/// version(), and the first line of every log: "PostgreSQL 15.18 (cofork 0.1) on
/// x86_64-pc-linux-gnu, compiled by g++ (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit"
/// (PG_VERSION_STR).
const char* version_text();

}  // namespace cofork
