// Tuples, byte for byte as a real server laid them out (tests/data/heap, pages of
// PostgreSQL 15.18).
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "access/tuple.h"
#include "support/error.h"
#include "test_data.h"
#include "types/type_oids.h"

namespace cofork {
namespace {

std::string read_pages(const char* name) {
  return testing_support::read_file(testing_support::data_path(std::string("heap/") + name));
}

Attribute by_value(Oid type, int16_t length, char align) {
  return {.type = type, .length = length, .by_value = true, .align = align, .storage = 'p'};
}
Attribute varlena(Oid type, char storage = 'x') {
  return {.type = type, .length = -1, .align = 'i', .storage = storage};
}

/// create table types_t (id int4, i2 int2, i8 int8, f4 float4, f8 float8, b bool, t text, vc, bc,
///                       ts, tz, d date, n numeric, n2 numeric, o oid, nm name)
TupleShape types_shape() {
  using namespace type_oid;
  return TupleShape({by_value(kInt4, 4, 'i'),
                     by_value(kInt2, 2, 's'),
                     by_value(kInt8, 8, 'd'),
                     by_value(kFloat4, 4, 'i'),
                     by_value(kFloat8, 8, 'd'),
                     by_value(kBool, 1, 'c'),
                     varlena(kText),
                     varlena(kVarchar),
                     varlena(kBpchar),
                     by_value(kTimestamp, 8, 'd'),
                     by_value(kTimestampTz, 8, 'd'),
                     by_value(kDate, 4, 'i'),
                     varlena(kNumeric, 'm'),
                     varlena(kNumeric, 'm'),
                     by_value(kOid, 4, 'i'),
                     {.type = kName, .length = 64, .align = 'c', .storage = 'p'}});
}

struct Row {
  explicit Row(const TupleShape& shape)
      : values(static_cast<size_t>(shape.columns())), nulls(new bool[values.size()]) {}
  std::vector<Datum> values;
  std::unique_ptr<bool[]> nulls;
};

/// Takes every tuple of the pages apart, makes it again, and expects the same bytes.
int expect_same_bytes(const std::string& pages, const TupleShape& shape) {
  int tuples = 0;
  Arena arena;
  Row row(shape);
  for (size_t at = 0; at < pages.size(); at += kPageBytes) {
    ConstPage page = pages.data() + at;
    for (OffsetNumber i = 1; i <= page_item_count(page); ++i) {
      ItemId id = page_item_id(page, i);
      if (!id.is_normal()) continue;
      const auto* header = reinterpret_cast<const HeapTupleHeader*>(page_item(page, id));
      deform_tuple(header, shape, shape.columns(), row.values.data(), row.nulls.get());
      HeapTuple made = form_tuple(shape, row.values.data(), row.nulls.get(), arena);
      EXPECT_EQ(made.length, id.length());
      EXPECT_EQ(made.header->hoff, header->hoff);
      constexpr uint16_t kOfValues = kTupleHasNull | kTupleHasVarWidth | kTupleHasExternal;
      EXPECT_EQ(made.header->infomask, header->infomask & kOfValues);
      EXPECT_EQ(made.header->infomask2, header->infomask2 & kTupleColumnsMask);
      EXPECT_EQ(
          std::string_view(made.header->bytes() + kTupleHeaderBytes,
                           made.length - kTupleHeaderBytes),
          std::string_view(header->bytes() + kTupleHeaderBytes, id.length() - kTupleHeaderBytes))
          << "item " << i;
      ++tuples;
    }
  }
  return tuples;
}

TEST(Tuple, EveryTypeHasTheBytesOfARealServer) {
  EXPECT_EQ(expect_same_bytes(read_pages("types_t.page"), types_shape()), 8);
}

TEST(Tuple, UpdatedAndLockedRowsKeepTheirValues) {
  TupleShape shape({by_value(type_oid::kInt4, 4, 'i'), varlena(type_oid::kText)});
  EXPECT_EQ(expect_same_bytes(read_pages("h.page"), shape), 20);
}

TEST(Tuple, ValuesAreReadOnlyAsFarAsAsked) {
  std::string pages = read_pages("types_t.page");
  ConstPage page = pages.data();
  TupleShape shape = types_shape();
  Row row(shape);
  TupleReader reader(shape, row.values.data(), row.nulls.get());
  reader.start(reinterpret_cast<const HeapTupleHeader*>(page_item(page, page_item_id(page, 1))));
  reader.need(1);
  EXPECT_EQ(reader.done(), 1);
  EXPECT_EQ(datum_to_int32(row.values[0]), 1);
  reader.need(9);
  EXPECT_EQ(datum_to_float4(row.values[3]), 1.5F);
  EXPECT_EQ(datum_to_float8(row.values[4]), 2.25);
  EXPECT_TRUE(datum_to_bool(row.values[5]));
  EXPECT_EQ(varlena_view(row.values[6]), "hello");
  EXPECT_EQ(varlena_view(row.values[7]), "varchar one");
  EXPECT_EQ(varlena_view(row.values[8]), "bp        ");
  reader.need(16);
  EXPECT_EQ(datum_to_int32(row.values[11]), 399);  // 2001-02-03
  EXPECT_EQ(datum_to_oid(row.values[14]), 4242U);
  EXPECT_STREQ(datum_to_pointer(row.values[15]), "a_name");
}

TEST(Tuple, OneColumnIsFoundWithoutTheOthers) {
  std::string pages = read_pages("types_t.page");
  ConstPage page = pages.data();
  TupleShape shape = types_shape();
  Row row(shape);
  for (OffsetNumber i = 1; i <= 8; ++i) {
    const auto* header =
        reinterpret_cast<const HeapTupleHeader*>(page_item(page, page_item_id(page, i)));
    deform_tuple(header, shape, shape.columns(), row.values.data(), row.nulls.get());
    for (int column = 0; column < shape.columns(); ++column) {
      bool is_null;
      Datum value = tuple_column(header, shape, column, is_null);
      ASSERT_EQ(is_null, row.nulls[static_cast<size_t>(column)]);
      ASSERT_EQ(value, row.values[static_cast<size_t>(column)]);
    }
  }
}

TEST(Tuple, ColumnsAddedLaterHaveTheirMissingValue) {
  Arena arena;
  TupleShape before({by_value(type_oid::kInt4, 4, 'i')});
  Datum values[3] = {datum_from_int32(7), 0, 0};
  bool nulls[3] = {};
  HeapTuple tuple = form_tuple(before, values, nulls, arena);
  Attribute with_default = by_value(type_oid::kInt4, 4, 'i');
  with_default.has_missing = true;
  with_default.missing = datum_from_int32(42);
  TupleShape after({by_value(type_oid::kInt4, 4, 'i'), with_default, varlena(type_oid::kText)});
  deform_tuple(tuple.header, after, 3, values, nulls);
  EXPECT_EQ(datum_to_int32(values[0]), 7);
  EXPECT_EQ(datum_to_int32(values[1]), 42);
  EXPECT_FALSE(nulls[1]);
  EXPECT_TRUE(nulls[2]);
  bool is_null;
  EXPECT_EQ(datum_to_int32(tuple_column(tuple.header, after, 1, is_null)), 42);
  EXPECT_FALSE(is_null);
}

TEST(Tuple, AShortHeaderEndsAt126Bytes) {
  Arena arena;
  TupleShape shape({by_value(type_oid::kBool, 1, 'c'), varlena(type_oid::kText)});
  bool nulls[2] = {};
  for (size_t payload : {0, 1, 126, 127}) {
    std::string text(payload, 'x');
    Datum values[2] = {datum_from_bool(true), varlena_from(arena, text)};
    HeapTuple tuple = form_tuple(shape, values, nulls, arena);
    EXPECT_EQ(tuple.length, payload <= 126 ? 24 + 1 + 1 + payload : 24 + 4 + 4 + payload);
    deform_tuple(tuple.header, shape, 2, values, nulls);
    EXPECT_EQ(varlena_view(values[1]), text);
  }
}

TEST(Tuple, BytesAreComparedWhateverTheirHeader) {
  Arena arena;
  Attribute text = varlena(type_oid::kText);
  const char stored[] = {(5 << 1) | 1, 'a', 'b', 'c', 'd'};
  Datum short_form = datum_from_pointer(stored);
  EXPECT_TRUE(datums_have_same_bytes(text, short_form, varlena_from(arena, "abcd")));
  EXPECT_FALSE(datums_have_same_bytes(text, short_form, varlena_from(arena, "abce")));
  Attribute int2 = by_value(type_oid::kInt2, 2, 's');
  EXPECT_TRUE(datums_have_same_bytes(int2, datum_from_int16(-1), 0xFFFF));
}

TEST(Tuple, TooManyColumnsAreRefused) {
  Arena arena;
  TupleShape shape(std::vector<Attribute>(1665, by_value(type_oid::kInt4, 4, 'i')));
  std::vector<Datum> values(1665);
  std::unique_ptr<bool[]> nulls(new bool[1665]());
  try {
    form_tuple(shape, values.data(), nulls.get(), arena);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.data().message, "number of columns (1665) exceeds limit (1664)");
  }
}

}  // namespace
}  // namespace cofork
