// Character sets of clients: conversion between what a client sends and sees and the server's UTF-8
// (mbutils.c and the conversion functions of src/backend/utils/mb, PostgreSQL 15).
//
// Three are there: UTF8 (nothing to do but to check), SQL_ASCII (bytes pass as they are) and
// LATIN1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cofork {

enum class Encoding : uint8_t { kUtf8, kSqlAscii, kLatin1 };

/// The conversion for a canonical name of an encoding ("LATIN1"); nothing when there is none.
std::optional<Encoding> find_conversion(std::string_view name);

bool is_ascii(std::string_view text);
std::string utf8_of_latin1(std::string_view text);
/// Converts text[from…] in place. Throws 22P05 naming the first character that LATIN1 lacks.
void latin1_of_utf8(std::string& text, size_t from);

}  // namespace cofork
