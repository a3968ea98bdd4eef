// node-postgres: simple, parameterised and named prepared statements, errors, a pool.
const assert = require('node:assert/strict');
const { Client, Pool } = require('pg');

async function main() {
  const client = new Client({ application_name: 'node' });
  await client.connect();

  // Simple protocol, several statements in one message.
  const results = await client.query("select 1 as one; select 'zwei' as two");
  assert.deepEqual(results[0].rows, [{ one: 1 }]);
  assert.deepEqual(results[1].rows, [{ two: 'zwei' }]);

  // Parameterised: Parse, Bind, Describe, Execute, Sync with an unnamed statement.
  const sum = await client.query('select $1::int + $2::int as sum, $3::text as text', [40, 2, "it's"]);
  assert.deepEqual(sum.rows, [{ sum: 42, text: "it's" }]);
  assert.deepEqual(sum.fields.map((field) => field.dataTypeID), [23, 25]);
  const nothing = await client.query('select $1::text as value', [null]);
  assert.deepEqual(nothing.rows, [{ value: null }]);

  // Named: parsed once, bound three times.
  for (const n of [1, 2, 3]) {
    const square = await client.query({ name: 'square', text: 'select $1::int * $1::int as n', values: [n] });
    assert.deepEqual(square.rows, [{ n: n * n }]);
  }

  // After an error the session goes on, inside a transaction only with rollback.
  await assert.rejects(client.query('select 1/$1::int', [0]), { code: '22012', message: 'division by zero' });
  assert.equal((await client.query('select 5 as five')).rows[0].five, 5);
  await client.query('begin');
  await assert.rejects(client.query("select 'x'::int"), { code: '22P02' });
  await assert.rejects(client.query('select 1'), { code: '25P02' });
  await client.query('rollback');

  const rows = (await client.query('select i from generate_series(1, $1::int) as t(i)', [2000])).rows;
  assert.equal(rows.length, 2000);
  assert.equal(rows[1999].i, 2000);
  await client.end();

  // Many at once, each through a connection of its own.
  const pool = new Pool({ max: 10 });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => pool.query('select $1::int as i, pg_sleep(0.001)', [i])));
  assert.deepEqual(answers.map((answer) => answer.rows[0].i), Array.from({ length: 100 }, (_, i) => i));
  await pool.end();
  console.log('node-postgres ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
