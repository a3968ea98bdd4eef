// Configuration files: grammar, includes, priorities, start-up and reload with their log lines.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "os/os.h"
#include "settings/config_file.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;

class SettingsFilesTest : public testing::Test {
 protected:
  SettingsFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "cofork-settings-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    write("postgresql.auto.conf", "");
  }
  ~SettingsFilesTest() override { fs::remove_all(folder); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(folder + "/" + name).parent_path());
    std::ofstream(folder + "/" + name) << text;
  }
  std::string read(const std::string& name) {
    std::ifstream in(folder + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// The lines as they would be logged, with the folder's name shortened.
  std::vector<std::string> lines(const std::vector<ErrorData>& messages) {
    std::vector<std::string> out;
    for (const ErrorData& data : messages) {
      std::string line = std::string(severity_name(data.severity)) + ":  " + data.message;
      for (size_t at; (at = line.find(folder)) != std::string::npos;)
        line.replace(at, folder.size(), "DIR");
      out.push_back(line);
    }
    return out;
  }
  ServerSettings::Selection start() { return server.select_config_files(folder, "", "postgres"); }
  std::vector<std::string> reload() { return lines(server.read_files(false).messages); }
  std::string show(const char* name) { return server.show(find_setting(name)); }
  using Lines = std::vector<std::string>;

  std::string folder;
  ServerSettings server{real_operating_system().files};
};

TEST_F(SettingsFilesTest, Grammar) {
  ConfigItems read;
  parse_config_text(
      "# comment\n"
      "a = 1 # trailing\n"
      "  b 'it''s \\'quoted\\' \\\\ \\101\\n'\n"
      "c='x'\n"
      "d = on\n"
      "e = 10MB\r\n"
      "f = -1.5e3\n"
      "g = pg_catalog.english_x/y:z-1\n"
      "my.class = 0x1F\n"
      "last = ''",
      std::make_shared<std::string>("f"), read);
  ASSERT_TRUE(read.ok);
  std::vector<std::string> values;
  for (const auto& item : read.items) values.push_back(item.name + "=" + item.value);
  EXPECT_EQ(values, (Lines{"a=1", "b=it's 'quoted' \\ A\n", "c=x", "d=on", "e=10MB", "f=-1.5e3",
                           "g=pg_catalog.english_x/y:z-1", "my.class=0x1F", "last="}));
  EXPECT_EQ(read.items[3].line, 5);
}

TEST_F(SettingsFilesTest, SyntaxErrorsNameTheLineAndTheToken) {
  write("postgresql.conf", "a = \nb = c d\nwork_mem = 'open\n= 3\nfine = 1\n% = 1\nx = a.b\n");
  auto selection = start();
  EXPECT_FALSE(selection.reading.ok);
  EXPECT_EQ(lines(selection.reading.messages),
            (Lines{"LOG:  syntax error in file \"DIR/postgresql.conf\" line 1, near end of line",
                   "LOG:  syntax error in file \"DIR/postgresql.conf\" line 2, near token \"d\"",
                   "LOG:  syntax error in file \"DIR/postgresql.conf\" line 3, near token \"'\"",
                   "LOG:  syntax error in file \"DIR/postgresql.conf\" line 4, near token \"=\"",
                   "LOG:  syntax error in file \"DIR/postgresql.conf\" line 6, near token \"%\"",
                   "LOG:  syntax error in file \"DIR/postgresql.conf\" line 7, near token \"a.b\"",
                   "FATAL:  configuration file \"DIR/postgresql.conf\" contains errors"}));
}

TEST_F(SettingsFilesTest, Includes) {
  write("postgresql.conf",
        "include 'one.conf'\ninclude_if_exists = 'missing.conf'\ninclude_dir 'conf.d'\nport = 1\n");
  write("one.conf", "work_mem = '1MB'\nport = 7\n");
  write("conf.d/20.conf", "work_mem = '2MB'\n");
  write("conf.d/10.conf", "work_mem = '3MB'\n");
  write("conf.d/.hidden.conf", "work_mem = '4MB'\n");
  write("conf.d/other.txt", "work_mem = '5MB'\n");
  auto selection = start();
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(show("work_mem"), "2MB");
  EXPECT_EQ(show("port"), "1");
  EXPECT_EQ(lines(selection.reading.messages),
            (Lines{"LOG:  skipping missing configuration file \"DIR/missing.conf\""}));
}

TEST_F(SettingsFilesTest, IncludesThatCannotBe) {
  write("postgresql.conf", "include 'nowhere.conf'\n");
  EXPECT_EQ(
      lines(start().reading.messages),
      (Lines{
          "LOG:  could not open configuration file \"DIR/nowhere.conf\": No such file or directory",
          "FATAL:  configuration file \"DIR/nowhere.conf\" contains errors"}));
  write("postgresql.conf", "include 'postgresql.conf'\n");
  EXPECT_EQ(lines(start().reading.messages).front(),
            "LOG:  configuration file recursion in \"DIR/postgresql.conf\"");
}

TEST_F(SettingsFilesTest, SourcesInOrderOfStrength) {
  write("postgresql.conf", "port = 2\nwork_mem = '2MB'\nmaintenance_work_mem = '2MB'\n");
  write("postgresql.auto.conf", "work_mem = '3MB'\n");
  server.set("port", "1", SettingSource::kEnvironment);
  server.set("work_mem", "1MB", SettingSource::kEnvironment);
  server.set("maintenance_work_mem", "4MB", SettingSource::kCommandLine);
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(show("port"), "2");
  EXPECT_EQ(show("work_mem"), "3MB");
  EXPECT_EQ(show("maintenance_work_mem"), "4MB");
  EXPECT_EQ(show("data_directory"), folder);
  EXPECT_EQ(show("hba_file"), folder + "/pg_hba.conf");
  SettingsView view(server);
  for (const SettingRow& row : view.rows()) {
    if (row.name != "work_mem") continue;
    EXPECT_EQ(row.sourcefile, folder + "/postgresql.auto.conf");
    EXPECT_EQ(row.sourceline, 1);
    EXPECT_EQ(row.reset_val, "3072");
  }
}

TEST_F(SettingsFilesTest, NothingToStartFrom) {
  EXPECT_EQ(
      server.select_config_files("", "", "postgres").stderr_text,
      "postgres does not know where to find the server configuration file.\n"
      "You must specify the --config-file or -D invocation option or set the PGDATA environment "
      "variable.\n");
  EXPECT_EQ(server.select_config_files("/no/such", "", "postgres").stderr_text,
            "postgres: could not access directory \"/no/such\": No such file or directory\n"
            "Run initdb or pg_basebackup to initialize a PostgreSQL data directory.\n");
  EXPECT_EQ(start().stderr_text, "postgres: could not access the server configuration file \"" +
                                     folder + "/postgresql.conf\": No such file or directory\n");
}

TEST_F(SettingsFilesTest, StartUpRefusesBadValues) {
  write("postgresql.conf", "work_mem = 'foo'\nport = 5433\n");
  EXPECT_EQ(lines(start().reading.messages),
            (Lines{"LOG:  invalid value for parameter \"work_mem\": \"foo\"",
                   "FATAL:  configuration file \"DIR/postgresql.conf\" contains errors"}));
  write("postgresql.conf", "nosuch = 1\n");
  EXPECT_EQ(lines(start().reading.messages),
            (Lines{"LOG:  unrecognized configuration parameter \"nosuch\" in file "
                   "\"DIR/postgresql.conf\" line 1",
                   "FATAL:  configuration file \"DIR/postgresql.conf\" contains errors"}));
}

TEST_F(SettingsFilesTest, ReloadAppliesTheGoodAndReportsTheBad) {
  write("postgresql.conf", "log_connections = off\nshared_buffers = '16MB'\ngeqo = off\n");
  server.set("port", "5433", SettingSource::kCommandLine);
  ASSERT_TRUE(start().ok());
  SettingsView view(server);
  write("postgresql.conf",
        "port = 5555\nwork_mem = '8MB'\nwork_mem = foo\nfoo.bar = 1\nlog_connections = on\n"
        "shared_buffers = '16MB'\n");
  EXPECT_EQ(reload(),
            (Lines{"LOG:  parameter \"port\" cannot be changed without restarting the server",
                   "LOG:  invalid value for parameter \"work_mem\": \"foo\"",
                   "LOG:  parameter \"foo.bar\" changed to \"1\"",
                   "LOG:  parameter \"log_connections\" changed to \"on\"",
                   "LOG:  parameter \"geqo\" removed from configuration file, reset to default",
                   "LOG:  configuration file \"DIR/postgresql.conf\" contains errors; unaffected "
                   "changes were applied"}));
  view.adopt(server.current());
  EXPECT_EQ(show("port"), "5433");
  EXPECT_EQ(show("work_mem"), "4MB");
  EXPECT_TRUE(view.get(setting::kGeqo));
  EXPECT_EQ(view.show("foo.bar"), "1");
  for (const SettingRow& row : view.rows()) {
    EXPECT_EQ(row.pending_restart, row.name == "port") << row.name;
  }
  write("postgresql.conf", "shared_buffers = '16MB'\nfoo.bar = 1\nlog_connections = on\n");
  EXPECT_EQ(reload(), Lines{});
  write("postgresql.conf", "shared_buffers = '16MB'\nfoo.bar = 1\nlog_connections = on\nx = \n");
  EXPECT_EQ(
      reload(),
      (Lines{"LOG:  syntax error in file \"DIR/postgresql.conf\" line 4, near end of line",
             "LOG:  configuration file \"DIR/postgresql.conf\" contains errors; no changes were "
             "applied"}));
  write("postgresql.conf", "foo.bar = 1\nlog_connections = on\n");
  EXPECT_EQ(reload().front(),
            "LOG:  parameter \"shared_buffers\" cannot be changed without restarting the server");
}

TEST_F(SettingsFilesTest, AChildAdoptsWhatItSeesElseReadsItself) {
  write("postgresql.conf", "work_mem = '1MB'\n");
  ASSERT_TRUE(start().ok());
  SettingsView child(server);
  write("postgresql.conf", "work_mem = '2MB'\n");
  server.read_files(false);  // the postmaster, in the same process
  uint64_t published = server.current()->number;
  EXPECT_TRUE(reload_settings(child).empty());
  EXPECT_EQ(child.get(setting::kWorkMem), 2048);
  EXPECT_EQ(server.current()->number, published);
  write("postgresql.conf", "work_mem = '3MB'\n");  // the postmaster of another process has read it
  std::vector<ErrorData> messages = reload_settings(child);
  EXPECT_EQ(child.get(setting::kWorkMem), 3072);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].severity, Severity::kDebug2);
}

TEST_F(SettingsFilesTest, AlterSystem) {
  write("postgresql.conf", "");
  ASSERT_TRUE(start().ok());
  SettingsView view(server);
  const std::string header =
      "# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n";
  alter_system(view, "work_mem", "8MB");
  alter_system(view, "log_line_prefix", "it's \\");
  alter_system(view, "work_mem", "9MB");
  EXPECT_EQ(read("postgresql.auto.conf"),
            header + "log_line_prefix = 'it''s \\\\'\nwork_mem = '9MB'\n");
  EXPECT_FALSE(fs::exists(folder + "/postgresql.auto.conf.tmp"));
  server.read_files(false);
  EXPECT_EQ(show("log_line_prefix"), "it's \\");
  alter_system(view, "log_line_prefix", std::nullopt);
  EXPECT_EQ(read("postgresql.auto.conf"), header + "work_mem = '9MB'\n");
  alter_system_reset_all(view);
  EXPECT_EQ(read("postgresql.auto.conf"), header);

  auto refusal = [&](const char* name, const char* value) {
    try {
      alter_system(view, name, value);
    } catch (const Error& error) {
      return error.data().sqlstate.text() + ": " + error.data().message;
    }
    return std::string();
  };
  EXPECT_EQ(refusal("nosuch", "1"), "42704: unrecognized configuration parameter \"nosuch\"");
  EXPECT_EQ(refusal("data_directory", "/x"),
            "55P02: parameter \"data_directory\" cannot be changed");
  EXPECT_EQ(refusal("block_size", "1"), "55P02: parameter \"block_size\" cannot be changed");
  EXPECT_EQ(refusal("work_mem", "abc"), "22023: invalid value for parameter \"work_mem\": \"abc\"");
  EXPECT_EQ(refusal("archive_command", "a\nb"),
            "22023: parameter value for ALTER SYSTEM must not contain a newline");
}

TEST_F(SettingsFilesTest, CrossChecks) {
  write("postgresql.conf", "max_connections = 3\n");
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(server.cross_check()->message,
            "superuser_reserved_connections (3) must be less than max_connections (3)");
  server.set("max_connections", "10", SettingSource::kCommandLine);
  EXPECT_FALSE(server.cross_check());
  server.set("wal_level", "minimal", SettingSource::kCommandLine);
  EXPECT_EQ(server.cross_check()->message,
            "WAL streaming (max_wal_senders > 0) requires wal_level \"replica\" or \"logical\"");
  server.choose_computed_defaults();
  EXPECT_EQ(show("wal_buffers"), "4MB");
}

TEST(AbsolutePath, IsCanonical) {
  EXPECT_EQ(absolute_path("a/./b/../c//d/", "/base"), "/base/a/c/d");
  EXPECT_EQ(absolute_path("/x/../../y", "/base"), "/y");
  EXPECT_EQ(absolute_path("..", "/a"), "/");
}

}  // namespace
}  // namespace cofork
