// See error_response.h.
#include "wire/error_response.h"

#include <string>

namespace cofork {

namespace {

void add_field(OutputBuffer& out, char code, std::string_view text) {
  out.add_byte(code);
  out.add_string(text);
}

void add_field_if_any(OutputBuffer& out, char code, std::string_view text) {
  if (!text.empty()) add_field(out, code, text);
}

void add_field_if_any(OutputBuffer& out, char code, int number) {
  if (number > 0) add_field(out, code, std::to_string(number));
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0: the whole path
}

}  // namespace

void append_report(OutputBuffer& out, const ErrorData& data) {
  bool is_error = data.severity >= Severity::kError;
  out.begin(is_error ? ServerMessage::kErrorResponse : ServerMessage::kNoticeResponse);
  add_field(out, 'S', severity_name(data.severity));
  add_field(out, 'V', severity_name(data.severity));
  add_field(out, 'C', data.sqlstate.text());
  add_field(out, 'M', data.message.empty() ? "missing error text" : data.message);
  add_field_if_any(out, 'D', data.detail);
  add_field_if_any(out, 'H', data.hint);
  add_field_if_any(out, 'P', data.position);
  add_field_if_any(out, 'p', data.internal_position);
  add_field_if_any(out, 'q', data.internal_query);
  add_field_if_any(out, 'W', data.context);
  add_field_if_any(out, 's', data.schema_name);
  add_field_if_any(out, 't', data.table_name);
  add_field_if_any(out, 'c', data.column_name);
  add_field_if_any(out, 'd', data.datatype_name);
  add_field_if_any(out, 'n', data.constraint_name);
  if (data.file != nullptr) add_field(out, 'F', base_name(data.file));
  add_field_if_any(out, 'L', data.line);
  if (data.function != nullptr) add_field(out, 'R', data.function);
  out.add_byte('\0');
  out.end();
}

void append_version2_error(OutputBuffer& out, const ErrorData& data) {
  std::string line = std::string("E") + severity_name(data.severity) + ":  " + data.message + "\n";
  line.push_back('\0');
  out.add_raw(line);
}

}  // namespace cofork
