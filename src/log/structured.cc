// The CSV and JSON forms of a log message: the same facts under the same names as PostgreSQL 15's.
#include "log/format.h"

namespace cofork {
namespace {

/// Builds one record: columns in order, strings in quotes, absent ones empty.
class CsvRecord {
 public:
  void text(std::string_view value) {
    separate();
    if (value.empty()) return;
    out_ += '"';
    for (char c : value) {
      if (c == '"') out_ += '"';
      out_ += c;
    }
    out_ += '"';
  }
  void bare(std::string_view value) {
    separate();
    out_ += value;
  }
  template <typename Number>
  void number(Number value) {
    bare(std::to_string(value));
  }
  void positive(int value) { bare(value > 0 ? std::to_string(value) : ""); }
  std::string end() { return std::move(out_) + '\n'; }

 private:
  void separate() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
  }
  std::string out_;
  bool is_first_ = true;
};

class JsonObject {
 public:
  void text(const char* key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    out_ += '"';
    for (char c : value) append_escaped(c);
    out_ += '"';
  }
  void bare(const char* key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    out_ += value;
  }
  template <typename Number>
  void number(const char* key, Number value) {
    bare(key, std::to_string(value));
  }
  std::string end() { return std::move(out_) + "}\n"; }

 private:
  void begin(const char* key) {
    if (out_.size() > 1) out_ += ',';
    out_ += fmt::format("\"{}\":", key);
  }
  void append_escaped(char c) {
    switch (c) {
      case '\b':
        out_ += "\\b";
        break;
      case '\f':
        out_ += "\\f";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ') {
          out_ += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out_ += c;
        }
    }
  }
  std::string out_ = "{";
};

const std::string& detail_for_log(const ErrorData& data) {
  return data.detail_log.empty() ? data.detail : data.detail_log;
}

}  // namespace

std::string csv_form(const LogMoment& moment, const ErrorData& data) {
  LogIdentity& identity = moment.identity;
  ++identity.csv_line_number;
  CsvRecord record;
  record.bare(log_timestamp(moment.settings, moment.now_us, true));
  record.text(identity.user_name);
  record.text(identity.database_name);
  record.number(moment.pid);
  bool has_port = !identity.remote_port.empty();
  record.text(has_port ? identity.remote_host + ":" + identity.remote_port : identity.remote_host);
  record.bare(session_id(moment));
  record.number(identity.csv_line_number);
  record.text(identity.command_tag);
  record.bare(log_timestamp(moment.settings, identity.session_start_us, false));
  record.bare(virtual_transaction_text(identity));
  record.number(identity.transaction_id);
  record.bare(severity_name(data.severity));
  record.bare(data.sqlstate.text());
  record.text(data.message);
  record.text(detail_for_log(data));
  record.text(data.hint);
  record.text(data.internal_query);
  record.positive(data.internal_query.empty() ? 0 : data.internal_position);
  record.text(data.context);
  record.text(moment.with_statement ? identity.statement : "");
  record.positive(moment.with_statement ? data.position : 0);
  record.bare("");  // location
  record.text(identity.application_name);
  record.text(identity.backend_type);
  record.bare("");  // leader pid
  record.number(identity.query_id);
  return record.end();
}

std::string json_form(const LogMoment& moment, const ErrorData& data) {
  LogIdentity& identity = moment.identity;
  ++identity.json_line_number;
  JsonObject object;
  object.text("timestamp", log_timestamp(moment.settings, moment.now_us, true));
  object.text("user", identity.user_name);
  object.text("dbname", identity.database_name);
  object.number("pid", moment.pid);
  object.text("remote_host", identity.remote_host);
  object.bare("remote_port", identity.remote_port);
  object.text("session_id", session_id(moment));
  object.number("line_num", identity.json_line_number);
  object.text("ps", identity.command_tag);
  object.text("session_start", log_timestamp(moment.settings, identity.session_start_us, false));
  object.text("vxid", virtual_transaction_text(identity));
  object.number("txid", identity.transaction_id);
  object.text("error_severity", severity_name(data.severity));
  // Success is no condition: the field is left out.
  if (data.sqlstate != sqlstate::kSuccessfulCompletion) {
    object.text("state_code", data.sqlstate.text());
  }
  object.text("message", data.message);
  object.text("detail", detail_for_log(data));
  object.text("hint", data.hint);
  object.text("internal_query", data.internal_query);
  if (data.internal_position > 0) object.number("internal_position", data.internal_position);
  object.text("context", data.context);
  if (moment.with_statement) {
    object.text("statement", identity.statement);
    if (data.position > 0) object.number("cursor_position", data.position);
  }
  object.text("application_name", identity.application_name);
  object.text("backend_type", identity.backend_type);
  object.number("query_id", identity.query_id);
  return object.end();
}

}  // namespace cofork
