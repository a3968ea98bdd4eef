// cofork serve, postgres: becomes the server. Options are turned into settings, the configuration
// files are read while this is still a plain process (they say which execution model it will be),
// and then the postmaster runs under that model.
//
// Exit codes: 0 after a shutdown, 1 for any failure, 2 when data directory or configuration cannot
// be found (as main.c and the first half of PostmasterMain, 15).
#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "catalog/builtin.h"
#include "cli/commands.h"
#include "cli/serve_options.h"
#include "log/log.h"
#include "model/model.h"
#include "os/process.h"
#include "postmaster/carry.h"
#include "postmaster/postmaster.h"
#include "postmaster/shared_memory.h"
#include "postmaster/startup_checks.h"
#include "settings/server_settings.h"
#include "sql/functions/session_functions.h"
#include "support/version.h"

namespace cofork {

namespace {

/// Messages before there is a server go where its log would go; logging needs a task.
int report_and_exit(OperatingSystem& os, ServerSettings& server,
                    const std::vector<ErrorData>& messages) {
  return run_under_fork_model(os, [&](Task& task) {
    SettingsView view(server);
    LogIdentity identity;
    identity.backend_type = "postmaster";
    task.set_slot(&view);
    task.set_slot(&identity);
    for (const ErrorData& message : messages) report(message);
    throw TaskExit{1};
  });
}

ErrorData fatal(SqlState sqlstate, std::string message) {
  ErrorData data;
  data.severity = Severity::kFatal;
  data.sqlstate = sqlstate;
  data.message = std::move(message);
  return data;
}

class Serve {
 public:
  Serve(int argc, char** argv)
      : argc_(argc),
        argv_(argv),
        program_(argv[0]),
        os_(real_operating_system()),
        server_(os_.files) {}

  int run();

 private:
  int print_setting();
  int refuse(const OptionError& error);
  /// Environment and command line; false when something was wrong with them (told).
  void apply_settings();
  int find_configuration_and_serve();
  int run_postmaster(std::vector<ErrorData> messages);
  std::string executable() const;

  int argc_;
  char** argv_;
  std::string program_;
  OperatingSystem& os_;
  ServerSettings server_;
  ServeOptions options_;
};

int Serve::run() {
  std::optional<OptionError> wrong;
  try {
    options_ = parse_serve_options(program_, argc_, argv_);
  } catch (const OptionError& error) {
    wrong = error;
  }
  if (options_.action == ServeOptions::Action::kHelp) {
    fmt::print("{}", serve_help(program_));
    return 0;
  }
  if (options_.action == ServeOptions::Action::kVersion) {
    fmt::print("postgres {}\n", kToolVersion);
    return 0;
  }
  if (options_.action != ServeOptions::Action::kShowSetting) {
    if (auto refusal = check_user(program_)) {
      fmt::print(stderr, "{}", refusal->text);
      return refusal->exit_code;
    }
  }
  if (wrong) return refuse(*wrong);

  std::optional<ErrorData> failed;
  std::optional<CarriedState> carried;
  if (auto text = state_of_previous_image()) carried = decode_carried_state(*text);
  try {
    if (carried) {
      server_.restore(carried->settings);
    } else {
      apply_settings();
    }
  } catch (const Error& error) {
    failed = error.data();
  }
  if (failed) {
    failed->severity = Severity::kFatal;
    return report_and_exit(os_, server_, {*failed});
  }
  if (carried) return run_postmaster({});
  return find_configuration_and_serve();
}

int Serve::refuse(const OptionError& error) {
  switch (error.kind) {
    case OptionError::Kind::kUsage:
      fmt::print(stderr, "{}", error.text);
      return 1;
    case OptionError::Kind::kSyntax:
      return report_and_exit(os_, server_, {fatal(sqlstate::kSyntaxError, error.text)});
    case OptionError::Kind::kRefused:
      return report_and_exit(os_, server_, {fatal(sqlstate::kFeatureNotSupported, error.text)});
  }
  return 1;
}

void Serve::apply_settings() {
  constexpr std::pair<const char*, const char*> kFromEnvironment[] = {
      {"PGPORT", "port"}, {"PGDATESTYLE", "datestyle"}, {"PGCLIENTENCODING", "client_encoding"}};
  for (const auto& [variable, name] : kFromEnvironment) {
    if (auto value = environment_variable(variable)) {
      server_.set(name, *value, SettingSource::kEnvironment);
    }
  }
  for (const auto& [name, value] : options_.settings) {
    server_.set(name, value, SettingSource::kCommandLine);
  }
}

std::string Serve::executable() const {
  // The name it was called by, in the directory where it really is: pg_ctl restart starts that.
  std::string path = executable_path();
  size_t slash = path.rfind('/');
  std::string_view name = program_;
  if (name.find(' ') != std::string_view::npos) return path;
  name.remove_prefix(name.rfind('/') + 1);
  return path.substr(0, slash + 1) + std::string(name);
}

/// -C: the plain number in the setting's unit, without the unit (GetConfigOption).
int Serve::print_setting() {
  SettingsView view(server_);
  std::optional<ErrorData> failed;
  try {
    SettingIndex index = find_setting(options_.shown_setting);
    if (index == SettingIndex::kSharedMemorySizeInHugePages) {
      fmt::print("{}\n", shared_memory_size_in_huge_pages(limits_from(view),
                                                          view.get(setting::kHugePageSize)));
    } else if (index == SettingIndex::kSharedMemorySize) {
      fmt::print("{}\n", shared_memory_size_mb(limits_from(view)));
    } else if (index != SettingIndex::kCount) {
      fmt::print("{}\n", show_setting(setting_info(index), view.value(index), false));
    } else {
      fmt::print("{}\n", *view.show(options_.shown_setting));
    }
  } catch (const Error& error) {
    failed = error.data();
  }
  if (!failed) return 0;
  failed->severity = Severity::kFatal;
  return report_and_exit(os_, server_, {*failed});
}

int Serve::find_configuration_and_serve() {
  ServerSettings::Selection selection = server_.select_config_files(
      options_.data_directory, environment_variable("PGDATA").value_or(""), program_);
  if (!selection.stderr_text.empty()) {
    fmt::print(stderr, "{}", selection.stderr_text);
    return 2;
  }
  if (!selection.reading.ok) return report_and_exit(os_, server_, selection.reading.messages);
  server_.choose_computed_defaults();
  if (options_.action == ServeOptions::Action::kShowSetting) return print_setting();
  return run_postmaster(std::move(selection.reading.messages));
}

int Serve::run_postmaster(std::vector<ErrorData> messages) {
  PostmasterStart start;
  start.program_name = program_;
  start.executable = executable();
  for (int i = program_.find(' ') != std::string::npos ? 0 : 1; i < argc_; ++i) {
    // `cofork serve` is two words: the second one belongs to what is started again.
    start.arguments.emplace_back(i == 0 ? program_.substr(program_.rfind(' ') + 1) : argv_[i]);
  }
  start.messages = std::move(messages);
  start.stop_on_crash = options_.stop_on_crash;

  SettingsView view(server_);
  // It outlives the model: in the coroutine model tasks may look at what they inherited from it
  // until the last thread has ended.
  std::unique_ptr<Postmaster> postmaster;
  auto first = [&](Task& task) {
    postmaster = std::make_unique<Postmaster>(task, server_, std::move(start));
    postmaster->run();
  };
  if (view.get(setting::kCoforkExecutionMode) == setting::ExecutionMode::kFork) {
    return run_under_fork_model(os_, first);
  }
  CoroutineOptions options;
  options.scheduler_threads = view.get(setting::kCoforkSchedulerThreads);
  options.blocking_workers = view.get(setting::kCoforkIoWorkers);
  options.abort_on_fault =
      view.get(setting::kCoforkCoroutineFault) == setting::CoroutineFault::kAbort;
  return run_under_coroutine_model(os_, options, first);
}

}  // namespace

int serve_command(int argc, char** argv) {
  load_builtins({{session_functions()},
                 {sequence_functions()},
                 {admin_functions()},
                 {activity_functions()},
                 {lock_functions()},
                 {transaction_functions()},
                 {wal_functions()}});
  return Serve(argc, argv).run();
}

}  // namespace cofork
