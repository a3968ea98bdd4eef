// One value of a setting, its text form, and the way from text to value (as
// parse_and_validate_value and _ShowOption in guc.c).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "settings/setting.h"

namespace cofork {

/// Text of a kString setting, with whatever its check made of it. Immutable and shared.
struct SettingText {
  std::string text;
  bool is_null = false;                 ///< a boot value of NULL: reads as "", shown as NULL
  std::shared_ptr<const void> derived;  ///< see hooks.h: parsed form, for those that have one
};

/// Eight bytes a reader needs, and the owner of the text behind them.
struct SettingValue {
  union {
    int64_t integer;  ///< kBool, kInteger, kEnum
    double real;
    const SettingText* string;  ///< never null in a kString value
  };
  std::shared_ptr<const SettingText> owner;

  SettingValue() : integer(0) {}
  static SettingValue of_integer(int64_t v) {
    SettingValue value;
    value.integer = v;
    return value;
  }
  static SettingValue of_real(double v) {
    SettingValue value;
    value.real = v;
    return value;
  }
  static SettingValue of_text(std::string text, std::shared_ptr<const void> derived = nullptr);
  static SettingValue null_text();
};

/// The value a setting has before anything sets it.
SettingValue boot_value(const SettingInfo& info);

/// Text to value: type, unit, range and enum names, then the setting's own check (hooks.h).
/// Throws Error 22023 with PostgreSQL's words; the text of a name setting is cut to 63 bytes.
/// `current` is the value in force, which a check may complete a partial one from (DateStyle).
SettingValue parse_setting(const SettingInfo& info, std::string_view text, SettingSource source,
                           const SettingValue* current = nullptr);

/// Text for SHOW: "128MB", "5min", "on". `with_units` false: the base unit's number ("16384"), as
/// pg_settings.setting.
std::string show_setting(const SettingInfo& info, const SettingValue& value, bool with_units);

bool same_value(const SettingInfo& info, const SettingValue& a, const SettingValue& b);

/// parse_bool(): on, off, true, false, yes, no, 1, 0 and unambiguous prefixes, in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// parse_int(): decimal, 0x and 0 prefixes, fraction, unit; rounded to the base unit. On failure
/// nullopt, and `hint` is the HINT if there is one.
std::optional<int> parse_integer(std::string_view text, SettingUnit unit, const char*& hint);
std::optional<double> parse_real(std::string_view text, SettingUnit unit, const char*& hint);

/// As "%g" prints: the form of kReal values and ranges.
std::string real_text(double value);

}  // namespace cofork
