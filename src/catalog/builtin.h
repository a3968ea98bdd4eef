// Built-in types, functions, operators, casts and aggregates: read-only tables of the binary.
//
// Adding a function is one row and one C++ function (catalog/functions/*.cc); nothing else in the
// tree names it. The tables are what pg_type, pg_proc, pg_operator, pg_cast and pg_aggregate would
// hold, with PostgreSQL 15's oids where it has the object, so that clients find what they expect.
//
// A floor above that has functions of its own (pg_backend_pid, current_setting) hands its table to
// load_builtins() once in main(), before any task exists; from then on nothing here changes, and
// all lookups may be called from any task without locks.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "types/datum.h"
#include "types/eval_context.h"
#include "types/type_oids.h"

namespace cofork {

/// A few type oids, in the row itself: the arguments of a function.
class OidList {
 public:
  constexpr OidList() = default;
  constexpr OidList(std::initializer_list<Oid> oids) {
    for (Oid oid : oids) oids_[count_++] = oid;
  }
  constexpr size_t size() const { return count_; }
  constexpr bool empty() const { return count_ == 0; }
  constexpr Oid operator[](size_t i) const { return oids_[i]; }
  constexpr const Oid* begin() const { return oids_; }
  constexpr const Oid* end() const { return oids_ + count_; }
  constexpr operator std::span<const Oid>() const { return {oids_, count_}; }

 private:
  static constexpr size_t kMost = 8;
  Oid oids_[kMost] = {};
  uint32_t count_ = 0;
};

struct BuiltinType {
  Oid oid;
  const char* name;      ///< pg_type.typname: "int4"
  const char* sql_name;  ///< format_type(): "integer"
  int16_t length;        ///< typlen; -1 varlena, -2 cstring
  bool by_value;
  char align;     ///< c s i d
  char category;  ///< typcategory: N S D T B …
  bool preferred;
  Oid array_oid;    ///< 0: none
  Oid element_oid;  ///< of an array type (also name, point … as pg_type has them)
  /// typmod -1: none. Throws 22P02 and friends as the type's input function.
  Datum (*input)(EvalContext&, const BuiltinType&, std::string_view text, int32_t typmod);
  void (*output)(EvalContext&, Datum value, std::string& text);  ///< appends
  Datum (*receive)(EvalContext&, const BuiltinType&, std::string_view bytes, int32_t typmod);
  void (*send)(EvalContext&, Datum value, std::string& bytes);  ///< appends
  /// <0, 0, >0; null when the type has no default ordering. Equal values hash equally.
  int (*compare)(Datum a, Datum b) = nullptr;
  uint64_t (*hash)(Datum value) = nullptr;
  /// The typmod of "(10,2)"; null: "type modifier is not allowed for type …" (42601).
  int32_t (*typmod_in)(std::span<const int32_t> modifiers) = nullptr;
  /// "(10,2)" of a typmod that is not -1.
  std::string (*typmod_out)(int32_t typmod) = nullptr;

  bool is_array() const { return length == -1 && category == 'A'; }
  bool is_pseudo() const { return category == 'P'; }

  // The calls a consumer makes.
  Datum from_text(EvalContext& context, std::string_view text, int32_t typmod = -1) const {
    return input(context, *this, text, typmod);
  }
  void to_text(EvalContext& context, Datum value, std::string& text) const {
    output(context, value, text);
  }
  Datum from_binary(EvalContext& context, std::string_view bytes, int32_t typmod = -1) const {
    return receive(context, *this, bytes, typmod);
  }
  void to_binary(EvalContext& context, Datum value, std::string& bytes) const {
    send(context, value, bytes);
  }
};

/// One call of a function: arguments in, result out.
struct FunctionCall {
  EvalContext& context;
  const Datum* args;
  const bool* nulls;
  int count;
  bool result_is_null = false;  ///< set by the function for a NULL result; the caller clears it
  const struct BuiltinFunction* function = nullptr;  ///< null in an aggregate's calls
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
/// State it needs between calls lives in `state` (state_arena memory, starts as null).
struct SetCall {
  FunctionCall& call;
  void*& state;
  Arena& state_arena;  ///< lives as long as the scan
  /// The row's columns (one, unless the function has column names). `nulls` comes in all false.
  Datum* values;
  bool* nulls;
};

struct BuiltinFunction {
  Oid oid;
  const char* name;
  Oid result;
  OidList args;
  Datum (*call)(FunctionCall&) = nullptr;  ///< null for a set-returning function
  bool (*next)(SetCall&) = nullptr;        ///< set-returning: false when there are no more rows
  bool strict = true;                      ///< NULL in: NULL (no rows) out, without being called
  Volatility volatility = Volatility::kImmutable;
  /// Element type when the last argument is VARIADIC (its declared type is then the array type),
  /// or kAny: the rest of the arguments come one by one, VARIADIC or not.
  Oid variadic = kInvalidOid;
  std::span<const char* const> arg_names = {};  ///< for name => value; empty: none
  /// Values of the trailing arguments that may be left out; by-value types only.
  std::span<const Datum> defaults = {};
  std::span<const char* const> columns = {};  ///< of a set-returning function with several
  std::span<const Oid> column_types = {};

  bool returns_set() const { return next != nullptr; }

  // Before those that call it: clang wants to have seen it when it computes a row.
  template <typename T, typename V>
  constexpr BuiltinFunction with(T BuiltinFunction::*field, V value) const {
    BuiltinFunction copy = *this;
    copy.*field = value;
    return copy;
  }

  // Rows read as sentences: {oid, "name", result, {args}, function}.stable().on_null()
  constexpr BuiltinFunction on_null() const { return with(&BuiltinFunction::strict, false); }
  constexpr BuiltinFunction stable() const {
    return with(&BuiltinFunction::volatility, Volatility::kStable);
  }
  constexpr BuiltinFunction changing() const {
    return with(&BuiltinFunction::volatility, Volatility::kVolatile);
  }
  constexpr BuiltinFunction variadic_of(Oid element) const {
    return with(&BuiltinFunction::variadic, element);
  }
  constexpr BuiltinFunction named(std::span<const char* const> names) const {
    return with(&BuiltinFunction::arg_names, names);
  }
  constexpr BuiltinFunction defaulting(std::span<const Datum> values) const {
    return with(&BuiltinFunction::defaults, values);
  }
  constexpr BuiltinFunction returning(std::span<const char* const> names,
                                      std::span<const Oid> types) const {
    return with(&BuiltinFunction::columns, names).with(&BuiltinFunction::column_types, types);
  }
};

struct BuiltinOperator {
  Oid oid;
  const char* name;  ///< "+"
  Oid left;          ///< 0 for a prefix operator
  Oid right;
  Oid result;
  Oid function;  ///< oid of the BuiltinFunction
  Oid commutator = kInvalidOid;
  Oid negator = kInvalidOid;
};

enum class CastContext : char { kImplicit = 'i', kAssignment = 'a', kExplicit = 'e' };

/// source == target: the length coercion of a type (varchar(n), numeric(p,s)). A cast function
/// takes the value, and if it has more arguments the target's typmod (int4) and whether the cast
/// is explicit (bool).
struct BuiltinCast {
  Oid source;
  Oid target;
  Oid function;  ///< 0: same bytes (binary coercible), or through text when via_io
  CastContext context;
  bool via_io = false;
};

/// An aggregate keeps a state Datum in the arena of its group.
///
/// transition and final are called with context.arena = the group's arena and args[0] = the state
/// (nulls[0] when there is none yet); what they keep of the other arguments they copy there
/// themselves. A strict transition is not called for rows with a NULL argument; when it has no
/// initial state either, the caller makes the first value the state (copy_datum).
struct BuiltinAggregate {
  Oid oid;
  const char* name;
  Oid result;
  OidList args;    ///< empty for count(*)
  Oid state_type;  ///< pg_aggregate.aggtranstype; kInternal when the state is a C++ object
  Datum (*transition)(FunctionCall&);
  bool strict = true;
  const char* initial = nullptr;            ///< text of the initial state, null: NULL
  Datum (*final)(FunctionCall&) = nullptr;  ///< null: the state is the result; else never strict
};

/// Tables of a floor above, to be joined with the built-in ones.
struct BuiltinTables {
  std::span<const BuiltinFunction> functions;
};

/// Joins the tables and builds the indexes. Once, in main() before any task exists; a program that
/// never calls it (a unit test) gets catalog's own tables at its first lookup.
void load_builtins(std::initializer_list<BuiltinTables> more);

const BuiltinType* find_type(Oid oid);  ///< null: no such type
/// typname, or an SQL spelling in lower case: "integer", "timestamp with time zone", "int4[]".
const BuiltinType* find_type(std::string_view name);
std::span<const BuiltinType> all_types();  ///< by oid
/// format_type(): "character varying(10)", "numeric(5,2)[]"; "???" for an unknown oid.
std::string format_type(Oid oid, int32_t typmod = -1);
/// The value with its bytes in `arena`; itself when it is passed by value.
Datum copy_datum(const BuiltinType& type, Datum value, Arena& arena);

const BuiltinFunction* find_function(Oid oid);
/// All functions of a name, in table order.
std::span<const BuiltinFunction* const> functions_named(std::string_view name);
std::span<const BuiltinFunction* const> all_functions();  ///< by oid
std::span<const BuiltinOperator* const> operators_named(std::string_view name);
std::span<const BuiltinOperator> all_operators();  ///< by oid
const BuiltinOperator* find_operator(Oid oid);
const BuiltinCast* find_cast(Oid source, Oid target);
std::span<const BuiltinCast> all_casts();  ///< by source, target
std::span<const BuiltinAggregate* const> aggregates_named(std::string_view name);
std::span<const BuiltinAggregate> all_aggregates();
const BuiltinAggregate* find_aggregate(Oid oid);

}  // namespace cofork
