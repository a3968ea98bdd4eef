// numeric: memory form, text, binary, rounding, comparison. See numeric.h; arithmetic is in
// numeric_math.cc.
#include "types/numeric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "support/error.h"
#include "types/binary_reader.h"
#include "types/hash.h"
#include "types/scalar.h"

namespace cofork {

namespace {

// Bits of the header word.
constexpr uint16_t kSignMask = 0xc000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kShort = 0x8000;
constexpr uint16_t kSpecial = 0xc000;
constexpr uint16_t kSpecialMask = 0xf000;
constexpr uint16_t kNaN = 0xc000;
constexpr uint16_t kPlusInfinity = 0xd000;
constexpr uint16_t kMinusInfinity = 0xf000;
constexpr uint16_t kShortNegative = 0x2000;
constexpr int kShortScaleShift = 7;
constexpr int kShortScaleMost = 0x3f;
constexpr int kShortWeightLeast = -0x40;
constexpr int kShortWeightMost = 0x3f;
constexpr uint16_t kScaleMask = 0x3fff;

}  // namespace

void throw_numeric_overflow() {
  throw Error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}

NumericView::NumericView(Datum value) {
  std::string_view bytes = varlena_view(value);
  auto header = load_le<uint16_t>(bytes.data());
  if ((header & kSignMask) == kSpecial) {
    uint16_t special = header & kSpecialMask;
    kind = special == kNaN            ? NumericKind::kNaN
           : special == kPlusInfinity ? NumericKind::kInfinity
                                      : NumericKind::kMinusInfinity;
    return;
  }
  if (header & kShort) {
    negative = header & kShortNegative;
    dscale = (header >> kShortScaleShift) & kShortScaleMost;
    weight = header & 0x3f;
    if (header & 0x40) weight -= 0x40;
    digits_ = bytes.data() + 2;
    count = static_cast<int>(bytes.size() - 2) / 2;
  } else {
    negative = (header & kSignMask) == kNegative;
    dscale = header & kScaleMask;
    weight = load_le<int16_t>(bytes.data() + 2);
    digits_ = bytes.data() + 4;
    count = static_cast<int>(bytes.size() - 4) / 2;
  }
}

Datum make_numeric(Arena& arena, bool negative, int weight, int dscale, const int16_t* digits,
                   int count) {
  while (count > 0 && digits[0] == 0) {
    ++digits;
    --count;
    --weight;
  }
  while (count > 0 && digits[count - 1] == 0) --count;
  if (count == 0) {
    weight = 0;
    negative = false;
  }
  if (weight > kNumericMostWeight || dscale > kNumericMostScale) throw_numeric_overflow();
  bool is_short =
      dscale <= kShortScaleMost && weight >= kShortWeightLeast && weight <= kShortWeightMost;
  size_t header_bytes = is_short ? 2 : 4;
  char* bytes = allocate_varlena(arena, header_bytes + 2 * static_cast<size_t>(count)) + 4;
  if (is_short) {
    store_le(bytes, static_cast<uint16_t>(kShort | (negative ? kShortNegative : 0) |
                                          dscale << kShortScaleShift | (weight & 0x7f)));
  } else {
    store_le(bytes, static_cast<uint16_t>((negative ? kNegative : 0) | dscale));
    store_le(bytes + 2, static_cast<int16_t>(weight));
  }
  if (count > 0) std::memcpy(bytes + header_bytes, digits, 2 * static_cast<size_t>(count));
  return datum_from_pointer(bytes - 4);
}

Datum make_special_numeric(Arena& arena, NumericKind kind) {
  char* bytes = allocate_varlena(arena, 2);
  store_le(bytes + 4, kind == NumericKind::kNaN        ? kNaN
                      : kind == NumericKind::kInfinity ? kPlusInfinity
                                                       : kMinusInfinity);
  return datum_from_pointer(bytes);
}

namespace {

/// Reads [sign] digits [. digits] [e exponent], already without blanks.
class NumericParser {
 public:
  NumericParser(Arena& arena, std::string_view whole, std::string_view text)
      : arena_(arena), whole_(whole), text_(text) {}

  Datum parse() {
    if (auto special = parse_special()) return *special;
    bool negative = text_.starts_with('-');
    if (negative || text_.starts_with('+')) text_.remove_prefix(1);
    char* decimals = arena_.make_array<char>(text_.size() + 1);
    int count = 0, before_point = 0;
    bool point = false;
    size_t at = 0;
    for (; at < text_.size(); ++at) {
      char c = text_[at];
      if (c == '.' && !point) {
        point = true;
      } else if (is_digit(c)) {
        decimals[count++] = static_cast<char>(c - '0');
        before_point += !point;
      } else {
        break;
      }
    }
    if (count == 0) throw invalid_input("numeric", whole_);
    int exponent = parse_exponent(text_.substr(at));
    int dscale = std::max(0, count - before_point - exponent);
    return pack(negative, decimals, count, before_point + exponent, dscale);
  }

 private:
  std::optional<Datum> parse_special() {
    std::string_view word = text_;
    bool minus = word.starts_with('-');
    bool sign = minus || word.starts_with('+');
    if (sign) word.remove_prefix(1);
    if (equals_ignoring_case(word, "infinity") || equals_ignoring_case(word, "inf")) {
      return make_special_numeric(arena_,
                                  minus ? NumericKind::kMinusInfinity : NumericKind::kInfinity);
    }
    if (!sign && equals_ignoring_case(word, "nan")) {
      return make_special_numeric(arena_, NumericKind::kNaN);
    }
    return std::nullopt;
  }

  int parse_exponent(std::string_view rest) {
    if (rest.empty()) return 0;
    if (rest[0] != 'e' && rest[0] != 'E') throw invalid_input("numeric", whole_);
    rest.remove_prefix(1);
    if (rest.starts_with('+')) {
      rest.remove_prefix(1);
      if (rest.starts_with('-')) throw invalid_input("numeric", whole_);
    }
    int exponent = 0;
    auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (problem == std::errc::invalid_argument || end != rest.data() + rest.size()) {
      throw invalid_input("numeric", whole_);
    }
    if (problem != std::errc{} || std::abs(exponent) >= std::numeric_limits<int>::max() / 2) {
      throw_numeric_overflow();
    }
    return exponent;
  }

  /// `decimals` are digit values, the point stands after the first `point` of them.
  Datum pack(bool negative, const char* decimals, int count, int point, int dscale) {
    // Groups of four count from the point, so the first may be short.
    int weight = (point > 0 ? (point + 3) / 4 : -(-point / 4)) - 1;
    int lead = (weight + 1) * 4 - point;  // zeros before the first decimal in its group
    int groups = (lead + count + 3) / 4;
    if (weight > kNumericMostWeight + groups || dscale > kNumericMostScale)
      throw_numeric_overflow();
    auto* digits = arena_.make_array<int16_t>(static_cast<size_t>(groups));
    static constexpr int kPlace[] = {1000, 100, 10, 1};
    for (int i = 0; i < count; ++i) {
      int position = lead + i;
      digits[position / 4] =
          static_cast<int16_t>(digits[position / 4] + decimals[i] * kPlace[position % 4]);
    }
    return make_numeric(arena_, negative, weight, dscale, digits, groups);
  }

  Arena& arena_;
  std::string_view whole_, text_;
};

}  // namespace

Datum parse_numeric(Arena& arena, std::string_view text) {
  return NumericParser(arena, text, trim_spaces(text)).parse();
}

void append_numeric(std::string& out, Datum value) {
  NumericView v(value);
  if (!v.is_finite()) {
    out += v.is_nan() ? "NaN" : v.kind == NumericKind::kInfinity ? "Infinity" : "-Infinity";
    return;
  }
  if (v.negative) out += '-';
  auto digit_at = [&](int place) {  // the base-10000 digit worth 10000^place
    int i = v.weight - place;
    return i >= 0 && i < v.count ? v.digit(i) : 0;
  };
  auto append_group = [&](int digit, int decimals) {
    static constexpr int kPlace[] = {1000, 100, 10, 1};
    for (int i = 0; i < decimals; ++i) out += static_cast<char>('0' + digit / kPlace[i] % 10);
  };
  if (v.weight < 0) {
    out += '0';
  } else {
    append_integer(out, digit_at(v.weight));
    for (int place = v.weight - 1; place >= 0; --place) append_group(digit_at(place), 4);
  }
  if (v.dscale == 0) return;
  out += '.';
  int left = v.dscale;
  for (int place = -1; left > 0; --place, left -= 4)
    append_group(digit_at(place), std::min(left, 4));
}

Datum receive_numeric(Arena& arena, std::string_view bytes) {
  BinaryReader reader(bytes);
  int count = reader.take<uint16_t>();
  int weight = reader.take<int16_t>();
  uint16_t sign = reader.take<uint16_t>();
  int dscale = reader.take<uint16_t>();
  auto bad = [](const char* what) {
    return Error(sqlstate::kInvalidBinaryRepresentation, "invalid {} in external \"numeric\" value",
                 what);
  };
  if (sign == kNaN) return make_special_numeric(arena, NumericKind::kNaN);
  if (sign == kPlusInfinity) return make_special_numeric(arena, NumericKind::kInfinity);
  if (sign == kMinusInfinity) return make_special_numeric(arena, NumericKind::kMinusInfinity);
  if (sign != 0 && sign != kNegative) throw bad("sign");
  if (dscale > kNumericMostScale) throw bad("scale");
  auto* digits = arena.make_array<int16_t>(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    digits[i] = reader.take<int16_t>();
    if (digits[i] < 0 || digits[i] >= kNumericDigitBase) throw bad("digit");
  }
  Datum value = make_numeric(arena, sign == kNegative, weight, kNumericMostScale, digits, count);
  // Hidden digits beyond the display scale would make a value unequal to its own text.
  return numeric_trunc(arena, value, dscale);
}

void send_numeric(std::string& bytes, Datum value) {
  NumericView v(value);
  append_be(bytes, static_cast<uint16_t>(v.count));
  append_be(bytes, static_cast<int16_t>(v.weight));
  append_be(bytes, v.is_nan()                              ? kNaN
                   : v.kind == NumericKind::kInfinity      ? kPlusInfinity
                   : v.kind == NumericKind::kMinusInfinity ? kMinusInfinity
                   : v.negative                            ? kNegative
                                                           : uint16_t{0});
  append_be(bytes, static_cast<uint16_t>(v.dscale));
  for (int i = 0; i < v.count; ++i) append_be(bytes, static_cast<int16_t>(v.digit(i)));
}

namespace {

int compare_magnitude(const NumericView& a, const NumericView& b) {
  if (a.count == 0 || b.count == 0) return (a.count > 0) - (b.count > 0);
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  for (int i = 0; i < a.count && i < b.count; ++i) {
    if (a.digit(i) != b.digit(i)) return a.digit(i) < b.digit(i) ? -1 : 1;
  }
  return (a.count > b.count) - (a.count < b.count);
}

int rank(const NumericView& v) {
  switch (v.kind) {
    case NumericKind::kMinusInfinity:
      return -1;
    case NumericKind::kFinite:
      return 0;
    case NumericKind::kInfinity:
      return 1;
    case NumericKind::kNaN:
      return 2;
  }
  return 0;
}

}  // namespace

int numeric_compare(Datum left, Datum right) {
  NumericView a(left), b(right);
  if (!a.is_finite() || !b.is_finite()) return (rank(a) > rank(b)) - (rank(a) < rank(b));
  if (a.sign() != b.sign()) return a.sign() < b.sign() ? -1 : 1;
  int order = compare_magnitude(a, b);
  return a.negative ? -order : order;
}

uint64_t numeric_hash(Datum value) {
  NumericView v(value);
  if (!v.is_finite()) return hash_word(static_cast<uint64_t>(rank(v) + 10));
  uint64_t hash = hash_word(static_cast<uint64_t>(v.weight) * 2 + v.negative);
  for (int i = 0; i < v.count; ++i) hash = hash_combine(hash, static_cast<uint64_t>(v.digit(i)));
  return hash;
}

namespace {

enum class Rounding { kHalfAwayFromZero, kTowardsZero, kUp, kDown };

/// The value with `scale` decimals (a negative scale also shows as 0).
Datum round_numeric(Arena& arena, Datum value, int scale, Rounding rounding) {
  NumericView v(value);
  if (!v.is_finite()) return value;
  scale = std::clamp(scale, -kNumericMostWeight * 4, kNumericMostScale);
  int dscale = std::max(scale, 0);
  // One more digit in front takes a carry.
  auto* digits = arena.make_array<int16_t>(static_cast<size_t>(v.count) + 2);
  for (int i = 0; i < v.count; ++i) digits[i + 1] = static_cast<int16_t>(v.digit(i));
  int kept = (v.weight + 1) * 4 + scale;  // decimals that stay, from digits[1] on
  if (kept >= v.count * 4)
    return make_numeric(arena, v.negative, v.weight + 1, dscale, digits, v.count + 1);
  bool away = rounding == (v.negative ? Rounding::kDown : Rounding::kUp);
  if (kept < 0) {  // less than half of the last decimal kept, which is 1 in all that round up so
    digits[0] = away ? 1 : 0;
    return make_numeric(arena, v.negative, 0, dscale, digits, 1);
  }
  static constexpr int kUnits[] = {10000, 1000, 100, 10};
  int unit = kUnits[kept % 4];  // of the last decimal kept, within the digit that is cut
  int last = kept / 4;
  int tail = v.digit(last) % unit;
  bool exact = tail == 0 && last == v.count - 1;
  bool up = rounding == Rounding::kHalfAwayFromZero ? tail * 2 >= unit : away && !exact;
  int at = last + 1;
  digits[at] = static_cast<int16_t>(digits[at] - tail + (up ? unit : 0));
  for (; digits[at] >= kNumericDigitBase; --at) {
    digits[at] = static_cast<int16_t>(digits[at] - kNumericDigitBase);
    ++digits[at - 1];
  }
  return make_numeric(arena, v.negative, v.weight + 1, dscale, digits, last + 2);
}

}  // namespace

Datum numeric_round(Arena& arena, Datum value, int scale) {
  return round_numeric(arena, value, scale, Rounding::kHalfAwayFromZero);
}
Datum numeric_trunc(Arena& arena, Datum value, int scale) {
  return round_numeric(arena, value, scale, Rounding::kTowardsZero);
}
Datum numeric_ceil(Arena& arena, Datum value) {
  return round_numeric(arena, value, 0, Rounding::kUp);
}
Datum numeric_floor(Arena& arena, Datum value) {
  return round_numeric(arena, value, 0, Rounding::kDown);
}

int32_t make_numeric_typmod(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}
int numeric_typmod_precision(int32_t typmod) {
  return ((typmod - 4) >> 16) & 0xffff;
}
int numeric_typmod_scale(int32_t typmod) {
  return (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
}

Datum numeric_fit(Arena& arena, Datum value, int32_t typmod) {
  if (typmod < 4) return value;
  int precision = numeric_typmod_precision(typmod), scale = numeric_typmod_scale(typmod);
  NumericView before(value);
  if (before.is_nan()) return value;
  auto overflow = [] { return Error(sqlstate::kNumericValueOutOfRange, "numeric field overflow"); };
  if (!before.is_finite()) {
    throw overflow().detail("A field with precision {}, scale {} cannot hold an infinite value.",
                            precision, scale);
  }
  Datum rounded = numeric_round(arena, value, scale);
  NumericView v(rounded);
  if (v.count == 0) return rounded;
  int first = v.digit(0);
  int places = v.weight * 4 + (first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1);
  int most = precision - scale;
  if (places > most) {
    throw overflow().detail(
        "A field with precision {}, scale {} must round to an absolute value less than {}{}.",
        precision, scale, most != 0 ? "10^" : "", most != 0 ? most : 1);
  }
  return rounded;
}

Datum numeric_negate(Arena& arena, Datum value) {
  NumericView v(value);
  if (v.is_nan()) return value;
  if (!v.is_finite()) {
    return make_special_numeric(arena, v.kind == NumericKind::kInfinity
                                           ? NumericKind::kMinusInfinity
                                           : NumericKind::kInfinity);
  }
  auto* digits = arena.make_array<int16_t>(static_cast<size_t>(v.count));
  for (int i = 0; i < v.count; ++i) digits[i] = static_cast<int16_t>(v.digit(i));
  return make_numeric(arena, !v.negative, v.weight, v.dscale, digits, v.count);
}

Datum numeric_abs(Arena& arena, Datum value) {
  return NumericView(value).sign() < 0 ? numeric_negate(arena, value) : value;
}

Datum numeric_from_int64(Arena& arena, int64_t value) {
  return numeric_from_int128(arena, value);
}

Datum numeric_from_int128(Arena& arena, Int128 value, int scale) {
  bool negative = value < 0;
  auto magnitude =
      negative ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
  constexpr int kRoom = 12;
  int16_t digits[kRoom] = {};
  int at = kRoom;
  int fraction_digits = (scale + 3) / 4;
  if (int rest = scale % 4; rest != 0) {
    // The lowest digit holds fewer decimals than four: it is taken first, by itself.
    static constexpr int kTens[] = {1, 10, 100, 1000, 10000};
    digits[--at] =
        static_cast<int16_t>(static_cast<int>(magnitude % kTens[rest]) * kTens[4 - rest]);
    magnitude /= kTens[rest];
  }
  // Two divisions of 128 bits at most; the rest is done in words.
  while (magnitude >> 64 != 0) {
    digits[--at] = static_cast<int16_t>(magnitude % kNumericDigitBase);
    magnitude /= kNumericDigitBase;
  }
  for (auto word = static_cast<uint64_t>(magnitude); word != 0; word /= kNumericDigitBase) {
    digits[--at] = static_cast<int16_t>(word % kNumericDigitBase);
  }
  return make_numeric(arena, negative, kRoom - at - fraction_digits - 1, scale, digits + at,
                      kRoom - at);
}

namespace {

template <typename T>
Datum from_floating(Arena& arena, T value) {
  if (std::isnan(value)) return make_special_numeric(arena, NumericKind::kNaN);
  if (std::isinf(value)) {
    return make_special_numeric(arena,
                                value > 0 ? NumericKind::kInfinity : NumericKind::kMinusInfinity);
  }
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general,
                           std::numeric_limits<T>::digits10);
  return parse_numeric(arena, {buffer, static_cast<size_t>(end.ptr - buffer)});
}

template <typename T>
T to_floating(Datum value) {
  NumericView v(value);
  if (v.is_nan()) return std::numeric_limits<T>::quiet_NaN();
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  if (!v.is_finite()) return v.sign() * kInfinity;
  std::string text;
  append_numeric(text, value);
  T result = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (problem == std::errc::result_out_of_range) {
    return v.weight >= 0 ? v.sign() * kInfinity : T{0};
  }
  return result;
}

}  // namespace

Datum numeric_from_double(Arena& arena, double value) {
  return from_floating(arena, value);
}
Datum numeric_from_float(Arena& arena, float value) {
  return from_floating(arena, value);
}
double numeric_to_double(Datum value) {
  return to_floating<double>(value);
}
float numeric_to_float(Datum value) {
  return to_floating<float>(value);
}

int64_t numeric_to_int64(Datum value, int64_t least, int64_t most, const char* type) {
  NumericView v(value);
  if (!v.is_finite()) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot convert {} to {}",
                v.is_nan() ? "NaN" : "infinity", type);
  }
  // Counted downwards: the most negative value has no positive twin.
  Int128 result = 0;
  if (v.count > 0 && v.weight > 5) result = Int128{1} << 100;
  for (int place = v.weight; place >= 0 && v.weight <= 5; --place) {
    int i = v.weight - place;
    result = result * kNumericDigitBase + (i < v.count ? v.digit(i) : 0);
  }
  int tenths = v.weight + 1;  // index of the first digit after the point
  if (tenths >= 0 && tenths < v.count && v.digit(tenths) >= kNumericDigitBase / 2) ++result;
  if (v.negative) result = -result;
  if (result < least || result > most) {
    throw Error(sqlstate::kNumericValueOutOfRange, "{} out of range", type);
  }
  return static_cast<int64_t>(result);
}

std::optional<int> numeric_min_scale(Datum value) {
  NumericView v(value);
  if (!v.is_finite()) return std::nullopt;
  if (v.count == 0) return 0;
  int scale = (v.count - 1 - v.weight) * 4;
  for (int last = v.digit(v.count - 1); scale > 0 && last % 10 == 0; last /= 10) --scale;
  return std::max(scale, 0);
}

Datum numeric_trim_scale(Arena& arena, Datum value) {
  std::optional<int> scale = numeric_min_scale(value);
  return scale ? numeric_round(arena, value, *scale) : value;
}

}  // namespace cofork
