// Built-in types, functions, operators, casts and aggregates: read-only tables of the binary.
//
// Adding a function is one row and one C++ function; nothing else in the tree names it. The tables
// are what pg_type, pg_proc, pg_operator, pg_cast and pg_aggregate would hold, with PostgreSQL 15's
// oids where it has the object, so that clients find what they expect.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "types/datum.h"

namespace cofork {

struct Session;  // sql/session.h: who runs this statement, its settings and its transaction

/// What input, output and functions need besides their arguments.
struct EvalContext {
  Arena* arena;              ///< results live here (the tuple's or the statement's)
  Session* session = nullptr;///< null in unit tests of pure functions
  // The settings that change text forms, copied from the session when a statement starts.
  int extra_float_digits = 1;
  uint8_t date_style = 0;      ///< types/datetime.h: DateStyle
  uint8_t date_order = 0;      ///< types/datetime.h: DateOrder
  uint8_t interval_style = 0;  ///< types/datetime.h: IntervalStyle
  bool bytea_hex = true;
  const void* time_zone = nullptr;  ///< types/datetime.h: const TimeZone*
  int64_t transaction_start_us = 0; ///< now(): microseconds since 2000-01-01 UTC
  int64_t statement_start_us = 0;
};

struct BuiltinType {
  Oid oid;
  const char* name;       ///< pg_type.typname: "int4"
  const char* sql_name;   ///< format_type(): "integer"
  int16_t length;         ///< typlen; -1 varlena, -2 cstring
  bool by_value;
  char align;             ///< c s i d
  char category;          ///< typcategory: N S D T B …
  bool preferred;
  Oid array_oid;          ///< 0: none
  Oid element_oid;        ///< of an array type
  /// typmod -1: none. Throws 22P02 and friends as the type's input function.
  Datum (*input)(EvalContext&, std::string_view text, int32_t typmod);
  void (*output)(EvalContext&, Datum value, std::string& text);
  Datum (*receive)(EvalContext&, std::string_view bytes, int32_t typmod);
  void (*send)(EvalContext&, Datum value, std::string& bytes);
  /// <0, 0, >0; null when the type has no default ordering. Equal values hash equally.
  int (*compare)(Datum a, Datum b);
  uint64_t (*hash)(Datum value);
};

/// One call of a function: arguments in, result out.
struct FunctionCall {
  EvalContext& context;
  const Datum* args;
  const bool* nulls;
  int count;
  bool result_is_null = false;  ///< set by the function for a NULL result
  const struct BuiltinFunction* function = nullptr;
  const Oid* arg_types = nullptr;  ///< actual types, for polymorphic and VARIADIC "any" functions
  Oid result_type = kInvalidOid;   ///< actual result type
  int position = 0;                ///< of the call in the statement, for errors

  Arena& arena() const { return *context.arena; }
  Datum null() {
    result_is_null = true;
    return 0;
  }
};

enum class Volatility : char { kImmutable = 'i', kStable = 's', kVolatile = 'v' };

/// A set-returning function yields rows one by one: it is called until it says it is done.
/// State it needs between calls lives in `state` (arena memory, starts as null).
struct SetCall {
  FunctionCall& call;
  void*& state;
  Arena& state_arena;  ///< lives as long as the scan
  /// The row's columns (one, unless the function has column names).
  Datum* values;
  bool* nulls;
};

struct BuiltinFunction {
  Oid oid;
  const char* name;
  Oid result;
  std::span<const Oid> args;
  Datum (*call)(FunctionCall&);          ///< null for a set-returning function
  bool strict = true;                    ///< NULL in, NULL out, without being called
  Volatility volatility = Volatility::kImmutable;
  Oid variadic = kInvalidOid;            ///< element type when the last argument is VARIADIC
  bool (*next)(SetCall&) = nullptr;      ///< set-returning: false when there are no more rows
  std::span<const char* const> columns = {};      ///< of a set-returning function with several
  std::span<const Oid> column_types = {};
  int defaults = 0;                      ///< how many trailing arguments may be left out
};

struct BuiltinOperator {
  Oid oid;
  const char* name;   ///< "+"
  Oid left;           ///< 0 for a prefix operator
  Oid right;
  Oid result;
  Oid function;       ///< oid of the BuiltinFunction
  Oid commutator = kInvalidOid;
  Oid negator = kInvalidOid;
};

enum class CastContext : char { kImplicit = 'i', kAssignment = 'a', kExplicit = 'e' };
struct BuiltinCast {
  Oid source;
  Oid target;
  Oid function;  ///< 0: same bytes (binary coercible), or through text when via_io
  CastContext context;
  bool via_io = false;
};

/// An aggregate keeps a state Datum (arena memory that lives for the group).
struct BuiltinAggregate {
  Oid oid;
  const char* name;
  Oid result;
  std::span<const Oid> args;  ///< empty for count(*)
  Oid state_type;
  /// Advances the state by one row: call.args[0] is the state, the rest the arguments.
  Datum (*transition)(FunctionCall&);
  bool strict;                    ///< rows with a NULL argument are passed over
  const char* initial;            ///< text of the initial state, null: NULL (first value, if strict)
  Datum (*final)(FunctionCall&);  ///< null: the state is the result
};

const BuiltinType* find_type(Oid oid);
const BuiltinType* find_type(std::string_view name);  ///< typname or SQL spelling: "integer", "int4"
std::span<const BuiltinType> all_types();

const BuiltinFunction* find_function(Oid oid);
/// All functions of a name, in table order.
std::span<const BuiltinFunction* const> functions_named(std::string_view name);
std::span<const BuiltinOperator* const> operators_named(std::string_view name);
const BuiltinOperator* find_operator(Oid oid);
const BuiltinCast* find_cast(Oid source, Oid target);
std::span<const BuiltinAggregate* const> aggregates_named(std::string_view name);
const BuiltinAggregate* find_aggregate(Oid oid);

}  // namespace cofork
