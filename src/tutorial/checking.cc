// See checking.h.
#include "tutorial/checking.h"

#include <fmt/core.h>

#include <cerrno>

#include "os/launch.h"
#include "tutorial/match.h"

namespace cofork::tutorial {

namespace {

constexpr int kCheckDeadlineMs = 20'000;

std::string indented(const std::vector<std::string>& lines) {
  if (lines.empty()) return "      (nothing)\n";
  std::string text;
  for (const std::string& line : lines) text += "      " + line + "\n";
  return text;
}

}  // namespace

std::vector<Finding> check_step(const Lesson& lesson, const Place& place, int step) {
  std::vector<Finding> findings;
  const std::string output = place.directory + "/check.out";
  for (const Check& check : lesson.checks) {
    if (check.step != step || !is_for(check, place.mode)) continue;
    const int status = run_shell(enter_place(place) + check.command.text, output, kCheckDeadlineMs);
    Finding finding{&check, false, split_lines(read_text(output).value_or(""))};
    if (status == -ETIMEDOUT) {
      finding.saw.push_back(fmt::format("(no answer within {} s)", kCheckDeadlineMs / 1000));
    }
    finding.holds = output_matches(check.command.output, finding.saw, check.any);
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::string explain_finding(const Finding& finding) {
  return fmt::format("    expected\n{}    saw\n{}    look yourself\n      {}\n",
                     indented(finding.check->command.output), indented(finding.saw),
                     finding.check->look);
}

std::string commands_of_step(const Lesson& lesson, int step, const std::string& mode) {
  std::string script;
  for (const Block& block : lesson.blocks) {
    if (block.step != step || block.postgres || !is_for(block, mode)) continue;
    for (const Command& command : block.commands) script += command.text + "\n";
  }
  return script;
}

}  // namespace cofork::tutorial
