// CPU time of the calling thread, split as getrusage() splits it.
#pragma once

#include <cstdint>

namespace cofork {

struct CpuTimes {
  int64_t user_us = 0;
  int64_t system_us = 0;
};

/// RUSAGE_THREAD. Several fibers of one thread share these figures.
CpuTimes thread_cpu_times();

}  // namespace cofork
