// The settings of the whole server: made from defaults, environment, command line and files, and
// published as generations that every task's view shares (as guc.c and guc-file.c in the
// postmaster).
//
// One object, made by the command line before there is any model:
//
//   ServerSettings server(os.files);
//   server.set("port", env_port, SettingSource::kEnvironment);
//   server.set("work_mem", "8MB", SettingSource::kCommandLine);     // -c work_mem=8MB
//   server.select_config_files(data_directory_option, env_pgdata, "postgres");
//   … server.read_files() … server.publish()
//
// Nothing here logs (the log stands above): messages come back in the order they are to be logged.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "settings/settings.h"

namespace cofork {

struct ConfigReading {
  std::vector<ErrorData> messages;  ///< LOG, ERROR or FATAL lines, in order
  bool ok = true;                   ///< false: the files were not applied as a whole
};

class ServerSettings {
 public:
  explicit ServerSettings(FileSystem& files);
  ~ServerSettings();

  // --- before the server starts -----------------------------------------------------------------
  /// Sets a value below or above the files: kDynamicDefault, kEnvironment, kCommandLine, kOverride.
  /// Throws Error (22023, 42704 …) in PostgreSQL's words. Not after another task exists.
  void set(std::string_view name, std::string_view value, SettingSource source);
  /// Finds data directory and files (SelectConfigFiles): from -D or PGDATA and the settings
  /// config_file, data_directory, hba_file, ident_file; then reads the files. On failure `lines`
  /// of the result's messages are plain text for standard error, and the exit code is 2.
  struct Selection {
    bool ok = true;
    std::string stderr_text;  ///< "postgres: could not access directory …", exit code 2
    ConfigReading reading;    ///< ok false: FATAL among the messages, exit code 1
  };
  Selection select_config_files(std::string_view data_directory_option, std::string_view env_pgdata,
                                std::string_view program_name);

  /// Reads postgresql.conf and postgresql.auto.conf and publishes a generation. At a reload
  /// (`at_start` false) settings that need a restart are left and reported, bad values too, and the
  /// good ones are applied. Any task may call it; the last one to finish is the newest.
  ConfigReading read_files(bool at_start);

  /// The newest generation this process can see.
  std::shared_ptr<const SettingsGeneration> current() const {
    return current_.load(std::memory_order_acquire);
  }
  FileSystem& files() const { return files_; }
  const std::string& data_directory() const { return data_directory_; }

 private:
  struct Base;  // values that do not come from files

  FileSystem& files_;
  std::string data_directory_;
  std::string config_file_;
  std::unique_ptr<Base> base_;
  std::atomic<std::shared_ptr<const SettingsGeneration>> current_;
};

/// ALTER SYSTEM: rewrites postgresql.auto.conf (a new file, synced, renamed), holding its lock.
/// `value` nullopt: RESET. Checks name and value first, as AlterSystemSetConfigFile; throws Error.
void alter_system(SettingsView& view, std::string_view name, std::optional<std::string_view> value);
/// ALTER SYSTEM RESET ALL.
void alter_system_reset_all(SettingsView& view);

}  // namespace cofork
