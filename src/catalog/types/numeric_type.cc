// The type numeric.
#include "catalog/tables.h"
#include "support/error.h"
#include "types/numeric.h"

namespace cofork {

using namespace type_oid;

namespace {

Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t typmod) {
  return numeric_fit(*context.arena, parse_numeric(*context.arena, text), typmod);
}
void output(EvalContext&, Datum value, std::string& text) {
  append_numeric(text, value);
}
Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t typmod) {
  return numeric_fit(*context.arena, receive_numeric(*context.arena, bytes), typmod);
}
void send(EvalContext&, Datum value, std::string& bytes) {
  send_numeric(bytes, value);
}

int32_t typmod_in(std::span<const int32_t> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid NUMERIC type modifier");
  }
  int precision = modifiers[0], scale = modifiers.size() == 2 ? modifiers[1] : 0;
  if (precision < 1 || precision > 1000) {
    throw Error(sqlstate::kInvalidParameterValue, "NUMERIC precision {} must be between 1 and 1000",
                precision);
  }
  if (scale < -1000 || scale > 1000) {
    throw Error(sqlstate::kInvalidParameterValue, "NUMERIC scale {} must be between -1000 and 1000",
                scale);
  }
  return make_numeric_typmod(precision, scale);
}

std::string typmod_out(int32_t typmod) {
  return fmt::format("({},{})", numeric_typmod_precision(typmod), numeric_typmod_scale(typmod));
}

constexpr BuiltinType kRows[] = {
    {kNumeric, "numeric", "numeric", -1, false, 'i', 'N', false, kNumericArray, 0, input, output,
     receive, send, numeric_compare, numeric_hash, typmod_in, typmod_out},
};

}  // namespace

constinit const std::span<const BuiltinType> kNumericTypes = kRows;

}  // namespace cofork
