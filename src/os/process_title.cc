// See process_title.h. One title a process: it is the process's own state, not a task's.
#include "os/process_title.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <unistd.h>

namespace cofork {

namespace {

// The area the kernel shows is fixed when the program starts, and there is one per process: this is
// the process's own state, not a task's (the coroutine model shows its tasks' titles elsewhere).
struct TitleArea {
  char* start = nullptr;
  size_t size = 0;
  size_t last_length = 0;
};
TitleArea area;

}  // namespace

void process_title_init(int argc, char** argv) {
  // argv and environ strings lie one after the other; all that is contiguous may be overwritten.
  char* start = argc > 0 ? argv[0] : nullptr;
  if (start == nullptr) return;
  char* end = start;
  for (int i = 0; i < argc; ++i) {
    if (argv[i] == end) end = argv[i] + std::strlen(argv[i]) + 1;
  }
  int count = 0;
  for (; environ[count] != nullptr; ++count) {
    if (environ[count] == end) end = environ[count] + std::strlen(environ[count]) + 1;
  }
  // Everybody who keeps pointers into the old strings (libc's getenv, our own argv) gets copies.
  char** moved = new char*[static_cast<size_t>(count) + 1];
  for (int i = 0; i < count; ++i) moved[i] = strdup(environ[i]);
  moved[count] = nullptr;
  environ = moved;
  for (int i = 0; i < argc; ++i) argv[i] = strdup(argv[i]);
  area = {start, static_cast<size_t>(end - start), static_cast<size_t>(end - start)};
}

void process_title_set(std::string_view title) {
  if (area.size < 2) return;
  size_t length = std::min(title.size(), area.size - 1);
  std::memcpy(area.start, title.data(), length);
  // Zeros up to the end of what was shown before: ps prints to the end of the argv area.
  if (area.last_length > length) std::memset(area.start + length, 0, area.last_length - length);
  area.last_length = length;
}

}  // namespace cofork
