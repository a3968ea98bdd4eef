// A task's own values: priorities, SET and RESET, transactions, reports, generations.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "os/os.h"
#include "settings/hooks.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

class SettingsViewTest : public testing::Test {
 protected:
  void set(const char* name, std::optional<const char*> value, SetAction action = SetAction::kSet) {
    std::optional<std::string_view> text;
    if (value) text = *value;
    view.set(name, text, SettingContext::kUser, SettingSource::kSession, action);
  }
  std::string show(const char* name) { return *view.show(name); }
  SettingRow row(const char* name) {
    auto rows = view.rows();
    return *std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
  }
  std::string failure(const char* name, const char* value, SettingContext context) {
    try {
      view.set(name, value, context, SettingSource::kSession);
    } catch (const Error& error) {
      return error.data().sqlstate.text() + ": " + error.data().message;
    }
    return "";
  }

  ServerSettings server{real_operating_system().files};
  SettingsView view{server};
};

TEST_F(SettingsViewTest, ReadsTypedValues) {
  EXPECT_EQ(view.get(setting::kWorkMem), 4096);
  EXPECT_EQ(view.get(setting::kSeqPageCost), 1.0);
  EXPECT_TRUE(view.get(setting::kFsync));
  EXPECT_EQ(view.get(setting::kSearchPath), "\"$user\", public");
  EXPECT_EQ(view.get(setting::kWalLevel), setting::WalLevel::kReplica);
  EXPECT_EQ(view.get(setting::kClientMinMessages), Severity::kNotice);
  EXPECT_EQ(view.derived<NameList>(setting::kSearchPath)->names.size(), 2u);
}

TEST_F(SettingsViewTest, SetAndReset) {
  set("work_mem", "8MB");
  set("enable_seqscan", "off");
  EXPECT_EQ(view.get(setting::kWorkMem), 8192);
  EXPECT_FALSE(view.get(setting::kEnableSeqscan));
  SettingRow changed = row("work_mem");
  EXPECT_EQ(changed.setting, "8192");
  EXPECT_EQ(changed.reset_val, "4096");
  EXPECT_EQ(changed.source, "session");
  set("work_mem", std::nullopt);
  EXPECT_EQ(show("work_mem"), "4MB");
  EXPECT_EQ(row("work_mem").source, "default");
  view.reset_all(SettingContext::kUser);
  EXPECT_TRUE(view.get(setting::kEnableSeqscan));
}

TEST_F(SettingsViewTest, WhoMayChangeWhat) {
  auto user = SettingContext::kUser;
  auto superuser = SettingContext::kSuperuser;
  EXPECT_EQ(failure("nosuch", "1", user), "42704: unrecognized configuration parameter \"nosuch\"");
  EXPECT_EQ(failure("server_version", "1", superuser),
            "55P02: parameter \"server_version\" cannot be changed");
  EXPECT_EQ(failure("max_connections", "10", superuser),
            "55P02: parameter \"max_connections\" cannot be changed without restarting the server");
  EXPECT_EQ(failure("fsync", "off", superuser), "55P02: parameter \"fsync\" cannot be changed now");
  EXPECT_EQ(failure("log_connections", "on", superuser),
            "55P02: parameter \"log_connections\" cannot be set after connection start");
  EXPECT_EQ(failure("log_connections", "on", SettingContext::kBackend),
            "42501: permission denied to set parameter \"log_connections\"");
  EXPECT_EQ(failure("log_connections", "on", SettingContext::kSuperuserBackend), "");
  EXPECT_EQ(failure("log_min_messages", "log", user),
            "42501: permission denied to set parameter \"log_min_messages\"");
  EXPECT_EQ(failure("log_min_messages", "log", superuser), "");
  EXPECT_EQ(failure("a.b c", "1", user), "42602: invalid configuration parameter name \"a.b c\"");
  EXPECT_EQ(failure("cofork.nosuch", "1", user),
            "42602: invalid configuration parameter name \"cofork.nosuch\"");
}

TEST_F(SettingsViewTest, StartupPacketBecomesTheResetValue) {
  view.set("application_name", "psql", SettingContext::kBackend, SettingSource::kClient);
  set("application_name", "other");
  set("application_name", std::nullopt);
  EXPECT_EQ(show("application_name"), "psql");
  EXPECT_EQ(row("application_name").source, "client");
  // A database's default comes too late to matter, but RESET would not go back to it either.
  EXPECT_FALSE(
      view.set("application_name", "db", SettingContext::kSuperuser, SettingSource::kDatabase));
  EXPECT_EQ(show("application_name"), "psql");
}

TEST_F(SettingsViewTest, TransactionsCommitAndRollBack) {
  view.begin_transaction();
  set("work_mem", "3MB");
  view.end_transaction(false);
  EXPECT_EQ(show("work_mem"), "4MB");
  view.begin_transaction();
  set("work_mem", "3MB");
  set("work_mem", "2MB", SetAction::kLocal);
  EXPECT_EQ(show("work_mem"), "2MB");
  view.end_transaction(true);
  EXPECT_EQ(show("work_mem"), "3MB");
  view.begin_transaction();
  set("work_mem", "2MB", SetAction::kLocal);
  set("work_mem", "5MB");
  view.end_transaction(true);
  EXPECT_EQ(show("work_mem"), "5MB");
  view.begin_transaction();
  set("work_mem", std::nullopt);
  EXPECT_EQ(show("work_mem"), "4MB");
  view.end_transaction(false);
  EXPECT_EQ(show("work_mem"), "5MB");
}

TEST_F(SettingsViewTest, SavepointsNest) {
  view.begin_transaction();
  set("work_mem", "3MB");
  int level = view.begin_nested();
  set("work_mem", "5MB");
  view.end_nested(false, level);
  EXPECT_EQ(show("work_mem"), "3MB");

  level = view.begin_nested();
  set("work_mem", "6MB", SetAction::kLocal);
  view.end_nested(true, level);  // RELEASE: a SET LOCAL inside lasts to the transaction's end
  EXPECT_EQ(show("work_mem"), "6MB");
  level = view.begin_nested();
  int deeper = view.begin_nested();
  set("work_mem", "7MB");
  view.end_nested(true, deeper);
  view.end_nested(false, level);
  EXPECT_EQ(show("work_mem"), "6MB");
  view.end_transaction(true);
  EXPECT_EQ(show("work_mem"), "3MB");
}

TEST_F(SettingsViewTest, TransactionsStartFromTheirDefaults) {
  set("default_transaction_isolation", "serializable");
  EXPECT_EQ(show("transaction_isolation"), "read committed");
  view.begin_transaction();
  EXPECT_EQ(show("transaction_isolation"), "serializable");
  set("transaction_isolation", "repeatable read", SetAction::kLocal);
  EXPECT_EQ(show("transaction_isolation"), "repeatable read");
  view.end_transaction(true);
  set("default_transaction_isolation", std::nullopt);
  view.begin_transaction();
  EXPECT_EQ(show("transaction_isolation"), "read committed");
  EXPECT_EQ(row("transaction_isolation").source, "override");
  view.end_transaction(false);
}

/// Four settings under random SETs, SET LOCALs, RESETs and savepoints, against a plain model of
/// what the manual says.
TEST_F(SettingsViewTest, AgreesWithAPlainModel) {
  struct Level {
    int set, current;  // what COMMIT leaves, what is seen now
  };
  const char* const names[] = {"geqo_generations", "geqo_pool_size", "lock_timeout",
                               "statement_timeout"};
  uint32_t seed = 1;
  auto random = [&](uint32_t n) { return (seed = seed * 1664525 + 1013904223) / 65536 % n; };
  std::vector<std::vector<Level>> model(4, {{0, 0}});
  for (int step = 0; step < 20000; ++step) {
    size_t i = random(4);
    Level& top = model[i].back();
    int value = static_cast<int>(random(1000)) + 1;
    int depth = static_cast<int>(model[0].size()) - 1;
    switch (random(8)) {
      case 0:
      case 1:
        view.set(names[i], std::to_string(value), SettingContext::kUser, SettingSource::kSession);
        top = {value, value};
        break;
      case 2:
        if (depth == 0) break;
        view.set(names[i], std::to_string(value), SettingContext::kUser, SettingSource::kSession,
                 SetAction::kLocal);
        top.current = value;
        break;
      case 3:
        view.set(names[i], std::nullopt, SettingContext::kUser, SettingSource::kSession);
        top = {0, 0};
        break;
      case 4:
      case 5:
        if (depth > 5) break;
        if (depth == 0) {
          view.begin_transaction();
        } else {
          view.begin_nested();
        }
        for (auto& levels : model) levels.push_back(levels.back());
        break;
      default: {
        if (depth == 0) break;
        bool commit = random(2) == 0;
        view.end_nested(commit, depth);
        for (auto& levels : model) {
          Level ended = levels.back();
          levels.pop_back();
          if (!commit) continue;
          levels.back() = depth == 1 ? Level{ended.set, ended.set} : ended;
        }
        break;
      }
    }
    for (size_t j = 0; j < 4; ++j) {
      auto index = find_setting(names[j]);
      ASSERT_EQ(view.value(index).integer, model[j].back().current) << names[j] << " at " << step;
    }
  }
}

TEST_F(SettingsViewTest, CustomSettings) {
  set("my.custom", "hello");
  EXPECT_EQ(show("MY.Custom"), "hello");
  set("my.custom", std::nullopt);
  EXPECT_EQ(show("my.custom"), "");
  EXPECT_FALSE(view.show("my.other", true));
  view.begin_transaction();
  set("my.custom", "again", SetAction::kLocal);
  view.end_transaction(true);
  EXPECT_EQ(show("my.custom"), "");
}

TEST_F(SettingsViewTest, ReportsChangesOnce) {
  std::vector<std::string> told;
  auto tell = [&](std::string_view name, const std::string& text) {
    told.push_back(std::string(name) + "=" + text);
  };
  view.take_changed_reports(tell);
  EXPECT_EQ(told.size(), 13u);
  told.clear();
  EXPECT_FALSE(view.reports_pending());
  set("DateStyle", "german");
  set("work_mem", "8MB");
  EXPECT_TRUE(view.reports_pending());
  view.take_changed_reports(tell);
  EXPECT_EQ(told, std::vector<std::string>{"DateStyle=German, DMY"});
  told.clear();
  set("TimeZone", "Europe/Berlin");
  set("TimeZone", "GMT");
  view.take_changed_reports(tell);
  EXPECT_TRUE(told.empty());
}

TEST_F(SettingsViewTest, RowsShowWhatPgSettingsShows) {
  auto rows = view.rows();
  EXPECT_EQ(static_cast<int>(rows.size()), kSettingCount - 6);
  EXPECT_EQ(row("unix_socket_permissions").setting, "0777");
  EXPECT_EQ(row("unix_socket_permissions").boot_val, "511");
  EXPECT_EQ(row("archive_command").setting, "(disabled)");
  EXPECT_EQ(row("transaction_isolation").source, "override");
  EXPECT_EQ(row("config_file").boot_val, std::nullopt);
  EXPECT_EQ(row("wal_level").enumvals, (std::vector<std::string>{"minimal", "replica", "logical"}));
  EXPECT_EQ(row("seq_page_cost").max_val, "1.79769e+308");
}

TEST_F(SettingsViewTest, ListsOfSet) {
  EXPECT_EQ(view.flatten_list("search_path", {"A b", "public"}), "\"A b\", public");
  EXPECT_EQ(view.flatten_list("DateStyle", {"ISO", "DMY"}), "ISO, DMY");
  EXPECT_THROW(view.flatten_list("work_mem", {"1", "2"}), Error);
}

TEST_F(SettingsViewTest, AGenerationIsAdoptedUnderOwnValues) {
  set("work_mem", "8MB");
  server.set("work_mem", "6MB", SettingSource::kEnvironment);
  server.set("geqo", "off", SettingSource::kEnvironment);
  server.set("log_disconnections", "on", SettingSource::kEnvironment);
  EXPECT_TRUE(view.get(setting::kGeqo));
  view.adopt(server.current());
  EXPECT_FALSE(view.get(setting::kGeqo));
  EXPECT_EQ(show("work_mem"), "8MB");
  EXPECT_EQ(row("work_mem").reset_val, "6144");
  // What is fixed when a connection starts stays; the next one gets the new value.
  EXPECT_FALSE(view.get(setting::kLogDisconnections));
  EXPECT_TRUE(SettingsView(server).get(setting::kLogDisconnections));
}

}  // namespace
}  // namespace cofork
