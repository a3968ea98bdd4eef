// Runs the pages: every command a lesson shows, in order and in one shell, as a reader would, and
// compares what it printed with what the page shows. Also tries the checks: red before their step,
// green after it and at the end, and red at the end when the step alone was left out.
//
// A run has a workshop of its own in a temporary directory and leaves nothing behind.
#pragma once

#include <string>
#include <vector>

#include "tutorial/lesson.h"
#include "tutorial/workshop.h"

namespace cofork::tutorial {

struct Complaint {
  std::string file;
  int line;
  std::string text;
};

/// Runs a lesson in the place's mode; the place must not exist yet. With `promoted`, pages whose
/// output has changed are not complained about: the page as it should be goes there.
std::vector<Complaint> run_lesson(const Lesson& lesson, const Place& place, std::string* promoted);

/// Runs it once for each step without that step.
std::vector<Complaint> run_with_steps_left_out(const Lesson& lesson, const Place& place);

}  // namespace cofork::tutorial
