// Framing: messages put together and taken apart, byte for byte.
#include <gtest/gtest.h>

#include <string>

#include "wire/error_response.h"
#include "wire/message_reader.h"
#include "wire/output_buffer.h"

namespace cofork {
namespace {

using namespace std::string_literals;

std::string sqlstate_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.data().sqlstate.text() + " " + error.data().message;
  }
  return "no error";
}

TEST(OutputBuffer, WritesLengthsInNetworkOrder) {
  OutputBuffer out;
  out.begin(ServerMessage::kReadyForQuery);
  out.add_byte('I');
  out.end();
  EXPECT_EQ(out.unsent(), "Z\0\0\0\x05I"s);
  out.add_empty(ServerMessage::kBindComplete);
  EXPECT_EQ(out.unsent(), "Z\0\0\0\x05I2\0\0\0\x04"s);
}

TEST(OutputBuffer, CountsAValueThatWasWrittenInPlace) {
  OutputBuffer out;
  out.begin(ServerMessage::kDataRow);
  out.add_int16(2);
  size_t mark = out.open_value();
  out.text() += "forty";
  out.close_value(mark);
  out.add_int32(static_cast<uint32_t>(-1));
  out.end();
  EXPECT_EQ(out.unsent(), "D\0\0\0\x13\0\x02\0\0\0\x05"s + "forty\xff\xff\xff\xff"s);
}

TEST(OutputBuffer, DropsAMessageThatWasNotEnded) {
  OutputBuffer out;
  out.add_empty(ServerMessage::kParseComplete);
  out.begin(ServerMessage::kDataRow);
  out.text() += "half a row";
  EXPECT_TRUE(out.building());
  EXPECT_EQ(out.unsent(), "1\0\0\0\x04"s);
  out.add_empty(ServerMessage::kNoData);
  EXPECT_EQ(out.unsent(), "1\0\0\0\x04n\0\0\0\x04"s);
}

TEST(OutputBuffer, KeepsWhatTheKernelDidNotTake) {
  OutputBuffer out;
  out.add_raw("abcdef");
  out.mark_sent(4);
  EXPECT_EQ(out.unsent(), "ef");
  EXPECT_FALSE(out.sent_nothing_of_unsent());
  out.add_raw("gh");
  EXPECT_EQ(out.unsent(), "efgh");
  out.mark_sent(4);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(out.sent_nothing_of_unsent());
}

TEST(OutputBuffer, GivesBackWhatALargeAnswerTook) {
  OutputBuffer out;
  size_t idle = out.capacity();
  out.add_raw(std::string(100000, 'x'));
  EXPECT_TRUE(out.full());
  out.shrink();
  EXPECT_GE(out.capacity(), 100000u) << "unsent bytes stay";
  out.drop();
  out.shrink();
  EXPECT_EQ(out.capacity(), idle);
}

TEST(MessageReader, ReadsTheIntegersAndStringsOfABind) {
  const std::string body = "portal\0\0\0\x01\0\x01\0\0\0\x02hiX"s;
  MessageReader reader(body);
  EXPECT_EQ(reader.string(), "portal");
  EXPECT_EQ(reader.string(), "");
  EXPECT_EQ(reader.int16(), 1);
  EXPECT_EQ(reader.int16(), 1);
  EXPECT_EQ(reader.bytes(reader.int32()), "hi");
  EXPECT_EQ(reader.left(), 1u);
  EXPECT_EQ(reader.byte(), 'X');
  reader.end();
}

TEST(MessageReader, RefusesWhatIsNotThere) {
  EXPECT_EQ(sqlstate_of([] { MessageReader("abc").string(); }), "08P01 invalid string in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("abc").int32(); }),
            "08P01 insufficient data left in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("a").int16(); }),
            "08P01 insufficient data left in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("").byte(); }),
            "08P01 insufficient data left in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("abc").bytes(-5); }),
            "08P01 insufficient data left in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("abc").bytes(4); }),
            "08P01 insufficient data left in message");
  EXPECT_EQ(sqlstate_of([] { MessageReader("junk").end(); }), "08P01 invalid message format");
}

TEST(Protocol, KnowsWhatAClientMaySendAndHowLong) {
  EXPECT_EQ(client_message_limit('Q'), kLargeMessageLimit);
  EXPECT_EQ(client_message_limit('S'), kSmallMessageLimit);
  EXPECT_EQ(client_message_limit('y'), 0u);
  EXPECT_EQ(client_message_limit('p'), 0u) << "a password that nobody asked for";
  EXPECT_EQ(client_message_limit('\0'), 0u);
}

TEST(ErrorResponse, HasItsFieldsInPostgresOrder) {
  ErrorData data = Error(sqlstate::kUndefinedColumn, "column \"x\" does not exist").data();
  data.detail = "d";
  data.detail_log = "for the log only";
  data.hint = "h";
  data.position = 8;
  data.context = "w";
  data.internal_position = 3;
  data.internal_query = "q";
  data.schema_name = "s";
  data.table_name = "t";
  data.column_name = "c";
  data.datatype_name = "y";
  data.constraint_name = "n";
  data.file = "../src/sql/analysis.cc";
  data.line = 12;
  data.function = "f";
  OutputBuffer out;
  append_report(out, data);
  EXPECT_EQ(out.unsent().substr(5),
            "SERROR\0VERROR\0C42703\0Mcolumn \"x\" does not exist\0Dd\0Hh\0P8\0p3\0qq\0Ww\0ss\0tt\0"
            "cc\0dy\0nn\0Fanalysis.cc\0L12\0Rf\0\0"s);
  EXPECT_EQ(out.unsent()[0], 'E');
}

TEST(ErrorResponse, IsANoticeBelowError) {
  ErrorData data;
  data.severity = Severity::kWarning;
  data.sqlstate = sqlstate::kNoActiveSqlTransaction;
  data.message = "there is no transaction in progress";
  OutputBuffer out;
  append_report(out, data);
  EXPECT_EQ(out.unsent(),
            "N\0\0\0\x43SWARNING\0VWARNING\0C25P01\0Mthere is no transaction in progress\0\0"s);
}

TEST(ErrorResponse, TellsWhereItWasRaised) {
  ErrorData data = Error(sqlstate::kDivisionByZero, "division by zero").data();
  EXPECT_NE(std::string(data.file).find("wire_framing_test.cc"), std::string::npos);
  EXPECT_EQ(std::string(data.function), "TestBody");
  EXPECT_GT(data.line, 100);
}

TEST(ErrorResponse, IsOneLineForOldProtocols) {
  ErrorData data = Error(sqlstate::kFeatureNotSupported, "no").fatal().data();
  OutputBuffer out;
  append_version2_error(out, data);
  EXPECT_EQ(out.unsent(), "EFATAL:  no\n\0"s);
}

}  // namespace
}  // namespace cofork
