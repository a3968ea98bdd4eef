// See hba_tokens.h.
#include "wire/hba_tokens.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace cofork {

namespace {

constexpr size_t kMaxTokenBytes = 10240;
constexpr int kMaxInclusionDepth = 10;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

class Tokenizer {
 public:
  Tokenizer(const std::string& file_name, const FileReader& read_included, int depth,
            std::vector<ErrorData>& reports)
      : file_name_(file_name), read_included_(read_included), depth_(depth), reports_(reports) {}

  std::vector<ConfigLine> run(std::string_view text) {
    std::vector<ConfigLine> lines;
    int number = 1;
    while (!text.empty()) {
      int first_number = number;
      std::string line = take_logical_line(text, number);
      ConfigLine parsed{first_number, {}};
      size_t reports_before = reports_.size();
      rest_ = line;
      line_number_ = first_number;
      while (!rest_.empty()) {
        ConfigField field = take_field();
        if (!field.empty()) parsed.fields.push_back(std::move(field));
      }
      if (reports_.size() == reports_before && !parsed.fields.empty()) {
        lines.push_back(std::move(parsed));
      }
    }
    return lines;
  }

 private:
  /// A physical line and those it is continued on, joined.
  std::string take_logical_line(std::string_view& text, int& number) {
    std::string line;
    while (true) {
      size_t end = text.find('\n');
      std::string_view physical = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++number;
      while (!physical.empty() && physical.back() == '\r') physical.remove_suffix(1);
      if (physical.ends_with('\\') && !text.empty()) {
        line.append(physical.substr(0, physical.size() - 1));
        continue;
      }
      line.append(physical);
      return line;
    }
  }

  /// Tokens up to the next blank that no comma stands before.
  ConfigField take_field() {
    ConfigField field;
    bool comma = true;
    while (comma) {
      ConfigToken token;
      if (!take_token(token, comma)) break;
      if (!token.quoted && token.text.size() > 1 && token.text[0] == '@') {
        include(token.text.substr(1), field);
      } else {
        field.push_back(std::move(token));
      }
    }
    return field;
  }

  bool take_token(ConfigToken& token, bool& comma_follows) {
    comma_follows = false;
    while (!rest_.empty() && (is_blank(rest_[0]) || rest_[0] == ',')) rest_.remove_prefix(1);
    bool in_quote = false;
    bool any = false;
    while (!rest_.empty()) {
      char c = rest_[0];
      if (!in_quote && is_blank(c)) break;
      if (!in_quote && c == '#') {
        rest_ = {};
        break;
      }
      rest_.remove_prefix(1);
      if (!in_quote && c == ',') {
        comma_follows = true;
        break;
      }
      if (c == '"') {
        if (in_quote && !rest_.empty() && rest_[0] == '"') {  // "" inside quotes is one quote
          token.text.push_back('"');
          rest_.remove_prefix(1);
        } else {
          in_quote = !in_quote;
          if (in_quote && token.text.empty()) token.quoted = true;
        }
        any = true;
        continue;
      }
      token.text.push_back(c);
      any = true;
    }
    if (token.text.size() > kMaxTokenBytes) {
      reports_.push_back(
          config_file_report(fmt::format("authentication file token too long, skipping: \"{}\"",
                                         token.text.substr(0, kMaxTokenBytes)),
                             line_number_, file_name_));
      return false;
    }
    return any;
  }

  /// @file: its tokens, whatever lines they stand on. A relative name is relative to this file.
  void include(const std::string& name, ConfigField& field) {
    std::string path = name;
    if (name[0] != '/') path = file_name_.substr(0, file_name_.rfind('/') + 1) + name;
    int error_number = 0;
    std::optional<std::string> text;
    if (depth_ < kMaxInclusionDepth) text = read_included_(path, error_number);
    if (!text) {
      std::string reason =
          depth_ < kMaxInclusionDepth ? errno_text(error_number) : "maximum nesting depth exceeded";
      ErrorData data;
      data.severity = Severity::kLog;
      data.sqlstate = sqlstate_for_file_errno(error_number);
      data.message = fmt::format(
          "could not open secondary authentication file \"@{}\" as \"{}\": {}", name, path, reason);
      reports_.push_back(std::move(data));
      return;
    }
    Tokenizer included(path, read_included_, depth_ + 1, reports_);
    for (ConfigLine& line : included.run(*text)) {
      for (ConfigField& tokens : line.fields) {
        for (ConfigToken& token : tokens) field.push_back(std::move(token));
      }
    }
  }

  const std::string& file_name_;
  const FileReader& read_included_;
  int depth_;
  std::vector<ErrorData>& reports_;
  std::string_view rest_;
  int line_number_ = 0;
};

}  // namespace

FileReader file_reader(FileSystem& files) {
  return [&files](const std::string& path, int& error_number) -> std::optional<std::string> {
    int fd = files.open(path, O_RDONLY);
    if (fd < 0) {
      error_number = -fd;
      return std::nullopt;
    }
    std::string text;
    char block[4096];
    ssize_t got;
    while ((got = files.pread(fd, block, sizeof block, static_cast<off_t>(text.size()))) > 0) {
      text.append(block, static_cast<size_t>(got));
    }
    files.close(fd);
    if (got == 0) return text;
    error_number = static_cast<int>(-got);
    return std::nullopt;
  };
}

std::optional<std::string> read_config_file(const FileReader& read, const std::string& file_name,
                                            std::vector<ErrorData>& reports) {
  int error_number = 0;
  std::optional<std::string> text = read(file_name, error_number);
  if (!text) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate_for_file_errno(error_number);
    data.message = fmt::format("could not open configuration file \"{}\": {}", file_name,
                               errno_text(error_number));
    reports.push_back(std::move(data));
  }
  return text;
}

std::vector<ConfigLine> tokenize_config(std::string_view text, const std::string& file_name,
                                        const FileReader& read_included,
                                        std::vector<ErrorData>& reports) {
  return Tokenizer(file_name, read_included, 0, reports).run(text);
}

ErrorData config_file_report(std::string message, int line, const std::string& file_name) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate::kConfigFileError;
  data.message = std::move(message);
  data.context = fmt::format("line {} of configuration file \"{}\"", line, file_name);
  return data;
}

}  // namespace cofork
