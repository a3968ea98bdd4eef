// What each message of the protocol does, simple and extended (as exec_simple_query,
// exec_parse_message, exec_bind_message, exec_execute_message … in postgres.c, 15).
#include <fmt/core.h>

#include "model/model.h"
#include "roles/client_backend.h"
#include "wire/utf8.h"

namespace cofork {

bool ClientBackend::execute_message(const Message& message) {
  MessageReader reader(message.body);
  message_arena_.reset();
  follow_encoding();
  switch (static_cast<ClientMessage>(message.type)) {
    case ClientMessage::kQuery:
      simple_query(reader);
      break;
    case ClientMessage::kParse:
      parse(reader);
      break;
    case ClientMessage::kBind:
      bind(reader);
      break;
    case ClientMessage::kDescribe:
      describe(reader);
      break;
    case ClientMessage::kExecute:
      execute(reader);
      break;
    case ClientMessage::kClose:
      close(reader);
      break;
    case ClientMessage::kFunctionCall:
      function_call(reader);
      break;
    case ClientMessage::kFlush:
      reader.end();
      connection_.flush();
      break;
    case ClientMessage::kSync:
      reader.end();
      engine_->sync();
      end_timeouts();
      ready_for_query_due_ = true;
      break;
    case ClientMessage::kTerminate:
      return false;
    case ClientMessage::kCopyData:
    case ClientMessage::kCopyDone:
    case ClientMessage::kCopyFail:
      // Left over from a COPY that failed: the client could not know.
      break;
  }
  return true;
}

std::string_view ClientBackend::read_text(MessageReader& reader) {
  return from_client(reader.string());
}

/// A client's text as UTF-8: the message's own bytes, checked, or a copy that lives as long.
std::string_view ClientBackend::from_client(std::string_view text) {
  if (client_encoding_ == Encoding::kLatin1) {
    return is_ascii(text) ? text : message_arena_.copy(utf8_of_latin1(text));
  }
  if (checks_encoding_) check_utf8(text);
  return text;
}

/// client_encoding may have changed: at once, in the middle of a simple query too.
void ClientBackend::follow_encoding() {
  if (encoding_version_ == settings_.version()) return;
  encoding_version_ = settings_.version();
  std::optional<Encoding> encoding = find_conversion(settings_.get(setting::kClientEncoding));
  client_encoding_ = checks_encoding_ ? encoding.value_or(Encoding::kUtf8) : Encoding::kSqlAscii;
  connection_.out().set_encoding(client_encoding_);
}

void ClientBackend::begin_command(std::string_view text) {
  session_.statement_start_us = now_timestamp();
  log_identity_.statement = text;
  statement_was_logged_ = false;
  if (session_.transaction.is_idle()) sample_transaction();
  set_state(BackendState::kRunning, text);
  begin_timeouts();
}

void ClientBackend::begin_timeouts() {
  Timeouts& timeouts = task_.timeouts();
  int limit_ms = settings_.get(setting::kStatementTimeout);
  if (limit_ms > 0 && !timeouts.active(TimeoutId::kStatement)) {
    timeouts.enable_after_ms(TimeoutId::kStatement, limit_ms);
  }
  int interval_ms = settings_.get(setting::kClientConnectionCheckInterval);
  if (interval_ms > 0 && !timeouts.active(TimeoutId::kClientConnectionCheck)) {
    timeouts.enable_after_ms(TimeoutId::kClientConnectionCheck, interval_ms);
  }
}

void ClientBackend::end_timeouts() {
  task_.timeouts().disable(TimeoutId::kStatement);
}

void ClientBackend::set_state(BackendState state, std::string_view statement) {
  report_activity(state, statement, settings_.get(setting::kTrackActivities));
}

// --- simple protocol

void ClientBackend::simple_query(MessageReader& reader) {
  session_.statement_start_us = now_timestamp();
  ready_for_query_due_ = true;
  std::string_view text = read_text(reader);
  reader.end();
  begin_command(text);
  engine_->simple_query(text, *simple_rows_);
  end_timeouts();
  // Where the text lay may have been taken by COPY's data.
  if (duration_is_wanted()) log_duration("statement", log_identity_.statement, {});
}

void ClientBackend::query_parsed(StatementClass strongest) {
  if (!log_statement_wants(strongest)) return;
  log_statement_text(fmt::format("statement: {}", log_identity_.statement), {});
  statement_was_logged_ = true;
}

void ClientBackend::statement_begins(std::string_view tag) {
  log_identity_.command_tag = tag;
  set_title(tag);
  follow_encoding();
}

// --- extended protocol

namespace {

std::string_view shown_name(std::string_view name) {
  return name.empty() ? "<unnamed>" : name;
}

/// "STATEMENT" or "STATEMENT/PORTAL", as the log names what is bound or executed.
std::string shown_names(std::string_view statement, std::string_view portal) {
  return fmt::format("{}{}{}", shown_name(statement), portal.empty() ? "" : "/", portal);
}

std::string parameters_detail(const std::string& parameters) {
  return parameters.empty() ? std::string() : "parameters: " + parameters;
}

}  // namespace

void ClientBackend::parse(MessageReader& reader) {
  std::string_view name = read_text(reader);
  std::string_view text = read_text(reader);
  int count = reader.uint16();
  parameter_types_.clear();
  for (int i = 0; i < count; ++i) parameter_types_.push_back(reader.uint32());
  reader.end();

  begin_command(text);
  set_title("PARSE");
  engine_->parse(name, text, parameter_types_);
  connection_.out().add_empty(ServerMessage::kParseComplete);
  if (duration_is_wanted()) log_duration(fmt::format("parse {}", shown_name(name)), text, {});
}

void ClientBackend::bind(MessageReader& reader) {
  std::string_view portal = read_text(reader);
  std::string_view statement = read_text(reader);
  std::string_view text = engine_->statement_text(statement);
  begin_command(text);
  set_title("BIND");

  read_bind_parameters(reader, portal);
  formats_.clear();
  int format_count = reader.uint16();
  for (int i = 0; i < format_count; ++i) formats_.push_back(reader.int16());
  reader.end();

  if (client_encoding_ == Encoding::kLatin1) convert_binary_texts(statement);
  engine_->bind(portal, statement, parameters_, formats_);
  connection_.out().add_empty(ServerMessage::kBindComplete);
  if (duration_is_wanted()) {
    log_duration("bind " + shown_names(statement, portal), text,
                 parameters_detail(engine_->portal_parameters(portal)));
  }
}

// Values are views of the message. A format for each, one for all, or none: all text.
void ClientBackend::read_bind_parameters(MessageReader& reader, std::string_view portal) {
  formats_.clear();
  int format_count = reader.uint16();
  for (int i = 0; i < format_count; ++i) formats_.push_back(reader.int16());
  int count = reader.uint16();
  if (format_count > 1 && format_count != count) {
    throw Error(sqlstate::kProtocolViolation,
                "bind message has {} parameter formats but {} parameters", format_count, count);
  }
  parameters_.clear();
  for (int i = 0; i < count; ++i) {
    ParameterValue value;
    value.format = format_count == 0 ? int16_t{0} : formats_[format_count == 1 ? 0 : size_t(i)];
    int32_t length = reader.int32();
    value.is_null = length == -1;
    if (!value.is_null) {
      if (length < 0 || static_cast<size_t>(length) > reader.left()) {
        throw Error(sqlstate::kProtocolViolation, "insufficient data left in message")
            .context("{} parameter ${}", portal_in_context(portal), i + 1);
      }
      value.bytes = reader.bytes(length);
      if (value.format == 0) value.bytes = from_client(value.bytes);
    }
    parameters_.push_back(value);
  }
}

/// Text in binary format is still text (textrecv).
void ClientBackend::convert_binary_texts(std::string_view statement) {
  std::span<const Oid> types = engine_->statement_parameters(statement);
  for (size_t i = 0; i < std::min(types.size(), parameters_.size()); ++i) {
    ParameterValue& value = parameters_[i];
    if (value.is_null || value.format != 1 || find_type(types[i])->category != 'S') continue;
    value.bytes = from_client(value.bytes);
  }
}

std::string ClientBackend::portal_in_context(std::string_view portal) {
  return portal.empty() ? "unnamed portal" : fmt::format("portal \"{}\"", portal);
}

void ClientBackend::describe(MessageReader& reader) {
  char kind = reader.byte();
  std::string_view name = read_text(reader);
  reader.end();
  session_.statement_start_us = now_timestamp();
  begin_timeouts();
  OutputBuffer& out = connection_.out();
  if (kind == 'S') {
    std::span<const Oid> types = engine_->statement_parameters(name);
    std::span<const ResultColumn> columns = engine_->statement_columns(name);
    refuse_rows_in_failed_block(columns);
    out.begin(ServerMessage::kParameterDescription);
    out.add_int16(static_cast<int>(types.size()));
    for (Oid type : types) out.add_int32(type);
    out.end();
    send_description(columns, {});
  } else if (kind == 'P') {
    std::span<const int16_t> formats;
    std::span<const ResultColumn> columns = engine_->portal_columns(name, &formats);
    refuse_rows_in_failed_block(columns);
    send_description(columns, formats);
  } else {
    throw Error(sqlstate::kProtocolViolation, "invalid DESCRIBE message subtype {}",
                static_cast<int>(static_cast<uint8_t>(kind)));
  }
  connection_.flush_if_full();
}

// Finding out what a result looks like may need the catalogs, which a failed transaction may not
// read.
void ClientBackend::refuse_rows_in_failed_block(std::span<const ResultColumn> columns) {
  if (columns.empty() || !session_.transaction.has_failed()) return;
  throw Error(sqlstate::kInFailedSqlTransaction,
              "current transaction is aborted, commands ignored until end of transaction block");
}

void ClientBackend::send_description(std::span<const ResultColumn> columns,
                                     std::span<const int16_t> formats) {
  if (columns.empty()) {
    connection_.out().add_empty(ServerMessage::kNoData);
  } else {
    send_row_description(connection_.out(), columns, formats);
  }
}

void ClientBackend::execute(MessageReader& reader) {
  std::string_view portal = read_text(reader);
  int32_t max_rows = reader.int32();
  reader.end();
  Engine::PortalInfo info = engine_->portal_info(portal);
  if (info.tag.empty()) {
    connection_.out().add_empty(ServerMessage::kEmptyQueryResponse);
    return;
  }
  begin_command(info.text);
  statement_begins(info.tag);
  const char* verb = info.started ? "execute fetch from" : "execute";
  if (log_statement_wants(info.statement_class)) {
    log_statement_text(
        fmt::format("{} {}: {}", verb, shown_names(info.statement, portal), info.text),
        parameters_detail(engine_->portal_parameters(portal)));
    statement_was_logged_ = true;
  }
  // A COMMIT takes portal and parameters away: what the log may want is copied before.
  bool tells_duration = duration_is_wanted();
  std::string what, text, parameters;
  if (tells_duration) {
    what = fmt::format("{} {}", verb, shown_names(info.statement, portal));
    text = info.text;
    parameters = parameters_detail(engine_->portal_parameters(portal));
  }
  task_.check_interrupts();
  ExecuteResult result = engine_->execute(portal, max_rows > 0 ? max_rows : 0, *extended_rows_);
  if (result.outcome == ExecuteOutcome::kSuspended) {
    connection_.out().add_empty(ServerMessage::kPortalSuspended);
  } else {
    extended_rows_->complete(result.tag);
    end_timeouts();
  }
  if (tells_duration) log_duration(what, text, parameters);
}

void ClientBackend::close(MessageReader& reader) {
  char kind = reader.byte();
  std::string_view name = read_text(reader);
  reader.end();
  if (kind == 'S') {
    engine_->close_statement(name);
  } else if (kind == 'P') {
    engine_->close_portal(name);
  } else {
    throw Error(sqlstate::kProtocolViolation, "invalid CLOSE message subtype {}",
                static_cast<int>(static_cast<uint8_t>(kind)));
  }
  connection_.out().add_empty(ServerMessage::kCloseComplete);
}

}  // namespace cofork
