// The logger: from standard error through the pipe into files, rotation, death and a second life,
// in both models.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "in_model.h"
#include "log/log.h"
#include "log/redirect.h"
#include "roles/log_files.h"
#include "roles/logger.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;

std::string read_all(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class LoggerTest : public testing::TestWithParam<TestedModel> {
 protected:
  LoggerTest() {
    std::string pattern = (fs::temp_directory_path() / "cofork-logger-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~LoggerTest() override { fs::remove_all(folder); }

  /// Runs `body` as a postmaster whose log goes to log/server.log under `folder`.
  int run(const std::function<void(Task&, ServerSettings&)>& body) {
    // These outlive the first task, as the logger does.
    ServerSettings server(real_operating_system().files);
    LogChannel channel;
    server.set("log_filename", "server.log", SettingSource::kCommandLine);
    server.set("log_line_prefix", "", SettingSource::kCommandLine);
    server.set("log_destination", "stderr,jsonlog", SettingSource::kCommandLine);
    return run_in_model(GetParam(), [&](Task& task) {
      EXPECT_IN_MODEL(task.os().files.change_directory(folder) == 0);
      SettingsView view(server);
      LogIdentity identity;
      identity.channel = &channel;
      task.set_slot(&view);
      task.set_slot(&identity);
      task.on_signal(SIGCHLD, [](Task& t, int) { set_latch(t.latch()); });
      redirect_log_to_pipe(task, channel);
      body(task, server);
    });
  }

  std::string folder;
};
INSTANTIATE_TEST_SUITE_P(Models, LoggerTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine), model_name);

Pid spawn_logger(Task& task) {
  Birth birth;
  birth.name = "logger";
  birth.body = logger_main;
  Pid pid = task.model().spawn(task, std::move(birth));
  EXPECT_IN_MODEL(pid > 0);
  return pid;
}

/// Waits for a condition that another task brings about, at most ten seconds.
void wait_until(Task& task, const std::function<bool()>& condition) {
  int64_t deadline_ns = task.os().clock.monotonic_ns() + 10'000'000'000;
  while (!condition()) {
    EXPECT_IN_MODEL(task.os().clock.monotonic_ns() < deadline_ns);
    task.model().pause_us(task, 5000);
  }
}

void say(const std::string& text) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = text;
  report(data);
}

TEST_P(LoggerTest, WritesWholeMessagesToTheirFiles) {
  std::string big(20000, 'x');
  EXPECT_EQ(0, run([&](Task& task, ServerSettings&) {
              spawn_logger(task);
              say("first");
              say(big);
              say("last");
              wait_until(task, [] {
                return read_all("log/server.json").find("last") != std::string::npos;
              });
              write_raw_stderr("from a library\n");
              wait_until(task, [] { return read_all("log/server.log").ends_with("library\n"); });
            }));
  EXPECT_EQ(read_all(folder + "/log/server.log"),
            "LOG:  first\nLOG:  " + big + "\nLOG:  last\nfrom a library\n");
  EXPECT_EQ(read_all(folder + "/current_logfiles"),
            "stderr log/server.log\njsonlog log/server.json\n");
}

TEST_P(LoggerTest, NothingIsLostAtTheEnd) {
  // The logger outlives the postmaster and reads until the last writer has gone.
  EXPECT_EQ(0, run([&](Task& task, ServerSettings&) {
              spawn_logger(task);
              wait_until(task, [] { return fs::exists("current_logfiles"); });
              say("database system is shut down");
            }));
  int64_t tries = 0;
  while (read_all(folder + "/log/server.log").empty() && ++tries < 1000) usleep(10000);
  EXPECT_EQ(read_all(folder + "/log/server.log"), "LOG:  database system is shut down\n");
}

TEST_P(LoggerTest, ASecondLoggerFindsWhatWasWrittenMeanwhile) {
  EXPECT_EQ(0, run([&](Task& task, ServerSettings&) {
              Pid first = spawn_logger(task);
              say("one");
              wait_until(task, [] { return fs::exists("current_logfiles"); });
              task.model().kill(first, SIGKILL);
              wait_until(task, [&] {
                auto death = task.model().reap();
                return death && death->pid == first;
              });
              say("two");
              spawn_logger(task);
              wait_until(task, [] { return read_all("log/server.log").ends_with("two\n"); });
            }));
}

TEST_P(LoggerTest, RotatesWhenToldAndBySize) {
  EXPECT_EQ(0, run([&](Task& task, ServerSettings& server) {
              server.set("log_filename", "%s.log", SettingSource::kCommandLine);
              server.set("log_rotation_size", "10kB", SettingSource::kCommandLine);
              Pid logger = spawn_logger(task);
              say("before");
              wait_until(task, [] { return fs::exists("current_logfiles"); });
              std::string first = read_all("current_logfiles");
              wait_until(task, [&] {
                // The name has whole seconds: a rotation within the same one keeps it.
                task.model().kill(logger, SIGUSR1);
                return read_all("current_logfiles") != first;
              });
              std::string second = read_all("current_logfiles");
              wait_until(task, [&] {
                say(std::string(1000, 'y'));
                return read_all("current_logfiles") != second;
              });
            }));
}

TEST(LogFileName, ExpandsPatternAndSuffix) {
  ServerSettings server(real_operating_system().files);
  SettingsView view(server);
  EXPECT_EQ(log_file_name(view, 1'700'000'000, LogDestination::kStderr),
            "log/postgresql-2023-11-14_221320.log");
  EXPECT_EQ(log_file_name(view, 1'700'000'000, LogDestination::kCsv),
            "log/postgresql-2023-11-14_221320.csv");
  server.set("log_filename", "plain", SettingSource::kCommandLine);
  view.adopt(server.current());
  EXPECT_EQ(log_file_name(view, 0, LogDestination::kJson), "log/plain.json");
}

TEST(LogRotation, HappensAtMultiplesOfLocalTime) {
  ServerSettings server(real_operating_system().files);
  SettingsView view(server);
  EXPECT_EQ(next_rotation_seconds(view, 1'700'000'000), 1'700'006'400);  // midnight in Greenwich
  server.set("log_timezone", "Asia/Tokyo", SettingSource::kCommandLine);
  view.adopt(server.current());
  EXPECT_EQ(next_rotation_seconds(view, 1'700'000'000), 1'700'060'400);  // midnight in Tokyo
  server.set("log_rotation_age", "0", SettingSource::kCommandLine);
  view.adopt(server.current());
  EXPECT_EQ(next_rotation_seconds(view, 1'700'000'000), 0);
}

}  // namespace
}  // namespace cofork
