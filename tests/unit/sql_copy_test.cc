// COPY's lines and fields.
#include <gtest/gtest.h>

#include "sql/copy.h"
#include "support/error.h"

namespace cofork {
namespace {

/// Gives its text in pieces of a few bytes, so that every boundary is met.
class Pieces final : public CopySource {
 public:
  Pieces(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}
  bool read(std::string& data) override {
    if (at_ == text_.size()) return false;
    data += text_.substr(at_, piece_);
    at_ = std::min(at_ + piece_, text_.size());
    return true;
  }

 private:
  std::string text_;
  size_t piece_;
  size_t at_ = 0;
};

std::string read_all(const std::string& text, const CopyOptions& options, size_t piece) {
  Pieces source(text, piece);
  CopyFieldReader reader(source, options);
  std::vector<CopyField> fields;
  std::string shown;
  while (reader.next_line()) {
    reader.split(fields);
    for (const CopyField& field : fields) {
      shown += field.is_null ? "<null>" : "[" + std::string(field.text) + "]";
    }
    shown += ";";
  }
  return shown;
}

void expect_at_every_boundary(const std::string& text, const CopyOptions& options,
                              const std::string& expected) {
  for (size_t piece : {1, 2, 3, 7, 1000}) {
    EXPECT_EQ(read_all(text, options, piece), expected) << "in pieces of " << piece;
  }
}

TEST(CopyFields, Text) {
  CopyOptions options;
  expect_at_every_boundary("1\tone\n2\t\\N\n", options, "[1][one];[2]<null>;");
  expect_at_every_boundary("a\\tb\tc\\\\d\t\\x41\\101\n", options, "[a\tb][c\\d][AA];");
  expect_at_every_boundary("last\tline", options, "[last][line];");
  expect_at_every_boundary("two\\\nlines\t2\n", options, "[two\nlines][2];");
  expect_at_every_boundary("1\r\n2\r\n", options, "[1];[2];");
  expect_at_every_boundary("1\n\\.\nrubbish\n", options, "[1];");
  expect_at_every_boundary("\t\n", options, "[][];");
}

TEST(CopyFields, Csv) {
  CopyOptions options;
  options.format = CopyFormat::kCsv;
  options.delimiter = ',';
  options.null.clear();
  expect_at_every_boundary("1,one\n2,\n", options, "[1][one];[2]<null>;");
  expect_at_every_boundary("\"a,b\",\"say \"\"hi\"\"\"\n", options, "[a,b][say \"hi\"];");
  expect_at_every_boundary("\"two\nlines\",\"\"\n", options, "[two\nlines][];");
  Pieces source("\"open", 100);
  CopyFieldReader reader(source, options);
  std::vector<CopyField> fields;
  ASSERT_TRUE(reader.next_line());
  try {
    reader.split(fields);
    ADD_FAILURE() << "an unterminated quote was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.data().message, "unterminated CSV quoted field");
    EXPECT_EQ(error.data().sqlstate, sqlstate::kBadCopyFileFormat);
  }
}

}  // namespace
}  // namespace cofork
