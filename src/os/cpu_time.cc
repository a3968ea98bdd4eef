// See cpu_time.h.
#include "os/cpu_time.h"

#include <sys/resource.h>

namespace cofork {

CpuTimes thread_cpu_times() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  auto micros = [](const timeval& time) { return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
  return {micros(usage.ru_utime), micros(usage.ru_stime)};
}

}  // namespace cofork
