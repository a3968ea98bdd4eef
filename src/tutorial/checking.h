// Does a lesson's step hold on the learner's own server? Asked of the server over SQL and of the
// operating system, by the commands the lesson names.
#pragma once

#include <string>
#include <vector>

#include "tutorial/lesson.h"
#include "tutorial/workshop.h"

namespace cofork::tutorial {

struct Finding {
  const Check* check;
  bool holds;
  std::vector<std::string> saw;
};

/// The checks of a step (0: of the exercise) for the place's mode.
std::vector<Finding> check_step(const Lesson& lesson, const Place& place, int step);

/// Expected, saw, and how to look oneself: for a finding that does not hold.
std::string explain_finding(const Finding& finding);

/// The commands of a step for a mode, as one shell script.
std::string commands_of_step(const Lesson& lesson, int step, const std::string& mode);

}  // namespace cofork::tutorial
