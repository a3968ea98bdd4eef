// Calls of built-in functions written as SQL, with the answers a PostgreSQL 15 server gave.
//
// A line of tests/data/catalog/*.calls is one of
//
//   '12'::int4 => 12                            input, output, binary form there and back
//   int4pl('1'::int4, '2'::int4) => 3           a call; NULL::type is an argument, NULL a result
//   int4pl('2147483647'::int4, '1'::int4) !> 22003 integer out of range
//   generate_series('1'::int4, '3'::int4) => 1 | 2 | 3     a set
//   max['1'::int4, NULL::int4, '2'::int4] => 2  an aggregate over rows of one value
//
// Settings stand alone: "set DateStyle German". Left of the arrow is valid SQL (but for the
// aggregates), so that a line can be put to a server as it stands.
#pragma once

#include <string>
#include <vector>

#include "catalog/builtin.h"
#include "types/timezone.h"

namespace cofork::testing_support {

struct CallLine {
  std::string source;    ///< left of the arrow
  std::string expected;  ///< right of it; "ERROR 22003 …" for an error
  int number = 0;
};

std::vector<CallLine> read_calls(const std::string& file);

/// Evaluates lines of one file; settings change for the lines that follow.
class CallEvaluator {
 public:
  CallEvaluator();
  /// The result as text, or "ERROR SQLSTATE message".
  std::string evaluate(const std::string& source);
  EvalContext& context() { return context_; }

 private:
  struct Argument {
    const BuiltinType* type = nullptr;
    Datum value = 0;
    bool is_null = false;
  };
  Argument parse_argument(std::string_view& rest);
  std::vector<Argument> parse_arguments(std::string_view& rest, char end);
  std::string show(Oid type, Datum value, bool is_null);
  std::string check_round_trips(const Argument& argument);
  std::string call_function(std::string_view name, const std::vector<Argument>& arguments);
  std::string call_set(FunctionCall& call);
  std::string call_aggregate(std::string_view name, const std::vector<Argument>& arguments);
  void apply_setting(std::string_view setting);

  Arena arena_;
  EvalContext context_;
  TimeZone time_zone_{"UTC", 0};
};

}  // namespace cofork::testing_support
