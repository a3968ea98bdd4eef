// Tables, end to end: rows in and out, constraints, COPY, row locks. Every flavour has to answer as
// the reference does.
#include <gtest/gtest.h>

#include <string>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

class Tables : public ServerTest {
 protected:
  /// The rows of a query, columns separated by "|", rows by a newline; an error as "SQLSTATE text".
  static std::string ask(Session& session, const std::string& sql) {
    Result result = session.query(sql);
    if (!result.ok) return result.sqlstate + " " + result.message;
    if (result.columns.empty()) return result.tag;
    std::string text;
    for (const auto& row : result.rows) {
      for (size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "|" : "") + row[i];
      text += "\n";
    }
    return text;
  }
};

TEST_P(Tables, RowsComeAndGo) {
  server.start();
  Session session(server);
  ASSERT_TRUE(session.connected()) << session.connect_error();
  EXPECT_EQ(ask(session, "create table t (a int primary key, b text default 'x', c numeric(6,2))"),
            "CREATE TABLE");
  EXPECT_EQ(ask(session, "insert into t (a, c) values (1, 1.5), (2, 2.25)"), "INSERT 0 2");
  EXPECT_EQ(ask(session, "insert into t values (3, null, default) returning a, b, c"),
            "3|<null>|<null>\n");
  EXPECT_EQ(ask(session, "select * from t order by a"), "1|x|1.50\n2|x|2.25\n3|<null>|<null>\n");
  EXPECT_EQ(ask(session, "update t set c = c + 1, b = b || a where a < 3 returning *"),
            "1|x1|2.50\n2|x2|3.25\n");
  EXPECT_EQ(ask(session, "select a from t where b = 'x2'"), "2\n");
  EXPECT_EQ(ask(session, "delete from t where a = 2"), "DELETE 1");
  EXPECT_EQ(ask(session, "select count(*), max(a) from t"), "2|3\n");
  EXPECT_EQ(ask(session, "drop table t"), "DROP TABLE");
  EXPECT_EQ(ask(session, "select * from t"), "42P01 relation \"t\" does not exist");
}

TEST_P(Tables, StatisticsLeadToPlans) {
  server.start();
  Session session(server);
  ask(session, "create table s (id int primary key, v int, t text)");
  ask(session, "insert into s select g, g % 10, 'text ' || g from generate_series(1, 1000) g");
  ask(session, "create index s_v on s (v)");
  EXPECT_EQ(ask(session, "analyze s"), "ANALYZE");
  EXPECT_EQ(ask(session, "select reltuples, relpages from pg_class where relname = 's'"),
            "1000|7\n");
  EXPECT_EQ(ask(session,
                "select stadistinct from pg_statistic where starelid = 's'::regclass "
                "order by staattnum"),
            "-1\n10\n-1\n");
  EXPECT_EQ(ask(session, "explain select * from s"),
            "Seq Scan on s  (cost=0.00..17.00 rows=1000 width=16)\n");
  EXPECT_EQ(ask(session, "explain select * from s where id = 5"),
            "Index Scan using s_pkey on s  (cost=0.28..8.29 rows=1 width=16)\n"
            "  Index Cond: (id = 5)\n");
  EXPECT_EQ(ask(session,
                "explain (analyze, costs off, timing off, summary off) "
                "select * from s where v = 3"),
            "Bitmap Heap Scan on s (actual rows=100 loops=1)\n"
            "  Recheck Cond: (v = 3)\n"
            "  Heap Blocks: exact=7\n"
            "  ->  Bitmap Index Scan on s_v (actual rows=100 loops=1)\n"
            "        Index Cond: (v = 3)\n");
  EXPECT_EQ(ask(session, "select count(*), sum(id) from s where v = 3"), "100|49800\n");
  // What is written after the visibility map was made is still seen.
  ask(session, "vacuum s");
  ask(session, "update s set id = 2000 where id = 7");
  EXPECT_EQ(ask(session, "explain (costs off) select id from s where id > 990"),
            "Index Only Scan using s_pkey on s\n  Index Cond: (id > 990)\n");
  EXPECT_EQ(ask(session, "select count(*), max(id) from s where id > 990"), "11|2000\n");
  EXPECT_EQ(ask(session, "select id from s where id = 7"), "");
}

TEST_P(Tables, LongValuesAreKept) {
  server.start();
  Session session(server);
  ask(session, "create table l (id int primary key, t text, b bytea)");
  // Random digits do not compress: they are moved out. A hundred thousand equal letters do.
  ask(session,
      "insert into l select g, (select string_agg(md5(g::text || i::text), '') "
      "from generate_series(1, 1000) i), null from generate_series(1, 3) g");
  EXPECT_EQ(ask(session, "insert into l values (4, repeat('a', 100000), 'short')"), "INSERT 0 1");
  std::string lengths =
      "select id, length(t), md5(t) = md5((select string_agg(md5(id::text || "
      "i::text), '') from generate_series(1, 1000) i)) from l order by id";
  EXPECT_EQ(ask(session, lengths), "1|32000|t\n2|32000|t\n3|32000|t\n4|100000|f\n");
  std::string chunks =
      "select pg_relation_size(reltoastrelid) from pg_class where oid = 'l'::regclass";
  EXPECT_EQ(ask(session, chunks), "106496\n");
  EXPECT_EQ(ask(session, "update l set b = 'x' where id = 1"), "UPDATE 1");
  EXPECT_EQ(ask(session, "update l set t = t || 'z' where id = 2"), "UPDATE 1");
  EXPECT_EQ(ask(session, "select right(t, 3), length(t) from l where id = 2").substr(2),
            "z|32001\n");
  ask(session, "begin");
  EXPECT_EQ(ask(session, "delete from l where id = 3"), "DELETE 1");
  ask(session, "rollback");
  EXPECT_EQ(ask(session, "select sum(length(t)) from l"), "196001\n");
  EXPECT_EQ(ask(session, "delete from l"), "DELETE 4");
  EXPECT_EQ(ask(session, "vacuum l"), "VACUUM");
  EXPECT_EQ(ask(session, chunks), "0\n");
  EXPECT_EQ(ask(session, "insert into l values (9, repeat('0123456789', 500000), null)"),
            "INSERT 0 1");
  EXPECT_EQ(ask(session, "select length(t), substr(t, 4999991) from l"), "5000000|0123456789\n");
  EXPECT_EQ(ask(session, "drop table l"), "DROP TABLE");
}

TEST_P(Tables, SubSelectsAreJoined) {
  server.start();
  Session session(server);
  ask(session, "create table o (id int, v int)");
  ask(session, "create table i (k int, w int)");
  ask(session, "insert into o select g, g % 7 from generate_series(1, 500) g");
  ask(session, "insert into o values (null, 1)");
  ask(session, "insert into i select g, g from generate_series(1, 100) g");
  ask(session, "analyze o");
  ask(session, "analyze i");
  EXPECT_EQ(ask(session, "explain (costs off) select * from o where id in (select k from i)"),
            "Hash Semi Join\n  Hash Cond: (o.id = i.k)\n  ->  Seq Scan on o\n  ->  Hash\n"
            "        ->  Seq Scan on i\n");
  EXPECT_EQ(ask(session, "select count(*), sum(id) from o where id in (select k from i)"),
            "100|5050\n");
  EXPECT_EQ(ask(session,
                "select count(*) from o where exists "
                "(select 1 from i where k = o.id and w > o.id - 5 and w < 50)"),
            "49\n");
  EXPECT_EQ(ask(session,
                "select count(*) from o where not exists "
                "(select 1 from i where i.k = o.id)"),
            "401\n");
  EXPECT_EQ(ask(session,
                "explain (costs off) select * from o where not exists "
                "(select 1 from i where i.k = o.id and i.w > 5)"),
            "Hash Anti Join\n  Hash Cond: (o.id = i.k)\n  ->  Seq Scan on o\n  ->  Hash\n"
            "        ->  Seq Scan on i\n              Filter: (w > 5)\n");
  EXPECT_EQ(ask(session, "delete from o where exists (select from i where k = id) and v = 3"),
            "DELETE 14");
  EXPECT_EQ(ask(session, "select count(*) from o where id not in (select k from i)"), "400\n");
}

/// A filtered scan shows a row in two steps: what the condition reads, and the rest if it passes.
TEST_P(Tables, FilteredRowsAreComplete) {
  server.start();
  Session session(server);
  ask(session, "create table f (a int, b text, c int[], d int, e text)");
  ask(session,
      "insert into f values (1, 'one', '{1,2}', 10, 'x'), (2, null, null, 20, null), "
      "(3, 'three', '{}', null, 'z')");
  EXPECT_EQ(ask(session, "select * from f where a > 1"),
            "2|<null>|<null>|20|<null>\n"
            "3|three|{}|<null>|z\n");
  EXPECT_EQ(ask(session, "select a, e, ctid from f where b is not null"), "1|x|(0,1)\n3|z|(0,3)\n");
  EXPECT_EQ(ask(session, "select a from f where c[2] = 2 and ctid = '(0,1)'"), "1\n");
  EXPECT_EQ(ask(session, "select e from f where exists (select 1 from f g where g.d = f.d + 10)"),
            "x\n");
  EXPECT_EQ(ask(session, "select f.e, g.a from f, f g where f.a = 1 and g.d > 10 and g.a > f.a"),
            "x|2\n");
  EXPECT_EQ(ask(session, "update f set e = b, a = a + 10 where a = 3 returning *"),
            "13|three|{}|<null>|three\n");
  ask(session, "alter table f add column g int default 7");
  EXPECT_EQ(ask(session, "select g, d from f where d = 20"), "7|20\n");
  EXPECT_EQ(ask(session, "select a from f where g = 7 and e is null"), "2\n");
}

TEST_P(Tables, ConstraintsHold) {
  server.start();
  Session session(server);
  ask(session, "create table p (id int primary key)");
  ask(session,
      "create table c (id int primary key, p int references p on delete cascade, "
      "n int not null check (n > 0))");
  ask(session, "insert into p values (1), (2)");
  EXPECT_EQ(ask(session, "insert into c values (1, 1, 5)"), "INSERT 0 1");
  EXPECT_EQ(ask(session, "insert into c values (1, 1, 5)"),
            "23505 duplicate key value violates unique constraint \"c_pkey\"");
  EXPECT_EQ(ask(session, "insert into c values (2, 9, 5)"),
            "23503 insert or update on table \"c\" violates foreign key constraint \"c_p_fkey\"");
  EXPECT_EQ(ask(session, "insert into c values (2, 1, null)"),
            "23502 null value in column \"n\" of relation \"c\" violates not-null constraint");
  EXPECT_EQ(ask(session, "insert into c values (2, 1, 0)"),
            "23514 new row for relation \"c\" violates check constraint \"c_n_check\"");
  EXPECT_EQ(ask(session, "delete from p where id = 1"), "DELETE 1");
  EXPECT_EQ(ask(session, "select count(*) from c"), "0\n");
  EXPECT_EQ(ask(session, "insert into p values (2) on conflict do nothing"), "INSERT 0 0");
  ask(session, "drop table c, p");
}

TEST_P(Tables, TransactionsAreIsolated) {
  server.start();
  Session writer(server), reader(server);
  ask(writer, "create table iso (a int primary key, b int)");
  ask(writer, "insert into iso values (1, 0)");
  ask(writer, "begin");
  ask(writer, "update iso set b = 1");
  EXPECT_EQ(ask(reader, "select b from iso"), "0\n");
  EXPECT_EQ(ask(reader, "select b from iso for update nowait"),
            "55P03 could not obtain lock on row in relation \"iso\"");
  EXPECT_EQ(ask(reader, "select b from iso for update skip locked"), "");
  // A second update waits, and goes on from the newest version.
  ASSERT_TRUE(reader.send("update iso set b = b + 10 returning b"));
  EXPECT_FALSE(reader.answer_is_ready(std::chrono::milliseconds(100)));
  ask(writer, "commit");
  Result result = reader.collect();
  ASSERT_TRUE(result.ok) << result.message;
  EXPECT_EQ(result.first(), "11");
  ask(writer, "begin");
  ask(writer, "savepoint s");
  ask(writer, "insert into iso values (2, 2)");
  ask(writer, "rollback to s");
  ask(writer, "commit");
  EXPECT_EQ(ask(writer, "select count(*) from iso"), "1\n");
  ask(writer, "drop table iso");
}

TEST_P(Tables, CopyMovesRows) {
  server.start();
  Session session(server);
  ask(session, "create table cp (a int, b text)");
  PGconn* raw = session.raw();
  PGresult* begun = PQexec(raw, "copy cp from stdin");
  ASSERT_EQ(PQresultStatus(begun), PGRES_COPY_IN);
  PQclear(begun);
  std::string data = "1\tone\\ttab\n2\t\\N\n3\tba\\\\ck\n";
  for (char c : data) ASSERT_EQ(PQputCopyData(raw, &c, 1), 1);
  ASSERT_EQ(PQputCopyEnd(raw, nullptr), 1);
  EXPECT_EQ(session.collect().tag, "COPY 3");
  EXPECT_EQ(ask(session, "select b from cp where a = 1"), "one\ttab\n");
  EXPECT_EQ(ask(session, "select a from cp where b is null"), "2\n");
  EXPECT_EQ(ask(session, "select b from cp where a = 3"), "ba\\ck\n");
  ask(session, "drop table cp");
}

INSTANTIATE_FOR_ALL_FLAVORS(Tables);

}  // namespace
}  // namespace cofork::test
