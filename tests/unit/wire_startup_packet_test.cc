// The startup packet and the options it may carry.
#include <gtest/gtest.h>

#include <string>

#include "wire/protocol.h"
#include "wire/startup_packet.h"

namespace cofork {
namespace {

using namespace std::string_literals;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(severity_name(error.data().severity)) + " " + error.data().sqlstate.text() +
           " " + error.data().message;
  }
  return "no error";
}

StartupPacket parse(std::string_view body, uint32_t protocol = kProtocolVersion3) {
  StartupPacket packet;
  packet.protocol = protocol;
  parse_startup_packet(body, packet);
  return packet;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

TEST(StartupPacket, SortsParametersFromSettings) {
  StartupPacket packet = parse(
      "user\0anna\0database\0shop\0options\0-c a=b\0application_name\0psql\x01\0"
      "DateStyle\0ISO\0\0"s);
  complete_startup_packet(packet);
  EXPECT_EQ(packet.user, "anna");
  EXPECT_EQ(packet.database, "shop");
  EXPECT_EQ(packet.options, "-c a=b");
  EXPECT_EQ(packet.settings, (Settings{{"application_name", "psql\x01"}, {"DateStyle", "ISO"}}));
  EXPECT_EQ(packet.application_name, "psql?");
  EXPECT_FALSE(packet.must_negotiate());
}

TEST(StartupPacket, DatabaseDefaultsToTheUserAndNamesAreCut) {
  std::string longest(70, 'u');
  StartupPacket packet = parse("user\0"s + longest + "\0\0"s);
  complete_startup_packet(packet);
  EXPECT_EQ(packet.user, std::string(63, 'u'));
  EXPECT_EQ(packet.database, std::string(63, 'u'));
}

TEST(StartupPacket, MustEndWithATerminator) {
  const std::string message =
      "FATAL 08P01 invalid startup packet layout: expected terminator as last byte";
  EXPECT_EQ(error_of([] { parse(""); }), message);
  EXPECT_EQ(error_of([] { parse("user\0postgres\0"s); }), message);
  EXPECT_EQ(error_of([] { parse("user\0\0"s); }), message);
  EXPECT_EQ(error_of([] { parse("user\0postgres"s); }), message);
  EXPECT_EQ(error_of([] { parse("\0junk"s); }), message);
  EXPECT_EQ(error_of([] { parse("user\0postgres\0\0"s); }), "no error");
}

TEST(StartupPacket, KeepsTheUserForTheLogWhenItIsBroken) {
  StartupPacket packet;
  EXPECT_THROW(parse_startup_packet("user\0postgres\0"s, packet), Error);
  EXPECT_EQ(packet.user, "postgres");
}

TEST(StartupPacket, NeedsAUser) {
  StartupPacket packet = parse("database\0postgres\0\0"s);
  EXPECT_EQ(error_of([&] { complete_startup_packet(packet); }),
            "FATAL 28000 no PostgreSQL user name specified in startup packet");
}

TEST(StartupPacket, ReplicationIsABooleanOrDatabase) {
  EXPECT_TRUE(parse("user\0a\0replication\0database\0\0"s).replication);
  EXPECT_TRUE(parse("user\0a\0replication\0true\0\0"s).replication);
  EXPECT_FALSE(parse("user\0a\0replication\0off\0\0"s).replication);
  EXPECT_EQ(error_of([] { parse("user\0a\0replication\0bogus\0\0"s); }),
            "FATAL 22023 invalid value for parameter \"replication\": \"bogus\"");
}

TEST(StartupPacket, NegotiatesMinorVersionsAndProtocolOptions) {
  EXPECT_TRUE(parse("user\0a\0\0"s, kProtocolVersion3 + 1).must_negotiate());
  StartupPacket packet = parse("user\0a\0_pq_.foo\0001\0\0"s);
  EXPECT_TRUE(packet.must_negotiate());
  EXPECT_EQ(packet.unknown_protocol_options, std::vector<std::string>{"_pq_.foo"});
  EXPECT_TRUE(packet.settings.empty());
}

TEST(StartupPacket, RefusesOtherMajorVersions) {
  EXPECT_EQ(error_of([] { check_protocol_version(4u << 16); }),
            "FATAL 0A000 unsupported frontend protocol 4.0: server supports 3.0 to 3.0");
  EXPECT_EQ(error_of([] { check_protocol_version(kGssEncRequestCode); }),
            "FATAL 0A000 unsupported frontend protocol 1234.5680: server supports 3.0 to 3.0");
  EXPECT_EQ(error_of([] { check_protocol_version(kProtocolVersion3 + 9999); }), "no error");
}

TEST(Options, AreSplitAtBlanksWithBackslashes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_options("-c work_mem=8MB  --x=1"), (Words{"-c", "work_mem=8MB", "--x=1"}));
  EXPECT_EQ(split_options(R"(-c a=b\ c\\d)"), (Words{"-c", R"(a=b c\d)"}));
  EXPECT_EQ(split_options("  "), Words{});
  EXPECT_EQ(split_options("a\\"), (Words{"a\\"}));
}

TEST(Options, BecomeSettings) {
  EXPECT_EQ(settings_of_options({"-c", "work_mem=8MB", "--statement-timeout=5s", "-cgeqo=off"}),
            (Settings{{"work_mem", "8MB"}, {"statement_timeout", "5s"}, {"geqo", "off"}}));
  EXPECT_EQ(settings_of_options({"-F", "-fs", "-S", "64", "-e"}),
            (Settings{{"fsync", "false"},
                      {"enable_seqscan", "false"},
                      {"work_mem", "64"},
                      {"datestyle", "euro"}}));
  EXPECT_EQ(settings_of_options({"-d2"}),
            (Settings{{"log_min_messages", "debug2"}, {"log_statement", "all"}}));
}

TEST(Options, ThatDoNotExistAreRefused) {
  EXPECT_EQ(error_of([] {
              settings_of_options({"-c", "nosuch"});
            }),
            "ERROR 42601 -c nosuch requires a value");
  EXPECT_EQ(error_of([] { settings_of_options({"--nosuch"}); }),
            "ERROR 42601 --nosuch requires a value");
  EXPECT_EQ(error_of([] { settings_of_options({"-Z"}); }),
            "ERROR 42601 invalid command-line argument for server process: -Z");
  EXPECT_EQ(error_of([] { settings_of_options({"word"}); }),
            "ERROR 42601 invalid command-line argument for server process: word");
  EXPECT_EQ(error_of([] { settings_of_options({"-S"}); }),
            "ERROR 42601 invalid command-line argument for server process: -S");
}

}  // namespace
}  // namespace cofork
