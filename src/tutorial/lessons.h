// The lessons there are: those compiled into the program, or the pages of a directory.
#pragma once

#include <string>
#include <vector>

#include "tutorial/lesson.h"

namespace cofork::tutorial {

/// A page of tutorials/ as it was when the program was built. embed.py writes the list.
struct EmbeddedPage {
  const char* file;
  const char* text;
};
const std::vector<EmbeddedPage>& embedded_pages();

/// All lessons by number: the embedded ones when `directory` is "", else its files NN-….md. Throws
/// std::runtime_error when a page is not as it should be.
std::vector<Lesson> load_lessons(const std::string& directory);
/// Throws std::runtime_error when there is no such lesson.
const Lesson& lesson_of(const std::vector<Lesson>& lessons, int number);

}  // namespace cofork::tutorial
