// See custom.h.
#include "settings/custom.h"

#include "settings/setting.h"

namespace cofork {
namespace {

constexpr std::string_view kReservedClass = "cofork";

bool is_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_part(char c) {
  return is_start(c) || (c >= '0' && c <= '9') || c == '$';
}

bool has_custom_form(std::string_view name) {
  bool saw_dot = false;
  bool at_start = true;
  for (char c : name) {
    if (c == '.') {
      if (at_start) return false;
      saw_dot = true;
      at_start = true;
    } else if (at_start ? is_start(c) : is_part(c)) {
      at_start = false;
    } else {
      return false;
    }
  }
  return saw_dot && !at_start;
}

bool is_reserved(std::string_view name) {
  return compare_setting_names(name.substr(0, name.find('.')), kReservedClass) == 0;
}

}  // namespace

bool is_custom_name(std::string_view name) {
  return has_custom_form(name) && !is_reserved(name);
}

void require_custom_name(std::string_view name) {
  if (name.find('.') == std::string_view::npos) {
    throw Error(sqlstate::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
  }
  if (!has_custom_form(name)) {
    throw Error(sqlstate::kInvalidName, "invalid configuration parameter name \"{}\"", name)
        .detail("Custom parameter names must be two or more simple identifiers separated by dots.");
  }
  if (is_reserved(name)) {
    throw Error(sqlstate::kInvalidName, "invalid configuration parameter name \"{}\"", name)
        .detail("\"{}\" is a reserved prefix.", kReservedClass);
  }
}

}  // namespace cofork
