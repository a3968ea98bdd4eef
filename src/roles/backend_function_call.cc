// FunctionCall: one function by its oid, without SQL (as HandleFunctionRequest in fastpath.c, 15).
// Old, but part of the protocol; libpq's large objects and JDBC's fastpath use it.
#include <fmt/core.h>

#include <memory>
#include <vector>

#include "catalog/builtin.h"
#include "roles/client_backend.h"
#include "support/arena.h"
#include "wire/utf8.h"

namespace cofork {

namespace {

[[noreturn]] void refuse_format(int16_t format) {
  throw Error(sqlstate::kInvalidParameterValue, "unsupported format code: {}", format);
}

const BuiltinFunction& find_callable(Oid oid) {
  const BuiltinFunction* function = find_function(oid);
  if (function == nullptr) {
    throw Error(sqlstate::kUndefinedFunction, "function with OID {} does not exist", oid);
  }
  // Types that are resolved at the call (anyelement …) need a statement to resolve them.
  bool is_plain = function->call != nullptr;
  for (Oid type : function->args) is_plain = is_plain && !find_type(type)->is_pseudo();
  if (!is_plain) {
    throw Error(sqlstate::kInvalidParameterValue,
                "cannot call function \"{}\" via fastpath interface", function->name);
  }
  return *function;
}

struct Arguments {
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls;
  bool any_null = false;
};

Datum read_argument(MessageReader& reader, EvalContext& context, Oid type_oid, int16_t format,
                    int32_t length) {
  if (length < 0) {
    throw Error(sqlstate::kProtocolViolation, "invalid argument size {} in function call message",
                length);
  }
  std::string_view bytes = reader.bytes(length);
  const BuiltinType* type = find_type(type_oid);
  if (format == 1) return type->from_binary(context, bytes);
  if (format != 0) refuse_format(format);
  return type->from_text(context, bytes);
}

Arguments read_arguments(MessageReader& reader, EvalContext& context,
                         const BuiltinFunction& function) {
  std::vector<int16_t> formats(reader.uint16());
  for (int16_t& format : formats) format = reader.int16();
  size_t count = reader.uint16();
  if (count != function.args.size()) {
    throw Error(sqlstate::kProtocolViolation,
                "function call message contains {} arguments but function requires {}", count,
                function.args.size());
  }
  if (formats.size() > 1 && formats.size() != count) {
    throw Error(sqlstate::kProtocolViolation,
                "function call message contains {} argument formats but {} arguments",
                formats.size(), count);
  }
  Arguments arguments;
  arguments.values.resize(count);
  arguments.nulls = std::make_unique<bool[]>(count);
  for (size_t i = 0; i < count; ++i) {
    int16_t format = formats.empty() ? int16_t{0} : formats[formats.size() == 1 ? 0 : i];
    int32_t length = reader.int32();
    if (length == -1) {
      arguments.nulls[i] = arguments.any_null = true;
      continue;
    }
    arguments.values[i] = read_argument(reader, context, function.args[i], format, length);
  }
  return arguments;
}

}  // namespace

void ClientBackend::function_call(MessageReader& reader) {
  ready_for_query_due_ = true;
  session_.statement_start_us = now_timestamp();
  set_state(BackendState::kFastpath, {});
  set_title("<FASTPATH>");
  if (session_.transaction.has_failed()) {
    throw Error(sqlstate::kInFailedSqlTransaction,
                "current transaction is aborted, commands ignored until end of transaction block");
  }
  session_.transaction.start_statement(session_.statement_start_us);
  begin_timeouts();
  const BuiltinFunction& function = find_callable(reader.uint32());
  if (log_statement_wants(StatementClass::kOther)) {
    log_statement_text(
        fmt::format("fastpath function call: \"{}\" (OID {})", function.name, function.oid), {});
  }
  Arena arena;
  EvalContext context = engine_->evaluation_context(arena);
  Arguments arguments = read_arguments(reader, context, function);
  int16_t result_format = reader.int16();
  reader.end();

  bool result_is_null = function.strict && arguments.any_null;
  Datum result = 0;
  if (!result_is_null) {
    FunctionCall call{context, arguments.values.data(), arguments.nulls.get(),
                      static_cast<int>(arguments.values.size())};
    call.function = &function;
    call.arg_types = function.args.begin();
    call.result_type = function.result;
    result = function.call(call);
    result_is_null = call.result_is_null;
  }
  send_function_result(context, function.result, result, result_is_null, result_format);
  session_.transaction.end_statement();
  end_timeouts();
}

void ClientBackend::send_function_result(EvalContext& context, Oid type_oid, Datum result,
                                         bool is_null, int16_t format) {
  if (format != 0 && format != 1) refuse_format(format);
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kFunctionCallResponse);
  if (is_null) {
    out.add_int32(static_cast<uint32_t>(-1));
  } else {
    const BuiltinType* type = find_type(type_oid);
    size_t mark = out.open_value();
    if (format == 0) {
      type->to_text(context, result, out.text());
    } else {
      type->to_binary(context, result, out.text());
    }
    out.close_value(mark);
  }
  out.end();
}

}  // namespace cofork
