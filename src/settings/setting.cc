// The table of settings, made from setting_list.h, and looking things up in it.
#include "settings/setting.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <climits>
#include <cstring>

#include "settings/enum_options.h"
#include "support/version.h"

namespace cofork {
namespace {

constexpr int kMaxInt = INT_MAX;
constexpr int kMinInt = INT_MIN;
constexpr double kMaxReal = DBL_MAX;
constexpr int kMaxBackends =
    0x3ffff;  // MAX_BACKENDS of postmaster.h: what the buffer header's count holds

constexpr double option_value(std::span<const EnumOption> options, std::string_view name) {
  for (const EnumOption& option : options) {
    if (option.name == name) return option.value;
  }
  throw "a default that is not among the options";
}

using namespace setting_flag;

// clang-format off
constexpr std::array<SettingInfo, kSettingCount> kSettings = {{
#define BOOLEAN(symbol, name, context, flags, boot, description)          \
  {name, SettingType::kBool, SettingContext::context,                     \
   SettingUnit::kNoUnit, flags, CATEGORY, description, boot, 0, 0, nullptr, {}},
#define INTEGER(symbol, name, context, flags, unit, boot, low, high, description) \
  {name, SettingType::kInteger, SettingContext::context,                  \
   SettingUnit::unit, flags, CATEGORY, description, boot, low, high, nullptr, {}},
#define REAL(symbol, name, context, flags, unit, boot, low, high, description) \
  {name, SettingType::kReal, SettingContext::context,                     \
   SettingUnit::unit, flags, CATEGORY, description, boot, low, high, nullptr, {}},
#define STRING(symbol, name, context, flags, boot, description)           \
  {name, SettingType::kString, SettingContext::context,                   \
   SettingUnit::kNoUnit, flags, CATEGORY, description, 0, 0, 0, boot, {}},
#define ENUM(symbol, name, context, flags, Type, options, boot, description) \
  {name, SettingType::kEnum, SettingContext::context,                     \
   SettingUnit::kNoUnit, flags, CATEGORY, description,                    \
   option_value(options, boot), 0, 0, nullptr, options},
#include "settings/setting_list.h"
}};
// clang-format on

constexpr unsigned char lower(char c) {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

constexpr int compare_names(std::string_view a, std::string_view b) {
  size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (int difference = lower(a[i]) - lower(b[i])) return difference;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

constexpr auto sorted_indexes() {
  std::array<SettingIndex, kSettingCount> order{};
  for (int i = 0; i < kSettingCount; ++i) order[i] = static_cast<SettingIndex>(i);
  std::sort(order.begin(), order.end(), [](SettingIndex a, SettingIndex b) {
    return compare_names(kSettings[static_cast<size_t>(a)].name,
                         kSettings[static_cast<size_t>(b)].name) < 0;
  });
  return order;
}
constexpr std::array<SettingIndex, kSettingCount> kByName = sorted_indexes();

}  // namespace

std::span<const SettingInfo, kSettingCount> all_settings() {
  return kSettings;
}

std::span<const SettingIndex> settings_by_name() {
  return kByName;
}

int compare_setting_names(std::string_view a, std::string_view b) {
  return compare_names(a, b);
}

SettingIndex find_setting(std::string_view name) {
  if (compare_names(name, "sort_mem") == 0) return SettingIndex::kWorkMem;
  if (compare_names(name, "vacuum_mem") == 0) return SettingIndex::kMaintenanceWorkMem;
  auto at = std::lower_bound(kByName.begin(), kByName.end(), name,
                             [](SettingIndex index, std::string_view wanted) {
                               return compare_names(setting_info(index).name, wanted) < 0;
                             });
  if (at == kByName.end() || compare_names(setting_info(*at).name, name) != 0) {
    return SettingIndex::kCount;
  }
  return *at;
}

const char* type_name(SettingType type) {
  static constexpr const char* kNames[] = {"bool", "integer", "real", "string", "enum"};
  return kNames[static_cast<int>(type)];
}

const char* context_name(SettingContext context) {
  static constexpr const char* kNames[] = {"internal", "postmaster", "sighup", "superuser-backend",
                                           "backend",  "superuser",  "user"};
  return kNames[static_cast<int>(context)];
}

const char* source_name(SettingSource source) {
  static constexpr const char* kNames[] = {"default",
                                           "default",
                                           "environment variable",
                                           "configuration file",
                                           "command line",
                                           "global",
                                           "database",
                                           "user",
                                           "database user",
                                           "client",
                                           "override",
                                           "interactive",
                                           "test",
                                           "session"};
  return kNames[static_cast<int>(source)];
}

const char* unit_name(SettingUnit unit) {
  static constexpr const char* kNames[] = {nullptr, "B",  "kB", "8kB", "8kB",
                                           "MB",    "ms", "s",  "min"};
  return kNames[static_cast<int>(unit)];
}

}  // namespace cofork
