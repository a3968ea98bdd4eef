// COPY: rows in bulk, between a table and the client or a file of the server (copy.c, copyfrom.c,
// copyfromparse.c, copyto.c, 15).
//
//   copy.cc         the statement and its options      copy_from.cc   rows into a table
//   copy_fields.cc  lines into fields (text, csv)      copy_to.cc     rows out of a table or query
//   copy_binary.cc  the binary format
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/engine_state.h"

namespace cofork {

enum class CopyFormat : uint8_t { kText, kCsv, kBinary };

struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  char delimiter = '\t';
  std::string null = "\\N";
  bool header = false;
  bool header_must_match = false;
  char quote = '"';
  char escape = '"';
  bool freeze = false;
  bool quote_all = false;                   ///< FORCE_QUOTE *
  std::vector<std::string> force_quote;     ///< FORCE_QUOTE (…)
  std::vector<std::string> force_not_null;  ///< FORCE_NOT_NULL (…)
  std::vector<std::string> force_null;      ///< FORCE_NULL (…)
};

/// Throws 42601, 0A000, 22023 as ProcessCopyOptions. `text` for positions.
CopyOptions read_copy_options(const Node& node, std::string_view text);

// --- bytes

/// Where COPY FROM gets its bytes.
class CopySource {
 public:
  virtual ~CopySource() = default;
  /// Appends more; false at the end.
  virtual bool read(std::string& data) = 0;
};
class CopySink {
 public:
  virtual ~CopySink() = default;
  virtual void write(std::string_view row) = 0;
  virtual void end() {}
};
/// A file of the server. 58P01 `could not open file "%s" for reading: %m`.
std::unique_ptr<CopySource> open_copy_file(const std::string& path);
std::unique_ptr<CopySink> create_copy_file(const std::string& path);

// --- fields

/// A field as it was read: a NULL has no text.
struct CopyField {
  std::string_view text;
  bool is_null = false;
  bool was_quoted = false;
};

/// Cuts input into lines and lines into fields. Fields point into the reader, until the next line.
class CopyFieldReader {
 public:
  CopyFieldReader(CopySource& source, const CopyOptions& options)
      : source_(source), options_(options) {}

  /// Goes to the next line; false at the end of the data ("\." included).
  bool next_line();
  /// Takes the line apart.
  void split(std::vector<CopyField>& fields);
  std::string_view line() const { return line_; }
  int64_t line_number() const { return line_number_; }

 private:
  bool find_line_end(size_t& end, size_t& next);
  void split_text(std::vector<CopyField>& fields);
  void split_csv(std::vector<CopyField>& fields);
  bool more();

  CopySource& source_;
  const CopyOptions& options_;
  std::string input_;
  size_t start_ = 0;  ///< of the unread part
  bool at_end_ = false;
  std::string_view line_;
  int64_t line_number_ = 0;
  std::string unescaped_;  ///< fields with escapes, decoded
};

/// Reads the binary format: header, then rows.
class CopyBinaryReader {
 public:
  explicit CopyBinaryReader(CopySource& source) : source_(source) {}
  /// 22P04 "COPY file signature not recognized" …
  void read_header();
  /// False at the trailer.
  bool next_row(std::vector<CopyField>& fields);

 private:
  bool have(size_t bytes);
  std::string_view take(size_t bytes);
  CopySource& source_;
  std::string input_;
  size_t start_ = 0;
};

// --- statements

/// A table and the columns COPY names (0-based; all but generated ones by default).
struct CopyTarget {
  RelationDesc* relation = nullptr;
  std::vector<int> columns;
};

class CopyCommand {
 public:
  CopyCommand(Engine::State& state, std::string_view text) : state_(state), text_(text) {}
  /// Returns the number of rows.
  int64_t run(const Node& node, RowReceiver& receiver);

 private:
  CopyTarget find_target(const Node& node, bool is_from);
  int64_t copy_from(const CopyTarget& target, const CopyOptions& options, CopySource& source,
                    const Node* where);
  int64_t copy_to(PreparedStatement& statement, const CopyOptions& options, CopySink& sink);

  Engine::State& state_;
  std::string_view text_;
};

}  // namespace cofork
