// See match.h.
#include "tutorial/match.h"

#include <algorithm>
#include <regex>

namespace cofork::tutorial {

namespace {

bool names(std::string_view any, std::string_view kind) {
  for (size_t begin = 0; begin <= any.size();) {
    const size_t end = std::min(any.find(',', begin), any.size());
    if (any.substr(begin, end - begin) == kind) return true;
    begin = end + 1;
  }
  return false;
}

std::string replaced(const std::string& line, const char* pattern, const char* by) {
  return std::regex_replace(line, std::regex(pattern), by);
}

bool lines_match(const std::vector<std::string>& expected, size_t e,
                 const std::vector<std::string>& saw, size_t s) {
  for (; e < expected.size(); ++e, ++s) {
    if (expected[e] == "...") {
      for (size_t skip = s; skip <= saw.size(); ++skip) {
        if (lines_match(expected, e + 1, saw, skip)) return true;
      }
      return false;
    }
    if (s >= saw.size() || expected[e] != saw[s]) return false;
  }
  return s == saw.size();
}

std::vector<std::string> comparable(const std::vector<std::string>& lines, std::string_view any) {
  std::vector<std::string> result;
  for (const std::string& line : lines) result.push_back(comparable_line(line, any));
  while (!result.empty() && result.back().empty()) result.pop_back();
  if (names(any, "order")) std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

std::string comparable_line(std::string_view text, std::string_view any) {
  std::string line(text);
  if (names(any, "time")) {
    line =
        replaced(line, R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?( [A-Z]{3,5}|[+-]\d\d)?)", "TIME");
  }
  if (names(any, "lsn")) {
    line = replaced(line, R"(\b[0-9A-F]{24}\b)", "WALFILE");
    line = replaced(line, R"(\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b)", "LSN");
  }
  if (names(any, "address")) line = replaced(line, R"(\b[0-9a-f]{8,16}\b)", "ADDRESS");
  if (names(any, "number")) line = replaced(line, R"(\d+(\.\d+)?)", "N");
  if (names(any, "pid")) line = replaced(line, R"(\b\d{3,}\b)", "PID");
  line = replaced(line, "-{2,}", "--");
  line = replaced(line, "[ \t]+", " ");
  if (line == " ") return "";
  const size_t first = line.starts_with(' ') ? 1 : 0;
  const size_t last = line.ends_with(' ') ? line.size() - 1 : line.size();
  return line.substr(first, last - first);
}

bool output_matches(const std::vector<std::string>& expected, const std::vector<std::string>& saw,
                    std::string_view any) {
  return lines_match(comparable(expected, any), 0, comparable(saw, any), 0);
}

}  // namespace cofork::tutorial
