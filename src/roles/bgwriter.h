// The background writer. See bgwriter.cc.
#pragma once

#include "model/task.h"

namespace cofork {

/// The whole life of the background writer.
void background_writer_main(Task& task);

}  // namespace cofork
