// Values outside any table: sums, random numbers, zones, patterns, arrays, the calendar.
#include <gtest/gtest.h>

#include "support/error.h"
#include "types/array.h"
#include "types/calendar.h"
#include "types/datetime.h"
#include "types/numeric.h"
#include "types/numeric_sum.h"
#include "types/random.h"
#include "types/regex.h"
#include "types/scalar.h"
#include "types/text.h"
#include "types/timezone.h"

namespace cofork {
namespace {

std::string shown(Datum numeric) {
  std::string text;
  append_numeric(text, numeric);
  return text;
}

TEST(NumericSum, AddsWhatSingleAdditionsWould) {
  Arena arena;
  NumericSum sum;
  Datum expected = numeric_from_int64(arena, 0);
  // Every sign and size, so that lanes widen on both sides and carries go both ways.
  for (const char* text :
       {"1", "-0.5", "99999999999999999999", "0.00000000001", "-99999999999999999998.75",
        "123456789.987654321", "-1e30", "1e30", "-9999", "0"}) {
    Datum value = parse_numeric(arena, text);
    sum.add(arena, value);
    expected = numeric_add(arena, expected, value);
    EXPECT_EQ(shown(sum.total(arena)), shown(expected)) << text;
  }
}

TEST(NumericSum, CarriesOutOfTheHighestLane) {
  Arena arena;
  NumericSum sum;
  for (int i = 0; i < 20000; ++i) sum.add(arena, parse_numeric(arena, "9999"));
  EXPECT_EQ(shown(sum.total(arena)), "199980000");
}

TEST(RandomState, GivesPostgresSequence) {
  RandomState state;
  state.seed_from(0.5);
  EXPECT_DOUBLE_EQ(state.next_double(), 0.9851677175347999);
  EXPECT_DOUBLE_EQ(state.next_double(), 0.825301858027981);
}

TEST(TimeZone, KnowsItsOffsetsAndNames) {
  auto zone = find_time_zone("america/new_york");
  ASSERT_TRUE(zone.has_value());
  int64_t july = days_from_civil(2024, 7, 1) * kUsPerDay,
          january = days_from_civil(2024, 1, 1) * kUsPerDay;
  EXPECT_EQ(zone->at(july).offset, -4 * 3600);
  EXPECT_TRUE(zone->at(july).is_dst);
  EXPECT_EQ(zone->at(january).abbreviation, "EST");
  EXPECT_FALSE(find_time_zone("Mars/Phobos").has_value());
  EXPECT_FALSE(find_time_zone("../../etc/passwd").has_value());
  EXPECT_FALSE(find_time_zone("/etc/passwd").has_value());
}

TEST(TimeZone, TakesStandardTimeWhereTheClockJumps) {
  auto zone = find_time_zone("America/New_York");
  int64_t skipped = days_from_civil(2024, 3, 10) * kUsPerDay + 2 * kUsPerHour + 30 * kUsPerMinute;
  int64_t repeated = days_from_civil(2024, 11, 3) * kUsPerDay + kUsPerHour + 30 * kUsPerMinute;
  EXPECT_EQ(zone->offset_at_local(skipped), -5 * 3600);
  EXPECT_EQ(zone->offset_at_local(repeated), -5 * 3600);
}

TEST(TimeZone, ReadsSettingsAsHoursEast) {
  auto zone = time_zone_from_setting("+3");
  ASSERT_TRUE(zone.has_value());
  EXPECT_EQ(zone->name(), "<+03>-03");
  EXPECT_EQ(zone->at(0).offset, 3 * 3600);
  // Its own name, which SHOW gives, must lead back to it.
  EXPECT_EQ(time_zone_from_setting(zone->name())->at(0).offset, 3 * 3600);
}

TEST(Calendar, DaysAndCivilDatesAreInverse) {
  for (int64_t days = kLeastDate; days < 3000000; days += 997) {
    CivilDay day = civil_from_days(days);
    ASSERT_EQ(days_from_civil(day.year, day.month, day.day), days);
    ASSERT_LE(day.day, days_in_month(day.year, day.month));
  }
}

TEST(RegexCache, KeepsWorkingBeyondItsCapacity) {
  RegexCache cache;
  std::vector<RegexSpan> spans;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      std::string number = std::to_string(i);
      std::string pattern = "^" + number + "$";
      EXPECT_EQ(cache.find(pattern, {}), nullptr);
      const Regex* regex = cache.compile(pattern, {});
      EXPECT_TRUE(regex->search(number, 0, spans));
      EXPECT_FALSE(regex->search(number + "x", 0, spans));
      EXPECT_NE(cache.find(pattern, {}), nullptr);
    }
  }
}

TEST(Array, GivesBackWhatItWasBuiltOf) {
  Arena arena;
  Datum values[] = {varlena_from(arena, "a"), 0, varlena_from(arena, "longer than eight")};
  const bool nulls[] = {false, true, false};
  ElementLayout text{-1, false, 'i'};
  Datum array = build_array(arena, 25, text, ArrayShape::one_dimension(3, -1), values, nulls);
  ArrayView view(array);
  EXPECT_EQ(view.count(), 3);
  EXPECT_EQ(view.lower_bound(0), -1);
  EXPECT_TRUE(view.has_nulls());
  ArrayReader reader(view, text);
  Datum value;
  bool is_null;
  ASSERT_TRUE(reader.next(value, is_null));
  EXPECT_EQ(varlena_view(value), "a");
  ASSERT_TRUE(reader.next(value, is_null));
  EXPECT_TRUE(is_null);
  ASSERT_TRUE(reader.next(value, is_null));
  EXPECT_EQ(varlena_view(value), "longer than eight");
  EXPECT_FALSE(reader.next(value, is_null));
}

TEST(Utf8, FindsWhatIsInvalid) {
  EXPECT_EQ(utf8_find_invalid("héllo €𝄞"), nullptr);
  for (std::string_view bad :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff", "a\x80"}) {
    EXPECT_NE(utf8_find_invalid(bad), nullptr);
  }
  EXPECT_NE(utf8_find_invalid(std::string_view("a\0b", 3)), nullptr);
}

TEST(Names, SplitAndQuote) {
  EXPECT_EQ(parse_qualified_name("Pg_Catalog . \"My\"\"Table\"").name, "My\"Table");
  EXPECT_EQ(parse_qualified_name("Pg_Catalog.x").schema, "pg_catalog");
  EXPECT_THROW(parse_qualified_name("a."), Error);
  EXPECT_THROW(parse_qualified_name("\"open"), Error);
}

}  // namespace
}  // namespace cofork
