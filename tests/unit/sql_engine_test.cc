// Statements end to end, without a server.
#include "sql_session.h"

namespace cofork {
namespace {

struct Case {
  const char* sql;
  const char* expected;
};

void check(std::initializer_list<Case> cases) {
  in_session([&](TestSession& session) {
    for (const Case& c : cases) EXPECT_EQ(session.run(c.sql), c.expected) << c.sql;
  });
}

TEST(SqlEngine, Expressions) {
  check({
      {"select 1 + 2 * 3, 'a', null, -5, 2147483648", "7|a||-5|2147483648\nSELECT 1\n"},
      {"select 1 in (1, 2), 3 not in (1, 2), null in (1)", "t|t|\nSELECT 1\n"},
      {"select 5 between 1 and 9, 5 not between symmetric 9 and 1", "t|f\nSELECT 1\n"},
      {"select case 2 when 1 then 'one' when 2 then 'two' end, coalesce(null, 3), nullif(1, 1)",
       "two|3|\nSELECT 1\n"},
      {"select null is distinct from 1, 1 is not distinct from 1, null is unknown",
       "t|t|t\nSELECT 1\n"},
      {"select greatest(1, 3, 2), least(2, null, 1)", "3|1\nSELECT 1\n"},
      {"select array[1, 2, 3], (array[1, 2, 3])[2], (array[1, 2, 3])[2:], 2 = any(array[1, 2])",
       "{1,2,3}|2|{2,3}|t\nSELECT 1\n"},
      {"select row(1, 'a b', null), (1, 2) = (1, 2), (1, 2) < (1, 3)",
       "(1,\"a b\",)|t|t\nSELECT 1\n"},
      {"select true and null, false and null, true or null, not null::bool", "|f|t|\nSELECT 1\n"},
      {"select '12'::int + 1, 12::text || 'x', cast('t' as boolean)", "13|12x|t\nSELECT 1\n"},
  });
}

TEST(SqlEngine, FromAndJoins) {
  const char* tables = "(values (1, 'one'), (2, 'two')) a(x, n)";
  auto sql = [&](std::string_view pattern) {
    std::string text(pattern);
    text.replace(text.find("$A"), 2, tables);
    return text;
  };
  in_session([&](TestSession& s) {
    EXPECT_EQ(s.run(sql("select * from $A where x > 1")), "2|two\nSELECT 1\n");
    EXPECT_EQ(s.run(sql("select n, y from $A left join (values (1, 'y')) b(x, y) using (x)")),
              "one|y\ntwo|\nSELECT 2\n");
    EXPECT_EQ(s.run(sql("select a.x, b.x from $A right join (values (2), (3)) b(x) on a.x = b.x")),
              "2|2\n|3\nSELECT 2\n");
    EXPECT_EQ(s.run(sql("select x, n, y from $A full join (values (2, 'y'), (3, 'z')) b(x, y) "
                        "using (x) order by x")),
              "1|one|\n2|two|y\n3||z\nSELECT 3\n");
    EXPECT_EQ(s.run(sql("select a.x, g from $A, lateral generate_series(1, a.x) g")),
              "1|1\n2|1\n2|2\nSELECT 3\n");
    EXPECT_EQ(s.run(sql("select * from $A join (values (1)) b(z) on x > z")),
              "2|two|1\nSELECT 1\n");
  });
  check({{"select * from generate_series(1, 2) with ordinality g(v, o)", "1|1\n2|2\nSELECT 2\n"},
         {"select generate_series(1, 2), 'x'", "1|x\n2|x\nSELECT 2\n"},
         {"select * from nosuch", "42P01 15: relation \"nosuch\" does not exist\n"},
         {"select a.nosuch from (values (1)) a(x)", "42703 8: column a.nosuch does not exist\n"},
         {"select count(*) from generate_series(1, 100000)", "100000\nSELECT 1\n"}});
}

TEST(SqlEngine, GroupsAndOrder) {
  check({
      {"select x % 2, count(*), sum(x) from generate_series(1, 5) x group by 1 order by 1",
       "0|2|6\n1|3|9\nSELECT 2\n"},
      {"select count(*) filter (where x > 3), count(distinct x / 2) from generate_series(1, 5) x",
       "2|3\nSELECT 1\n"},
      {"select x % 2, x % 3, count(*) from generate_series(1, 4) x group by rollup (1, 2) "
       "order by 1 nulls first, 2 nulls first",
       "||4\n0||2\n0|1|1\n0|2|1\n1||2\n1|0|1\n1|1|1\nSELECT 7\n"},
      {"select max(x) from generate_series(1, 5) x having count(*) > 9", "SELECT 0\n"},
      {"select x from generate_series(1, 3) x group by ()",
       "42803 8: column \"x.x\" must appear in the GROUP BY clause or be used in an aggregate "
       "function\n"},
      {"select x from (values (2), (null), (1)) v(x) order by x desc", "\n2\n1\nSELECT 3\n"},
      {"select distinct x % 2 from generate_series(1, 5) x order by 1", "0\n1\nSELECT 2\n"},
      {"select distinct on (x % 2) x from generate_series(1, 5) x order by x % 2, x desc",
       "4\n5\nSELECT 2\n"},
      {"select x from generate_series(1, 9) x limit 2 offset 3", "4\n5\nSELECT 2\n"},
      {"select 1 limit -1", "2201W 0: LIMIT must not be negative\n"},
      {"select count(*) from generate_series(1, 3) where count(*) > 1",
       "42803 50: aggregate functions are not allowed in WHERE\n"},
  });
}

TEST(SqlEngine, SubSelectsAndSets) {
  check({
      {"select (select max(x) from generate_series(1, 4) x), exists (select 1 where false)",
       "4|f\nSELECT 1\n"},
      {"select x from generate_series(1, 5) x where x in (select y * 2 from "
       "generate_series(1, 2) y)",
       "2\n4\nSELECT 2\n"},
      {"select x, (select count(*) from generate_series(1, 9) y where y > x) from "
       "generate_series(7, 8) x",
       "7|2\n8|1\nSELECT 2\n"},
      {"select array(select x from generate_series(1, 3) x), 3 > all (select 1)",
       "{1,2,3}|t\nSELECT 1\n"},
      {"select (select x from generate_series(1, 2) x)",
       "21000 0: more than one row returned by a subquery used as an expression\n"},
      {"select 1 union select 1 union all select 2 order by 1", "1\n2\nSELECT 2\n"},
      {"values (1), (1), (2) intersect all values (1), (1), (3)", "1\n1\nSELECT 2\n"},
      {"values (1), (2) except values (2)", "1\nSELECT 1\n"},
      {"with recursive t(n) as (select 1 union all select n + 1 from t where n < 4) "
       "select sum(n) from t",
       "10\nSELECT 1\n"},
      {"with a as (select 1 as x), b as (select x + 1 as y from a) select * from a, b",
       "1|2\nSELECT 1\n"},
      {"select 1 union select 'a'", "22P02 23: invalid input syntax for type integer: \"a\"\n"},
  });
}

TEST(SqlEngine, TransactionBlocks) {
  in_session([](TestSession& s) {
    EXPECT_EQ(s.run("begin; select 1; select 1/0; select 2"),
              "BEGIN\n1\nSELECT 1\n22012 0: division by zero\n");
    EXPECT_EQ(s.engine().transaction_status(), 'E');
    EXPECT_EQ(s.run("select 1"),
              "25P02 0: current transaction is aborted, commands ignored until end of transaction "
              "block\n");
    EXPECT_EQ(s.run("commit"), "ROLLBACK\n");
    EXPECT_EQ(s.engine().transaction_status(), 'I');
    EXPECT_EQ(s.run("savepoint a"), "25P01 0: SAVEPOINT can only be used in transaction blocks\n");
    s.run("begin");
    s.run("set work_mem = '1MB'");
    s.run("savepoint a");
    s.run("set work_mem = '2MB'");
    s.run("select nosuch");
    EXPECT_EQ(s.run("rollback to a"), "ROLLBACK\n");
    EXPECT_EQ(s.run("show work_mem"), "1MB\nSHOW\n");
    EXPECT_EQ(s.run("rollback to b"), "3B001 0: savepoint \"b\" does not exist\n");
    s.run("rollback");
    EXPECT_EQ(s.run("show work_mem"), "4MB\nSHOW\n");
    EXPECT_EQ(s.run("begin isolation level serializable"),
              "0A000 0: transaction isolation level SERIALIZABLE is not supported\n");
    s.run("rollback");
    s.run("begin isolation level repeatable read read only");
    s.run("commit and chain");
    EXPECT_EQ(s.run("show transaction_isolation"), "repeatable read\nSHOW\n");
    EXPECT_EQ(s.run("show transaction_read_only"), "on\nSHOW\n");
    s.run("rollback");
    // A failed block has lost what it had set itself.
    s.run("begin isolation level repeatable read");
    s.run("select nosuch");
    s.run("rollback and chain");
    EXPECT_EQ(s.run("show transaction_isolation"), "read committed\nSHOW\n");
    s.run("rollback");
    s.run("begin isolation level repeatable read read only");
    EXPECT_EQ(s.run("show transaction_isolation"), "repeatable read\nSHOW\n");
    EXPECT_EQ(s.run("create table t (a int)"),
              "25006 0: cannot execute CREATE TABLE in a read-only transaction\n");
    s.run("rollback");
    EXPECT_EQ(s.run("show transaction_isolation"), "read committed\nSHOW\n");
    EXPECT_EQ(
        s.run("begin; select 1; set transaction isolation level repeatable read"),
        "BEGIN\n1\nSELECT 1\n25001 0: SET TRANSACTION ISOLATION LEVEL must be called before any "
        "query\n");
    s.run("rollback");
  });
}

TEST(SqlEngine, WhatDoesNotExist) {
  check({
      {"drop view nosuch", "42P01 0: view \"nosuch\" does not exist\n"},
      {"drop table if exists nosuch", "DROP TABLE\n"},
      {"insert into nosuch values (1)", "42P01 13: relation \"nosuch\" does not exist\n"},
      {"create table t (a int)", "0A000 0: CREATE TABLE is not supported\n"},
      {"select nosuch.f(1)", "3F000 8: schema \"nosuch\" does not exist\n"},
      {"select nosuch(1)", "42883 8: function nosuch(integer) does not exist\n"},
      {"select 'a' + 1", "22P02 8: invalid input syntax for type integer: \"a\"\n"},
      {"select true + 1", "42883 13: operator does not exist: boolean + integer\n"},
      {"select 123abc", "42601 8: trailing junk after numeric literal at or near \"123abc\"\n"},
  });
}

TEST(SqlEngine, PreparedStatementsAndCursors) {
  in_session([](TestSession& s) {
    EXPECT_EQ(s.run("prepare q(int) as select $1 + 1"), "PREPARE\n");
    EXPECT_EQ(s.run("execute q(41)"), "42\nSELECT 1\n");
    EXPECT_EQ(s.run("execute nosuch"), "26000 0: prepared statement \"nosuch\" does not exist\n");
    s.run("begin");
    s.run("declare c scroll cursor for select generate_series(1, 5)");
    EXPECT_EQ(s.run("fetch 2 from c"), "1\n2\nFETCH 2\n");
    EXPECT_EQ(s.run("fetch backward 5 from c"), "1\nFETCH 1\n");
    EXPECT_EQ(s.run("fetch last from c"), "5\nFETCH 1\n");
    EXPECT_EQ(s.run("move absolute 3 in c"), "MOVE 1\n");
    EXPECT_EQ(s.run("fetch next from c"), "4\nFETCH 1\n");
    s.run("declare h cursor with hold for select generate_series(1, 3)");
    s.run("commit");
    EXPECT_EQ(s.run("fetch c"), "34000 0: cursor \"c\" does not exist\n");
    EXPECT_EQ(s.run("fetch 2 from h"), "1\n2\nFETCH 2\n");
  });
}

TEST(SqlEngine, ExtendedProtocol) {
  in_session([](TestSession& s) {
    Engine& engine = s.engine();
    Oid int4 = 23;
    engine.parse("s", "select $1 + x from generate_series(1, 5) x", {&int4, 1});
    EXPECT_EQ(engine.statement_parameters("s").size(), 1u);
    EXPECT_EQ(engine.statement_columns("s")[0].name, "?column?");
    for (int round = 0; round < 3; ++round) {
      ParameterValue ten{"10"};
      engine.bind("", "s", {&ten, 1}, {});
      TextReceiver receiver;
      EXPECT_EQ(engine.execute("", 2, receiver).outcome, ExecuteOutcome::kSuspended);
      ExecuteResult rest = engine.execute("", 0, receiver);
      EXPECT_EQ(rest.outcome, ExecuteOutcome::kComplete);
      EXPECT_EQ(rest.tag, "SELECT 3");
      engine.sync();
      EXPECT_EQ(receiver.text, "11\n12\n13\n14\n15\n");
    }
  });
}

TEST(SqlEngine, DepthEndsInAnError) {
  in_session([](TestSession& s) {
    std::string sum = "select 1";
    for (int i = 0; i < 30'000; ++i) sum += "+1";
    EXPECT_EQ(s.run(sum), "54001 0: stack depth limit exceeded\n");
    std::string literal(1'000'000, 'x');
    EXPECT_EQ(s.run("select '" + literal + "'"), literal + "\nSELECT 1\n");
  });
}

}  // namespace
}  // namespace cofork
