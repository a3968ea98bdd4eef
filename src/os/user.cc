// See user.h.
#include "os/user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

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

bool group_id_of(const std::string& group, gid_t& gid) {
  char* end = nullptr;
  unsigned long number = std::strtoul(group.c_str(), &end, 10);
  if (!group.empty() && *end == '\0') {
    gid = static_cast<gid_t>(number);
    return true;
  }
  const ::group* entry = getgrnam(group.c_str());
  if (entry == nullptr) return false;
  gid = entry->gr_gid;
  return true;
}

int change_group(const std::string& path, gid_t gid) {
  return ::chown(path.c_str(), static_cast<uid_t>(-1), gid) == 0 ? 0 : -errno;
}

}  // namespace cofork
