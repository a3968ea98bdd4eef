// The WAL writer: see walwriter.cc.
#pragma once

#include "model/task.h"

namespace cofork {

/// The whole life of the WAL writer. Exit status 0 on SIGTERM or SIGINT.
void wal_writer_main(Task& task);

}  // namespace cofork
