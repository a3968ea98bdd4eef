// "… in progress, elapsed time: 10.00 s, …": what long phases of start-up say every
// log_startup_progress_interval (as begin_startup_progress_phase, startup.c, 15).
//
// A repeating timeout only raises a flag; the phase's loop tests it between files or records. The
// first line comes one whole interval into the phase; the time shown counts from its begin.
#pragma once

#include <cstdint>
#include <string>

namespace cofork {

class StartupProgress {
 public:
  StartupProgress();
  ~StartupProgress();
  StartupProgress(const StartupProgress&) = delete;

  void begin_phase();
  /// True when it is time for a line; `elapsed` is then "10.00 s".
  bool due(std::string& elapsed);

 private:
  void arm();
  int64_t phase_begin_ns_ = 0;
  int64_t interval_ms_ = 0;
};

}  // namespace cofork
