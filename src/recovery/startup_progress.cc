// See startup_progress.h.
#include "recovery/startup_progress.h"

#include <fmt/core.h>

#include "model/task.h"
#include "settings/setting.h"
#include "settings/settings.h"

namespace cofork {

StartupProgress::StartupProgress() {
  // That it has fired is all we want to know, and Timeouts remembers that.
  this_task().timeouts().set_handler(TimeoutId::kStartupProgress, [](Task&) {});
}

StartupProgress::~StartupProgress() {
  this_task().timeouts().disable(TimeoutId::kStartupProgress);
}

void StartupProgress::arm() {
  this_task().timeouts().enable_after_ms(TimeoutId::kStartupProgress, interval_ms_);
}

void StartupProgress::begin_phase() {
  interval_ms_ = settings().get(setting::kLogStartupProgressInterval);
  phase_begin_ns_ = this_task().os().clock.monotonic_ns();
  this_task().timeouts().disable(TimeoutId::kStartupProgress);
  this_task().timeouts().fired(TimeoutId::kStartupProgress, true);
  if (interval_ms_ > 0) arm();
}

bool StartupProgress::due(std::string& elapsed) {
  if (interval_ms_ == 0 || !this_task().timeouts().fired(TimeoutId::kStartupProgress, true)) {
    return false;
  }
  int64_t ms = (this_task().os().clock.monotonic_ns() - phase_begin_ns_) / 1'000'000;
  elapsed = fmt::format("{}.{:02} s", ms / 1000, ms % 1000 / 10);
  arm();
  return true;
}

}  // namespace cofork
