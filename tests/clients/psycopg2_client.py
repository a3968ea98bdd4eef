"""psycopg2: what a Python program does with a server. Connection parameters come from PG…"""

import datetime
import decimal

import psycopg2
import psycopg2.errors
import psycopg2.extensions


def check(got, expected):
    assert got == expected, "expected %r, got %r" % (expected, got)


def main():
    connection = psycopg2.connect("")
    check(connection.server_version, 150018)
    check(connection.encoding, "UTF8")
    cursor = connection.cursor()

    cursor.execute("select 1, 'two', 3.50::numeric, null, true, date '2026-02-28'")
    check(cursor.fetchall(), [(1, "two", decimal.Decimal("3.50"), None, True, datetime.date(2026, 2, 28))])
    check([column.name for column in cursor.description][:2], ["?column?", "?column?"])

    cursor.execute("select %s::int + %s::int, %s", (40, 2, "it's \\ ünïcödé"))
    check(cursor.fetchone(), (42, "it's \\ ünïcödé"))

    cursor.execute("select i from generate_series(1, 1000) as t(i)")
    check(sum(row[0] for row in cursor), 500500)

    check(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_INTRANS)
    try:
        cursor.execute("select 1/0")
        raise AssertionError("division by zero went through")
    except psycopg2.errors.DivisionByZero as error:
        check(error.pgcode, "22012")
        check(error.diag.severity, "ERROR")
        check(error.diag.message_primary, "division by zero")
    check(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_INERROR)
    try:
        cursor.execute("select 1")
        raise AssertionError("a statement ran in an aborted transaction")
    except psycopg2.errors.InFailedSqlTransaction as error:
        check(error.pgcode, "25P02")
    connection.rollback()

    try:
        cursor.execute("select nothing")
        raise AssertionError("an unknown column was found")
    except psycopg2.errors.UndefinedColumn as error:
        check(error.diag.statement_position, "8")
    connection.rollback()

    cursor.execute("select pid = pg_backend_pid(), application_name from pg_stat_activity "
                   "where pid = %s", (connection.get_backend_pid(),))
    check(cursor.fetchone(), (True, ""))
    connection.close()

    named = psycopg2.connect("application_name=watcher options='-c work_mem=9MB'")
    named.autocommit = True
    cursor = named.cursor()
    cursor.execute("show work_mem")
    check(cursor.fetchone(), ("9MB",))
    cursor.execute("select current_setting('application_name')")
    check(cursor.fetchone(), ("watcher",))
    named.close()


main()
print("psycopg2", psycopg2.__version__, "ok")
