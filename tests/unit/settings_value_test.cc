// Text to value and back: numbers, units, enums, checks, and the words of the errors.
#include <gtest/gtest.h>

#include <string>

#include "settings/hooks.h"
#include "settings/local_time.h"
#include "settings/setting.h"
#include "settings/value.h"
#include "types/timezone.h"

namespace cofork {
namespace {

const SettingInfo& info_of(const char* name) {
  return setting_info(find_setting(name));
}

/// What SHOW prints after SET, or the error as psql prints it.
std::string set_and_show(const char* name, std::string_view text,
                         SettingSource source = SettingSource::kSession) {
  const SettingInfo& info = info_of(name);
  SettingValue current = boot_value(info);
  try {
    return show_setting(info, parse_setting(info, text, source, &current), true);
  } catch (const Error& error) {
    std::string report = error.data().sqlstate.text() + ": " + error.data().message;
    if (!error.data().detail.empty()) report += "\nDETAIL:  " + error.data().detail;
    if (!error.data().hint.empty()) report += "\nHINT:  " + error.data().hint;
    return report;
  }
}

TEST(SettingsValue, MemoryUnits) {
  EXPECT_EQ(set_and_show("work_mem", "4096"), "4MB");
  EXPECT_EQ(set_and_show("work_mem", "1 GB"), "1GB");
  EXPECT_EQ(set_and_show("work_mem", "  1.5MB "), "1536kB");
  EXPECT_EQ(set_and_show("work_mem", "0x1000"), "4MB");
  EXPECT_EQ(set_and_show("work_mem", "010000"), "4MB");
  EXPECT_EQ(set_and_show("work_mem", "131072B"), "128kB");
  EXPECT_EQ(set_and_show("shared_buffers", "16384"), "128MB");
  EXPECT_EQ(set_and_show("shared_buffers", "1000kB"), "1000kB");
  EXPECT_EQ(set_and_show("shared_buffers", "0.1GB"), "102MB");
  EXPECT_EQ(set_and_show("max_wal_size", "1TB"), "1TB");
  EXPECT_EQ(set_and_show("log_temp_files", "-1"), "-1");
  EXPECT_EQ(set_and_show("track_activity_query_size", "2kB"), "2kB");
}

TEST(SettingsValue, TimeUnits) {
  EXPECT_EQ(set_and_show("statement_timeout", "5s"), "5s");
  EXPECT_EQ(set_and_show("statement_timeout", "90000"), "90s");
  EXPECT_EQ(set_and_show("statement_timeout", "0"), "0");
  EXPECT_EQ(set_and_show("checkpoint_timeout", "5min"), "5min");
  EXPECT_EQ(set_and_show("checkpoint_timeout", "1h"), "1h");
  EXPECT_EQ(set_and_show("log_rotation_age", "1440"), "1d");
  EXPECT_EQ(set_and_show("vacuum_cost_delay", "0.5"), "500us");
  EXPECT_EQ(set_and_show("vacuum_cost_delay", "2.25"), "2250us");
  EXPECT_EQ(set_and_show("autovacuum_vacuum_cost_delay", "2"), "2ms");
}

TEST(SettingsValue, NumberErrorsSpeakAsPostgresql) {
  EXPECT_EQ(set_and_show("work_mem", "abc"),
            "22023: invalid value for parameter \"work_mem\": \"abc\"");
  EXPECT_EQ(set_and_show("work_mem", "5XB"),
            "22023: invalid value for parameter \"work_mem\": \"5XB\"\n"
            "HINT:  Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".");
  EXPECT_EQ(set_and_show("statement_timeout", "5 weeks"),
            "22023: invalid value for parameter \"statement_timeout\": \"5 weeks\"\n"
            "HINT:  Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and "
            "\"d\".");
  EXPECT_EQ(set_and_show("work_mem", "4000GB"),
            "22023: invalid value for parameter \"work_mem\": \"4000GB\"\n"
            "HINT:  Value exceeds integer range.");
  EXPECT_EQ(set_and_show("work_mem", "1"),
            "22023: 1 kB is outside the valid range for parameter \"work_mem\" (64 .. 2147483647)");
  EXPECT_EQ(set_and_show("temp_buffers", "10"),
            "22023: 10 8kB is outside the valid range for parameter \"temp_buffers\" (100 .. "
            "1073741823)");
  EXPECT_EQ(set_and_show("extra_float_digits", "4"),
            "22023: 4 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 3)");
  EXPECT_EQ(set_and_show("random_page_cost", "2 MB"),
            "22023: invalid value for parameter \"random_page_cost\": \"2 MB\"");
  EXPECT_EQ(
      set_and_show("seq_page_cost", "-1"),
      "22023: -1 is outside the valid range for parameter \"seq_page_cost\" (0 .. 1.79769e+308)");
  EXPECT_EQ(
      set_and_show("max_stack_depth", "100MB"),
      "22023: invalid value for parameter \"max_stack_depth\": 102400\n"
      "DETAIL:  \"max_stack_depth\" must not exceed 7680kB.\n"
      "HINT:  Increase the platform's stack depth limit via \"ulimit -s\" or local equivalent.");
}

TEST(SettingsValue, BooleansAndEnums) {
  EXPECT_EQ(set_and_show("enable_seqscan", "OF"), "off");
  EXPECT_EQ(set_and_show("enable_seqscan", "t"), "on");
  EXPECT_EQ(set_and_show("enable_seqscan", "o"),
            "22023: parameter \"enable_seqscan\" requires a Boolean value");
  EXPECT_EQ(set_and_show("enable_seqscan", ""),
            "22023: parameter \"enable_seqscan\" requires a Boolean value");
  EXPECT_EQ(set_and_show("synchronous_commit", "TRUE"), "on");
  EXPECT_EQ(set_and_show("wal_compression", "on"), "pglz");
  EXPECT_EQ(set_and_show("client_min_messages", "debug"), "debug2");
  EXPECT_EQ(set_and_show("client_min_messages", "nope"),
            "22023: invalid value for parameter \"client_min_messages\": \"nope\"\n"
            "HINT:  Available values: debug5, debug4, debug3, debug2, debug1, log, notice, "
            "warning, error.");
}

TEST(SettingsValue, DateStyle) {
  EXPECT_EQ(set_and_show("DateStyle", "dmy"), "ISO, DMY");
  EXPECT_EQ(set_and_show("DateStyle", "german"), "German, DMY");
  EXPECT_EQ(set_and_show("DateStyle", "Postgres, european"), "Postgres, DMY");
  EXPECT_EQ(set_and_show("DateStyle", "default"), "ISO, MDY");
  EXPECT_EQ(set_and_show("DateStyle", "foo"),
            "22023: invalid value for parameter \"DateStyle\": \"foo\"\n"
            "DETAIL:  Unrecognized key word: \"foo\".");
  EXPECT_EQ(set_and_show("DateStyle", "iso, sql"),
            "22023: invalid value for parameter \"DateStyle\": \"iso, sql\"\n"
            "DETAIL:  Conflicting \"datestyle\" specifications.");
}

TEST(SettingsValue, TimeZones) {
  EXPECT_EQ(set_and_show("TimeZone", "europe/berlin"), "Europe/Berlin");
  EXPECT_EQ(set_and_show("TimeZone", "utc"), "UTC");
  EXPECT_EQ(set_and_show("TimeZone", "-5"), "<-05>+05");
  EXPECT_EQ(set_and_show("TimeZone", "+3.5"), "<+03:30>-03:30");
  EXPECT_EQ(set_and_show("TimeZone", "<-05>+05"), "<-05>+05");
  EXPECT_EQ(set_and_show("TimeZone", "nope"),
            "22023: invalid value for parameter \"TimeZone\": \"nope\"");
  EXPECT_EQ(set_and_show("TimeZone", "../../etc/passwd"),
            "22023: invalid value for parameter \"TimeZone\": \"../../etc/passwd\"");
  EXPECT_EQ(set_and_show("TimeZone", "200"),
            "22023: invalid value for parameter \"TimeZone\": \"200\"\n"
            "DETAIL:  UTC timezone offset is out of range.");
}

TEST(SettingsValue, ZonesKnowSummerTimeAndTheirAbbreviations) {
  std::optional<TimeZone> berlin = find_time_zone("Europe/Berlin");
  ASSERT_TRUE(berlin);
  LocalTime summer = local_time(*berlin, 1719835200);  // 2024-07-01 12:00:00 UTC, a Monday
  EXPECT_EQ(format_local_time("%a %Y-%m-%d %H:%M:%S %Z %j", summer, 1719835200),
            "Mon 2024-07-01 14:00:00 CEST 183");
  EXPECT_EQ(
      format_local_time("postgresql-%Y-%m-%d_%H%M%S.log", local_time(*find_time_zone("GMT"), 0), 0),
      "postgresql-1970-01-01_000000.log");
}

TEST(SettingsValue, Texts) {
  EXPECT_EQ(set_and_show("application_name",
                         "a\xc3\xa9"
                         "b"),
            "a??b");
  EXPECT_EQ(set_and_show("client_encoding", "utf-8"), "UTF8");
  EXPECT_EQ(set_and_show("client_encoding", "KLINGON"),
            "22023: invalid value for parameter \"client_encoding\": \"KLINGON\"");
  EXPECT_EQ(set_and_show("log_destination", "stderr, syslog"),
            "22023: invalid value for parameter \"log_destination\": \"stderr, syslog\"\n"
            "DETAIL:  Unrecognized key word: \"syslog\".");
  EXPECT_EQ(set_and_show("search_path", "a,,b"),
            "22023: invalid value for parameter \"search_path\": \"a,,b\"\n"
            "DETAIL:  List syntax is invalid.");
  EXPECT_EQ(set_and_show("unix_socket_permissions", "0700"), "0700");
  EXPECT_EQ(set_and_show("ssl", "on"), "22023: SSL is not supported by this build");
  EXPECT_EQ(set_and_show("role", std::string(70, 'x')), std::string(63, 'x'));
}

TEST(SettingsValue, IdentifierLists) {
  auto names = split_identifiers("\"$user\", Public ,\"a \"\"b\"");
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, (std::vector<std::string>{"$user", "public", "a \"b"}));
  EXPECT_TRUE(split_identifiers("")->empty());
  EXPECT_FALSE(split_identifiers("a b"));
  EXPECT_FALSE(split_identifiers("\"a"));
  EXPECT_EQ(quote_setting_identifier("plain_1"), "plain_1");
  EXPECT_EQ(quote_setting_identifier("$user"), "\"$user\"");
}

}  // namespace
}  // namespace cofork
