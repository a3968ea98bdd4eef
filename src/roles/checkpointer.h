// The checkpointer: see checkpointer.cc.
#pragma once

#include "model/task.h"

namespace cofork {

/// The whole life of the checkpointer. Exit status 0 only after the shutdown checkpoint.
void checkpointer_main(Task& task);

}  // namespace cofork
