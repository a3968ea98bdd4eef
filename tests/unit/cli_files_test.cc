// What the commands read and write: pid files, paths, the first postgresql.conf, options of pg_ctl.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "cli/ctl_options.h"
#include "cli/data_directory.h"
#include "cli/postgresql_conf.h"
#include "cli/server_memory.h"
#include "settings/config_file.h"
#include "settings/setting.h"

namespace cofork {
namespace {

TEST(DataDirectory, PathsAreMadePlain) {
  EXPECT_EQ(canonical_path("/data/"), "/data");
  EXPECT_EQ(canonical_path("/data//x/./y/"), "/data/x/y");
  EXPECT_EQ(canonical_path("/"), "/");
  EXPECT_EQ(canonical_path("data"), "data");
}

TEST(DataDirectory, PidFileMayBeIncomplete) {
  const std::string directory = testing::TempDir();
  const auto write = [&](const char* text) {
    std::ofstream(directory + "/postmaster.pid", std::ios::trunc) << text;
  };
  EXPECT_FALSE(read_pid_file(directory + "/nowhere"));
  write("");
  EXPECT_FALSE(read_pid_file(directory));
  write("4711\n/data\n1795450410\n");
  auto file = read_pid_file(directory);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->pid, 4711);
  EXPECT_EQ(file->data_directory, "/data");
  EXPECT_EQ(file->start_time_s, 1795450410);
  EXPECT_EQ(file->status, "");
  write("-4711\n/data\n1795450410\n5433\n/tmp\n*\n 11059831     32808\nready   \n");
  file = read_pid_file(directory);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->pid, -4711) << "a single-user server";
  EXPECT_EQ(file->port, 5433);
  EXPECT_EQ(file->socket_directory, "/tmp");
  EXPECT_EQ(file->listen_address, "*");
  EXPECT_EQ(file->status, "ready   ");
  std::remove((directory + "/postmaster.pid").c_str());
}

TEST(Json, StringsAreEscaped) {
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("a \"b\" \\ \n"), "\"a \\\"b\\\" \\\\ \\u000a\"");
}

/// Every name in the new file, also behind a '#', is a setting there is, and stands there once.
TEST(PostgresqlConf, NamesOnlySettingsThereAre) {
  const std::string text = initial_postgresql_conf(
      {.locale = "C.UTF-8", .time_zone = "Europe/Berlin", .text_search = "english"});
  std::string uncommented;
  for (const std::string& line : lines_of(text)) {
    const bool is_default = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    uncommented += (is_default ? line.substr(1) : line) + "\n";
  }
  const auto file = std::make_shared<const std::string>("postgresql.conf");
  std::set<std::string> names;
  for (const std::string& version : {text, uncommented}) {
    ConfigItems items;
    parse_config_text(version, file, items);
    EXPECT_TRUE(items.ok);
    names.clear();
    for (const ConfigItem& item : items.items) {
      EXPECT_NE(find_setting(item.name), SettingIndex::kCount) << item.name;
      EXPECT_TRUE(names.insert(item.name).second) << item.name << " stands there twice";
    }
  }
  EXPECT_TRUE(names.count("cofork.execution_mode"));
  EXPECT_NE(text.find("\ntimezone = 'Europe/Berlin'\n"), std::string::npos);
}

CtlOptions parse(std::vector<std::string> words) {
  words.insert(words.begin(), "pg_ctl");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return parse_ctl_options("pg_ctl", static_cast<int>(words.size()), pointers.data());
}

TEST(CtlOptions, AreReadInAnyOrder) {
  const CtlOptions options =
      parse({"-D", "/data/", "restart", "-m", "i", "-o", "-p 1", "-t", "7", "-o", "-k /tmp", "-W"});
  EXPECT_EQ(options.operation, CtlOptions::Operation::kRestart);
  EXPECT_EQ(options.shutdown, CtlOptions::Shutdown::kImmediate);
  EXPECT_EQ(options.data_directory, "/data");
  EXPECT_EQ(options.data_option, "-D \"/data\" ");
  EXPECT_EQ(options.server_options, "-p 1 -k /tmp");
  EXPECT_EQ(options.wait_seconds, 7);
  EXPECT_FALSE(options.wait);
}

TEST(CtlOptions, KillNeedsASignalAndAPid) {
  const CtlOptions options = parse({"kill", "USR1", "4194310"});
  EXPECT_EQ(options.operation, CtlOptions::Operation::kKill);
  EXPECT_EQ(options.signal, SIGUSR1);
  EXPECT_EQ(options.kill_pid, 4194310);
  EXPECT_THROW(parse({"kill", "USR1"}), CommandExit);
  EXPECT_EQ(parse({"kill", "SEGV", "4194310"}).signal, SIGSEGV)
      << "a coroutine's only way to get one";
  EXPECT_THROW(parse({"kill", "FOO", "1"}), CommandExit);
  EXPECT_THROW(parse({"stop", "-D", "x", "-m", "gently"}), CommandExit);
}

}  // namespace
}  // namespace cofork
