// Reading a lesson's page; see lesson.h for the format.
#include "tutorial/lesson.h"

#include <fmt/core.h>

#include <cstdlib>
#include <stdexcept>

namespace cofork::tutorial {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

/// Goes through the page once; `at_` is the line being looked at, from 0.
class LessonReader {
 public:
  LessonReader(const std::string& file, std::string_view text) {
    lesson_.file = file;
    lesson_.page = split_lines(text);
  }

  Lesson read() {
    read_title();
    for (at_ = 1; at_ < lesson_.page.size(); ++at_) {
      const std::string& line = lesson_.page[at_];
      if (line.starts_with("## ")) {
        heading(line);
      } else if (line.starts_with("```console")) {
        read_block(line);
      } else if (line.starts_with("```")) {
        skip_to("```");
      } else if (line.starts_with("<!-- check")) {
        read_check(line);
      } else if (line.starts_with("<!-- hint: ")) {
        read_hint();
      } else if (line.starts_with("<!--")) {
        fail("an unknown kind of comment");
      }
    }
    end_step();
    complain_about_steps();
    return std::move(lesson_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(fmt::format("{}:{}: {}", lesson_.file, at_ + 1, what));
  }

  void read_title() {
    const std::string line = lesson_.page.empty() ? "" : lesson_.page[0];
    const size_t dot = line.find(". ");
    if (line.starts_with("# ")) lesson_.number = std::atoi(line.c_str() + 2);
    if (lesson_.number <= 0 || dot == std::string::npos) {
      fail("a lesson begins with \"# NUMBER. TITLE\"");
    }
    lesson_.title = line.substr(dot + 2);
  }

  void heading(const std::string& line) {
    end_step();
    constexpr std::string_view kStep = "## Step ";
    if (!line.starts_with(kStep)) return;
    const size_t colon = line.find(": ");
    const int number = std::atoi(line.c_str() + kStep.size());
    if (colon == std::string::npos || number != static_cast<int>(lesson_.steps.size()) + 1) {
      fail("steps are \"## Step NUMBER: TITLE\", numbered from 1");
    }
    Step step;
    step.title = line.substr(colon + 2);
    step.first_line = static_cast<int>(at_);
    lesson_.steps.push_back(step);
    step_ = number;
  }

  void end_step() {
    if (step_ != 0) lesson_.steps.back().end_line = static_cast<int>(at_);
    step_ = 0;
  }

  /// "fork", "coroutine", "postgres", "any=…" behind the word that begins a block or check.
  void read_flags(const std::string& line, size_t behind, std::string& mode, bool& postgres,
                  std::string& any) const {
    for (const std::string& word : words_of(line.substr(behind))) {
      if (word == "fork" || word == "coroutine") {
        mode = word;
      } else if (word == "postgres") {
        postgres = true;
      } else if (word.starts_with("any=")) {
        any = word.substr(4);
      } else {
        fail("unknown word: " + word);
      }
    }
  }

  void read_block(const std::string& line) {
    Block block;
    block.step = step_;
    read_flags(line, std::string_view("```console").size(), block.mode, block.postgres, block.any);
    while (next_line("```")) read_command_line(block.commands);
    lesson_.blocks.push_back(std::move(block));
  }

  void read_command_line(std::vector<Command>& commands) const {
    const std::string& line = lesson_.page[at_];
    if (line.starts_with("$ ")) {
      Command command;
      command.text = line.substr(2);
      command.line = static_cast<int>(at_) + 1;
      commands.push_back(std::move(command));
      return;
    }
    if (commands.empty()) fail("a command begins with \"$ \"");
    if (line.starts_with("> ") && commands.back().output.empty()) {
      commands.back().text += "\n" + line.substr(2);
    } else {
      commands.back().output.push_back(line);
    }
  }

  void read_check(const std::string& line) {
    Check check;
    check.step = step_;
    bool postgres = false;
    read_flags(line, std::string_view("<!-- check").size(), check.mode, postgres, check.any);
    std::vector<Command> commands;
    while (next_line("-->")) {
      const std::string& text = lesson_.page[at_];
      if (text.starts_with("look: ")) {
        check.look = text.substr(6);
      } else {
        read_command_line(commands);
      }
    }
    if (commands.size() != 1 || check.look.empty() || postgres) {
      fail("a check has one command and one line \"look: \"");
    }
    check.command = std::move(commands[0]);
    lesson_.checks.push_back(std::move(check));
  }

  void read_hint() {
    const std::string& line = lesson_.page[at_];
    constexpr size_t kBefore = std::string_view("<!-- hint: ").size();
    if (!line.ends_with(" -->") || step_ == 0) fail("a hint is one line, within a step");
    lesson_.steps.back().hints.push_back(line.substr(kBefore, line.size() - kBefore - 4));
  }

  /// Goes to the next line; false when it is `end`.
  bool next_line(std::string_view end) {
    if (++at_ >= lesson_.page.size()) fail(fmt::format("\"{}\" is missing", end));
    return lesson_.page[at_] != end;
  }

  void skip_to(std::string_view end) {
    while (next_line(end)) {
    }
  }

  void complain_about_steps() {
    for (size_t i = 0; i < lesson_.steps.size(); ++i) {
      at_ = static_cast<size_t>(lesson_.steps[i].first_line);
      if (lesson_.steps[i].hints.size() != 2) fail("a step has two hints");
      for (const char* mode : {"fork", "coroutine"}) {
        bool found = false;
        for (const Check& check : lesson_.checks) {
          found |= check.step == static_cast<int>(i) + 1 && is_for(check, mode);
        }
        if (!found) fail(fmt::format("the step has no check for mode {}", mode));
      }
    }
    if (lesson_.steps.empty()) fail("a lesson has steps");
  }

  Lesson lesson_;
  size_t at_ = 0;
  int step_ = 0;
};

}  // namespace

Lesson parse_lesson(const std::string& file, std::string_view text) {
  return LessonReader(file, text).read();
}

}  // namespace cofork::tutorial
