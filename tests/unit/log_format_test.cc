// The forms of a log message, and the chunks they travel in.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/chunk.h"
#include "log/format.h"
#include "os/os.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

class LogFormatTest : public testing::Test {
 protected:
  LogFormatTest() {
    identity.backend_type = "client backend";
    identity.is_session = true;
    identity.user_name = "ada";
    identity.database_name = "look";
    identity.application_name = "psql";
    identity.remote_host = "127.0.0.1";
    identity.remote_port = "4711";
    identity.command_tag = "SELECT";
    identity.session_start_us = 1'700'000'000'000'000;
    identity.virtual_transaction = (uint64_t{3} << 32) | 42;
    data.sqlstate = sqlstate::kUndefinedTable;
    data.message = "relation \"t\" does not exist";
    data.position = 15;
  }

  void set(const char* name, const char* value) {
    view.set(name, value, SettingContext::kPostmaster, SettingSource::kSession);
  }
  LogMoment moment() {
    return {view, identity, 4242, 1'700'000'001'234'567, !identity.statement.empty()};
  }
  std::string prefix(const char* pattern) {
    set("log_line_prefix", pattern);
    std::string text;
    append_line_prefix(moment(), data.sqlstate, text);
    return text;
  }

  ServerSettings server{real_operating_system().files};
  SettingsView view{server};
  LogIdentity identity;
  ErrorData data;
};

TEST_F(LogFormatTest, DefaultPrefixIsInGreenwichTimeBeforeTheZoneIsKnown) {
  EXPECT_EQ(
      text_form(moment(), data),
      "2023-11-14 22:13:21.234 GMT [4242] ERROR:  relation \"t\" does not exist at character 15\n");
  set("log_timezone", "Asia/Tokyo");
  EXPECT_EQ(prefix("%m %t %s"),
            "2023-11-15 07:13:21.234 JST 2023-11-15 07:13:21 JST 2023-11-15 07:13:20 JST");
}

TEST_F(LogFormatTest, AllEscapes) {
  EXPECT_EQ(
      prefix("%a|%u|%d|%r|%h|%b|%p|%n|%i|%e|%c|%v|%x|%Q|%%|%y|"),
      "psql|ada|look|127.0.0.1(4711)|127.0.0.1|client backend|4242|1700000001.234|SELECT|42P01|"
      "6553f100.1092|3/42|0|0|%||");
  EXPECT_EQ(prefix("%l "), "2 ");
  EXPECT_EQ(prefix("%l "), "3 ");
  EXPECT_EQ(prefix("[%6p] [%-6p] [%3u]"), "[  4242] [4242  ] [ada]");
  EXPECT_EQ(prefix("%q%u@%d "), "ada@look ");
  identity.user_name.clear();
  EXPECT_EQ(prefix("%u "), "[unknown] ");
  identity.is_session = false;
  EXPECT_EQ(prefix("%p %u%q not for others"), "4242 ");
  EXPECT_EQ(prefix("%p %"), "4242 ");
}

TEST_F(LogFormatTest, CompanionsHaveLinesOfTheirOwn) {
  set("log_line_prefix", "> ");
  data.message = "first\nsecond";
  data.detail = "Detail.";
  data.hint = "Hint.";
  data.internal_query = "select 1";
  data.context = "while testing";
  identity.statement = "select\n*";
  EXPECT_EQ(text_form(moment(), data),
            "> ERROR:  first\n\tsecond at character 15\n"
            "> DETAIL:  Detail.\n> HINT:  Hint.\n> QUERY:  select 1\n> CONTEXT:  while testing\n"
            "> STATEMENT:  select\n\t*\n");
  data.detail_log = "For the log only.";
  set("log_error_verbosity", "terse");
  EXPECT_EQ(text_form(moment(), data),
            "> ERROR:  first\n\tsecond at character 15\n> STATEMENT:  select\n\t*\n");
  set("log_error_verbosity", "verbose");
  EXPECT_NE(text_form(moment(), data).find("> ERROR:  42P01: first"), std::string::npos);
  EXPECT_NE(text_form(moment(), data).find("> DETAIL:  For the log only.\n"), std::string::npos);
}

TEST_F(LogFormatTest, CsvHasTwentySixColumns) {
  identity.statement = "select * from \"t\"";
  EXPECT_EQ(csv_form(moment(), data),
            "2023-11-14 22:13:21.234 GMT,\"ada\",\"look\",4242,\"127.0.0.1:4711\",6553f100.1092,1,"
            "\"SELECT\",2023-11-14 22:13:20 GMT,3/42,0,ERROR,42P01,"
            "\"relation \"\"t\"\" does not exist\",,,,,,\"select * from \"\"t\"\"\",15,,\"psql\","
            "\"client backend\",,0\n");
}

TEST_F(LogFormatTest, JsonLeavesOutWhatIsAbsent) {
  data.message = "tab\there \"quoted\" \x01";
  EXPECT_EQ(json_form(moment(), data),
            "{\"timestamp\":\"2023-11-14 22:13:21.234 GMT\",\"user\":\"ada\",\"dbname\":\"look\","
            "\"pid\":4242,\"remote_host\":\"127.0.0.1\",\"remote_port\":4711,"
            "\"session_id\":\"6553f100.1092\",\"line_num\":1,\"ps\":\"SELECT\","
            "\"session_start\":\"2023-11-14 22:13:20 GMT\",\"vxid\":\"3/42\",\"txid\":0,"
            "\"error_severity\":\"ERROR\",\"state_code\":\"42P01\","
            "\"message\":\"tab\\there \\\"quoted\\\" \\u0001\",\"application_name\":\"psql\","
            "\"backend_type\":\"client backend\",\"query_id\":0}\n");
}

// --- chunks

std::vector<std::string> chunks_of(Pid pid, LogDestination destination, std::string_view message) {
  std::vector<std::string> chunks;
  for_each_chunk(pid, destination, message,
                 [&](std::string_view chunk) { chunks.emplace_back(chunk); });
  return chunks;
}

struct Delivered {
  std::string out, csv, json;
  ChunkAssembler::Deliver deliver() {
    return [this](LogDestination destination, std::string_view text) {
      (destination == LogDestination::kStderr ? out
       : destination == LogDestination::kCsv  ? csv
                                              : json) += text;
    };
  }
};

TEST(LogChunk, FitsAPipeAndSaysWhereItGoes) {
  auto chunks = chunks_of(7, LogDestination::kCsv, std::string(5000, 'x'));
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].size(), 4096u);
  EXPECT_EQ(chunks[0].substr(0, 9), std::string("\0\0\xf7\x0f\x07\0\0\0\x20", 9));
  EXPECT_EQ(chunks[1].size(), 5000u - 4087 + 9);
  EXPECT_EQ(chunks[1][8], 0x21);
}

TEST(LogChunk, AlternatingWritersComeOutWhole) {
  auto a = chunks_of(1, LogDestination::kStderr, std::string(9000, 'a') + "\n");
  auto b = chunks_of(2, LogDestination::kStderr, std::string(5000, 'b') + "\n");
  ChunkAssembler assembler;
  Delivered got;
  assembler.take(a[0] + b[0] + a[1] + b[1], got.deliver());
  EXPECT_EQ(got.out, std::string(5000, 'b') + "\n");
  assembler.take(a[2], got.deliver());
  EXPECT_EQ(got.out, std::string(5000, 'b') + "\n" + std::string(9000, 'a') + "\n");
}

TEST(LogChunk, ComesByteByByte) {
  ChunkAssembler assembler;
  Delivered got;
  std::string stream;
  for (const auto& chunk : chunks_of(1, LogDestination::kJson, "{}\n")) stream += chunk;
  for (const auto& chunk : chunks_of(2, LogDestination::kStderr, "line\n")) stream += chunk;
  for (char c : stream) assembler.take({&c, 1}, got.deliver());
  EXPECT_EQ(got.json, "{}\n");
  EXPECT_EQ(got.out, "line\n");
}

TEST(LogChunk, StrayOutputIsKeptInPlace) {
  ChunkAssembler assembler;
  Delivered got;
  auto chunk = chunks_of(1, LogDestination::kStderr, "good\n")[0];
  assembler.take("some library says this\n" + chunk + "and more of it\n", got.deliver());
  EXPECT_EQ(got.out, "some library says this\ngood\nand more of it\n");
}

TEST(LogChunk, WhatIsLeftAtTheEndIsNotLost) {
  ChunkAssembler assembler;
  Delivered got;
  auto chunks = chunks_of(1, LogDestination::kStderr, std::string(5000, 'x'));
  assembler.take(chunks[0] + chunks[1].substr(0, 20), got.deliver());
  EXPECT_EQ(got.out, "");
  assembler.flush(got.deliver());
  EXPECT_EQ(got.out, std::string(4087, 'x') + chunks[1].substr(0, 20));
}

}  // namespace
}  // namespace cofork
