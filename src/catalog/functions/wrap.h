// fn<F>: makes a table entry of an ordinary C++ function.
//
//   int32_t int4_plus(int32_t a, int32_t b);       {177, "int4pl", kInt4, {kInt4, kInt4},
//   fn<int4_plus>} Datum text_upper(Arena& arena, std::string_view text);
//
// Parameters: bool, int16_t, int32_t, int64_t, uint32_t (oid), float, double, char,
// std::string_view (a varlena's payload), Name, Interval and so on by Convert<T>, or Datum as it
// comes. The first may be Arena&, EvalContext& or FunctionCall&. Results likewise; a
// std::string_view result is copied to the arena, std::optional makes NULL. No NULL ever reaches
// such a function: functions that want them take FunctionCall& alone and look.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "catalog/builtin.h"
#include "types/text.h"

namespace cofork {

template <typename T>
struct Convert;  // static T from(Datum); static Datum to(Arena&, T);

#define COFORK_CONVERT_BY_VALUE(type, suffix)                                  \
  template <>                                                                  \
  struct Convert<type> {                                                       \
    static type from(Datum d) { return datum_to_##suffix(d); }                 \
    static Datum to(Arena&, type value) { return datum_from_##suffix(value); } \
  }
COFORK_CONVERT_BY_VALUE(bool, bool);
COFORK_CONVERT_BY_VALUE(char, char);
COFORK_CONVERT_BY_VALUE(int16_t, int16);
COFORK_CONVERT_BY_VALUE(int32_t, int32);
COFORK_CONVERT_BY_VALUE(int64_t, int64);
COFORK_CONVERT_BY_VALUE(uint32_t, oid);
COFORK_CONVERT_BY_VALUE(float, float4);
COFORK_CONVERT_BY_VALUE(double, float8);
#undef COFORK_CONVERT_BY_VALUE

template <>
struct Convert<Datum> {
  static Datum from(Datum d) { return d; }
  static Datum to(Arena&, Datum value) { return value; }
};

template <>
struct Convert<std::string_view> {
  static std::string_view from(Datum d) { return varlena_view(d); }
  static Datum to(Arena& arena, std::string_view value) { return varlena_from(arena, value); }
};

template <>
struct Convert<std::string> {
  static Datum to(Arena& arena, const std::string& value) { return varlena_from(arena, value); }
};

/// A value of type name.
struct Name {
  std::string_view text;
};
template <>
struct Convert<Name> {
  static Name from(Datum d) { return {name_view(d)}; }
  static Datum to(Arena& arena, Name value) { return name_from(arena, value.text); }
};

/// A bpchar without its padding.
struct Bpchar {
  std::string_view text;
};
template <>
struct Convert<Bpchar> {
  static Bpchar from(Datum d) { return {bpchar_view(d)}; }
};

namespace detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename R>
Datum wrap_result(FunctionCall& call, R&& value) {
  using T = std::remove_cvref_t<R>;
  if constexpr (IsOptional<T>::value) {
    if (!value) return call.null();
    return Convert<typename T::value_type>::to(call.arena(), *value);
  } else {
    return Convert<T>::to(call.arena(), value);
  }
}

template <auto F, typename R, typename... A, size_t... I>
Datum invoke(FunctionCall& call, R (*)(A...), std::index_sequence<I...>) {
  return wrap_result(call, F(Convert<std::remove_cvref_t<A>>::from(call.args[I])...));
}
template <auto F, typename R, typename... A, size_t... I>
Datum invoke(FunctionCall& call, R (*)(Arena&, A...), std::index_sequence<I...>) {
  return wrap_result(call, F(call.arena(), Convert<std::remove_cvref_t<A>>::from(call.args[I])...));
}
template <auto F, typename R, typename... A, size_t... I>
Datum invoke(FunctionCall& call, R (*)(EvalContext&, A...), std::index_sequence<I...>) {
  return wrap_result(call, F(call.context, Convert<std::remove_cvref_t<A>>::from(call.args[I])...));
}
template <auto F, typename R, typename... A, size_t... I>
Datum invoke(FunctionCall& call, R (*)(FunctionCall&, A...), std::index_sequence<I...>) {
  return wrap_result(call, F(call, Convert<std::remove_cvref_t<A>>::from(call.args[I])...));
}

template <typename T>
constexpr bool kIsContext = std::is_same_v<T, Arena&> || std::is_same_v<T, EvalContext&> ||
                            std::is_same_v<T, FunctionCall&>;
template <typename R, typename... A>
constexpr size_t sql_argument_count(R (*)(A...)) {
  return (size_t{0} + ... + (kIsContext<A> ? 0 : 1));
}

}  // namespace detail

template <auto F>
Datum fn(FunctionCall& call) {
  return detail::invoke<F>(call, F, std::make_index_sequence<detail::sql_argument_count(F)>{});
}

/// 22003 "integer out of range" and its like.
[[noreturn]] void throw_out_of_range(const char* type);

}  // namespace cofork
