// Starting: the log of a clean start, the lock files, and every way a start is refused.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

namespace fs = std::filesystem;

class StartupTest : public ServerTest {
 protected:
  /// Starts a server that must refuse; what it said and its exit code.
  CommandResult start_refused(const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {server.program("postgres")};
    for (const std::string& argument : server.server_arguments()) command.push_back(argument);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, {"LC_ALL=C"});
  }
  CommandResult start_refused_here(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"-D", server.data()});
    return start_refused(more);
  }
  /// The messages without timestamps and pids.
  static std::string messages(const std::string& text) {
    std::string result;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      const size_t bracket = line.find("] ");
      if (line[0] == '2' && bracket != std::string::npos) line = line.substr(bracket + 2);
      result += line + "\n";
      begin = end + 1;
    }
    return result;
  }
};

TEST_P(StartupTest, CleanStartLog) {
  const int port = free_tcp_port();
  server.configure("listen_addresses = '127.0.0.1'\nport = " + std::to_string(port) + "\n");
  server.start();
  EXPECT_TRUE(server.log_has_in_order({
      "LOG:  starting PostgreSQL 15.18 (",
      "LOG:  listening on IPv4 address \"127.0.0.1\", port " + std::to_string(port) + "\n",
      "LOG:  listening on Unix socket \"" + server.directory() + "/.s.PGSQL." +
          std::to_string(port) + "\"\n",
      "LOG:  database system was shut down at ",
      "LOG:  database system is ready to accept connections\n",
  }));
  EXPECT_EQ(server.log_lines().front().pid, server.pid());
  EXPECT_EQ(server.log_lines().back().pid, server.pid());
}

TEST_P(StartupTest, LockFilesAndOptionFile) {
  server.start();
  const std::string pid_file = read_file(server.data() + "/postmaster.pid");
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < pid_file.size();) {
    const size_t end = pid_file.find('\n', begin);
    lines.push_back(pid_file.substr(begin, end - begin));
    begin = end + 1;
  }
  ASSERT_EQ(lines.size(), 8u) << pid_file;
  EXPECT_EQ(lines[0], std::to_string(server.pid()));
  EXPECT_EQ(lines[1], server.data());
  EXPECT_GT(std::stol(lines[2]), 1700000000);
  EXPECT_EQ(lines[3], "5432");
  EXPECT_EQ(lines[4], server.directory());
  EXPECT_EQ(lines[5], "");
  EXPECT_EQ(lines[6].size(), 19u) << "two numbers of nine characters";
  EXPECT_EQ(lines[7], "ready   ");
  struct stat st {};
  ASSERT_EQ(::stat((server.data() + "/postmaster.pid").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);

  const std::string socket_lock = read_file(server.socket_path() + ".lock");
  EXPECT_EQ(socket_lock, lines[0] + "\n" + lines[1] + "\n" + lines[2] + "\n" + lines[3] + "\n" +
                             lines[4] + "\n");
  ASSERT_EQ(::stat(server.socket_path().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0777u);
  EXPECT_NE(read_file(server.data() + "/postmaster.opts").find(" \"-D\" \"" + server.data() + "\""),
            std::string::npos);

  EXPECT_EQ(server.stop(SIGINT), 0);
  EXPECT_FALSE(fs::exists(server.data() + "/postmaster.pid"));
  EXPECT_FALSE(fs::exists(server.socket_path()));
  EXPECT_FALSE(fs::exists(server.socket_path() + ".lock"));
}

TEST_P(StartupTest, SecondServerOnTheSameDirectory) {
  server.start();
  const CommandResult second = start_refused_here();
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(messages(second.err),
            "FATAL:  lock file \"postmaster.pid\" already exists\n"
            "HINT:  Is another postmaster (PID " +
                std::to_string(server.pid()) + ") running in data directory \"" + server.data() +
                "\"?\n");
  EXPECT_EQ(server.value("select 1"), "1") << "the first one is undisturbed";
}

TEST_P(StartupTest, StaleAndEmptyLockFiles) {
  write_file(server.data() + "/postmaster.pid", "");
  CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(
      messages(refused.err),
      "FATAL:  lock file \"postmaster.pid\" is empty\n"
      "HINT:  Either another server is starting, or the lock file is the remnant of a previous "
      "server startup crash.\n");
  write_file(server.data() + "/postmaster.pid", "4194303\n" + server.data() + "\n");
  server.start();
  EXPECT_EQ(server.value("select 1"), "1");
}

TEST_P(StartupTest, WrongDirectories) {
  const std::string missing = server.directory() + "/missing";
  CommandResult refused = start_refused({"-D", missing});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err,
            "postgres: could not access directory \"" + missing +
                "\": No such file or directory\n"
                "Run initdb or pg_basebackup to initialize a PostgreSQL data directory.\n");

  refused = start_refused({});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err,
            "postgres does not know where to find the server configuration file.\n"
            "You must specify the --config-file or -D invocation option or set the PGDATA "
            "environment variable.\n");

  fs::create_directory(missing);
  refused = start_refused({"-D", missing});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err, "postgres: could not access the server configuration file \"" + missing +
                             "/postgresql.conf\": No such file or directory\n");

  write_file(missing + "/postgresql.conf", "");
  fs::permissions(missing, fs::perms::owner_all);
  refused = start_refused({"-D", missing});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(messages(refused.err)
                .find("FATAL:  \"" + missing +
                      "\" is not a valid data directory\n"
                      "DETAIL:  File \"" +
                      missing + "/PG_VERSION\" is missing.\n"),
            std::string::npos)
      << refused.err;
}

TEST_P(StartupTest, WrongPermissionsAndVersion) {
  fs::permissions(server.data(), fs::perms(0755));
  CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(messages(refused.err),
            "FATAL:  data directory \"" + server.data() +
                "\" has invalid permissions\n"
                "DETAIL:  Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).\n");
  fs::permissions(server.data(), fs::perms(0700));

  write_file(server.data() + "/PG_VERSION", "9.6\n");
  refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(
      messages(refused.err)
          .find(
              "FATAL:  database files are incompatible with server\n"
              "DETAIL:  The data directory was initialized by PostgreSQL version 9.6, which is not "
              "compatible with this version 15.18"),
      std::string::npos)
      << refused.err;
}

TEST_P(StartupTest, MissingOrBrokenControlFile) {
  const std::string path = server.data() + "/global/pg_control";
  const std::string control = read_file(path);
  fs::remove(path);
  CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err,
            "postgres: could not find the database system\n"
            "Expected to find it in the directory \"" +
                server.data() +
                "\",\n"
                "but could not open file \"" +
                path + "\": No such file or directory\n");
  std::string broken = control;
  broken[24] ^= 1;
  write_file(path, broken);
  refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_EQ(messages(refused.err),
            "FATAL:  incorrect checksum in control file\nLOG:  database system is shut down\n");
}

TEST_P(StartupTest, BadSettings) {
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    std::string message;
  } kCases[] = {
      {{"-c", "shared_buffers=abc"},
       1,
       "FATAL:  invalid value for parameter \"shared_buffers\": \"abc\"\n"},
      {{"-c", "nosuchguc=1"}, 1, "FATAL:  unrecognized configuration parameter \"nosuchguc\"\n"},
      {{"-c", "port=70000"},
       1,
       "FATAL:  70000 is outside the valid range for parameter \"port\" (1 .. 65535)\n"},
      {{"-c", "wal_level=nope"},
       1,
       "FATAL:  invalid value for parameter \"wal_level\": \"nope\"\n"
       "HINT:  Available values: minimal, replica, logical.\n"},
      {{"-c", "max_connections=3"},
       1,
       "postgres: superuser_reserved_connections (3) must be less than max_connections (3)\n"},
      {{"-c", "archive_mode=on", "-c", "wal_level=minimal", "-c", "max_wal_senders=0"},
       1,
       "FATAL:  WAL archival cannot be enabled when wal_level is \"minimal\"\n"},
      {{"-c", "wal_level=minimal"},
       1,
       "FATAL:  WAL streaming (max_wal_senders > 0) requires wal_level \"replica\" or "
       "\"logical\"\n"},
      {{"leftover"},
       1,
       "postgres: invalid argument: \"leftover\"\n"
       "Try \"postgres --help\" for more information.\n"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.message);
    const CommandResult refused = start_refused_here(test.arguments);
    EXPECT_EQ(refused.exit_code, test.exit_code);
    EXPECT_EQ(messages(refused.err), test.message);
  }
}

TEST_P(StartupTest, BadConfigurationFile) {
  const std::string path = server.data() + "/postgresql.conf";
  const std::string fatal = "FATAL:  configuration file \"" + path + "\" contains errors\n";
  const struct {
    std::string text, message;
  } kCases[] = {
      {"work_mem = 'nonsense'\n", "LOG:  invalid value for parameter \"work_mem\": \"nonsense\"\n"},
      // Unknown names are found before any value is looked at.
      {"work_mem = 'nonsense'\nno_such_thing = on\n",
       "LOG:  unrecognized configuration parameter \"no_such_thing\" in file \"" + path +
           "\" line 2\n"},
      {"work_mem = 4MB\nthis is not a setting at all\n",
       "LOG:  syntax error in file \"" + path + "\" line 2, near token \"not\"\n"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    write_file(path, test.text);
    const CommandResult refused = start_refused_here();
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(messages(refused.err), test.message + fatal);
  }
}

TEST_P(StartupTest, BadHostBasedAuthenticationFile) {
  const std::string path = server.data() + "/pg_hba.conf";
  write_file(path, "garbage all all trust\n");
  const CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  const std::string said = messages(refused.err);
  EXPECT_NE(said.find("LOG:  invalid connection type \"garbage\"\n"
                      "CONTEXT:  line 1 of configuration file \"" +
                      path +
                      "\"\n"
                      "FATAL:  could not load pg_hba.conf\n"
                      "LOG:  database system is shut down\n"),
            std::string::npos)
      << said;
}

TEST_P(StartupTest, TakenTcpPort) {
  Server other(GetParam());
  const int port = free_tcp_port();
  const std::string tcp = "listen_addresses = '127.0.0.1'\nport = " + std::to_string(port) + "\n";
  other.configure(tcp);
  other.start();
  server.configure(tcp + "unix_socket_directories = ''\n");
  const CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  const std::string said = messages(refused.err);
  const std::string expected =
      "LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use\n"
      "HINT:  Is another postmaster already running on port " +
      std::to_string(port) +
      "? If not, wait a few seconds and retry.\n"
      "WARNING:  could not create listen socket for \"127.0.0.1\"\n"
      "FATAL:  could not create any TCP/IP sockets\n"
      "LOG:  database system is shut down\n";
  EXPECT_NE(said.find(expected), std::string::npos) << said;
}

TEST_P(StartupTest, TakenUnixSocket) {
  Server other(GetParam());
  other.start();
  server.configure("unix_socket_directories = '" + other.directory() + "'\n");
  const CommandResult refused = start_refused_here();
  EXPECT_EQ(refused.exit_code, 1);
  const std::string said = messages(refused.err);
  const std::string expected = "FATAL:  lock file \"" + other.socket_path() +
                               ".lock\" already exists\n"
                               "HINT:  Is another postmaster (PID " +
                               std::to_string(other.pid()) + ") using socket file \"" +
                               other.socket_path() +
                               "\"?\n"
                               "LOG:  database system is shut down\n";
  EXPECT_NE(said.find(expected), std::string::npos) << said;
}

TEST_P(StartupTest, IsReadyToolAgrees) {
  const std::vector<std::string> is_ready = {"pg_isready", "-h", server.directory(), "-p", "5432"};
  EXPECT_EQ(run(is_ready).exit_code, 2);
  server.start();
  const CommandResult ready = run(is_ready);
  EXPECT_EQ(ready.exit_code, 0);
  EXPECT_EQ(ready.out, server.directory() + ":5432 - accepting connections\n");
}

INSTANTIATE_FOR_ALL_FLAVORS(StartupTest);

}  // namespace
}  // namespace cofork::test
