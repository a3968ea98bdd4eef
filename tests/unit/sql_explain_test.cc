// The cost model against figures of PostgreSQL 15's, and EXPLAIN's forms: tests of explain.h,
// cost.h.
#include <gtest/gtest.h>

#include <cmath>

#include "sql/cost.h"
#include "sql_session.h"

namespace cofork {
namespace {

/// To two decimals, as EXPLAIN shows it.
double shown(double cost) {
  return std::round(cost * 100) / 100;
}

TEST(SqlExplain, CostsArePostgres) {
  in_session([](TestSession&) {
    CostModel cost;
    // Figures: EXPLAIN of PostgreSQL 15 for a table of 1000 rows on 7 pages, keys on 5.
    PlanEstimate scan = cost.sequential_scan(7, 1000, 1000, 0);
    EXPECT_EQ(shown(scan.total), 17.00);
    IndexSizes sizes{1000, 5, 1};
    IndexAccess one = cost.index_access(sizes, 1, 1, 1, 0, 1);
    one.selectivity = 0.001;
    one.correlation = 1;
    PlanEstimate lookup = cost.index_scan(one, 7, 1000, 1, 0, 1, 0);
    EXPECT_EQ(shown(lookup.startup), 0.28);
    EXPECT_EQ(shown(lookup.total), 8.29);
    PlanEstimate groups = cost.aggregate(scan, true, 1, 10, 0.0025, 0);
    EXPECT_EQ(shown(groups.startup), 22.00);
    EXPECT_EQ(shown(groups.total), 22.10);
    PlanEstimate sorted = cost.sort(groups, 1, -1);
    EXPECT_EQ(shown(sorted.startup), 22.27);
    EXPECT_EQ(shown(sorted.total), 22.29);
    // Half of the rows cost half of the way from the first to the last.
    PlanEstimate half = cost.limit(scan, 0, 500);
    EXPECT_EQ(shown(half.total), 8.50);
    EXPECT_EQ(half.rows, 500);
  });
}

TEST(SqlExplain, PlansInText) {
  in_session([](TestSession& session) {
    EXPECT_EQ(session.run("explain (costs off) select 1 where false"),
              "Result\n  One-Time Filter: false\nEXPLAIN\n");
    EXPECT_EQ(
        session.run("explain select * from generate_series(1, 3) g where g > 1 order by g desc"),
        "Sort  (cost=0.05..0.06 rows=1 width=4)\n"
        "  Sort Key: g DESC\n"
        "  ->  Function Scan on generate_series g  (cost=0.00..0.04 rows=1 width=4)\n"
        "        Filter: (g > 1)\nEXPLAIN\n");
    EXPECT_EQ(session.run("explain (costs off, format json) select 1"),
              "[\n  {\n    \"Plan\": {\n      \"Node Type\": \"Result\",\n"
              "      \"Parallel Aware\": false,\n      \"Async Capable\": false\n    }\n  }\n]\n"
              "EXPLAIN\n");
  });
}

TEST(SqlExplain, Options) {
  in_session([](TestSession& session) {
    EXPECT_EQ(session.run("explain (bogus) select 1"),
              "42601 10: unrecognized EXPLAIN option \"bogus\"\n");
    EXPECT_EQ(session.run("explain (timing) select 1"),
              "22023 0: EXPLAIN option TIMING requires ANALYZE\n");
    EXPECT_EQ(session.run("explain (format xml) select 1"),
              "0A000 0: EXPLAIN option FORMAT XML is not supported\n");
  });
}

}  // namespace
}  // namespace cofork
