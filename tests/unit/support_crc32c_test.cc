// CRC-32C against values computed by PostgreSQL, and its two implementations against each other.
#include "support/crc32c.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "test_data.h"

namespace cofork {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

TEST(Crc32c, EqualsPostgresqlsValues) {
  std::istringstream lines(
      testing_support::read_file(testing_support::data_path("crc32c/crc32c.csv")));
  std::string line;
  std::getline(lines, line);  // heading
  int count = 0;
  while (std::getline(lines, line)) {
    size_t comma = line.find(',');
    std::string input = from_hex(line.substr(0, comma));
    auto expected = static_cast<uint32_t>(std::stoul(line.substr(comma + 1), nullptr, 16));
    EXPECT_EQ(crc32c(input.data(), input.size()), expected) << line;
    uint32_t by_table = crc32c_extend_table(0xFFFFFFFFu, input.data(), input.size());
    EXPECT_EQ(by_table ^ 0xFFFFFFFFu, expected) << line;
    ++count;
  }
  EXPECT_GT(count, 10);
}

TEST(Crc32c, InstructionAndTableAgreeAtEveryLengthAndAlignment) {
  if (!crc32c_hardware_available()) GTEST_SKIP() << "no SSE 4.2";
  std::string bytes(200, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37 + 11);
  for (size_t start = 0; start < 9; ++start) {
    for (size_t length = 0; start + length <= bytes.size(); ++length) {
      ASSERT_EQ(crc32c_extend_hardware(0x12345678u, bytes.data() + start, length),
                crc32c_extend_table(0x12345678u, bytes.data() + start, length))
          << start << "+" << length;
    }
  }
}

TEST(Crc32c, PiecesGiveTheValueOfTheWhole) {
  const std::string text = "123456789";
  EXPECT_EQ(crc32c(text.data(), text.size()), 0xE3069283u);
  EXPECT_EQ(Crc32c().add("1234", 4).add("56789", 5).value(), 0xE3069283u);
}

}  // namespace
}  // namespace cofork
