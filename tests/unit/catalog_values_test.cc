// Properties that hold for every type: equal values hash equally whatever their form, broken binary
// input is refused, copies are equal.
#include <gtest/gtest.h>

#include "catalog/array_access.h"
#include "catalog/builtin.h"
#include "support/error.h"
#include "types/random.h"

namespace cofork {
namespace {

using namespace type_oid;

class Values : public testing::Test {
 protected:
  Datum read(Oid type, std::string_view text) { return find_type(type)->from_text(context_, text); }
  std::string show(Oid type, Datum value) {
    std::string text;
    find_type(type)->to_text(context_, value, text);
    return text;
  }
  std::string sqlstate_of(Oid type, std::string_view bytes) {
    try {
      find_type(type)->from_binary(context_, bytes);
    } catch (const Error& error) {
      return error.data().sqlstate.text();
    }
    return "accepted";
  }
  Arena arena_;
  EvalContext context_{.arena = &arena_};
};

TEST_F(Values, EqualOnesHashEquallyInWhateverForm) {
  struct Pair {
    Oid type;
    const char* a;
    const char* b;
  };
  for (auto [type, a, b] : {Pair{kNumeric, "1.0", "1.0000"},
                            {kNumeric, "-0", "0.00"},
                            {kFloat8, "-0", "0"},
                            {kInterval, "1 day", "24 hours"},
                            {kInterval, "1 month", "30 days"},
                            {kBpchar, "a  ", "a"},
                            {kNumericArray, "{1.0}", "{1}"},
                            {kTimestampTz, "2024-01-01 12:00+00", "2024-01-01 14:00+02"}}) {
    const BuiltinType& t = *find_type(type);
    Datum x = read(type, a), y = read(type, b);
    EXPECT_EQ(t.compare(x, y), 0) << a << " " << b;
    EXPECT_EQ(t.hash(x), t.hash(y)) << a << " " << b;
  }
}

TEST_F(Values, OrderIsConsistentBothWays) {
  struct Order {
    Oid type;
    std::vector<const char*> ascending;
  };
  const Order kOrders[] = {
      {kNumeric,
       {"-Infinity", "-1.5", "-1.4", "0", "0.0001", "9999.9999", "10000", "Infinity", "NaN"}},
      {kFloat8, {"-Infinity", "-1", "0", "1e-300", "Infinity", "NaN"}},
      {kText, {"", "B", "a", "aa", "e"}},
      {kDate, {"-infinity", "0044-03-15 BC", "2024-01-01", "infinity"}},
      {kInterval, {"-1 day", "0", "23 hours", "1 day", "29 days", "1 month"}},
      {kInet, {"10.0.0.0/8", "10.0.0.0/16", "10.0.0.1", "::1"}},
      {kInt4Array, {"{}", "{1}", "{1,2}", "{1,NULL}", "{2}"}},
  };
  for (const Order& order : kOrders) {
    const BuiltinType& type = *find_type(order.type);
    for (size_t i = 0; i < order.ascending.size(); ++i) {
      for (size_t k = 0; k < order.ascending.size(); ++k) {
        int sign = type.compare(read(order.type, order.ascending[i]),
                                read(order.type, order.ascending[k]));
        EXPECT_EQ(sign < 0, i < k) << order.ascending[i] << " " << order.ascending[k];
        EXPECT_EQ(sign == 0, i == k) << order.ascending[i] << " " << order.ascending[k];
      }
    }
  }
}

TEST_F(Values, BinaryInputThatEndsTooEarlyIsAProtocolViolation) {
  for (Oid type : {kInt2, kInt4, kInt8, kFloat8, kDate, kTimestamp, kInterval, kNumeric, kUuid,
                   kInet, kTimeTz, kInt4Array, kVarbit}) {
    EXPECT_EQ(sqlstate_of(type, ""), "08P01") << find_type(type)->name;
  }
}

TEST_F(Values, BinaryInputThatMakesNoSenseIsRefused) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(sqlstate_of(kNumeric, "\0\1\0\0\0\0\0\0\x7f\xff"sv), "22P03");  // digit 32767
  EXPECT_EQ(sqlstate_of(kInt4Array, "\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1"sv),
            "54000");
  EXPECT_EQ(sqlstate_of(kInt4Array, "\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\0\0\0\0\1"sv), "42804");
  EXPECT_EQ(sqlstate_of(kInet, "\7\x20\0\4\1\2\3\4"sv), "22P03");
  EXPECT_EQ(sqlstate_of(kText, "\xff"sv), "22021");
}

/// Texts near those that types read: pieces of valid ones, shuffled and cut.
std::string rubbish(RandomState& random) {
  static constexpr const char* kPieces[] = {"2024-01-15",
                                            "13:45:30.5",
                                            "+02",
                                            "Jan",
                                            "BC",
                                            "1e",
                                            "-",
                                            ".",
                                            "/",
                                            ":",
                                            "{",
                                            "}",
                                            ",",
                                            "\"",
                                            "\\",
                                            "NULL",
                                            "[1:2]=",
                                            "P1Y",
                                            "T2H",
                                            "days",
                                            "ago",
                                            "999999999999999999999",
                                            "0",
                                            "12",
                                            "e",
                                            "\\x",
                                            "::1",
                                            "10.0.0.1",
                                            " ",
                                            "NaN",
                                            "infinity",
                                            "\x01",
                                            "America/New_York",
                                            "x",
                                            "b1",
                                            "(",
                                            "1.5"};
  std::string text;
  for (uint64_t n = random.next() % 6; n > 0; --n) {
    std::string_view piece = kPieces[random.next() % std::size(kPieces)];
    text += piece.substr(0, 1 + random.next() % piece.size());
  }
  return text;
}

TEST_F(Values, RubbishIsRefusedOrReadBackFromItsOwnText) {
  RandomState random;
  random.seed(20240115);
  for (const BuiltinType& type : all_types()) {
    if (type.is_pseudo() || type.oid == kRegproc) continue;  // names of functions repeat
    for (int i = 0; i < 300; ++i) {
      arena_.reset();
      std::string text = rubbish(random);
      std::string shown, bytes;
      try {
        Datum value = type.from_text(context_, text);
        shown = show(type.oid, value);
        type.to_binary(context_, value, bytes);
      } catch (const Error& error) {
        EXPECT_NE(error.data().sqlstate, sqlstate::kInternalError) << type.name << ": " << text;
        continue;
      }
      EXPECT_EQ(show(type.oid, type.from_text(context_, shown)), shown)
          << type.name << ": " << text;
      EXPECT_EQ(show(type.oid, type.from_binary(context_, bytes)), shown)
          << type.name << ": " << text;
    }
  }
}

TEST_F(Values, BinaryRubbishIsRefusedOrHasAText) {
  RandomState random;
  random.seed(7);
  for (const BuiltinType& type : all_types()) {
    if (type.is_pseudo()) continue;
    for (int i = 0; i < 300; ++i) {
      arena_.reset();
      std::string bytes;
      for (uint64_t n = random.next() % 24; n > 0; --n) {
        bytes += static_cast<char>(random.next() % 3 == 0 ? random.next() : random.next() % 4);
      }
      try {
        show(type.oid, type.from_binary(context_, bytes));
      } catch (const Error& error) {
        EXPECT_NE(error.data().sqlstate, sqlstate::kInternalError) << type.name;
      }
    }
  }
}

TEST_F(Values, CopiesLiveInTheirOwnArena) {
  Arena other;
  for (auto [type, text] : {std::pair{kText, "some text"},
                            {kNumeric, "1234.5"},
                            {kName, "n"},
                            {kInt8, "7"},
                            {kInterval, "1 day"},
                            {kTextArray, "{a,b}"},
                            {kUnknown, "literal"}}) {
    Datum copy;
    {
      Arena shortlived;
      EvalContext context{.arena = &shortlived};
      copy = copy_datum(*find_type(type), find_type(type)->from_text(context, text), other);
    }
    EXPECT_EQ(show(type, copy), text);
  }
}

TEST_F(Values, SubscriptsReachElementsAndSlices) {
  Datum array = read(kInt4Array, "{{1,2,3},{4,5,6}}");
  const int32_t second_third[] = {2, 3}, outside[] = {3, 1}, too_few[] = {1};
  EXPECT_EQ(datum_to_int32(*array_element(array, second_third)), 6);
  EXPECT_FALSE(array_element(array, outside).has_value());
  EXPECT_FALSE(array_element(array, too_few).has_value());
  const ArrayRange columns[] = {{std::nullopt, std::nullopt}, {2, 3}};
  EXPECT_EQ(show(kInt4Array, array_slice(arena_, array, columns)), "{{2,3},{5,6}}");
  const ArrayRange nothing[] = {{5, 9}};
  EXPECT_EQ(show(kInt4Array, array_slice(arena_, array, nothing)), "{}");
}

TEST_F(Values, AssignmentGrowsAnArray) {
  Datum array = read(kInt4Array, "{1,2}");
  const int32_t second[] = {2}, fifth[] = {5}, before[] = {0};
  EXPECT_EQ(show(kInt4Array, array_with_element(arena_, array, kInt4, second, 9)), "{1,9}");
  EXPECT_EQ(show(kInt4Array, array_with_element(arena_, array, kInt4, fifth, 9)),
            "{1,2,NULL,NULL,9}");
  EXPECT_EQ(show(kInt4Array, array_with_element(arena_, array, kInt4, before, 9)), "[0:2]={9,1,2}");
  EXPECT_EQ(show(kInt4Array, array_with_element(arena_, 0, kInt4, second, std::nullopt)),
            "[2:2]={NULL}");
}

}  // namespace
}  // namespace cofork
