// The real clock and the kernel's entropy.
#include "os/real_os.h"

#include <sys/random.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>

namespace cofork {

int64_t RealClock::realtime_us() const {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

int64_t RealClock::monotonic_ns() const {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void RealEntropy::fill(void* bytes, size_t count) {
  char* to = static_cast<char*>(bytes);
  while (count > 0) {
    ssize_t got = getrandom(to, count, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      // getrandom fails for no other reason once the machine has booted; keys must not be
      // guessable.
      std::abort();
    }
    to += got;
    count -= static_cast<size_t>(got);
  }
}

}  // namespace cofork
