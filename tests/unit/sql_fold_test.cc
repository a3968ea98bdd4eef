// What is computed when a statement is planned, and what must not be.
#include "sql_session.h"

namespace cofork {
namespace {

/// Takes note whether rows had begun when an error came.
class BeginReceiver final : public RowReceiver {
 public:
  void begin_rows(std::span<const ResultColumn>, std::span<const int16_t>) override {
    has_begun = true;
  }
  void row(EvalContext&, const Datum*, const bool*) override {}
  void complete(std::string_view) override {}
  void empty_query() override {}
  bool has_begun = false;
};

std::string sqlstate_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return std::string(e.data().sqlstate.text());
  }
  return "";
}

/// "SQLSTATE before" or "SQLSTATE after" the description of the rows; "" for no error.
std::string failure(Engine& engine, std::string_view sql) {
  BeginReceiver receiver;
  std::string code = sqlstate_of([&] { engine.simple_query(sql, receiver); });
  if (code.empty()) return code;
  engine.failed();
  return code + (receiver.has_begun ? " after" : " before");
}

TEST(SqlFold, ConstantsFailBeforeTheRowsAreDescribed) {
  in_session([](TestSession& session) {
    for (const char* sql : {
             "select 1/0",
             "select x from generate_series(1, 3) x where x > 1/0",
             "select x from generate_series(1, 3) x where false and x > 0 or x / (2 - 2 + 0) > 1/0",
             "select case when x > 0 then x else 1/0 end from generate_series(1, 3) x",
             "select coalesce(null, 1/0)",
             "select 1/0 where false",
             "select case 1/0 when 1 then 2 end",
             "select (array[1/0])[1], abs(least(1, 2 % 0))",
             "select (select 1/0)",
             "select * from (select 1/0) s",
             "with t as (select 1/0) select * from t",
             "select * from generate_series(1, 1/0)",
             "select 1 union select 1/0",
             "values (1), (1/0)",
             "select x from generate_series(1, 3) x order by 1/0 - x",
             "select x from generate_series(1, 3) x limit 1/0",
             "select count(*) filter (where 1/0 = 1) from generate_series(1, 3)",
         }) {
      EXPECT_EQ(failure(session.engine(), sql), "22012 before") << sql;
    }
    for (const char* sql : {
             "select 1/(x - 1) from generate_series(1, 3) x",
             "select 1/(random()::int * 0)",
             "select extract(epoch from now())::bigint / ('2000-01-01'::date - '2000-01-01')",
         }) {
      EXPECT_EQ(failure(session.engine(), sql), "22012 after") << sql;
    }
  });
}

TEST(SqlFold, WhatIsNeverNeededIsNeverComputed) {
  in_session([](TestSession& session) {
    struct Case {
      const char* sql;
      const char* expected;
    };
    for (Case c : {
             Case{"select false and 1/0 = 1, true or 1/0 = 1", "f|t\nSELECT 1\n"},
             {"select case when true then 1 else 1/0 end", "1\nSELECT 1\n"},
             {"select case when null then 1/0 when false then 1/0 else 2 end", "2\nSELECT 1\n"},
             {"select case 2 when 1 then 1/0 when 2 then 5 else 1/0 end", "5\nSELECT 1\n"},
             {"select coalesce(7, 1/0), coalesce(null, 8, 1/0)", "7|8\nSELECT 1\n"},
             {"select case when true then 1 else (select 1/0) end", "1\nSELECT 1\n"},
             {"with t as (select 1/0) select 1", "1\nSELECT 1\n"},
             {"select 1/null, null::int + 1, abs(null::int)", "||\nSELECT 1\n"},
             {"select true and null, null or false, null and false, not null", "||f|\nSELECT 1\n"},
             {"select x, x > 2 and true, x > 2 or null, x > 2 and null from generate_series(2, 3) "
              "x",
              "2|f||f\n3|t|t|\nSELECT 2\n"},
             {"select coalesce(null, x, 9) from generate_series(1, 2) x", "1\n2\nSELECT 2\n"},
             {"select count(*), 1 + 1 from generate_series(1, 4) x group by x % (1 + 1), 2",
              "2|2\n2|2\nSELECT 2\n"},
             {"select true or generate_series(1, 2) > 1", "t\nSELECT 1\n"},
         }) {
      EXPECT_EQ(session.run(c.sql), c.expected) << c.sql;
    }
  });
}

// What depends on a setting is not fixed when the statement is planned.
TEST(SqlFold, StableFunctionsAreComputedAnewEachTime) {
  in_session([](TestSession& session) {
    session.run("prepare p as select '2020-01-02'::text::date::text, array['a', 'b']::text");
    EXPECT_EQ(session.run("execute p"), "2020-01-02|{a,b}\nSELECT 1\n");
    session.run("set datestyle = 'German'");
    EXPECT_EQ(session.run("execute p"), "02.01.2020|{a,b}\nSELECT 1\n");
  });
}

TEST(SqlFold, BindPlansTheStatement) {
  in_session([](TestSession& session) {
    Engine& engine = session.engine();
    engine.parse("s", "select 1/0", {});
    EXPECT_EQ(engine.statement_columns("s").size(), 1u);
    EXPECT_EQ(sqlstate_of([&] { engine.bind("", "s", {}, {}); }), "22012");
    engine.failed();
    engine.sync();
    EXPECT_EQ(session.run("prepare q as select 1/0"), "PREPARE\n");
    EXPECT_EQ(session.run("execute q"), "22012 0: division by zero\n");
  });
}

TEST(SqlFold, TypesOfParametersMustShow) {
  in_session([](TestSession& session) {
    Engine& engine = session.engine();
    auto parse = [&](std::string_view text) {
      std::string code = sqlstate_of([&] { engine.parse("", text, {}); });
      if (!code.empty()) engine.failed();
      return code;
    };
    EXPECT_EQ(parse("select $1 is null"), "42P18");
    EXPECT_EQ(parse("select $1 is not null and $2 is null"), "42P18");
    EXPECT_EQ(parse("select $2::int"), "42P18");
    EXPECT_EQ(parse("select $1 is null or $1 = 4"), "");
    EXPECT_EQ(engine.statement_parameters("")[0], type_oid::kInt4);
    EXPECT_EQ(parse("select $1"), "");
    EXPECT_EQ(engine.statement_parameters("")[0], type_oid::kText);
  });
}

}  // namespace
}  // namespace cofork
