// See version.h. COFORK_COMPILER and COFORK_HOST come from the build.
#include "support/version.h"

namespace cofork {

const char* version_text() {
  return "PostgreSQL 15.18 (cofork 0.1) on " COFORK_HOST ", compiled by " COFORK_COMPILER
         ", 64-bit";
}

}  // namespace cofork
