// Who runs this process: names of users, looked up once at start-up (blocking calls of libc).
#pragma once

#include <sys/types.h>

#include <string>

namespace cofork {

uid_t effective_user_id();
uid_t real_user_id();
/// Login name of a user id, or "" when there is none.
std::string user_name_of(uid_t uid);
/// Number of a group by its name or its digits; false when there is none.
bool group_id_of(const std::string& group, gid_t& gid);
/// Gives a file to a group; 0 or -errno.
int change_group(const std::string& path, gid_t gid);

}  // namespace cofork
