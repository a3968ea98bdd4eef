// Lines and fields of COPY's text and csv formats (CopyReadLineText, CopyReadAttributesText and
// CopyReadAttributesCSV in copyfromparse.c, 15).
#include <cstring>

#include "sql/copy.h"
#include "support/error.h"

namespace cofork {

bool CopyFieldReader::more() {
  if (at_end_) return false;
  // What has been handed out is not needed any more.
  if (start_ > 0) {
    input_.erase(0, start_);
    start_ = 0;
  }
  at_end_ = !source_.read(input_);
  return !at_end_;
}

/// Finds where the line that begins at start_ ends; `next` is where the following one begins.
/// False: the input ends first.
bool CopyFieldReader::find_line_end(size_t& end, size_t& next) {
  if (options_.format == CopyFormat::kText) {
    for (size_t at = start_;;) {
      const char* found =
          static_cast<const char*>(std::memchr(input_.data() + at, '\n', input_.size() - at));
      if (found == nullptr) return false;
      end = static_cast<size_t>(found - input_.data());
      // A newline after an odd number of backslashes belongs to the data.
      size_t slashes = 0;
      while (end - slashes > start_ && input_[end - slashes - 1] == '\\') ++slashes;
      at = next = end + 1;
      if (slashes % 2 == 0) break;
    }
  } else {
    bool in_quotes = false;
    size_t at = start_;
    for (; at < input_.size(); ++at) {
      char c = input_[at];
      if (in_quotes && c == options_.escape && options_.escape != options_.quote &&
          at + 1 < input_.size()) {
        ++at;
      } else if (c == options_.quote) {
        in_quotes = !in_quotes;
      } else if (c == '\n' && !in_quotes) {
        break;
      }
    }
    if (at == input_.size()) return false;
    end = at;
    next = at + 1;
  }
  if (end > start_ && input_[end - 1] == '\r') --end;
  return true;
}

bool CopyFieldReader::next_line() {
  size_t end = 0, next = 0;
  while (!find_line_end(end, next)) {
    if (more()) continue;
    if (start_ == input_.size()) return false;
    end = next = input_.size();
    break;
  }
  line_ = std::string_view(input_).substr(start_, end - start_);
  start_ = next;
  ++line_number_;
  if (line_ != "\\.") return true;
  // The end of the data; whatever the client sends after it is read and forgotten.
  do {
    input_.clear();
    start_ = 0;
  } while (more());
  return false;
}

void CopyFieldReader::split(std::vector<CopyField>& fields) {
  fields.clear();
  if (options_.format == CopyFormat::kText) {
    split_text(fields);
  } else {
    split_csv(fields);
  }
}

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Decodes the escape whose backslash stands at text[at - 1]; `at` moves behind it.
char decode_escape(std::string_view text, size_t& at) {
  char c = text[at++];
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x': {
      int value = at < text.size() ? hex_digit(text[at]) : -1;
      if (value < 0) return c;
      ++at;
      if (at < text.size() && hex_digit(text[at]) >= 0) value = value * 16 + hex_digit(text[at++]);
      return static_cast<char>(value);
    }
    default:
      break;
  }
  if (c < '0' || c > '7') return c;
  int value = c - '0';
  for (int i = 0; i < 2 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i) {
    value = value * 8 + (text[at++] - '0');
  }
  return static_cast<char>(value);
}

}  // namespace

void CopyFieldReader::split_text(std::vector<CopyField>& fields) {
  // Decoded text is never longer than the line, so views into it stay good.
  unescaped_.clear();
  unescaped_.reserve(line_.size());
  size_t at = 0;
  for (;;) {
    size_t begin = at;
    bool has_escape = false;
    while (at < line_.size() && line_[at] != options_.delimiter) {
      if (line_[at] == '\\') {
        has_escape = true;
        ++at;
      }
      if (at < line_.size()) ++at;
    }
    std::string_view raw = line_.substr(begin, at - begin);
    CopyField field;
    if (raw == options_.null) {
      field.is_null = true;
    } else if (!has_escape) {
      field.text = raw;
    } else {
      size_t from = unescaped_.size();
      for (size_t i = 0; i < raw.size();) {
        char c = raw[i++];
        unescaped_ += c == '\\' && i < raw.size() ? decode_escape(raw, i) : c;
      }
      field.text = std::string_view(unescaped_).substr(from);
    }
    fields.push_back(field);
    if (at >= line_.size()) return;
    ++at;
  }
}

void CopyFieldReader::split_csv(std::vector<CopyField>& fields) {
  unescaped_.clear();
  unescaped_.reserve(line_.size());
  size_t at = 0;
  for (;;) {
    size_t from = unescaped_.size();
    CopyField field;
    bool in_quotes = false;
    while (at < line_.size()) {
      char c = line_[at];
      if (!in_quotes && c == options_.delimiter) break;
      ++at;
      if (!in_quotes) {
        if (c == options_.quote) {
          in_quotes = field.was_quoted = true;
        } else {
          unescaped_ += c;
        }
      } else if (c == options_.escape && at < line_.size() &&
                 (line_[at] == options_.quote || line_[at] == options_.escape)) {
        unescaped_ += line_[at++];
      } else if (c == options_.quote) {
        in_quotes = false;
      } else {
        unescaped_ += c;
      }
    }
    if (in_quotes) {
      throw Error(sqlstate::kBadCopyFileFormat, "unterminated CSV quoted field");
    }
    field.text = std::string_view(unescaped_).substr(from);
    field.is_null = !field.was_quoted && field.text == options_.null;
    fields.push_back(field);
    if (at >= line_.size()) return;
    ++at;
  }
}

}  // namespace cofork
