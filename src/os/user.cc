// See user.h.
#include "os/user.h"

#include <pwd.h>
#include <unistd.h>

namespace cofork {

uid_t effective_user_id() {
  return geteuid();
}
uid_t real_user_id() {
  return getuid();
}

std::string user_name_of(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry != nullptr ? entry->pw_name : "";
}

}  // namespace cofork
