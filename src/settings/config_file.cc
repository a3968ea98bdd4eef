// The grammar of configuration files. One line is one setting; a bad line is reported and skipped.
#include "settings/config_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "settings/setting.h"

namespace cofork {
namespace {

constexpr int kMaxIncludeDepth = 10;
constexpr int kMaxSyntaxErrors = 100;

enum class Token : uint8_t {
  kId,
  kQualifiedId,
  kString,
  kWord,
  kNumber,
  kEquals,
  kEndOfLine,
  kEnd,
  kBad
};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
  return is_letter(c) || is_digit(c);
}
bool is_word(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == ':' || c == '/';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Longest match wins, as in the generated scanner.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
    if (at_ < text_.size() && text_[at_] == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    }
    start_ = at_;
    if (at_ == text_.size()) return Token::kEnd;
    char c = text_[at_];
    if (c == '\n') {
      ++at_;
      ++line_;
      return Token::kEndOfLine;
    }
    if (c == '=') {
      ++at_;
      return Token::kEquals;
    }
    if (c == '\'') return scan_string();
    if (is_letter(c)) return scan_word();
    return scan_number();
  }
  std::string_view token() const { return text_.substr(start_, at_ - start_); }
  int line() const { return line_; }
  void skip_line() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

 private:
  Token scan_string() {
    size_t i = at_ + 1;
    while (i < text_.size() && text_[i] != '\n') {
      if (text_[i] == '\\' && i + 1 < text_.size() && text_[i + 1] != '\n') {
        i += 2;
      } else if (text_[i] != '\'') {
        ++i;
      } else if (i + 1 < text_.size() && text_[i + 1] == '\'') {
        i += 2;
      } else {
        at_ = i + 1;
        return Token::kString;
      }
    }
    ++at_;  // an unterminated string: the quote alone is the offending token
    return Token::kBad;
  }

  Token scan_word() {
    size_t word = at_;
    while (word < text_.size() && is_word(text_[word])) ++word;
    size_t id = at_;
    while (id < text_.size() && is_letter_or_digit(text_[id])) ++id;
    size_t qualified = id;
    if (id + 1 < text_.size() && text_[id] == '.' && is_letter(text_[id + 1])) {
      qualified = id + 1;
      while (qualified < text_.size() && is_letter_or_digit(text_[qualified])) ++qualified;
    }
    at_ = word;
    if (word == id) return Token::kId;
    return word == qualified ? Token::kQualifiedId : Token::kWord;
  }

  Token scan_number() {
    size_t i = at_;
    if (text_[i] == '+' || text_[i] == '-') ++i;
    size_t digits = i;
    if (i + 2 < text_.size() && text_[i] == '0' && (text_[i + 1] == 'x' || text_[i + 1] == 'X') &&
        is_hex(text_[i + 2])) {
      i += 2;
      while (i < text_.size() && is_hex(text_[i])) ++i;
    } else {
      while (i < text_.size() && is_digit(text_[i])) ++i;
      bool has_digits = i > digits;
      if (i < text_.size() && text_[i] == '.') {
        size_t fraction = i + 1;
        while (fraction < text_.size() && is_digit(text_[fraction])) ++fraction;
        has_digits |= fraction > i + 1;
        i = fraction;
      }
      if (!has_digits) {
        ++at_;
        return Token::kBad;
      }
      i = scan_exponent(i);
    }
    // The unit stands right behind the number: 8MB. A number with a blank before it needs quotes.
    while (i < text_.size() &&
           ((text_[i] >= 'a' && text_[i] <= 'z') || (text_[i] >= 'A' && text_[i] <= 'Z')))
      ++i;
    at_ = i;
    return Token::kNumber;
  }

  size_t scan_exponent(size_t i) const {
    if (i >= text_.size() || (text_[i] != 'e' && text_[i] != 'E')) return i;
    size_t j = i + 1;
    if (j < text_.size() && (text_[j] == '+' || text_[j] == '-')) ++j;
    if (j >= text_.size() || !is_digit(text_[j])) return i;
    while (j < text_.size() && is_digit(text_[j])) ++j;
    return j;
  }

  std::string_view text_;
  size_t start_ = 0;
  size_t at_ = 0;
  int line_ = 1;
};

/// The value of a quoted token: doubled quotes and backslash escapes undone (DeescapeQuotedString).
std::string unquoted(std::string_view token) {
  std::string value;
  std::string_view body = token.substr(1, token.size() - 2);
  for (size_t i = 0; i < body.size(); ++i) {
    char c = body[i];
    if (c == '\'') {
      ++i;
      value += '\'';
    } else if (c != '\\' || i + 1 == body.size()) {
      value += c;
    } else {
      c = body[++i];
      if (c >= '0' && c <= '7') {
        int code = 0;
        size_t end = std::min(body.size(), i + 3);
        while (i < end && body[i] >= '0' && body[i] <= '7') code = code * 8 + (body[i++] - '0');
        --i;
        value += static_cast<char>(code);
      } else {
        value += c == 'b'   ? '\b'
                 : c == 'f' ? '\f'
                 : c == 'n' ? '\n'
                 : c == 'r' ? '\r'
                 : c == 't' ? '\t'
                            : c;
      }
    }
  }
  return value;
}

ErrorData file_message(SqlState sqlstate, std::string message) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate;
  data.message = std::move(message);
  return data;
}

class Reader {
 public:
  Reader(FileSystem* files, ConfigItems& out) : files_(files), out_(out) {}

  /// `calling_file` null: named by the server itself.
  void read_file(const std::string& path, bool strict, int depth, const std::string* calling_file) {
    if (depth > kMaxIncludeDepth) {
      fail(sqlstate::kProgramLimitExceeded, path,
           fmt::format("could not open configuration file \"{}\": maximum nesting depth exceeded",
                       path));
      return;
    }
    if (calling_file != nullptr && path == *calling_file) {
      fail(sqlstate::kInvalidParameterValue, path,
           fmt::format("configuration file recursion in \"{}\"", path));
      return;
    }
    std::string text;
    int error = read_whole_file(*files_, path, text);
    if (error == -ENOENT && !strict) {
      out_.messages.push_back(
          file_message(sqlstate::kSuccessfulCompletion,
                       fmt::format("skipping missing configuration file \"{}\"", path)));
      return;
    }
    if (error < 0) {
      fail(sqlstate_for_file_errno(-error), path,
           fmt::format("could not open configuration file \"{}\": {}", path, errno_text(-error)));
      return;
    }
    parse(text, std::make_shared<const std::string>(path), depth);
  }

  void parse(std::string_view text, const std::shared_ptr<const std::string>& file, int depth) {
    Scanner scanner(text);
    int syntax_errors = 0;
    while (true) {
      Token token = scanner.next();
      if (token == Token::kEnd) return;
      if (token == Token::kEndOfLine) continue;
      ConfigItem item;
      item.file = file;
      item.line = scanner.line();
      bool good = token == Token::kId || token == Token::kQualifiedId;
      if (good) {
        item.name = scanner.token();
        token = scanner.next();
        if (token == Token::kEquals) token = scanner.next();
        good = token == Token::kId || token == Token::kString || token == Token::kNumber ||
               token == Token::kWord;
      }
      if (good) {
        item.value =
            token == Token::kString ? unquoted(scanner.token()) : std::string(scanner.token());
        token = scanner.next();
        good = token == Token::kEndOfLine || token == Token::kEnd;
      }
      if (good) {
        take(std::move(item), depth);
      } else {
        report_syntax_error(scanner, token, *file);
        if (++syntax_errors >= kMaxSyntaxErrors) {
          out_.messages.push_back(file_message(
              sqlstate::kProgramLimitExceeded,
              fmt::format("too many syntax errors found, abandoning file \"{}\"", *file)));
          return;
        }
        if (token != Token::kEndOfLine) scanner.skip_line();
      }
    }
  }

 private:
  void fail(SqlState sqlstate, const std::string& file, std::string message) {
    out_.ok = false;
    out_.file_with_error = file;
    out_.messages.push_back(file_message(sqlstate, std::move(message)));
  }

  void report_syntax_error(const Scanner& scanner, Token token, const std::string& file) {
    bool at_end = token == Token::kEndOfLine || token == Token::kEnd;
    // The scanner counts a line end when it has read it.
    int line = token == Token::kEndOfLine ? scanner.line() - 1 : scanner.line();
    std::string where =
        at_end ? "near end of line" : fmt::format("near token \"{}\"", scanner.token());
    fail(sqlstate::kSyntaxError, file,
         fmt::format("syntax error in file \"{}\" line {}, {}", file, line, where));
  }

  void take(ConfigItem item, int depth) {
    if (files_ != nullptr && compare_setting_names(item.name, "include_dir") == 0) {
      include_folder(item, depth);
    } else if (files_ != nullptr && compare_setting_names(item.name, "include_if_exists") == 0) {
      include_file(item, false, depth);
    } else if (files_ != nullptr && compare_setting_names(item.name, "include") == 0) {
      include_file(item, true, depth);
    } else {
      out_.items.push_back(std::move(item));
    }
  }

  static std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

  void include_file(const ConfigItem& item, bool strict, int depth) {
    if (item.value.find_first_not_of(" \t\r\n") == std::string::npos) {
      fail(sqlstate::kInvalidParameterValue, *item.file,
           fmt::format("empty configuration file name: \"{}\"", item.value));
      return;
    }
    read_file(absolute_path(item.value, folder_of(*item.file)), strict, depth + 1, item.file.get());
  }

  void include_folder(const ConfigItem& item, int depth) {
    if (item.value.find_first_not_of(" \t\r\n") == std::string::npos) {
      fail(sqlstate::kInvalidParameterValue, *item.file,
           fmt::format("empty configuration directory name: \"{}\"", item.value));
      return;
    }
    std::string folder = absolute_path(item.value, folder_of(*item.file));
    std::vector<std::string> names;
    int error = files_->list(folder, names);
    if (error < 0) {
      fail(sqlstate_for_file_errno(-error), *item.file,
           fmt::format("could not open configuration directory \"{}\": {}", folder,
                       errno_text(-error)));
      return;
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (name.size() < 6 || name[0] == '.' || !name.ends_with(".conf")) continue;
      std::string path = folder + "/" + name;
      struct stat st;
      if (files_->stat(path, st) == 0 && S_ISDIR(st.st_mode)) continue;
      read_file(path, true, depth + 1, item.file.get());
    }
  }

  FileSystem* files_;  ///< null: includes are items like others
  ConfigItems& out_;
};

}  // namespace

void read_config_file(FileSystem& files, const std::string& path, bool strict, ConfigItems& out) {
  Reader(&files, out).read_file(path, strict, 0, nullptr);
}

void parse_config_text(std::string_view text, const std::shared_ptr<const std::string>& file,
                       ConfigItems& out) {
  Reader(nullptr, out).parse(text, file, 0);
}

std::string quote_config_value(std::string_view value) {
  std::string quoted = "'";
  for (char c : value) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string absolute_path(std::string_view path, std::string_view base) {
  std::string joined = path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", base, path);
  std::vector<std::string_view> parts;
  size_t at = 0;
  while (at < joined.size()) {
    size_t slash = std::min(joined.find('/', at), joined.size());
    std::string_view part = std::string_view(joined).substr(at, slash - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    at = slash + 1;
  }
  std::string result;
  for (std::string_view part : parts) {
    result += '/';
    result += part;
  }
  return result.empty() ? "/" : result;
}

int read_whole_file(FileSystem& files, const std::string& path, std::string& text) {
  int fd = files.open(path, O_RDONLY);
  if (fd < 0) return fd;
  char bytes[8192];
  off_t offset = 0;
  ssize_t got = 0;
  while ((got = files.pread(fd, bytes, sizeof bytes, offset)) > 0) {
    text.append(bytes, static_cast<size_t>(got));
    offset += got;
  }
  files.close(fd);
  return got < 0 ? static_cast<int>(got) : 0;
}

}  // namespace cofork
