// Who runs this process: names of users, looked up once at start-up (blocking calls of libc).
#pragma once

#include <sys/types.h>

#include <string>

namespace cofork {

uid_t effective_user_id();
uid_t real_user_id();
/// Login name of a user id, or "" when there is none.
std::string user_name_of(uid_t uid);

}  // namespace cofork
