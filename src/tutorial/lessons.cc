// See lessons.h.
#include "tutorial/lessons.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tutorial/workshop.h"

namespace cofork::tutorial {

std::vector<Lesson> load_lessons(const std::string& directory) {
  std::vector<Lesson> lessons;
  if (directory.empty()) {
    for (const EmbeddedPage& page : embedded_pages()) {
      lessons.push_back(parse_lesson(page.file, page.text));
    }
  } else {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      const std::string name = entry.path().filename().string();
      if (name.empty() || name[0] < '0' || name[0] > '9' || !name.ends_with(".md")) continue;
      lessons.push_back(parse_lesson(name, read_text(entry.path().string()).value_or("")));
    }
  }
  std::sort(lessons.begin(), lessons.end(),
            [](const Lesson& a, const Lesson& b) { return a.number < b.number; });
  return lessons;
}

const Lesson& lesson_of(const std::vector<Lesson>& lessons, int number) {
  for (const Lesson& lesson : lessons) {
    if (lesson.number == number) return lesson;
  }
  throw std::runtime_error(
      fmt::format("there is no lesson {}\nhint: cofork tutorial list shows them", number));
}

}  // namespace cofork::tutorial
