// Functions over windows: what they compute, over which frames, and what is refused.
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

TEST(SqlWindow, RanksAndTiles) {
  check({
      {"select x, row_number() over w, rank() over w, dense_rank() over w, percent_rank() over w, "
       "cume_dist() over w, ntile(2) over w from (values (10), (20), (20), (30)) v(x) "
       "window w as (order by x)",
       "10|1|1|1|0|0.25|1\n20|2|2|2|0.3333333333333333|0.75|1\n"
       "20|3|2|2|0.3333333333333333|0.75|2\n30|4|4|3|1|1|2\nSELECT 4\n"},
      {"select x, x % 2, row_number() over (partition by x % 2 order by x desc) "
       "from generate_series(1, 5) x order by x",
       "1|1|3\n2|0|2\n3|1|2\n4|0|1\n5|1|1\nSELECT 5\n"},
      {"select ntile(3) over (order by x) from generate_series(1, 7) x",
       "1\n1\n1\n2\n2\n3\n3\nSELECT 7\n"},
      {"select ntile(9) over (order by x) from generate_series(1, 2) x", "1\n2\nSELECT 2\n"},
      {"select percent_rank() over (order by 1), rank() over ()", "0|1\nSELECT 1\n"},
      {"select row_number() over () from generate_series(1, 0)", "SELECT 0\n"},
  });
}

TEST(SqlWindow, OtherRows) {
  check({
      {"select x, lag(x) over w, lead(x, 2) over w, lag(x, 1, -1) over w, lead(x, 0) over w, "
       "lag(x, -1) over w, lag(x, null) over w from generate_series(1, 3) x window w as (order by "
       "x)",
       "1||3|-1|1|2|\n2|1||1|2|3|\n3|2||2|3||\nSELECT 3\n"},
      {"select lag(x, 1, 0.5) over (order by x) from generate_series(1, 2) x",
       "0.5\n1\nSELECT 2\n"},
      {"select first_value(x) over w, last_value(x) over w, nth_value(x, 2) over w "
       "from generate_series(1, 3) x window w as (order by x)",
       "1|1|\n1|2|2\n1|3|2\nSELECT 3\n"},
      {"select last_value(x) over (partition by x > 2) from generate_series(1, 4) x order by x",
       "2\n2\n4\n4\nSELECT 4\n"},
      {"select first_value(n) over (order by n nulls first) from (values ('b'), (null), ('a')) "
       "v(n)",
       "\n\n\nSELECT 3\n"},
  });
}

TEST(SqlWindow, Frames) {
  const char* base =
      "select x, array_agg(x) over (order by x $) from (values (1), (2), (2), (4), (7)) v(x)";
  auto sql = [&](std::string_view frame) {
    std::string text(base);
    text.replace(text.find('$'), 1, frame);
    return text;
  };
  in_session([&](TestSession& s) {
    for (Case c : {
             Case{"", "1|{1}\n2|{1,2,2}\n2|{1,2,2}\n4|{1,2,2,4}\n7|{1,2,2,4,7}\nSELECT 5\n"},
             {"rows between 1 preceding and 1 following",
              "1|{1,2}\n2|{1,2,2}\n2|{2,2,4}\n4|{2,4,7}\n7|{4,7}\nSELECT 5\n"},
             {"rows between unbounded preceding and 1 preceding",
              "1|\n2|{1}\n2|{1,2}\n4|{1,2,2}\n7|{1,2,2,4}\nSELECT 5\n"},
             {"rows between 2 following and unbounded following",
              "1|{2,4,7}\n2|{4,7}\n2|{7}\n4|\n7|\nSELECT 5\n"},
             {"rows 1 preceding", "1|{1}\n2|{1,2}\n2|{2,2}\n4|{2,4}\n7|{4,7}\nSELECT 5\n"},
             {"range between 2 preceding and 1 following",
              "1|{1,2,2}\n2|{1,2,2}\n2|{1,2,2}\n4|{2,2,4}\n7|{7}\nSELECT 5\n"},
             {"range between current row and 3 following",
              "1|{1,2,2,4}\n2|{2,2,4}\n2|{2,2,4}\n4|{4,7}\n7|{7}\nSELECT 5\n"},
             {"groups between 1 preceding and current row",
              "1|{1}\n2|{1,2,2}\n2|{1,2,2}\n4|{2,2,4}\n7|{4,7}\nSELECT 5\n"},
             {"groups between 1 following and 2 following",
              "1|{2,2,4}\n2|{4,7}\n2|{4,7}\n4|{7}\n7|\nSELECT 5\n"},
             {"rows between unbounded preceding and unbounded following exclude current row",
              "1|{2,2,4,7}\n2|{1,2,4,7}\n2|{1,2,4,7}\n4|{1,2,2,7}\n7|{1,2,2,4}\nSELECT 5\n"},
             {"rows between unbounded preceding and unbounded following exclude group",
              "1|{2,2,4,7}\n2|{1,4,7}\n2|{1,4,7}\n4|{1,2,2,7}\n7|{1,2,2,4}\nSELECT 5\n"},
             {"rows between unbounded preceding and unbounded following exclude ties",
              "1|{1,2,2,4,7}\n2|{1,2,4,7}\n2|{1,2,4,7}\n4|{1,2,2,4,7}\n7|{1,2,2,4,7}\nSELECT 5\n"},
         }) {
      EXPECT_EQ(s.run(sql(c.sql)), c.expected) << c.sql;
    }
  });
}

TEST(SqlWindow, RangesOfOtherTypesAndDirections) {
  check({
      {"select x, sum(x) over (order by x desc range between 1 preceding and 1 following) "
       "from generate_series(1, 4) x",
       "4|7\n3|9\n2|6\n1|3\nSELECT 4\n"},
      {"select x, count(*) over (order by x nulls first range between 1 preceding and 1 following) "
       "from (values (1), (null), (2), (null)) v(x)",
       "|2\n|2\n1|2\n2|2\nSELECT 4\n"},
      {"select x, count(*) over (order by x range 1 preceding) from (values (1), (null), (2)) v(x)",
       "1|1\n2|2\n|1\nSELECT 3\n"},
      {"select d, count(*) over (order by d range between '1 month' preceding and current row) "
       "from (values (date '2024-01-31'), ('2024-02-29'), ('2024-05-01')) v(d)",
       "2024-01-31|1\n2024-02-29|2\n2024-05-01|1\nSELECT 3\n"},
      {"select x, count(*) over (order by x range between 0.5 preceding and current row) "
       "from (values (1.0), (1.5), (2.1)) v(x)",
       "1.0|1\n1.5|2\n2.1|1\nSELECT 3\n"},
      {"select x, count(*) over (order by x range between current row and 9223372036854775807 "
       "following) from (values (9223372036854775806), (9223372036854775807)) v(x)",
       "9223372036854775806|2\n9223372036854775807|1\nSELECT 2\n"},
  });
}

TEST(SqlWindow, AggregatesAndGroups) {
  check({
      {"select x, sum(x) over (order by x), count(*) over (), avg(x) over (partition by x % 2), "
       "max(x) filter (where x < 3) over (order by x) from generate_series(1, 4) x order by x",
       "1|1|4|2.0000000000000000|1\n2|3|4|3.0000000000000000|2\n3|6|4|2.0000000000000000|2\n"
       "4|10|4|3.0000000000000000|2\nSELECT 4\n"},
      {"select x % 2, sum(x), sum(sum(x)) over (), rank() over (order by sum(x)) "
       "from generate_series(1, 5) x group by x % 2 order by 1",
       "0|6|15|1\n1|9|15|2\nSELECT 2\n"},
      {"select string_agg(n, '-') over (order by n) from (values ('b'), ('a'), ('c')) v(n)",
       "a\na-b\na-b-c\nSELECT 3\n"},
      {"select x from (select x, row_number() over (partition by x % 3 order by x desc) r "
       "from generate_series(1, 9) x) s where r = 1 order by x",
       "7\n8\n9\nSELECT 3\n"},
      {"select sum(x) over w1, sum(x) over w2 from generate_series(1, 3) x "
       "window w1 as (order by x), w2 as (w1 rows unbounded preceding)",
       "1|1\n3|3\n6|6\nSELECT 3\n"},
      {"select max(n) over (order by n rows between 1 preceding and current row) "
       "from (values ('b'), ('aa'), ('c')) v(n)",
       "aa\nb\nc\nSELECT 3\n"},
      {"select g, (select sum(v) over () from (values (g)) t(v)) from generate_series(1, 2) g",
       "1|1\n2|2\nSELECT 2\n"},
      {"select distinct count(*) over (partition by x % 2) from generate_series(1, 3) x order by 1",
       "1\n2\nSELECT 2\n"},
  });
}

TEST(SqlWindow, WhatIsRefused) {
  check({
      {"select rank()", "42809 8: window function rank requires an OVER clause\n"},
      {"select 1 where row_number() over () = 1",
       "42P20 16: window functions are not allowed in WHERE\n"},
      {"select 1 group by rank() over ()",
       "42P20 19: window functions are not allowed in GROUP BY\n"},
      {"select sum(rank() over ()) over ()", "42P20 12: window function calls cannot be nested\n"},
      {"select sum(rank() over ())",
       "42803 12: aggregate function calls cannot contain window function calls\n"},
      {"select sum(1) over w", "42704 20: window \"w\" does not exist\n"},
      {"select 1 window w as (), w as ()", "42P20 31: window \"w\" is already defined\n"},
      {"select count(distinct 1) over ()",
       "0A000 8: DISTINCT is not implemented for window functions\n"},
      {"select abs(1) over ()",
       "42809 8: OVER specified, but abs is not a window function nor an aggregate function\n"},
      {"select rank() filter (where true) over ()",
       "0A000 8: FILTER is not implemented for non-aggregate window functions\n"},
      {"select sum(x) over (order by x rows x preceding) from generate_series(1, 2) x",
       "42P10 37: argument of ROWS must not contain variables\n"},
      {"select sum(x) over (order by x rows -1 preceding) from generate_series(1, 2) x",
       "22013 0: frame starting offset must not be negative\n"},
      {"select sum(x) over (order by x rows null preceding) from generate_series(1, 2) x",
       "22004 0: frame starting offset must not be null\n"},
      {"select sum(x) over (order by x range -1 preceding) from generate_series(1, 2) x",
       "22013 0: invalid preceding or following size in window function\n"},
      {"select sum(x) over (range 1 preceding) from generate_series(1, 2) x",
       "42P20 20: RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column\n"},
      {"select sum(x) over (groups 1 preceding) from generate_series(1, 2) x",
       "42P20 20: GROUPS mode requires an ORDER BY clause\n"},
      {"select ntile(0) over () from generate_series(1, 2)",
       "22014 0: argument of ntile must be greater than zero\n"},
      {"select nth_value(1, 0) over () from generate_series(1, 2)",
       "22016 0: argument of nth_value must be greater than zero\n"},
      {"select sum(1) over (w rows 1 preceding) from generate_series(1, 2) window w as (rows 1 "
       "preceding)",
       "42P20 20: cannot copy window \"w\" because it has a frame clause\n"},
  });
}

}  // namespace
}  // namespace cofork
