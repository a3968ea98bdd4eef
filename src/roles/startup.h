// The startup role: see startup.cc.
#pragma once

#include "model/task.h"

namespace cofork {

/// The whole life of the startup task: returns (status 0) when the cluster may be used; 1 when told
/// to stop or when it cannot go on.
void startup_main(Task& task);
/// What it does, for a server that has one task (StartupXLOG). Its Proc is there already.
void start_up_system(Task& task);

}  // namespace cofork
