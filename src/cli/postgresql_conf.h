// The postgresql.conf that a new data directory begins with.
#pragma once

#include <string>

namespace cofork {

struct ConfigurationChoices {
  std::string locale;
  std::string time_zone;
  std::string text_search;  ///< "english"
};
std::string initial_postgresql_conf(const ConfigurationChoices& choices);

/// The zone the machine is set to, by its name in the zone database: TZ, or what /etc/localtime
/// links to; "GMT" when neither says.
std::string system_time_zone();

}  // namespace cofork
