// JDBC: the settings the driver sends at start-up, statements, prepared statements that become named
// after five executions, batches of rows through a portal, errors, transactions.
import java.sql.*;
import java.util.Properties;

public class JdbcClient {
  static void check(Object got, Object expected) {
    if (!expected.equals(got)) throw new AssertionError("expected " + expected + ", got " + got);
  }

  public static void main(String[] arguments) throws Exception {
    String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
        + System.getenv("PGDATABASE");
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("ApplicationName", "jdbc");
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      check(connection.getMetaData().getDatabaseMajorVersion(), 15);
      try (Statement statement = connection.createStatement();
           ResultSet rows = statement.executeQuery("select 1, 'two', 2.5::float8, true")) {
        rows.next();
        check(rows.getInt(1), 1);
        check(rows.getString(2), "two");
        check(rows.getDouble(3), 2.5);
        check(rows.getBoolean(4), true);
      }
      // From the sixth execution on the statement has a name, and results come in binary.
      try (PreparedStatement statement = connection.prepareStatement("select ? + 1, ?::text")) {
        for (int i = 0; i < 12; i++) {
          statement.setInt(1, i);
          statement.setString(2, "row " + i);
          try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            check(rows.getInt(1), i + 1);
            check(rows.getString(2), "row " + i);
          }
        }
      }
      try (Statement statement = connection.createStatement()) {
        statement.executeQuery("select 1/0");
        throw new AssertionError("division by zero went through");
      } catch (SQLException error) {
        check(error.getSQLState(), "22012");
      }
      // In a transaction with a fetch size the driver reads through a portal, fifty rows at a time.
      connection.setAutoCommit(false);
      try (PreparedStatement statement =
               connection.prepareStatement("select i from generate_series(1, 1000) as t(i)")) {
        statement.setFetchSize(50);
        long sum = 0;
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) sum += rows.getInt(1);
        }
        check(sum, 500500L);
      }
      connection.commit();
      try (Statement statement = connection.createStatement()) {
        statement.executeQuery("select 'x'::int");
        throw new AssertionError("nonsense was taken for a number");
      } catch (SQLException error) {
        check(error.getSQLState(), "22P02");
      }
      connection.rollback();
      try (Statement statement = connection.createStatement();
           ResultSet rows = statement.executeQuery(
               "select application_name from pg_stat_activity where pid = pg_backend_pid()")) {
        rows.next();
        check(rows.getString(1), "jdbc");
      }
    }
    System.out.println("JDBC ok");
  }
}
