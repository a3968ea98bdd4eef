// What `ps` shows for this process: the argv area, overwritten (as ps_status.c).
#pragma once

#include <string_view>

namespace cofork {

/// Remembers where argv and the environment lie and moves the environment away. Once, in main().
void process_title_init(int argc, char** argv);
/// Replaces the whole title; cut to the room that argv and the environment left.
void process_title_set(std::string_view title);

}  // namespace cofork
