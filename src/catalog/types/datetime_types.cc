// date, time, timetz, timestamp, timestamptz, interval.
#include "catalog/function_tables.h"
#include "support/error.h"
#include "types/binary_reader.h"
#include "types/datetime.h"
#include "types/hash.h"
#include "types/interval.h"

namespace cofork {

using namespace type_oid;

namespace {

int compare_words(int64_t a, int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/// 22023 for a precision below 0; above 6 it is cut with a warning in PostgreSQL, here silently.
int32_t precision_typmod(std::span<const int32_t> modifiers, const char* type) {
  if (modifiers.size() != 1) throw Error(sqlstate::kInvalidParameterValue, "invalid type modifier");
  if (modifiers[0] < 0) {
    throw Error(sqlstate::kInvalidParameterValue, "{}({}) precision must not be negative", type,
                modifiers[0]);
  }
  return std::min(modifiers[0], 6);
}
int32_t timestamp_typmod(std::span<const int32_t> m) {
  return precision_typmod(m, "TIMESTAMP");
}
int32_t time_typmod(std::span<const int32_t> m) {
  return precision_typmod(m, "TIME");
}
std::string show_precision(int32_t typmod) {
  return fmt::format("({})", typmod);
}

struct Date {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return datum_from_int32(parse_date(context, text));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_date(context, text, datum_to_int32(value));
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t) {
    int32_t days = BinaryReader(bytes).take<int32_t>();
    if (is_finite_date(days) && !is_valid_date(days)) throw_date_out_of_range();
    return datum_from_int32(days);
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    append_be(bytes, datum_to_int32(value));
  }
  static int compare(Datum a, Datum b) {
    return compare_words(datum_to_int32(a), datum_to_int32(b));
  }
  static uint64_t hash(Datum value) { return hash_word(value); }
};

/// What time, timestamp and timestamptz share: a word of microseconds.
struct Microseconds {
  static void send(EvalContext&, Datum value, std::string& bytes) {
    append_be(bytes, datum_to_int64(value));
  }
  static int compare(Datum a, Datum b) {
    return compare_words(datum_to_int64(a), datum_to_int64(b));
  }
  static uint64_t hash(Datum value) { return hash_word(value); }
};

int64_t checked_time(int64_t us) {
  if (us >= 0 && us <= kUsPerDay) return us;
  throw Error(sqlstate::kDatetimeFieldOverflow, "time out of range");
}

struct Time : Microseconds {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return datum_from_int64(parse_time(context, text, typmod));
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    append_time(text, datum_to_int64(value));
  }
  static Datum receive(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t typmod) {
    int64_t us = checked_time(BinaryReader(bytes).take<int64_t>());
    return datum_from_int64(round_to_precision(us, typmod));
  }
};

Datum receive_timestamp(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t typmod) {
  int64_t us = BinaryReader(bytes).take<int64_t>();
  if (is_finite_timestamp(us) && !is_valid_timestamp(us)) throw_timestamp_out_of_range();
  return datum_from_int64(round_to_precision(us, typmod));
}

struct Timestamp : Microseconds {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return datum_from_int64(parse_timestamp(context, text, typmod));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_timestamp(context, text, datum_to_int64(value));
  }
  static constexpr auto receive = receive_timestamp;
};

struct TimestampTz : Microseconds {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return datum_from_int64(parse_timestamptz(context, text, typmod));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_timestamptz(context, text, datum_to_int64(value));
  }
  static constexpr auto receive = receive_timestamp;
};

struct TimeWithZone {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return timetz_datum(*context.arena, parse_timetz(context, text, typmod));
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    append_timetz(text, timetz_at(value));
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes,
                       int32_t typmod) {
    BinaryReader reader(bytes);
    int64_t us = checked_time(reader.take<int64_t>());
    int32_t zone = reader.take<int32_t>();
    constexpr int kMostZone = 16 * 3600;
    if (zone <= -kMostZone || zone >= kMostZone) {
      throw Error(sqlstate::kInvalidTimeZoneDisplacementValue,
                  "time zone displacement out of range");
    }
    return timetz_datum(*context.arena, {round_to_precision(us, typmod), zone});
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    TimeTz time = timetz_at(value);
    append_be(bytes, time.time_us);
    append_be(bytes, time.zone_west);
  }
  static int compare(Datum a, Datum b) { return compare_timetz(timetz_at(a), timetz_at(b)); }
  static uint64_t hash(Datum value) {
    TimeTz time = timetz_at(value);
    return hash_combine(hash_word(static_cast<uint64_t>(time.time_us)),
                        static_cast<uint64_t>(time.zone_west));
  }
};

struct IntervalType {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text,
                     int32_t typmod) {
    return interval_datum(*context.arena, parse_interval(context, text, typmod));
  }
  static void output(EvalContext& context, Datum value, std::string& text) {
    append_interval(context, text, interval_at(value));
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes,
                       int32_t typmod) {
    BinaryReader reader(bytes);
    Interval value;
    value.time_us = reader.take<int64_t>();
    value.days = reader.take<int32_t>();
    value.months = reader.take<int32_t>();
    return interval_datum(*context.arena, fit_interval(value, typmod));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    Interval v = interval_at(value);
    append_be(bytes, v.time_us);
    append_be(bytes, v.days);
    append_be(bytes, v.months);
  }
  static int compare(Datum a, Datum b) { return compare_interval(interval_at(a), interval_at(b)); }
  static uint64_t hash(Datum value) {
    Interval v = interval_at(value);
    // Equal are 1 month and 30 days: the hash is of the span.
    Int128 span = Int128{v.time_us} + (Int128{v.months} * 30 + v.days) * kUsPerDay;
    return hash_combine(static_cast<uint64_t>(span), static_cast<uint64_t>(span >> 64));
  }
};

/// The parser gives INTERVAL's modifiers as (range) or (range, precision).
int32_t interval_typmod(std::span<const int32_t> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid INTERVAL type modifier");
  }
  if (modifiers.size() == 1) {
    return modifiers[0] == kRangeFull ? -1 : make_interval_typmod(kFullPrecision, modifiers[0]);
  }
  if (modifiers[1] < 0) {
    throw Error(sqlstate::kInvalidParameterValue, "INTERVAL({}) precision must not be negative",
                modifiers[1]);
  }
  return make_interval_typmod(std::min(modifiers[1], 6), modifiers[0]);
}

std::string show_interval_typmod(int32_t typmod) {
  struct Range {
    int fields;
    const char* text;
  };
  static constexpr Range kRanges[] = {
      {kRangeYear, " year"},
      {kRangeMonth, " month"},
      {kRangeDay, " day"},
      {kRangeHour, " hour"},
      {kRangeMinute, " minute"},
      {kRangeSecond, " second"},
      {kRangeYear | kRangeMonth, " year to month"},
      {kRangeDay | kRangeHour, " day to hour"},
      {kRangeDay | kRangeHour | kRangeMinute, " day to minute"},
      {kRangeDay | kRangeHour | kRangeMinute | kRangeSecond, " day to second"},
      {kRangeHour | kRangeMinute, " hour to minute"},
      {kRangeHour | kRangeMinute | kRangeSecond, " hour to second"},
      {kRangeMinute | kRangeSecond, " minute to second"}};
  std::string text;
  for (const Range& range : kRanges) {
    if (range.fields == interval_range(typmod)) text = range.text;
  }
  int precision = interval_precision(typmod);
  return precision == kFullPrecision ? text : fmt::format("{}({})", text, precision);
}

struct Place {
  int16_t length;
  bool by_value;
  char align;
  char category = 'D';
  bool preferred = false;
};

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, const char* sql_name, Oid array, Place place,
                          int32_t (*typmod_in)(std::span<const int32_t>) = nullptr,
                          std::string (*typmod_out)(int32_t) = nullptr) {
  return {oid,         name,           sql_name,        place.length, place.by_value,
          place.align, place.category, place.preferred, array,        0,
          T::input,    T::output,      T::receive,      T::send,      T::compare,
          T::hash,     typmod_in,      typmod_out};
}

constexpr BuiltinType kRows[] = {
    row<Date>(kDate, "date", "date", kDateArray, {4, true, 'i'}),
    row<Time>(kTime, "time", "time without time zone", kTimeArray, {8, true, 'd'}, time_typmod,
              show_precision),
    row<Timestamp>(kTimestamp, "timestamp", "timestamp without time zone", kTimestampArray,
                   {8, true, 'd'}, timestamp_typmod, show_precision),
    row<TimestampTz>(kTimestampTz, "timestamptz", "timestamp with time zone", kTimestampTzArray,
                     {8, true, 'd', 'D', true}, timestamp_typmod, show_precision),
    row<IntervalType>(kInterval, "interval", "interval", kIntervalArray,
                      {16, false, 'd', 'T', true}, interval_typmod, show_interval_typmod),
    row<TimeWithZone>(kTimeTz, "timetz", "time with time zone", kTimeTzArray, {12, false, 'd'},
                      time_typmod, show_precision),
};

}  // namespace

constinit const std::span<const BuiltinType> kDatetimeTypes = kRows;

}  // namespace cofork
