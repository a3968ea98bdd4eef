// Units of settings: numbers with a unit to the base unit, and back to the largest unit that is
// exact.
#pragma once

#include <cstdint>
#include <string>

#include "settings/setting.h"

namespace cofork {

/// "4MB" for 4096 kilobytes, "5min" for 300 seconds: the largest unit that leaves no remainder.
std::string integer_with_unit(int64_t value, SettingUnit unit);
std::string real_with_unit(double value, SettingUnit unit);

}  // namespace cofork
