// Statements that are nested or chained deeper than anybody writes by hand: what PostgreSQL answers
// at its default max_stack_depth is answered here, what it refuses is refused with its SQLSTATE,
// and no depth ends a server. The reference runs the same cases.
#include <gtest/gtest.h>

#include <cstdlib>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// before before … middle after after …
std::string nested(const std::string& before, int times, const std::string& middle,
                   const std::string& after) {
  return repeated(before, times) + middle + repeated(after, times);
}

/// text separator text …
std::string chained(const std::string& text, const std::string& separator, int times) {
  return text + repeated(separator + text, times - 1);
}

constexpr const char* kOk = "";
constexpr const char* kTooDeep = "54001";
constexpr const char* kParserIsFull = "42601";  // "memory exhausted at or near …"
const std::string kTwoRows = " from generate_series(1, 2) g";

struct Case {
  std::string name, sql;
  std::string sqlstate;    ///< kOk: it succeeds
  std::string first = "";  ///< then its first value, where that says something
};

class DepthTest : public ServerTest {
 protected:
  void SetUp() override {
    server.start();
    session_.emplace(server);
    ASSERT_TRUE(session_->connected());
  }

  void expect(const std::vector<Case>& cases) {
    for (const Case& test : cases) {
      SCOPED_TRACE(test.name);
      const Result result = session_->query(test.sql);
      // A sanitizer's stack frames are several times larger: the limit is met earlier, never
      // passed.
      const bool met_earlier = sanitized_ && result.sqlstate == kTooDeep;
      if (!met_earlier) {
        EXPECT_EQ(result.sqlstate, test.sqlstate) << result.message;
      }
      if (!test.first.empty() && !met_earlier) {
        EXPECT_EQ(result.first(), test.first);
      }
      ASSERT_EQ(session_->query("select 'still here'").first(), "still here");
    }
    EXPECT_EQ(server.log().find("terminating any other active server processes"),
              std::string::npos);
  }

  std::optional<Session> session_;
  const bool sanitized_ = std::getenv("COFORK_SANITIZED") != nullptr;
};

TEST_P(DepthTest, Chains) {
  expect({
      {"2000 terms", "select " + chained("1", "+", 2000), kOk, "2000"},
      {"2000 variable terms", "select " + chained("g", "+", 2000) + kTwoRows, kOk, "2000"},
      {"20000 terms", "select " + chained("1", "+", 20000), kTooDeep},
      {"100000 terms", "select " + chained("1", "+", 100000), kTooDeep},
      {"100000 variable terms", "select " + chained("g", "+", 100000) + kTwoRows, kTooDeep},
      {"2000 times ||", "select length(" + chained("'a'", "||", 2000) + ")", kOk, "2000"},
      {"10000 times AND",
       "select count(*)" + kTwoRows + " where " + chained("g > 1", " and ", 10000), kOk, "1"},
      {"10000 times OR", "select count(*)" + kTwoRows + " where " + chained("g > 1", " or ", 10000),
       kOk, "1"},
      {"IN with 20000 numbers", "select 7 in (" + chained("7", ",", 20000) + ")", kOk, "t"},
      {"IN with 1000 expressions",
       "select count(*)" + kTwoRows + " where g in (" + chained("g + 0", ",", 1000) + ")", kOk,
       "2"},
      {"20000 rows of VALUES", "select count(*) from (values " + chained("(1)", ",", 20000) + ") v",
       kOk, "20000"},
      {"greatest() of 10000", "select greatest(" + chained("g", ",", 10000) + ")" + kTwoRows, kOk},
      {"2000 casts", "select 1" + repeated("::int8::int4", 1000), kOk, "1"},
      {"20000 casts", "select 1" + repeated("::int8::int4", 10000), kTooDeep},
      {"5000 statements", chained("select 1", ";", 5000), kOk, "1"},
  });
}

TEST_P(DepthTest, Nesting) {
  expect({
      {"9000 parentheses", "select " + nested("(", 9000, "1", ")"), kOk, "1"},
      {"15000 parentheses", "select " + nested("(", 15000, "1", ")"), kParserIsFull},
      {"2500 calls", "select " + nested("abs(", 2500, "1", ")"), kOk, "1"},
      {"2500 calls with a variable", "select " + nested("abs(", 2500, "g", ")") + kTwoRows, kOk},
      {"5000 calls", "select " + nested("abs(", 5000, "1", ")"), kParserIsFull},
      {"5000 times NOT", "select " + nested("not ", 5000, "(g > 0)", "") + kTwoRows, kOk, "t"},
      {"2000 times coalesce", "select " + nested("coalesce(", 2000, "g", ", 1)") + kTwoRows, kOk},
      {"5000 times coalesce", "select " + nested("coalesce(", 5000, "g", ", 1)"), kParserIsFull},
      {"2000 times ELSE CASE",
       "select " + nested("case when g = 9 then 1 else ", 2000, "2", " end") + kTwoRows, kOk, "2"},
      {"2000 times CASE WHEN CASE",
       "select " + nested("case when ", 2000, "g = 1", " then true else false end") + kTwoRows,
       kOk},
      {"1000 times AND (OR",
       "select count(*)" + kTwoRows + " where " +
           nested("(g = 1 and (g = 2 or ", 1000, "g = 1", "))"),
       kOk, "1"},
      {"an array of six dimensions", "select " + nested("array[", 6, "1", "]"), kOk},
      {"an array of seven", "select " + nested("array[", 7, "1", "]"), "54000"},
      {"an array of 1000", "select " + nested("array[", 1000, "1", "]"), "54000"},
      {"an array text of 1000", "select '" + nested("{", 1000, "1", "}") + "'::int[]", "54000"},
  });
}

TEST_P(DepthTest, Queries) {
  std::string chain = "with c0 as (select 1 as x)";
  for (int i = 1; i < 200; ++i) {
    chain += ", c" + std::to_string(i) + " as (select x from c" + std::to_string(i - 1) + ")";
  }
  std::string joins = "select count(*) from (select 1) s";
  for (int i = 0; i < 100; ++i) joins += " cross join (select 1) s" + std::to_string(i);
  expect({
      {"1000 sub-selects", "select " + nested("(select ", 1000, "1", ")"), kOk, "1"},
      {"500 times EXISTS", "select 1 where " + nested("exists (select 1 where ", 500, "true", ")"),
       kOk, "1"},
      {"500 times IN", "select 1 where " + nested("1 in (select 1 where ", 500, "true", ")"), kOk,
       "1"},
      {"1000 sub-selects in FROM",
       "select * from " + nested("(select * from ", 1000, "(select 1) s", ") s"), kOk, "1"},
      {"500 times DISTINCT",
       "select * from " + nested("(select distinct * from ", 500, "(select 1) s", ") s"), kOk, "1"},
      {"1000 times UNION", chained("select 1", " union ", 1000), kOk, "1"},
      {"3000 times UNION", chained("select 1", " union ", 3000), kOk, "1"},
      {"1000 times UNION ALL",
       "select count(*) from (" + chained("select 1", " union all ", 1000) + ") u", kOk, "1000"},
      {"10000 times UNION ALL", chained("select 1", " union all ", 10000), kTooDeep},
      {"200 WITH queries", chain + " select x from c199", kOk, "1"},
      {"100 joins", joins, kOk, "1"},
  });
}

TEST_P(DepthTest, Counts) {
  expect({
      {"1664 columns", "select " + chained("1", ",", 1664), kOk, "1"},
      {"1665 columns", "select " + chained("1", ",", 1665), "54011"},
      {"100 arguments", "select length(concat(" + chained("1", ",", 100) + "))", kOk, "100"},
      {"101 arguments", "select concat(" + chained("1", ",", 101) + ")", "54023"},
  });
}

/// A view on a view on a view …
TEST_P(DepthTest, Views) {
  ASSERT_TRUE(session_->query("set client_min_messages = warning").ok);
  ASSERT_TRUE(session_->query("create table t (a int)").ok);
  ASSERT_TRUE(session_->query("insert into t values (7)").ok);
  ASSERT_TRUE(session_->query("create view v0 as select a from t").ok);
  for (int i = 1; i < 100; ++i) {
    const Result result = session_->query("create view v" + std::to_string(i) +
                                          " as select a from v" + std::to_string(i - 1));
    ASSERT_TRUE(result.ok) << result.message;
  }
  EXPECT_EQ(session_->query("select a from v99").first(), "7");
  EXPECT_TRUE(session_->query("drop table t cascade").ok);
}

/// With less stack than the default, less is allowed; with more, more.
TEST_P(DepthTest, FollowsMaxStackDepth) {
  const std::string sum = "select " + chained("1", "+", 2000);
  ASSERT_TRUE(session_->query("set max_stack_depth = '100kB'").ok);
  EXPECT_EQ(session_->query(sum).sqlstate, kTooDeep);
  ASSERT_TRUE(session_->query("set max_stack_depth = '6MB'").ok);
  EXPECT_EQ(session_->query("select " + chained("1", "+", 10000)).first(), "10000");
}

INSTANTIATE_FOR_ALL_FLAVORS(DepthTest);

}  // namespace
}  // namespace cofork::test
