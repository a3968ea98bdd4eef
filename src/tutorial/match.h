// Comparing what a command printed with what a page shows.
//
// Both sides go through the same mill and must come out equal. Always: blanks at the end of a line
// go, runs of blanks and of '-' count as one (columns become wider with their values). What else
// may differ is named on the page, so that a page can show a real run and still be compared:
//
//   pid     integers of three digits and more
//   number  every number
//   time    2026-01-31 12:34:56.789 UTC
//   lsn     0/1A2B3C4, and names of WAL files
//   address hexadecimal numbers of 8 to 16 digits
//   order   the order of lines
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cofork::tutorial {

/// One line as it is compared.
std::string comparable_line(std::string_view line, std::string_view any);

/// True when `saw` is what `expected` shows; an expected line "..." stands for any lines.
bool output_matches(const std::vector<std::string>& expected, const std::vector<std::string>& saw,
                    std::string_view any);

}  // namespace cofork::tutorial
