// Checks of single settings: what a value must be beyond its type, and what is derived from it
// (the check and show hooks of guc.c). A table in hooks.cc says which setting has which.
//
// Derived forms, read with settings().derived<T>(id):
//   DateStyle      → DateStyleValue
//   TimeZone, log_timezone → TimeZone (types/timezone.h)
//   log_destination → LogDestinations
//   search_path, temp_tablespaces, listen_addresses … → NameList
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/setting.h"
#include "settings/value.h"

namespace cofork {

struct DateStyleValue {
  enum class Style : uint8_t { kPostgres, kIso, kSql, kGerman } style;
  enum class Order : uint8_t { kYmd, kDmy, kMdy } order;  ///< in the order of PostgreSQL's numbers
};

struct LogDestinations {
  bool to_stderr = false;
  bool to_csv = false;
  bool to_json = false;
};

struct NameList {
  std::vector<std::string> names;  ///< unquoted, folded to lower case unless quoted
};

/// Runs the setting's own check, if it has one. May rewrite the value (canonical spelling, derived
/// form). Throws Error as PostgreSQL's hooks do.
void check_setting(const SettingInfo& info, SettingValue& value, SettingSource source,
                   const SettingValue* current);

/// The text of a value that is not shown as it is stored: modes in octal, "(disabled)".
std::optional<std::string> show_hook(const SettingInfo& info, const SettingValue& value);

/// Splits a comma-separated list of identifiers (SplitIdentifierString): blanks around elements are
/// dropped, "quoted" ones keep their case. nullopt: bad syntax.
std::optional<std::vector<std::string>> split_identifiers(std::string_view text);

/// A name as an SQL identifier: in double quotes unless it is a plain lower-case word.
std::string quote_setting_identifier(std::string_view name);

}  // namespace cofork
