// Arithmetic and mathematics of float4 and float8.
//
// An infinite result of finite arguments is 22003 overflow, a zero one of non-zero arguments 22003
// underflow. As float.c, PostgreSQL 15.
#include <cmath>
#include <limits>
#include <numbers>

#include "catalog/functions/wrap.h"
#include "catalog/tables.h"
#include "model/task.h"
#include "support/error.h"
#include "types/random.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

[[noreturn]] void throw_overflow() {
  throw Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow");
}
[[noreturn]] void throw_underflow() {
  throw Error(sqlstate::kNumericValueOutOfRange, "value out of range: underflow");
}
template <typename T>
T checked(T result, bool infinity_is_right, bool zero_is_right) {
  if (std::isinf(result) && !infinity_is_right) [[unlikely]]
    throw_overflow();
  if (result == 0 && !zero_is_right) [[unlikely]]
    throw_underflow();
  return result;
}

// Mixed operands compute in double.
template <typename A, typename B>
using Wider = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;

template <typename A, typename B>
Wider<A, B> plus(A a, B b) {
  return checked<Wider<A, B>>(a + b, std::isinf(a) || std::isinf(b), true);
}
template <typename A, typename B>
Wider<A, B> minus(A a, B b) {
  return checked<Wider<A, B>>(a - b, std::isinf(a) || std::isinf(b), true);
}
template <typename A, typename B>
Wider<A, B> times(A a, B b) {
  return checked<Wider<A, B>>(a * b, std::isinf(a) || std::isinf(b), a == 0 || b == 0);
}
template <typename A, typename B>
Wider<A, B> divide(A a, B b) {
  if (b == 0 && !std::isnan(a)) throw Error(sqlstate::kDivisionByZero, "division by zero");
  return checked<Wider<A, B>>(a / b, std::isinf(a), a == 0 || std::isinf(b));
}
template <typename T>
T negate(T a) {
  return -a;
}
template <typename T>
T same(T a) {
  return a;
}
template <typename T>
T absolute(T a) {
  return std::fabs(a);
}
template <typename T>
T larger(T a, T b) {
  return compare_float(a, b) > 0 ? a : b;
}
template <typename T>
T smaller(T a, T b) {
  return compare_float(a, b) < 0 ? a : b;
}

/// To an integer type, rounded half to even; `type` names it in the error.
template <typename To, typename From>
To to_integer(From value, const char* type) {
  From rounded = std::rint(value);
  // The upper bound is a power of two, exact in every floating type; the type's maximum is not.
  constexpr From kBound = -static_cast<From>(std::numeric_limits<To>::min());
  if (!(rounded >= -kBound && rounded < kBound)) throw_out_of_range(type);
  return static_cast<To>(rounded);
}
template <typename From>
int16_t to_int2(From value) {
  return to_integer<int16_t>(value, "smallint");
}
template <typename From>
int32_t to_int4(From value) {
  return to_integer<int32_t>(value, "integer");
}
template <typename From>
int64_t to_int8(From value) {
  return to_integer<int64_t>(value, "bigint");
}
template <typename To, typename From>
To from_integer(From value) {
  return static_cast<To>(value);
}
double widen(float value) {
  return value;
}
float narrow(double value) {
  return checked(static_cast<float>(value), std::isinf(value), value == 0);
}

double round_half_even(double a) {
  return std::rint(a);
}
double truncate(double a) {
  return std::trunc(a);
}
double ceiling(double a) {
  return std::ceil(a);
}
double floor_of(double a) {
  return std::floor(a);
}
double sign(double a) {
  return a > 0 ? 1 : a < 0 ? -1 : 0;
}

double square_root(double a) {
  if (a < 0) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "cannot take square root of a negative number");
  }
  return checked(std::sqrt(a), std::isinf(a), a == 0);
}
double cube_root(double a) {
  return checked(std::cbrt(a), std::isinf(a), a == 0);
}

double power(double base, double exponent) {
  if (std::isnan(base)) return exponent == 0 ? 1 : base;
  if (std::isnan(exponent)) return base == 1 ? 1 : exponent;
  if (base == 0 && exponent < 0) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "zero raised to a negative power is undefined");
  }
  if (base < 0 && std::floor(exponent) != exponent) {
    throw Error(sqlstate::kInvalidArgumentForPowerFunction,
                "a negative number raised to a non-integer power yields a complex result");
  }
  double result = std::pow(base, exponent);
  if (std::isinf(base) || std::isinf(exponent)) return result;
  return checked(result, false, base == 0);
}
double exponential(double a) {
  if (std::isinf(a)) return a > 0 ? a : 0;
  return checked(std::exp(a), false, std::isnan(a));
}
void check_logarithm_argument(double a) {
  if (a == 0) throw Error(sqlstate::kInvalidArgumentForLog, "cannot take logarithm of zero");
  if (a < 0)
    throw Error(sqlstate::kInvalidArgumentForLog, "cannot take logarithm of a negative number");
}
double natural_logarithm(double a) {
  check_logarithm_argument(a);
  return checked(std::log(a), std::isinf(a), a == 1);
}
double decimal_logarithm(double a) {
  check_logarithm_argument(a);
  return checked(std::log10(a), std::isinf(a), a == 1);
}

[[noreturn]] void throw_input_out_of_range() {
  throw Error(sqlstate::kNumericValueOutOfRange, "input is out of range");
}
/// A trigonometric function of a finite argument.
template <double (*F)(double)>
double of_angle(double a) {
  if (std::isinf(a)) throw_input_out_of_range();
  return F(a);
}
/// An inverse one, defined in [-1, 1].
template <double (*F)(double)>
double of_ratio(double a) {
  if (a < -1 || a > 1) throw_input_out_of_range();
  return F(a);
}
template <double (*F)(double)>
double of_any(double a) {
  return F(a);
}
double reciprocal_tangent(double a) {
  return 1 / std::tan(a);
}
double arc_tangent2(double y, double x) {
  return std::atan2(y, x);
}
double hyperbolic_sine(double a) {
  return std::sinh(a);
}
double inverse_hyperbolic_cosine(double a) {
  if (a < 1) throw_input_out_of_range();
  return std::acosh(a);
}

// In degrees the values at multiples of 30 and 45 are exact, as everyone expects of sind(30).
double in_radians(double degrees) {
  return degrees * (std::numbers::pi / 180);
}
double sine_to_90(double degrees) {
  if (degrees <= 30) return std::sin(in_radians(degrees)) / std::sin(in_radians(30)) / 2;
  return 1 - (1 - std::cos(in_radians(90 - degrees))) / (1 - std::cos(in_radians(60))) / 2;
}
double sine_of_degrees(double a) {
  if (std::isinf(a)) throw_input_out_of_range();
  double degrees = std::fmod(a, 360);
  double sign_of_result = degrees < 0 ? -1 : 1;
  degrees = std::fabs(degrees);
  if (degrees > 180) {
    degrees = 360 - degrees;
    sign_of_result = -sign_of_result;
  }
  if (degrees > 90) degrees = 180 - degrees;
  return sign_of_result * sine_to_90(degrees);
}
double cosine_of_degrees(double a) {
  if (std::isinf(a)) throw_input_out_of_range();
  return sine_of_degrees(90 - std::fabs(std::fmod(a, 360)));
}
double tangent_of_degrees(double a) {
  double cosine = cosine_of_degrees(a), sine = sine_of_degrees(a);
  return std::fabs(sine) == std::fabs(cosine) ? (sine == cosine ? 1.0 : -1.0) : sine / cosine;
}
double to_degrees(double a) {
  return checked(a / (std::numbers::pi / 180), std::isinf(a), a == 0);
}
double to_radians(double a) {
  return in_radians(a);
}
double pi() {
  return std::numbers::pi;
}

RandomState& random_state(FunctionCall& call) {
  RandomState* state = call.context.random;
  if (state == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "random() needs a session");
  }
  return *state;
}
double random(FunctionCall& call) {
  RandomState& state = random_state(call);
  if (!state.is_seeded()) {
    uint64_t seed;
    this_task().os().entropy.fill(&seed, sizeof seed);
    state.seed(seed);
  }
  return state.next_double();
}
Datum set_seed(FunctionCall& call, double seed) {
  if (!(seed >= -1 && seed <= 1)) {
    throw Error(sqlstate::kInvalidParameterValue,
                "setseed parameter {} is out of allowed range [-1,1]", seed);
  }
  random_state(call).seed_from(seed);
  return 0;
}

int32_t width_bucket(double value, double low, double high, int32_t count) {
  auto invalid = [](const char* what) {
    return Error(sqlstate::kInvalidArgumentForWidthBucketFunction, "{}", what);
  };
  if (count <= 0) throw invalid("count must be greater than zero");
  if (std::isnan(value) || std::isnan(low) || std::isnan(high)) {
    throw invalid("operand, lower bound, and upper bound cannot be NaN");
  }
  if (std::isinf(low) || std::isinf(high)) throw invalid("lower and upper bounds must be finite");
  if (low == high) throw invalid("lower bound cannot equal upper bound");
  bool below = low < high ? value < low : value > low;
  bool above = low < high ? value >= high : value <= high;
  if (below) return 0;
  if (above) {
    if (count == std::numeric_limits<int32_t>::max()) throw_out_of_range("integer");
    return count + 1;
  }
  return std::min(static_cast<int32_t>(count * ((value - low) / (high - low))) + 1, count);
}

constexpr BuiltinFunction kRows[] = {
    {204, "float4pl", kFloat4, {kFloat4, kFloat4}, fn<plus<float, float>>},
    {218, "float8pl", kFloat8, {kFloat8, kFloat8}, fn<plus<double, double>>},
    {281, "float48pl", kFloat8, {kFloat4, kFloat8}, fn<plus<float, double>>},
    {285, "float84pl", kFloat8, {kFloat8, kFloat4}, fn<plus<double, float>>},
    {205, "float4mi", kFloat4, {kFloat4, kFloat4}, fn<minus<float, float>>},
    {219, "float8mi", kFloat8, {kFloat8, kFloat8}, fn<minus<double, double>>},
    {282, "float48mi", kFloat8, {kFloat4, kFloat8}, fn<minus<float, double>>},
    {286, "float84mi", kFloat8, {kFloat8, kFloat4}, fn<minus<double, float>>},
    {202, "float4mul", kFloat4, {kFloat4, kFloat4}, fn<times<float, float>>},
    {216, "float8mul", kFloat8, {kFloat8, kFloat8}, fn<times<double, double>>},
    {279, "float48mul", kFloat8, {kFloat4, kFloat8}, fn<times<float, double>>},
    {283, "float84mul", kFloat8, {kFloat8, kFloat4}, fn<times<double, float>>},
    {203, "float4div", kFloat4, {kFloat4, kFloat4}, fn<divide<float, float>>},
    {217, "float8div", kFloat8, {kFloat8, kFloat8}, fn<divide<double, double>>},
    {280, "float48div", kFloat8, {kFloat4, kFloat8}, fn<divide<float, double>>},
    {284, "float84div", kFloat8, {kFloat8, kFloat4}, fn<divide<double, float>>},
    {206, "float4um", kFloat4, {kFloat4}, fn<negate<float>>},
    {220, "float8um", kFloat8, {kFloat8}, fn<negate<double>>},
    {1913, "float4up", kFloat4, {kFloat4}, fn<same<float>>},
    {1914, "float8up", kFloat8, {kFloat8}, fn<same<double>>},
    {207, "float4abs", kFloat4, {kFloat4}, fn<absolute<float>>},
    {1394, "abs", kFloat4, {kFloat4}, fn<absolute<float>>},
    {221, "float8abs", kFloat8, {kFloat8}, fn<absolute<double>>},
    {1395, "abs", kFloat8, {kFloat8}, fn<absolute<double>>},
    {209, "float4larger", kFloat4, {kFloat4, kFloat4}, fn<larger<float>>},
    {223, "float8larger", kFloat8, {kFloat8, kFloat8}, fn<larger<double>>},
    {211, "float4smaller", kFloat4, {kFloat4, kFloat4}, fn<smaller<float>>},
    {224, "float8smaller", kFloat8, {kFloat8, kFloat8}, fn<smaller<double>>},
    {238, "int2", kInt2, {kFloat4}, fn<to_int2<float>>},
    {319, "int4", kInt4, {kFloat4}, fn<to_int4<float>>},
    {653, "int8", kInt8, {kFloat4}, fn<to_int8<float>>},
    {237, "int2", kInt2, {kFloat8}, fn<to_int2<double>>},
    {317, "int4", kInt4, {kFloat8}, fn<to_int4<double>>},
    {483, "int8", kInt8, {kFloat8}, fn<to_int8<double>>},
    {236, "float4", kFloat4, {kInt2}, fn<from_integer<float, int16_t>>},
    {318, "float4", kFloat4, {kInt4}, fn<from_integer<float, int32_t>>},
    {652, "float4", kFloat4, {kInt8}, fn<from_integer<float, int64_t>>},
    {235, "float8", kFloat8, {kInt2}, fn<from_integer<double, int16_t>>},
    {316, "float8", kFloat8, {kInt4}, fn<from_integer<double, int32_t>>},
    {482, "float8", kFloat8, {kInt8}, fn<from_integer<double, int64_t>>},
    {311, "float8", kFloat8, {kFloat4}, fn<widen>},
    {312, "float4", kFloat4, {kFloat8}, fn<narrow>},
    {228, "dround", kFloat8, {kFloat8}, fn<round_half_even>},
    {1342, "round", kFloat8, {kFloat8}, fn<round_half_even>},
    {229, "dtrunc", kFloat8, {kFloat8}, fn<truncate>},
    {1343, "trunc", kFloat8, {kFloat8}, fn<truncate>},
    {2308, "ceil", kFloat8, {kFloat8}, fn<ceiling>},
    {2320, "ceiling", kFloat8, {kFloat8}, fn<ceiling>},
    {2309, "floor", kFloat8, {kFloat8}, fn<floor_of>},
    {2310, "sign", kFloat8, {kFloat8}, fn<sign>},
    {230, "dsqrt", kFloat8, {kFloat8}, fn<square_root>},
    {1344, "sqrt", kFloat8, {kFloat8}, fn<square_root>},
    {231, "dcbrt", kFloat8, {kFloat8}, fn<cube_root>},
    {1345, "cbrt", kFloat8, {kFloat8}, fn<cube_root>},
    {232, "dpow", kFloat8, {kFloat8, kFloat8}, fn<power>},
    {1346, "pow", kFloat8, {kFloat8, kFloat8}, fn<power>},
    {1368, "power", kFloat8, {kFloat8, kFloat8}, fn<power>},
    {233, "dexp", kFloat8, {kFloat8}, fn<exponential>},
    {1347, "exp", kFloat8, {kFloat8}, fn<exponential>},
    {234, "dlog1", kFloat8, {kFloat8}, fn<natural_logarithm>},
    {1341, "ln", kFloat8, {kFloat8}, fn<natural_logarithm>},
    {1194, "log10", kFloat8, {kFloat8}, fn<decimal_logarithm>},
    {1339, "dlog10", kFloat8, {kFloat8}, fn<decimal_logarithm>},
    {1340, "log", kFloat8, {kFloat8}, fn<decimal_logarithm>},
    {1604, "sin", kFloat8, {kFloat8}, fn<of_angle<std::sin>>},
    {1605, "cos", kFloat8, {kFloat8}, fn<of_angle<std::cos>>},
    {1606, "tan", kFloat8, {kFloat8}, fn<of_angle<std::tan>>},
    {1607, "cot", kFloat8, {kFloat8}, fn<of_angle<reciprocal_tangent>>},
    {1600, "asin", kFloat8, {kFloat8}, fn<of_ratio<std::asin>>},
    {1601, "acos", kFloat8, {kFloat8}, fn<of_ratio<std::acos>>},
    {1602, "atan", kFloat8, {kFloat8}, fn<of_any<std::atan>>},
    {1603, "atan2", kFloat8, {kFloat8, kFloat8}, fn<arc_tangent2>},
    {2462, "sinh", kFloat8, {kFloat8}, fn<hyperbolic_sine>},
    {2463, "cosh", kFloat8, {kFloat8}, fn<of_any<std::cosh>>},
    {2464, "tanh", kFloat8, {kFloat8}, fn<of_any<std::tanh>>},
    {2465, "asinh", kFloat8, {kFloat8}, fn<of_any<std::asinh>>},
    {2466, "acosh", kFloat8, {kFloat8}, fn<inverse_hyperbolic_cosine>},
    {2467, "atanh", kFloat8, {kFloat8}, fn<of_ratio<std::atanh>>},
    {2735, "sind", kFloat8, {kFloat8}, fn<sine_of_degrees>},
    {2736, "cosd", kFloat8, {kFloat8}, fn<cosine_of_degrees>},
    {2737, "tand", kFloat8, {kFloat8}, fn<tangent_of_degrees>},
    {1608, "degrees", kFloat8, {kFloat8}, fn<to_degrees>},
    {1609, "radians", kFloat8, {kFloat8}, fn<to_radians>},
    {1610, "pi", kFloat8, {}, fn<pi>},
    BuiltinFunction{1598, "random", kFloat8, {}, fn<random>}.changing(),
    BuiltinFunction{1599, "setseed", kVoid, {kFloat8}, fn<set_seed>}.changing(),
    {320, "width_bucket", kInt4, {kFloat8, kFloat8, kFloat8, kInt4}, fn<width_bucket>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kFloatFunctions = kRows;

}  // namespace cofork
