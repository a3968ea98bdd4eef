// The built-in tables hold together, and everything in them answers as PostgreSQL 15 does.
#include <gtest/gtest.h>

#include <set>

#include "catalog/builtin.h"
#include "catalog/window_functions.h"
#include "catalog_calls.h"

namespace cofork {
namespace {

using namespace type_oid;

TEST(Builtin, FindsTypesByOidAndByEveryName) {
  EXPECT_EQ(find_type(kInt4)->oid, kInt4);
  EXPECT_EQ(find_type("int4")->oid, kInt4);
  EXPECT_EQ(find_type("integer")->oid, kInt4);
  EXPECT_EQ(find_type("int")->oid, kInt4);
  EXPECT_EQ(find_type("_text")->oid, kTextArray);
  EXPECT_EQ(find_type("integer[]")->oid, kInt4Array);
  EXPECT_EQ(find_type("char")->oid, kChar);
  EXPECT_EQ(find_type(kXid8)->oid, kXid8);
  EXPECT_EQ(find_type("nosuch"), nullptr);
  EXPECT_EQ(find_type(Oid{3}), nullptr);
}

TEST(Builtin, FormatsTypesAsTheCatalogFunctionsDo) {
  EXPECT_EQ(format_type(kVarchar, 14), "character varying(10)");
  EXPECT_EQ(format_type(kVarcharArray, 14), "character varying(10)[]");
  EXPECT_EQ(format_type(kInt4Array), "integer[]");
  EXPECT_EQ(format_type(3), "???");
}

TEST(Builtin, EveryOidIsUniqueAndEveryTypeInASignatureExists) {
  std::set<Oid> seen;
  for (const BuiltinFunction* f : all_functions()) {
    EXPECT_TRUE(seen.insert(f->oid).second) << f->oid << " " << f->name;
    EXPECT_NE(find_type(f->result), nullptr) << f->name;
    for (Oid arg : f->args) EXPECT_NE(find_type(arg), nullptr) << f->name << " " << arg;
    if (is_window_function(*f)) continue;  // the node that has its partition computes it
    EXPECT_NE(f->call == nullptr, f->next == nullptr) << f->name;
    EXPECT_LE(f->defaults.size(), f->args.size()) << f->name;
  }
}

TEST(Builtin, OperatorsAndCastsNameFunctionsThatFit) {
  for (const BuiltinOperator& op : all_operators()) {
    const BuiltinFunction* f = find_function(op.function);
    ASSERT_NE(f, nullptr) << op.name;
    EXPECT_EQ(f->result, op.result) << op.oid;
    EXPECT_EQ(f->args.size(), op.left == kInvalidOid ? 1u : 2u) << op.oid;
    if (op.negator != kInvalidOid) {
      EXPECT_EQ(find_operator(op.negator)->negator, op.oid);
    }
    if (op.commutator != kInvalidOid) {
      EXPECT_EQ(find_operator(op.commutator)->commutator, op.oid);
    }
  }
  for (const BuiltinCast& cast : all_casts()) {
    EXPECT_EQ(find_cast(cast.source, cast.target), &cast);
    if (cast.function == kInvalidOid) continue;
    ASSERT_NE(find_function(cast.function), nullptr) << cast.source << " " << cast.target;
  }
  EXPECT_EQ(find_operator(551)->function, 177u);
  EXPECT_EQ(find_cast(kInt4, kBool)->context, CastContext::kExplicit);
}

TEST(Builtin, EveryOrderedTypeHasItsComparisonOperators) {
  auto has = [](const char* name, Oid type) {
    for (const BuiltinOperator* op : operators_named(name)) {
      if (op->left == type && op->right == type) return true;
    }
    return false;
  };
  for (const BuiltinType& type : all_types()) {
    // Arrays, varchar, cidr and the reg types use those of anyarray, text, inet and oid.
    bool borrows = type.is_array() || type.oid == kVarchar || type.oid == kCidr ||
                   std::string_view(type.name).starts_with("reg");
    if (type.compare == nullptr || borrows || type.category == 'X' || type.is_pseudo()) continue;
    for (const char* name : {"=", "<>", "<", "<=", ">", ">="}) {
      EXPECT_TRUE(has(name, type.oid)) << type.name << " " << name;
    }
  }
  EXPECT_TRUE(has("=", kAnyArray));
  EXPECT_NE(find_operator(1327), nullptr);  // timestamptz + interval
  EXPECT_NE(find_operator(375), nullptr);   // anyarray || anyarray
}

class Calls : public testing::TestWithParam<const char*> {};

TEST_P(Calls, AnswerAsPostgres) {
  testing_support::CallEvaluator evaluator;
  for (const auto& line : testing_support::read_calls(GetParam())) {
    EXPECT_EQ(evaluator.evaluate(line.source), line.expected)
        << GetParam() << ":" << line.number << ": " << line.source;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Calls,
                         testing::Values("aggregates.calls", "array.calls", "bit.calls",
                                         "bytea.calls", "format.calls", "network.calls",
                                         "regexp.calls", "datetime.calls", "integer.calls",
                                         "interval.calls", "numeric.calls", "text.calls"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace cofork
