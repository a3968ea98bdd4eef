// A lesson as data: its page, the steps on it, the commands a step shows, and how each is checked.
//
// A lesson is a markdown page that reads well on its own. What the machinery needs stands in places
// a reader of the page does not see, or does not mind:
//
//   # 3. A connection is a child        the title, with the lesson's number
//   ## Step 2: Count them               a step begins; it ends at the next heading of this level
//   ```console [MODE] [postgres] [any=pid,time,…]
//   $ psql -Atc 'select 1'              commands, run in one shell from the top of the page to the
//   1                                   end, each followed by what it prints
//   > …                                 a line that begins with "> " continues its command
//   ```
//   <!-- check [any=…]                  what is true once the step has been done: a command and
//   $ psql -Atc 'table notes'           what it prints then
//   hello
//   look: psql -c 'table notes'         how a person looks
//   -->
//   <!-- hint: look at the log -->      two a step; the third hint is the step's own commands
//
// MODE (fork or coroutine) is for commands that only make sense, or print something else, in one of
// the models; `postgres` for commands that run on a real PostgreSQL. `any=` names what may differ
// from run to run (see match.h); an output line "..." stands for any lines. A check outside of the
// steps belongs to the exercise, which only a build of the learner's own can pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cofork::tutorial {

struct Command {
  std::string text;  ///< for the shell; may have several lines
  std::vector<std::string> output;
  int line = 0;  ///< on the page, from 1
};

struct Block {
  int step = 0;           ///< 0: outside of the steps
  std::string mode;       ///< "": both
  bool postgres = false;  ///< runs on a real PostgreSQL
  std::string any;
  std::vector<Command> commands;
};

struct Check {
  int step = 0;  ///< 0: the exercise's
  std::string mode;
  std::string any;
  Command command;
  std::string look;
};

struct Step {
  std::string title;
  int first_line = 0;  ///< of its heading
  int end_line = 0;    ///< behind its last
  std::vector<std::string> hints;
};

struct Lesson {
  int number = 0;
  std::string file;  ///< "01-one-supervisor.md"
  std::string title;
  std::vector<std::string> page;  ///< its lines
  std::vector<Step> steps;
  std::vector<Block> blocks;
  std::vector<Check> checks;
};

/// Reads a page. Throws std::runtime_error("FILE:LINE: what is wrong").
Lesson parse_lesson(const std::string& file, std::string_view text);

/// True when a block or check is for this mode.
template <typename Part>
bool is_for(const Part& part, std::string_view mode) {
  return part.mode.empty() || part.mode == mode;
}

std::vector<std::string> split_lines(std::string_view text);

}  // namespace cofork::tutorial
