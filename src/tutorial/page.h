// A lesson's page on a terminal: what only the machinery needs is left out, and so are the blocks
// of the other mode. Answers stay hidden until they are asked for.
#pragma once

#include <string>

#include "tutorial/lesson.h"

namespace cofork::tutorial {

struct PageStyle {
  std::string mode;
  bool colour = false;
  bool answers = false;
};

/// Lines `first` up to, not including, `end` (from 0; see Step).
std::string render_page(const Lesson& lesson, int first, int end, const PageStyle& style);
/// The page up to its first step; one step; what follows the last one.
std::string render_beginning(const Lesson& lesson, const PageStyle& style);
std::string render_step(const Lesson& lesson, int step, const PageStyle& style);
std::string render_end(const Lesson& lesson, const PageStyle& style);

}  // namespace cofork::tutorial
