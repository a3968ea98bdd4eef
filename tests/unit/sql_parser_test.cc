// The parser bridge: trees as PostgreSQL's grammar makes them, positions in characters.
#include <gtest/gtest.h>

#include "in_model.h"
#include "sql/parser.h"
#include "support/error.h"

namespace cofork {
namespace {

void in_task(const std::function<void(Task&)>& body) {
  int status = run_in_model(TestedModel::kFork, [&](Task& task) {
    body(task);
    if (testing::Test::HasFailure()) throw TaskExit{1};
  });
  EXPECT_EQ(status, 0);
}

ErrorData error_of(std::string_view text) {
  try {
    parse_query(text);
  } catch (const Error& error) {
    return error.data();
  }
  return {};
}

TEST(SqlParser, SplitsStatementsWithTagsAndTexts) {
  in_task([](Task&) {
    auto query = parse_query("select 1; begin;;  create table t (a int)");
    ASSERT_EQ(query->statements.size(), 3u);
    EXPECT_EQ(query->statements[0].tag, "SELECT");
    EXPECT_EQ(query->statements[1].tag, "BEGIN");
    EXPECT_EQ(query->statements[2].tag, "CREATE TABLE");
    EXPECT_EQ(query->text_of(query->statements[0]), "select 1");
    EXPECT_EQ(query->text_of(query->statements[1]), " begin");
    EXPECT_TRUE(parse_query(" -- nothing\n ;")->statements.empty());
  });
}

TEST(SqlParser, KeepsFieldsAndEscapes) {
  in_task([](Task&) {
    auto query = parse_query("select E'a\"\\\\\\n\\u0001' || 'é'");
    const Node* target = query->statements[0].node->list("targetList")[0];
    const Node* call = target->node("val");
    ASSERT_TRUE(call->is(NodeKind::kAExpr));
    EXPECT_EQ(call->node("lexpr")->node("sval")->text(), "a\"\\\n\x01");
    EXPECT_EQ(call->node("rexpr")->node("sval")->text(), "é");
  });
}

TEST(SqlParser, RestoresNegativeConstants) {
  in_task([](Task&) {
    auto query = parse_query("select -5, - /* 7 */ 6, - -8, 0, - (9), -2147483648");
    int64_t expected[] = {-5, -6, 8, 0, -9};
    for (size_t i = 0; i < 5; ++i) {
      const Node* value = query->statements[0].node->list("targetList")[i]->node("val");
      ASSERT_TRUE(value->is(NodeKind::kAConst)) << i;
      EXPECT_EQ(value->node("ival")->number("ival"), expected[i]) << i;
    }
  });
}

TEST(SqlParser, ReportsErrorsWithCharacterPositions) {
  in_task([](Task&) {
    ErrorData error = error_of("select 'éé' from (");
    EXPECT_EQ(error.sqlstate.text(), "42601");
    EXPECT_EQ(error.message, "syntax error at end of input");
    EXPECT_EQ(error.position, 19);
    EXPECT_EQ(error_of("selec 1").position, 1);
    EXPECT_EQ(error_of("select * from (select 1)").hint,
              "For example, FROM (SELECT ...) [AS] foo.");
    EXPECT_EQ(error_of("select 1 limit 1, 2").hint, "Use separate LIMIT and OFFSET clauses.");
  });
}

TEST(SqlParser, SurvivesDepthAndLength) {
  in_task([](Task&) {
    std::string sum = "select 1";
    for (int i = 0; i < 30'000; ++i) sum += "+1";
    EXPECT_EQ(parse_query(sum)->statements.size(), 1u);
    std::string parentheses = "select " + std::string(100'000, '(');
    EXPECT_EQ(error_of(parentheses).message, "memory exhausted at or near \"(\"");
    std::string literal = "select '" + std::string(1'000'000, 'x') + "'";
    auto query = parse_query(literal);
    const Node* value = query->statements[0].node->list("targetList")[0]->node("val");
    EXPECT_EQ(value->node("sval")->text().size(), 1'000'000u);
  });
}

TEST(SqlParser, CachesByExactText) {
  in_task([](Task&) {
    ParseCache cache;
    auto first = cache.parse("select 1");
    EXPECT_EQ(cache.parse("select 1"), first);
    EXPECT_NE(cache.parse("select  1"), first);
    for (int i = 0; i < 100; ++i) cache.parse("select " + std::to_string(i + 10));
    EXPECT_NE(cache.parse("select 1"), first);
  });
}

}  // namespace
}  // namespace cofork
