// Wait sampler: a background worker that looks at everybody's wait event at a fixed pace and counts
// what it sees, for the view cofork_wait_profile (as the extension pg_wait_sampling does).
//
// One look at pg_stat_activity shows what a server waits for now; a thousand looks show where its
// time goes. It is off unless cofork.wait_sampling_interval is set, so that a server's list of
// tasks is PostgreSQL's own.
#pragma once

#include "model/task.h"
#include "shmem/background_worker.h"

namespace cofork {

/// How the postmaster registers it: from recovery's end on, again one second after a failure.
BackgroundWorker wait_sampler_registration();

/// The worker's function. Ends only by a signal.
void wait_sampler_main(Task& task, const BackgroundWorker& worker);

}  // namespace cofork
