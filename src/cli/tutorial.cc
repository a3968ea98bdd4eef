// cofork tutorial: the lessons of tutorials/, each on a server of the learner's own.
//
//   list, start, show, check, hint, status, reset, stop     for a learner
//   run                                                     for who writes lessons, and the tests
//
// What is here is the conversation; src/tutorial reads pages, asks servers and remembers.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "os/launch.h"
#include "os/process.h"
#include "tutorial/checking.h"
#include "tutorial/lessons.h"
#include "tutorial/page.h"
#include "tutorial/runner.h"
#include "tutorial/workshop.h"

namespace cofork::tutorial {
namespace {

constexpr int kNotYet = 3;  ///< exit code: a check does not hold
constexpr std::array<const char*, 2> kModes = {"fork", "coroutine"};

/// Options of all verbs; each verb offers those it looks at.
struct TutorialOptions {
  std::vector<std::string> words;
  std::string mode;
  std::string from;
  std::string step;
  std::string lessons;
  bool no_shell = false;
  bool answers = false;
  bool all = false;
  bool exercise = false;
  bool promote = false;
  bool leave_out = false;
};

int number_of(const std::string& text, const char* what) {
  char* end = nullptr;
  const long number = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || number < 1 || number > 999) {
    throw std::runtime_error(fmt::format("{} is a number, not \"{}\"", what, text));
  }
  return static_cast<int>(number);
}

void require_mode(const std::string& mode) {
  if (mode != "fork" && mode != "coroutine") {
    throw std::runtime_error(fmt::format("--mode is fork or coroutine, not \"{}\"", mode));
  }
}

PageStyle page_style(const std::string& mode, bool answers) {
  const auto no_colour = environment_variable("NO_COLOR");
  return {mode, is_terminal(1) && (!no_colour || no_colour->empty()), answers};
}

/// The lesson named on the command line, or the one last started.
Place chosen_place(const TutorialOptions& options) {
  const std::string root = workshop_root();
  const auto current = is_workshop(root) ? current_place(root) : std::nullopt;
  if (options.words.empty()) {
    if (!current) {
      throw std::runtime_error("no lesson has been started\nhint: cofork tutorial start 1");
    }
    return options.mode.empty() ? *current : place_of(root, current->number, options.mode);
  }
  const int number = number_of(options.words[0], "a lesson");
  if (!options.mode.empty()) return place_of(root, number, options.mode);
  if (current && current->number == number) return *current;
  return place_of(root, number, "fork");
}

void require_started(const Place& place) {
  if (is_workshop(place.root) && read_progress(place).port != 0) return;
  throw std::runtime_error(fmt::format(
      "lesson {} has not been started in mode {}\nhint: cofork tutorial start {}{}", place.number,
      place.mode, place.number, place.mode == "fork" ? "" : " --mode=" + place.mode));
}

int first_open_step(const Lesson& lesson, const Progress& progress) {
  for (int step = 1; step <= static_cast<int>(lesson.steps.size()); ++step) {
    if (!progress.done.contains(step)) return step;
  }
  return 0;
}

std::string share_of(size_t done, size_t all) {
  return fmt::format("{}/{}, {} %", done, all, all == 0 ? 0 : done * 100 / all);
}

// --- the verbs

int list_lessons(const TutorialOptions& options) {
  const std::string root = workshop_root();
  for (const Lesson& lesson : load_lessons(options.lessons)) {
    std::string states;
    for (const char* mode : kModes) {
      const Progress progress = read_progress(place_of(root, lesson.number, mode));
      if (progress.port == 0) continue;
      states += fmt::format("  {} {}", mode, share_of(progress.done.size(), lesson.steps.size()));
    }
    fmt::print("{:>2}  {:<34}{}\n", lesson.number, lesson.title, states);
  }
  return 0;
}

int show_status(const TutorialOptions& options) {
  const std::string root = workshop_root();
  size_t done = 0;
  size_t all = 0;
  bool any = false;
  for (const Lesson& lesson : load_lessons(options.lessons)) {
    size_t best = 0;
    all += lesson.steps.size();
    for (const char* mode : kModes) {
      const Place place = place_of(root, lesson.number, mode);
      const Progress progress = read_progress(place);
      if (progress.port == 0) continue;
      any = true;
      best = std::max(best, progress.done.size());
      fmt::print("{:>2}  {:<34}  {:<9}  {:<10}  {}\n", lesson.number, lesson.title, mode,
                 share_of(progress.done.size(), lesson.steps.size()), place.directory);
    }
    done += best;
  }
  if (!any) fmt::print("No lesson has been started. Begin with: cofork tutorial start 1\n");
  fmt::print("all lessons: {}\n", share_of(done, all));
  return 0;
}

int show_page(const TutorialOptions& options) {
  const Place place = chosen_place(options);
  const auto lessons = load_lessons(options.lessons);
  const Lesson& lesson = lesson_of(lessons, place.number);
  const PageStyle style = page_style(place.mode, options.answers);
  if (options.step.empty()) {
    fmt::print("{}", render_page(lesson, 0, static_cast<int>(lesson.page.size()), style));
    return 0;
  }
  const int step = number_of(options.step, "a step");
  if (step > static_cast<int>(lesson.steps.size())) throw std::runtime_error("no such step");
  fmt::print("{}", render_step(lesson, step, style));
  return 0;
}

/// The shell script `start` turns into: server, page, the learner's shell, and the end of both.
std::string start_script(const Place& place, const std::string& pages, const std::string& catch_up,
                         bool shell) {
  std::string script = fmt::format(
      "{}{{ :; }} || exit 1\n"
      "stop() {{\ntrap - EXIT INT HUP TERM\n{}\n"
      "echo; echo 'The server is stopped, your progress is kept. Go on with:'\n"
      "echo '  cofork tutorial start {} --mode={}'\n}}\n"
      "trap stop EXIT; trap 'exit 130' INT; trap 'exit 129' HUP; trap 'exit 143' TERM\n"
      // A second terminal looks in; the first one looks after the server.
      "if cofork ctl status > status 2>&1; then trap - EXIT INT HUP TERM; fi\n"
      "{}{}",
      enter_place(place), stop_server_script(), place.number, place.mode, start_server_script(),
      catch_up);
  script += "cat " + pages + "\n";
  if (!shell) return script + "trap - EXIT INT HUP TERM\n";
  // The learner's Ctrl-C is for what runs in the learner's shell.
  return script + "trap : INT\n\"${SHELL:-/bin/sh}\"\nexit 0\n";
}

std::string how_to_go_on(const Place& place, bool shell) {
  std::string text = shell
                         ? "You are in a shell of the lesson's own: psql finds its server, PGDATA "
                           "is its directory.\nexit ends it and stops the server.\n"
                         : fmt::format(
                               "The server runs until: cofork tutorial stop\nCome in with: "
                               ". {}/env\n",
                               place.directory);
  return "\n----\n" + text +
         "When you have done the step: cofork tutorial check. When stuck: cofork tutorial hint.\n";
}

int start_lesson(const TutorialOptions& options) {
  if (options.words.empty())
    throw std::runtime_error("which lesson? cofork tutorial list shows them");
  const std::string mode = options.mode.empty() ? "fork" : options.mode;
  const auto lessons = load_lessons(options.lessons);
  const Lesson& lesson = lesson_of(lessons, number_of(options.words[0], "a lesson"));
  const std::string root = workshop_root();
  claim_workshop(root);
  const Place place = place_of(root, lesson.number, mode);
  Progress progress = read_progress(place);
  const bool first_time = progress.port == 0;
  prepare_place(place, progress);

  int step = first_open_step(lesson, progress);
  std::string catch_up;
  if (!options.from.empty()) {
    step = number_of(options.from, "a step");
    if (step > static_cast<int>(lesson.steps.size())) throw std::runtime_error("no such step");
    for (int skipped = 1; skipped < step; ++skipped) {
      if (!progress.done.contains(skipped)) catch_up += commands_of_step(lesson, skipped, mode);
    }
    if (!catch_up.empty()) catch_up = "{\n" + catch_up + "} > catch-up.log 2>&1 < /dev/null\n";
  }
  const PageStyle style = page_style(mode, false);
  const bool shell = !options.no_shell && is_terminal(0);
  std::string pages = first_time ? render_beginning(lesson, style) : "";
  pages += step == 0 ? render_end(lesson, style) : render_step(lesson, step, style);
  write_text(place.directory + "/page", pages + how_to_go_on(place, shell));
  const std::string script = start_script(place, "page", catch_up, shell);
  const int error = replace_process("/bin/sh", {"/bin/sh", "-c", script});
  throw std::runtime_error(fmt::format("could not start /bin/sh: error {}", -error));
}

int check_exercise(const Lesson& lesson, const Place& place) {
  bool holds = true;
  for (const Finding& finding : check_step(lesson, place, 0)) {
    holds &= finding.holds;
    if (!finding.holds) fmt::print("{}", explain_finding(finding));
  }
  fmt::print("{}\n",
             holds ? "done: the change in the source" : "not yet: the change in the source");
  return holds ? 0 : kNotYet;
}

int check_lesson(const TutorialOptions& options) {
  const Place place = chosen_place(options);
  require_started(place);
  const auto lessons = load_lessons(options.lessons);
  const Lesson& lesson = lesson_of(lessons, place.number);
  if (options.exercise) return check_exercise(lesson, place);
  Progress progress = read_progress(place);
  const int open_before = first_open_step(lesson, progress);
  bool explained = false;
  for (int step = 1; step <= static_cast<int>(lesson.steps.size()); ++step) {
    const std::string title = lesson.steps[static_cast<size_t>(step) - 1].title;
    if (progress.done.contains(step) && !options.all) {
      fmt::print("done     step {}: {}\n", step, title);
      continue;
    }
    const std::vector<Finding> findings = check_step(lesson, place, step);
    const bool holds = std::all_of(findings.begin(), findings.end(),
                                   [](const Finding& finding) { return finding.holds; });
    fmt::print("{:<8} step {}: {}\n", holds ? "done" : "not yet", step, title);
    if (holds) {
      progress.done.insert(step);
    } else {
      progress.done.erase(step);
      for (const Finding& finding : findings) {
        if (!finding.holds && !explained) fmt::print("{}", explain_finding(finding));
      }
      explained = true;  // one thing at a time: what comes later cannot be done yet
    }
  }
  write_progress(place, progress);
  fmt::print("{}\n", share_of(progress.done.size(), lesson.steps.size()));
  const int open = first_open_step(lesson, progress);
  const PageStyle style = page_style(place.mode, false);
  if (open == 0) {
    if (open_before != 0) fmt::print("\n{}", render_end(lesson, style));
    return 0;
  }
  if (open > open_before) fmt::print("\n{}", render_step(lesson, open, style));
  return kNotYet;
}

int give_hint(const TutorialOptions& options) {
  const Place place = chosen_place(options);
  require_started(place);
  const auto lessons = load_lessons(options.lessons);
  const Lesson& lesson = lesson_of(lessons, place.number);
  Progress progress = read_progress(place);
  const int step =
      options.step.empty() ? first_open_step(lesson, progress) : number_of(options.step, "a step");
  if (step == 0) {
    fmt::print("Every step is done.\n");
    return 0;
  }
  if (step > static_cast<int>(lesson.steps.size())) throw std::runtime_error("no such step");
  const std::vector<std::string>& hints = lesson.steps[static_cast<size_t>(step) - 1].hints;
  const int level = std::min(progress.hints[step] + 1, static_cast<int>(hints.size()) + 1);
  progress.hints[step] = level;
  write_progress(place, progress);
  const bool answer = level > static_cast<int>(hints.size());
  fmt::print(
      "step {}, hint {} of {}:\n{}\n", step, level, hints.size() + 1,
      answer ? commands_of_step(lesson, step, place.mode) : hints[static_cast<size_t>(level) - 1]);
  return 0;
}

int reset_lesson(const TutorialOptions& options) {
  if (options.words.empty()) throw std::runtime_error("which lesson? cofork tutorial reset 1");
  const int number = number_of(options.words[0], "a lesson");
  const std::string root = workshop_root();
  for (const char* mode : kModes) {
    if (!options.mode.empty() && options.mode != mode) continue;
    const Place place = place_of(root, number, mode);
    if (!is_workshop(root) || read_progress(place).port == 0) continue;
    remove_place(place);
    fmt::print("lesson {} in mode {} begins anew\n", number, mode);
  }
  return 0;
}

int stop_lesson(const TutorialOptions& options) {
  const Place place = chosen_place(options);
  require_started(place);
  run_shell(enter_place(place) + stop_server_script(), "/dev/null", 60'000);
  fmt::print("the server of lesson {} in mode {} is stopped\n", place.number, place.mode);
  return 0;
}

int run_lessons(const TutorialOptions& options) {
  const std::string mode = options.mode.empty() ? "fork" : options.mode;
  const std::string root = fmt::format("/tmp/cofork-lessons.{}", own_process_id());
  claim_workshop(root);
  size_t complaints = 0;
  for (const Lesson& lesson : load_lessons(options.lessons)) {
    const bool chosen =
        options.words.empty() ||
        std::any_of(options.words.begin(), options.words.end(), [&](const std::string& word) {
          return number_of(word, "a lesson") == lesson.number;
        });
    if (!chosen) continue;
    const Place place = place_of(root, lesson.number, mode);
    std::string page;
    auto found = options.leave_out ? run_with_steps_left_out(lesson, place)
                                   : run_lesson(lesson, place, options.promote ? &page : nullptr);
    if (options.promote) write_text(options.lessons + "/" + lesson.file, page);
    for (const Complaint& complaint : found) {
      fmt::print("{}:{}: {}\n", complaint.file, complaint.line, complaint.text);
    }
    fmt::print("{} ({}{}): {}\n", lesson.file, mode, options.leave_out ? ", steps left out" : "",
               found.empty() ? "ok" : fmt::format("{} complaints", found.size()));
    std::fflush(stdout);
    complaints += found.size();
  }
  run_shell("rm -rf " + shell_quoted(root), "/dev/null", 60'000);
  return complaints == 0 ? 0 : 1;
}

struct Verb {
  std::string_view name;
  int (*run)(const TutorialOptions& options);
  const char* arguments;
  const char* summary;
};

constexpr Verb kVerbs[] = {
    {"list", list_lessons, "", "the lessons there are"},
    {"start", start_lesson, "N", "make or go on with lesson N: its server, its page, a shell"},
    {"show", show_page, "[N]", "the page again, or one step of it"},
    {"check", check_lesson, "[N]", "has each step been done? says what it expected and saw"},
    {"hint", give_hint, "[N]", "a hint for the step; the third is the answer"},
    {"status", show_status, "", "how far you are"},
    {"reset", reset_lesson, "N", "remove what lesson N made, to begin anew"},
    {"stop", stop_lesson, "[N]", "stop the lesson's server, when `start --no-shell` left it"},
    {"run", run_lessons, "[N...]", "run the pages and compare, as the tests do"},
};

void print_tutorial_usage(std::FILE* out) {
  fmt::print(out,
             "Lessons on how a PostgreSQL server works inside, on a server of your own.\n\n"
             "Usage:\n");
  for (const Verb& verb : kVerbs) {
    fmt::print(out, "  cofork tutorial {:<14} {}\n",
               fmt::format("{} {}", verb.name, verb.arguments), verb.summary);
  }
  fmt::print(
      out,
      "\nEverything lives in ~/.local/state/cofork-tutorial (or XDG_STATE_HOME), and nothing "
      "else\nis touched. It works offline and without root; psql is needed.\n\n"
      "Examples:\n  cofork tutorial start 1\n  cofork tutorial start 1 --mode=coroutine\n"
      "  cofork tutorial start 3 --from 2\n");
}

int run_verb(const Verb& verb, int argc, char** argv) {
  TutorialOptions options;
  CommandLine line(fmt::format("cofork tutorial {}", verb.name), verb.summary, "");
  line.arguments("N", options.words, "number of a lesson");
  line.option("--mode", options.mode, "fork (default) or coroutine");
  line.option("--lessons", options.lessons, "take the pages from this directory");
  if (verb.run == start_lesson) {
    line.option("--from", options.from, "begin at this step; those before it are done for you");
    line.flag("--no-shell", options.no_shell, "leave the server running and return");
  } else if (verb.run == show_page) {
    line.option("--step", options.step, "only this step");
    line.flag("--answers", options.answers, "with the answers to the questions");
  } else if (verb.run == check_lesson) {
    line.flag("--all", options.all, "also steps that were done before");
    line.flag("--exercise", options.exercise, "the change in the source, on your own build");
  } else if (verb.run == give_hint) {
    line.option("--step", options.step, "for this step (default: the first that is not done)");
  } else if (verb.run == run_lessons) {
    line.flag("--promote", options.promote, "write what was printed into the pages of --lessons");
    line.flag("--leave-out", options.leave_out, "see that each step's check needs the step");
  }
  if (const auto status = line.parse(argc, argv)) return *status;
  if (!options.mode.empty()) require_mode(options.mode);
  if (options.promote && options.lessons.empty()) {
    throw std::runtime_error("--promote needs --lessons, the directory of the pages");
  }
  return verb.run(options);
}

int obey(int argc, char** argv) {
  if (argc < 2) {
    print_tutorial_usage(stderr);
    return 2;
  }
  const std::string_view wanted = argv[1];
  if (wanted == "--help" || wanted == "-h" || wanted == "help") {
    print_tutorial_usage(stdout);
    return 0;
  }
  try {
    for (const Verb& verb : kVerbs) {
      if (verb.name == wanted) return run_verb(verb, argc - 1, argv + 1);
    }
    throw std::runtime_error(
        fmt::format("unknown command \"{}\"\nhint: cofork tutorial --help", wanted));
  } catch (const std::exception& error) {
    fmt::print(stderr, "cofork tutorial: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace cofork::tutorial

namespace cofork {

int tutorial_command(int argc, char** argv) {
  return tutorial::obey(argc, argv);
}

}  // namespace cofork
