// See exit_status.h.
#include "model/exit_status.h"

#include <fmt/core.h>

#include <cstring>

namespace cofork {

std::string ExitStatus::describe() const {
  if (is_exit()) return fmt::format("exited with exit code {}", code());
  const char* name = sigdescr_np(signal());
  return fmt::format("was terminated by signal {}: {}", signal(),
                     name != nullptr ? name : "unrecognized signal");
}

}  // namespace cofork
