// See runner.h.
#include "tutorial/runner.h"

#include <fmt/core.h>

#include <cerrno>
#include <filesystem>
#include <map>

#include "os/launch.h"
#include "tutorial/match.h"

namespace cofork::tutorial {

namespace {

constexpr int kLessonDeadlineMs = 60'000;
/// Begins a line that says whose output follows; in no command's output.
constexpr char kMark = '\001';

/// What a reader's shell would go through, with marks between the commands.
class LessonScript {
 public:
  LessonScript(const Lesson& lesson, const Place& place, int without_step)
      : lesson_(lesson), place_(place), without_step_(without_step) {}

  std::string text() {
    script_ = enter_place(place_) + "{ :; }\n" + start_server_script();
    int step = 0;
    for (const Block& block : lesson_.blocks) {
      if (!is_for(block, place_.mode)) continue;
      if (block.step != step) {
        leave_step(step);
        step = block.step;
        if (without_step_ == 0 && step != 0) checks(step, "before");
      }
      if (block.step != without_step_ || without_step_ == 0) commands(block);
    }
    leave_step(step);
    for (size_t i = 1; i <= lesson_.steps.size(); ++i) {
      const int last = static_cast<int>(i);
      if (without_step_ == 0 || without_step_ == last) checks(last, "end");
    }
    mark("over");
    return script_ + stop_server_script();
  }

 private:
  void mark(const std::string& what) { script_ += fmt::format("printf '\\001{}\\n'\n", what); }

  void leave_step(int step) {
    if (without_step_ == 0 && step != 0) checks(step, "after");
  }

  void commands(const Block& block) {
    if (block.postgres && without_step_ != 0) return;
    // `[ -z "$PG" ] ||` would make a compound of the command; an `if` keeps its variables and jobs.
    for (const Command& command : block.commands) {
      if (block.postgres) script_ += "if [ -n \"${PG-}\" ]; then\n";
      mark(fmt::format("command {}", command.line));
      script_ += command.text + "\n";
      if (block.postgres) script_ += "fi\n";
    }
  }

  void checks(int step, const char* when) {
    for (size_t i = 0; i < lesson_.checks.size(); ++i) {
      const Check& check = lesson_.checks[i];
      if (check.step != step || !is_for(check, place_.mode)) continue;
      mark(fmt::format("{} {}", when, i));
      script_ += "(\n" + check.command.text + "\n) < /dev/null\n";
    }
  }

  const Lesson& lesson_;
  const Place& place_;
  int without_step_;
  std::string script_;
};

/// The output behind each mark: "command 12" and so on.
using Outputs = std::map<std::string, std::vector<std::string>>;

Outputs outputs_of(const std::string& text, const Place& place) {
  // A learner's workshop lies elsewhere, and one page shows both modes.
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    const size_t found = std::min(text.find(place.directory, at), text.size());
    shown += text.substr(at, found - at);
    if (found < text.size()) {
      shown += fmt::format("~/.local/state/cofork-tutorial/{}-fork", place.number);
    }
    at = found + place.directory.size();
  }
  Outputs outputs;
  for (size_t at = shown.find(kMark); at != std::string::npos;) {
    const size_t line_end = std::min(shown.find('\n', at), shown.size() - 1);
    const size_t next = shown.find(kMark, line_end);
    outputs[shown.substr(at + 1, line_end - at - 1)] =
        split_lines(std::string_view(shown).substr(line_end + 1, next - line_end - 1));
    at = next;
  }
  return outputs;
}

std::string quoted_lines(const char* before, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += fmt::format("    {} {}\n", before, line);
  return text;
}

class LessonRun {
 public:
  LessonRun(const Lesson& lesson, const Place& place, int without_step)
      : lesson_(lesson), place_(place), without_step_(without_step) {
    remove_place(place_);
    Progress progress;
    prepare_place(place_, progress);
    LessonScript script(lesson_, place_, without_step_);
    write_text(place_.directory + "/run.sh", script.text());
    const std::string output = place_.directory + "/run.out";
    status_ =
        run_shell(". " + shell_quoted(place_.directory + "/run.sh"), output, kLessonDeadlineMs);
    outputs_ = outputs_of(read_text(output).value_or(""), place_);
    if (!outputs_.contains("over")) {
      std::string last = "its first command";
      for (const auto& [mark, lines] : outputs_) {
        if (mark.starts_with("command")) last = mark + ": " + (lines.empty() ? "" : lines.back());
      }
      complain(1, fmt::format("the run ended early (status {}), in or after {}", status_, last));
    }
  }

  ~LessonRun() { remove_place(place_); }
  LessonRun(const LessonRun&) = delete;
  LessonRun& operator=(const LessonRun&) = delete;

  void compare_commands(std::string* promoted) {
    std::map<int, const std::vector<std::string>*> changed;  // by the command's line
    for (const Block& block : lesson_.blocks) {
      for (const Command& command : block.commands) {
        const auto found = outputs_.find(fmt::format("command {}", command.line));
        if (found == outputs_.end() || output_matches(command.output, found->second, block.any)) {
          continue;
        }
        changed[command.line] = &found->second;
        if (promoted != nullptr) continue;
        complain(command.line, "prints something else:\n" + quoted_lines("-", command.output) +
                                   quoted_lines("+", found->second));
      }
    }
    if (promoted != nullptr) *promoted = page_with(changed);
  }

  /// `when` is before, after or end.
  void expect_checks(const std::string& when, bool green, int only_step) {
    std::map<int, bool> all_hold;  // by step
    std::map<int, size_t> last;
    for (size_t i = 0; i < lesson_.checks.size(); ++i) {
      const Check& check = lesson_.checks[i];
      const auto found = outputs_.find(fmt::format("{} {}", when, i));
      if (found == outputs_.end() || (only_step != 0 && check.step != only_step)) continue;
      const bool holds = output_matches(check.command.output, found->second, check.any);
      all_hold.try_emplace(check.step, true);
      all_hold[check.step] &= holds;
      last[check.step] = i;
      if (green && !holds) {
        complain(check.command.line, fmt::format("the check is red {}:\n", when) +
                                         quoted_lines("-", check.command.output) +
                                         quoted_lines("+", found->second));
      }
    }
    for (const auto& [step, hold] : all_hold) {
      if (green || !hold) continue;
      complain(lesson_.checks[last[step]].command.line,
               fmt::format("the check is green {} without step {}", when, step));
    }
  }

  std::vector<Complaint> take() { return std::move(complaints_); }

 private:
  void complain(int line, const std::string& text) {
    complaints_.push_back({lesson_.file, line, text});
  }

  std::string page_with(const std::map<int, const std::vector<std::string>*>& changed) const {
    std::string page;
    for (size_t i = 0; i < lesson_.page.size(); ++i) {
      page += lesson_.page[i] + "\n";
      const auto found = changed.find(static_cast<int>(i) + 1);
      if (found == changed.end()) continue;
      while (lesson_.page[i + 1].starts_with("> ")) page += lesson_.page[++i] + "\n";
      while (!lesson_.page[i + 1].starts_with("$ ") && lesson_.page[i + 1] != "```") ++i;
      std::vector<std::string> shown = *found->second;
      while (!shown.empty() && shown.back().empty()) shown.pop_back();
      for (const std::string& line : shown) page += line + "\n";
    }
    return page;
  }

  const Lesson& lesson_;
  const Place& place_;
  int without_step_;
  int status_ = 0;
  Outputs outputs_;
  std::vector<Complaint> complaints_;
};

}  // namespace

std::vector<Complaint> run_lesson(const Lesson& lesson, const Place& place, std::string* promoted) {
  LessonRun run(lesson, place, 0);
  run.compare_commands(promoted);
  run.expect_checks("before", false, 0);
  run.expect_checks("after", true, 0);
  run.expect_checks("end", true, 0);
  return run.take();
}

std::vector<Complaint> run_with_steps_left_out(const Lesson& lesson, const Place& place) {
  std::vector<Complaint> complaints;
  for (int step = 1; step <= static_cast<int>(lesson.steps.size()); ++step) {
    LessonRun run(lesson, place, step);
    run.expect_checks("end", false, step);
    for (Complaint& complaint : run.take()) complaints.push_back(std::move(complaint));
  }
  return complaints;
}

}  // namespace cofork::tutorial
