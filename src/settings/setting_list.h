// The list of all settings, as macros: include it with these six defined to build something from
// it.
//
//   BOOLEAN(symbol, name, context, flags, default, description)
//   INTEGER(symbol, name, context, flags, unit, default, minimum, maximum, description)
//   REAL   (symbol, name, context, flags, unit, default, minimum, maximum, description)
//   STRING (symbol, name, context, flags, default, description)
//   ENUM   (symbol, name, context, flags, Type, options, default, description)
//   CATEGORY is defined around each group, with the group's title.
//
// One line here makes the id (setting.h), the row of pg_settings, the checks and the sample file.
// Values are in base units: 4096 with kKilobytes is 4MB. No include guard: it is included twice.
#include "settings/table/client.h"
#include "settings/table/cofork.h"
#include "settings/table/connections.h"
#include "settings/table/developer.h"
#include "settings/table/logging.h"
#include "settings/table/planner.h"
#include "settings/table/resources.h"
#include "settings/table/wal.h"
#undef BOOLEAN
#undef INTEGER
#undef REAL
#undef STRING
#undef ENUM
