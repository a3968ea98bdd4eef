// EvalContext: what input, output and functions need besides their arguments.
//
// One exists for a running statement. It holds no resources: only pointers to things that outlive
// the statement and copies of the few settings that change what a value looks like, so that the
// paths that use them pay a load and not a lookup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

class RegexCache;    // types/regex.h
class TimeZone;      // types/timezone.h
struct RandomState;  // types/random.h
struct Session;      // sql/session.h

/// DateStyle's first word: how dates and timestamps are written.
enum class DateStyle : uint8_t { kIso, kSql, kPostgres, kGerman };
/// DateStyle's second word: how 01/02/03 is read.
enum class DateOrder : uint8_t { kMdy, kDmy, kYmd };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };

/// Names of objects that are not built in: regclass reads and writes them through this.
class ObjectNames {
 public:
  virtual ~ObjectNames() = default;
  /// The relation of a possibly qualified, already unquoted name along search_path.
  virtual std::optional<Oid> find_relation(std::string_view schema, std::string_view name) = 0;
  /// The name as regclass shows it (qualified when it is not visible), or nothing.
  virtual std::optional<std::string> relation_name(Oid oid) = 0;
};

struct EvalContext {
  Arena* arena;                ///< results live here (the tuple's or the statement's)
  Session* session = nullptr;  ///< null in unit tests of pure functions
  int extra_float_digits = 1;
  DateStyle date_style = DateStyle::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  bool bytea_hex = true;
  const TimeZone* time_zone = nullptr;  ///< null: UTC
  int64_t transaction_start_us = 0;     ///< now(): microseconds since 2000-01-01 UTC
  int64_t statement_start_us = 0;
  // What functions remember between statements; each belongs to the session.
  RandomState* random = nullptr;      ///< random(), setseed(); null: 0A000
  RegexCache* regex_cache = nullptr;  ///< null: every call compiles its pattern
  ObjectNames* object_names = nullptr;
};

}  // namespace cofork
