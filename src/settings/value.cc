// Values of settings: boot values, text to value, value to text.
#include "settings/value.h"

#include <charconv>
#include <cmath>

#include "settings/hooks.h"
#include "settings/units.h"

namespace cofork {
namespace {

constexpr size_t kNameBytes = 63;  // NAMEDATALEN - 1

Error invalid_value(const SettingInfo& info, std::string_view text) {
  return Error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"",
               info.name, text);
}

Error with_hint(Error error, const char* hint) {
  if (hint != nullptr) error.data().hint = hint;
  return error;
}

SettingValue parse_integer_setting(const SettingInfo& info, std::string_view text) {
  const char* hint = nullptr;
  std::optional<int> parsed = parse_integer(text, info.unit, hint);
  if (!parsed) throw with_hint(invalid_value(info, text), hint);
  if (*parsed < info.minimum || *parsed > info.maximum) {
    const char* unit = unit_name(info.unit);
    throw Error(sqlstate::kInvalidParameterValue,
                "{}{}{} is outside the valid range for parameter \"{}\" ({:.0f} .. {:.0f})",
                *parsed, unit ? " " : "", unit ? unit : "", info.name, info.minimum, info.maximum);
  }
  return SettingValue::of_integer(*parsed);
}

SettingValue parse_real_setting(const SettingInfo& info, std::string_view text) {
  const char* hint = nullptr;
  std::optional<double> parsed = parse_real(text, info.unit, hint);
  if (!parsed) throw with_hint(invalid_value(info, text), hint);
  if (*parsed < info.minimum || *parsed > info.maximum) {
    const char* unit = unit_name(info.unit);
    throw Error(sqlstate::kInvalidParameterValue,
                "{}{}{} is outside the valid range for parameter \"{}\" ({} .. {})",
                real_text(*parsed), unit ? " " : "", unit ? unit : "", info.name,
                real_text(info.minimum), real_text(info.maximum));
  }
  return SettingValue::of_real(*parsed);
}

SettingValue parse_enum_setting(const SettingInfo& info, std::string_view text) {
  for (const EnumOption& option : info.options) {
    if (compare_setting_names(option.name, text) == 0) {
      return SettingValue::of_integer(option.value);
    }
  }
  std::string words;
  for (const EnumOption& option : info.options) {
    if (option.hidden) continue;
    if (!words.empty()) words += ", ";
    words += option.name;
  }
  throw invalid_value(info, text).hint("Available values: {}.", words);
}

// A name longer than an identifier may be loses its end, at a character boundary of UTF-8.
std::string_view cut_name(std::string_view text) {
  if (text.size() <= kNameBytes) return text;
  size_t end = kNameBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

SettingValue SettingValue::of_text(std::string text, std::shared_ptr<const void> derived) {
  SettingValue value;
  value.owner =
      std::make_shared<const SettingText>(SettingText{std::move(text), false, std::move(derived)});
  value.string = value.owner.get();
  return value;
}

SettingValue SettingValue::null_text() {
  SettingValue value;
  value.owner = std::make_shared<const SettingText>(SettingText{{}, true, nullptr});
  value.string = value.owner.get();
  return value;
}

SettingValue boot_value(const SettingInfo& info) {
  switch (info.type) {
    case SettingType::kReal:
      return SettingValue::of_real(info.boot_number);
    case SettingType::kString:
      if (info.boot_text == nullptr) return SettingValue::null_text();
      return parse_setting(info, info.boot_text, SettingSource::kDefault);
    default:
      return SettingValue::of_integer(static_cast<int64_t>(info.boot_number));
  }
}

SettingValue parse_setting(const SettingInfo& info, std::string_view text, SettingSource source,
                           const SettingValue* current) {
  SettingValue value;
  switch (info.type) {
    case SettingType::kBool: {
      std::optional<bool> parsed = parse_boolean(text);
      if (!parsed) {
        throw Error(sqlstate::kInvalidParameterValue, "parameter \"{}\" requires a Boolean value",
                    info.name);
      }
      value = SettingValue::of_integer(*parsed);
      break;
    }
    case SettingType::kInteger:
      value = parse_integer_setting(info, text);
      break;
    case SettingType::kReal:
      value = parse_real_setting(info, text);
      break;
    case SettingType::kEnum:
      value = parse_enum_setting(info, text);
      break;
    case SettingType::kString:
      value = SettingValue::of_text(
          std::string(info.has(setting_flag::kIsName) ? cut_name(text) : text));
      break;
  }
  check_setting(info, value, source, current);
  return value;
}

std::string show_setting(const SettingInfo& info, const SettingValue& value, bool with_units) {
  switch (info.type) {
    case SettingType::kBool:
      return value.integer != 0 ? "on" : "off";
    case SettingType::kInteger: {
      if (std::optional<std::string> shown = show_hook(info, value)) return *shown;
      if (with_units && value.integer > 0 && info.unit != SettingUnit::kNoUnit) {
        return integer_with_unit(value.integer, info.unit);
      }
      return std::to_string(value.integer);
    }
    case SettingType::kReal: {
      if (with_units && value.real > 0 && info.unit != SettingUnit::kNoUnit) {
        return real_with_unit(value.real, info.unit);
      }
      return real_text(value.real);
    }
    case SettingType::kString:
      if (std::optional<std::string> shown = show_hook(info, value)) return *shown;
      return value.string->text;
    case SettingType::kEnum:
      for (const EnumOption& option : info.options) {
        if (option.value == value.integer) return option.name;
      }
      break;
  }
  return "???";
}

bool same_value(const SettingInfo& info, const SettingValue& a, const SettingValue& b) {
  switch (info.type) {
    case SettingType::kReal:
      return a.real == b.real;
    case SettingType::kString:
      return a.string->text == b.string->text && a.string->is_null == b.string->is_null;
    default:
      return a.integer == b.integer;
  }
}

std::optional<bool> parse_boolean(std::string_view text) {
  struct Word {
    std::string_view word;
    size_t shortest;  ///< how much of it must be there to be unambiguous
    bool value;
  };
  static constexpr Word kWords[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true},
                                    {"no", 1, false},  {"on", 2, true},     {"off", 2, false},
                                    {"1", 1, true},    {"0", 1, false}};
  for (const Word& w : kWords) {
    if (text.size() >= w.shortest && text.size() <= w.word.size() &&
        compare_setting_names(text, w.word.substr(0, text.size())) == 0) {
      return w.value;
    }
  }
  return std::nullopt;
}

std::string real_text(double value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6);
  return std::string(text, end.ptr);
}

}  // namespace cofork
