// client_encoding: what a client sends and sees is converted from and to the server's UTF-8.
#include <gtest/gtest.h>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class EncodingTest : public ServerTest {
 protected:
  void SetUp() override { server.start(); }
};

TEST_P(EncodingTest, Latin1BothWays) {
  Session session(server);
  ASSERT_TRUE(session.query("set client_encoding = 'latin-1'").ok);
  const Result there = session.query("select '\xe9', length('\xe9'), octet_length('\xe9')");
  ASSERT_TRUE(there.ok) << there.message;
  EXPECT_EQ(there.rows[0], (std::vector<std::string>{"\xe9", "1", "2"}));
  // Names and error texts too.
  EXPECT_EQ(session.query("select 1 as \"\xfc\"").columns[0], "\xfc");
  EXPECT_EQ(session.query("select '\xe9'::int").message,
            "invalid input syntax for type integer: \"\xe9\"");
  const char* value = "\xff";
  const int length = 1, binary = 1;
  PGresult* result = PQexecParams(session.raw(), "select $1::text || U&'\\00e9', octet_length($1)",
                                  1, nullptr, &value, &length, &binary, 1);
  ASSERT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQresultErrorMessage(result);
  EXPECT_EQ(std::string(PQgetvalue(result, 0, 0), 2), "\xff\xe9") << "binary text is text";
  EXPECT_EQ(std::string(PQgetvalue(result, 0, 1), 4), std::string("\0\0\0\x02", 4));
  PQclear(result);
}

TEST_P(EncodingTest, WhatLatin1LacksIsRefused) {
  Session session(server, "client_encoding=LATIN1");
  const Result euro = session.query("select U&'\\20AC'");
  EXPECT_EQ(euro.sqlstate, "22P05");
  EXPECT_EQ(euro.message,
            "character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in "
            "encoding \"LATIN1\"");
  // An error whose text cannot be sent becomes this one.
  EXPECT_EQ(session.query("select U&'\\20AC'::int").sqlstate, "22P05");
  EXPECT_EQ(session.query("select 1").first(), "1");
}

TEST_P(EncodingTest, ChangesAtOnceWithinAQueryString) {
  RawClient client(server);
  ASSERT_FALSE(client.log_in().empty());
  client.send_query(
      "set client_encoding = latin1; select U&'\\00e9'; set client_encoding = utf8; "
      "select U&'\\00e9'");
  std::vector<std::string> values;
  while (std::optional<Message> message = client.receive()) {
    if (message->type == 'D') values.push_back(message->body.substr(6));
    if (message->type == 'Z') break;
  }
  EXPECT_EQ(values, (std::vector<std::string>{"\xe9", "\xc3\xa9"}));
}

TEST_P(EncodingTest, SqlAsciiPassesBytesThatAreUtf8) {
  Session session(server, "client_encoding=SQL_ASCII");
  EXPECT_EQ(session.query("select '\xc3\xa9'").first(), "\xc3\xa9");
  const Result bad = session.query("select '\xe9'");
  EXPECT_EQ(bad.sqlstate, "22021");
  EXPECT_EQ(bad.message, "invalid byte sequence for encoding \"UTF8\": 0xe9 0x27");
}

TEST_P(EncodingTest, OthersAreRefusedByName) {
  Session session(server);
  const Result unknown = session.query("set client_encoding = 'nosuch'");
  EXPECT_EQ(unknown.sqlstate, "22023");
  EXPECT_EQ(unknown.message, "invalid value for parameter \"client_encoding\": \"nosuch\"");
  const Result mule = session.query("set client_encoding = 'MULE_INTERNAL'");
  EXPECT_EQ(mule.sqlstate, "0A000");
  EXPECT_EQ(mule.detail, "Conversion between MULE_INTERNAL and UTF8 is not supported.");
}

INSTANTIATE_FOR_ALL_FLAVORS(EncodingTest);

}  // namespace
}  // namespace cofork::test
