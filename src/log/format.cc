// The text form, and what the forms have in common.
#include "log/format.h"

#include "settings/local_time.h"

namespace cofork {
namespace {

/// Continuation lines begin with a tab, so that a message's end can be seen (append_with_tabs).
void append_with_tabs(std::string_view text, std::string& out) {
  for (char c : text) {
    out += c;
    if (c == '\n') out += '\t';
  }
}

struct Padding {
  int width = 0;  ///< negative: to the left

  void append(std::string_view text, std::string& out) const {
    size_t wanted = static_cast<size_t>(width < 0 ? -width : width);
    size_t blanks = wanted > text.size() ? wanted - text.size() : 0;
    if (width > 0) out.append(blanks, ' ');
    out += text;
    if (width < 0) out.append(blanks, ' ');
  }
};

/// The number between % and the letter: "-10". Moves `at` to the letter; false at the pattern's
/// end.
bool scan_padding(std::string_view pattern, size_t& at, Padding& padding) {
  bool is_left = at < pattern.size() && pattern[at] == '-';
  if (is_left) ++at;
  int width = 0;
  while (at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9') {
    width = std::min(width * 10 + (pattern[at++] - '0'), 1000);
  }
  padding.width = is_left ? -width : width;
  return at < pattern.size();
}

std::string_view or_unknown(const std::string& name) {
  return name.empty() ? std::string_view("[unknown]") : name;
}

std::string remote_with_port(const LogIdentity& identity) {
  if (identity.remote_port.empty()) return identity.remote_host;
  return fmt::format("{}({})", identity.remote_host, identity.remote_port);
}

/// The text of one escape. `known` false: no such escape, nothing is shown.
std::string escape_text(const LogMoment& moment, char letter, SqlState sqlstate) {
  const LogIdentity& identity = moment.identity;
  bool in_session = identity.is_session;
  switch (letter) {
    case 'a':
      return in_session ? std::string(or_unknown(identity.application_name)) : "";
    case 'b':
      return identity.backend_type;
    case 'u':
      return in_session ? std::string(or_unknown(identity.user_name)) : "";
    case 'd':
      return in_session ? std::string(or_unknown(identity.database_name)) : "";
    case 'c':
      return session_id(moment);
    case 'p':
      return std::to_string(moment.pid);
    case 'l':
      return std::to_string(identity.line_number);
    case 'm':
      return log_timestamp(moment.settings, moment.now_us, true);
    case 't':
      return log_timestamp(moment.settings, moment.now_us, false);
    case 'n':
      return fmt::format("{}.{:03}", moment.now_us / 1000000, moment.now_us / 1000 % 1000);
    case 's':
      return log_timestamp(moment.settings, identity.session_start_us, false);
    case 'i':
      return in_session ? std::string(identity.command_tag) : "";
    case 'r':
      return in_session ? remote_with_port(identity) : "";
    case 'h':
      return in_session ? identity.remote_host : "";
    case 'v':
      return virtual_transaction_text(identity);
    case 'x':
      return std::to_string(identity.transaction_id);
    case 'e':
      return sqlstate.text();
    case 'Q':
      return std::to_string(identity.query_id);
    default:
      return "";  // %P too: there are no parallel workers that would have a leader
  }
}

class TextMessage {
 public:
  TextMessage(const LogMoment& moment, const ErrorData& data) : moment_(moment), data_(data) {}

  std::string build() {
    bool terse = verbosity() == setting::ErrorVerbosity::kTerse;
    first_line();
    if (!terse) {
      line("DETAIL", data_.detail_log.empty() ? data_.detail : data_.detail_log);
      line("HINT", data_.hint);
      line("QUERY", data_.internal_query);
      line("CONTEXT", data_.context);
    }
    if (moment_.with_statement) line("STATEMENT", moment_.identity.statement);
    return std::move(out_);
  }

 private:
  setting::ErrorVerbosity verbosity() const {
    return moment_.settings.get(setting::kLogErrorVerbosity);
  }

  void first_line() {
    append_line_prefix(moment_, data_.sqlstate, out_);
    out_ += severity_name(data_.severity);
    out_ += ":  ";
    if (verbosity() == setting::ErrorVerbosity::kVerbose) out_ += data_.sqlstate.text() + ": ";
    append_with_tabs(data_.message.empty() ? "missing error text" : data_.message, out_);
    int position = data_.position > 0 ? data_.position : data_.internal_position;
    if (position > 0) out_ += fmt::format(" at character {}", position);
    out_ += '\n';
  }

  void line(const char* word, std::string_view text) {
    if (text.empty()) return;
    append_line_prefix(moment_, data_.sqlstate, out_);
    out_ += word;
    out_ += ":  ";
    append_with_tabs(text, out_);
    out_ += '\n';
  }

  const LogMoment& moment_;
  const ErrorData& data_;
  std::string out_;
};

}  // namespace

std::string session_id(const LogMoment& moment) {
  return fmt::format("{:x}.{:x}", moment.identity.session_start_us / 1000000, moment.pid);
}

std::string virtual_transaction_text(const LogIdentity& identity) {
  if (identity.virtual_transaction == 0) return "";
  return fmt::format("{}/{}", identity.virtual_transaction >> 32,
                     identity.virtual_transaction & 0xffffffff);
}

std::string log_timestamp(const SettingsView& settings, int64_t unix_us, bool with_milliseconds) {
  const TimeZone* zone = settings.derived<TimeZone>(setting::kLogTimezone);
  LocalTime t = local_time(*zone, unix_us / 1000000);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.year, t.month, t.day,
                                 t.hour, t.minute, t.second);
  if (with_milliseconds) text += fmt::format(".{:03}", unix_us / 1000 % 1000);
  text += ' ';
  text += t.abbreviation;
  return text;
}

void append_line_prefix(const LogMoment& moment, SqlState sqlstate, std::string& out) {
  ++moment.identity.line_number;
  std::string_view pattern = moment.settings.get(setting::kLogLinePrefix);
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '%') {
      out += pattern[at];
      continue;
    }
    ++at;
    if (at == pattern.size()) return;
    if (pattern[at] == '%') {
      out += '%';
      continue;
    }
    Padding padding;
    if (!scan_padding(pattern, at, padding)) return;
    if (pattern[at] == 'q') {
      if (!moment.identity.is_session) return;
      continue;
    }
    padding.append(escape_text(moment, pattern[at], sqlstate), out);
  }
}

std::string text_form(const LogMoment& moment, const ErrorData& data) {
  return TextMessage(moment, data).build();
}

}  // namespace cofork
