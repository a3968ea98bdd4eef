// Conversion tables and number parsing (parse_int, parse_real and convert_to_base_unit of guc.c).
#include "settings/units.h"

#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <span>

#include "settings/value.h"

namespace cofork {
namespace {

struct Conversion {
  const char* unit;
  double multiplier;  ///< of the base unit
};

constexpr double kKilo = 1024;

// Largest unit first; neighbours are what a fraction is rounded to.
constexpr Conversion kToBytes[] = {{"TB", kKilo* kKilo* kKilo* kKilo},
                                   {"GB", kKilo* kKilo* kKilo},
                                   {"MB", kKilo* kKilo},
                                   {"kB", kKilo},
                                   {"B", 1}};
constexpr Conversion kToKilobytes[] = {
    {"TB", kKilo* kKilo* kKilo}, {"GB", kKilo* kKilo}, {"MB", kKilo}, {"kB", 1}, {"B", 1 / kKilo}};
constexpr Conversion kToMegabytes[] = {
    {"TB", kKilo* kKilo}, {"GB", kKilo}, {"MB", 1}, {"kB", 1 / kKilo}, {"B", 1 / (kKilo * kKilo)}};
constexpr Conversion kToBlocks[] = {{"TB", kKilo* kKilo* kKilo / 8},
                                    {"GB", kKilo* kKilo / 8},
                                    {"MB", kKilo / 8},
                                    {"kB", 1.0 / 8},
                                    {"B", 1 / (8 * kKilo)}};
constexpr Conversion kToMilliseconds[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
                                          {"s", 1000},     {"ms", 1},      {"us", 1.0 / 1000}};
constexpr Conversion kToSeconds[] = {{"d", 86400}, {"h", 3600},        {"min", 60},
                                     {"s", 1},     {"ms", 1.0 / 1000}, {"us", 1.0 / 1000000}};
constexpr Conversion kToMinutes[] = {{"d", 1440},     {"h", 60},           {"min", 1},
                                     {"s", 1.0 / 60}, {"ms", 1.0 / 60000}, {"us", 1.0 / 60000000}};

std::span<const Conversion> conversions(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::kNoUnit:
      return {};
    case SettingUnit::kBytes:
      return kToBytes;
    case SettingUnit::kKilobytes:
      return kToKilobytes;
    case SettingUnit::kBlocks:
    case SettingUnit::kWalBlocks:
      return kToBlocks;
    case SettingUnit::kMegabytes:
      return kToMegabytes;
    case SettingUnit::kMilliseconds:
      return kToMilliseconds;
    case SettingUnit::kSeconds:
      return kToSeconds;
    case SettingUnit::kMinutes:
      return kToMinutes;
  }
  return {};
}

bool is_time(SettingUnit unit) {
  return unit >= SettingUnit::kMilliseconds;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/// `value` in `word` to the base unit; nullopt when there is no such unit. Units are
/// case-sensitive.
std::optional<double> to_base(double value, std::string_view word, SettingUnit base) {
  std::span<const Conversion> table = conversions(base);
  for (size_t i = 0; i < table.size(); ++i) {
    if (word != table[i].unit) continue;
    double converted = value * table[i].multiplier;
    // A fraction means a whole number of the next smaller unit: 30.1GB is 30822MB, not a run of
    // bytes.
    if (i + 1 < table.size()) {
      converted = std::rint(converted / table[i + 1].multiplier) * table[i + 1].multiplier;
    }
    return converted;
  }
  return std::nullopt;
}

struct Number {
  double value;
  const char* end;
};

/// What stands at the start of a null-terminated text. `integer_first`: 0x and 0 prefixes count.
std::optional<Number> scan_number(const char* text, bool integer_first) {
  char* end = nullptr;
  errno = 0;
  double value = 0;
  bool is_fraction = !integer_first;
  if (integer_first) {
    value = static_cast<double>(std::strtol(text, &end, 0));
    is_fraction = *end == '.' || *end == 'e' || *end == 'E' || errno == ERANGE;
  }
  if (is_fraction) {
    errno = 0;
    value = std::strtod(text, &end);
  }
  if (end == text || errno == ERANGE || std::isnan(value)) return std::nullopt;
  return Number{value, end};
}

/// Number, optional unit, nothing else. `hint` is set when the trouble is the unit.
std::optional<double> parse_with_unit(std::string_view text, SettingUnit unit, bool integer_first,
                                      const char*& hint) {
  hint = nullptr;
  std::string terminated(text);
  std::optional<Number> number = scan_number(terminated.c_str(), integer_first);
  if (!number) return std::nullopt;
  const char* at = number->end;
  while (is_space(*at)) ++at;
  if (*at == '\0') return number->value;
  if (unit == SettingUnit::kNoUnit) return std::nullopt;
  const char* word = at;
  while (*at != '\0' && !is_space(*at)) ++at;
  std::string_view unit_word(word, static_cast<size_t>(at - word));
  while (is_space(*at)) ++at;
  std::optional<double> converted;
  if (*at == '\0') converted = to_base(number->value, unit_word, unit);
  if (!converted) {
    hint = is_time(unit)
               ? R"(Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".)"
               : R"(Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".)";
  }
  return converted;
}

}  // namespace

std::optional<int> parse_integer(std::string_view text, SettingUnit unit, const char*& hint) {
  std::optional<double> parsed = parse_with_unit(text, unit, true, hint);
  if (!parsed) return std::nullopt;
  double rounded = std::rint(*parsed);
  if (rounded > INT_MAX || rounded < INT_MIN) {
    hint = "Value exceeds integer range.";
    return std::nullopt;
  }
  return static_cast<int>(rounded);
}

std::optional<double> parse_real(std::string_view text, SettingUnit unit, const char*& hint) {
  return parse_with_unit(text, unit, false, hint);
}

std::string integer_with_unit(int64_t value, SettingUnit unit) {
  for (const Conversion& conversion : conversions(unit)) {
    if (conversion.multiplier > 1 && value % static_cast<int64_t>(conversion.multiplier) != 0) {
      continue;
    }
    auto shown =
        static_cast<int64_t>(std::rint(static_cast<double>(value) / conversion.multiplier));
    return std::to_string(shown) + conversion.unit;
  }
  return std::to_string(value);
}

std::string real_with_unit(double value, SettingUnit unit) {
  double shown = value;
  const char* word = "";
  for (const Conversion& conversion : conversions(unit)) {
    shown = value / conversion.multiplier;
    word = conversion.unit;
    // Exact enough for what six digits can show.
    if (shown > 0 && std::fabs(std::rint(shown) / shown - 1.0) <= 1e-8) break;
  }
  return real_text(shown) + word;
}

}  // namespace cofork
