// See wait_sampler.h. A background worker at its smallest: register, loop, sleep on the latch.
#include "roles/wait_sampler.h"

#include <cstring>

#include "roles/bgworker.h"
#include "settings/settings.h"
#include "shmem/proc.h"
#include "shmem/wait_profile.h"

namespace cofork {

BackgroundWorker wait_sampler_registration() {
  BackgroundWorker worker{};
  std::strncpy(worker.name, "cofork wait sampler", sizeof worker.name - 1);
  worker.flags = kWorkerShmemAccess;
  worker.start = WorkerStart::kRecoveryFinished;
  worker.restart_time_s = 1;
  worker.function = static_cast<uint32_t>(WorkerFunction::kWaitSampler);
  return worker;
}

void wait_sampler_main(Task& task, const BackgroundWorker&) {
  WaitProfile& profile = shared_memory().area<WaitProfile>();
  int64_t interval_ms = settings().get(setting::kCoforkWaitSamplingInterval);
  for (;;) {
    // Wait, reset, look: whatever set the latch before the reset is seen by the look after it.
    uint32_t woken = wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, interval_ms,
                                WaitEventId::kExtension);
    reset_latch(task.latch());
    task.check_interrupts();  // SIGTERM ends us here
    if ((woken & kWaitTimeout) != 0) sample_waits(profile, my_proc_number());
  }
}

}  // namespace cofork
