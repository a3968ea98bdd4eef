// The settings of the whole server: made from defaults, environment, command line and files, and
// published as generations that every task's view shares (as guc.c and guc-file.c in the
// postmaster).
//
// One object, made by the command line before there is any model:
//
//   ServerSettings server(os.files);
//   server.set("port", env_port, SettingSource::kEnvironment);
//   server.set("work_mem", "8MB", SettingSource::kCommandLine);     // -c work_mem=8MB
//   auto selected = server.select_config_files(dash_D, env_pgdata, "postgres");
//   if (!selected.stderr_text.empty()) … print it, exit 2
//   … under the model: report selected.reading.messages; stop when !selected.reading.ok
//
// Nothing here logs (the log stands above): messages come back in the order they are to be logged.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "settings/settings.h"

namespace cofork {

struct ConfigItem;
struct ConfigItems;

struct ConfigReading {
  std::vector<ErrorData> messages;  ///< LOG and FATAL lines, in order
  bool ok = true;                   ///< false: the last message says what was not applied
};

/// A value in force that is not a default, as save() and restore() hand it on.
struct SavedSetting {
  std::string name;
  SettingSource source = SettingSource::kDefault;
  std::string value;
  bool operator==(const SavedSetting&) const = default;
};

class ServerSettings {
 public:
  explicit ServerSettings(FileSystem& files);
  ~ServerSettings();
  ServerSettings(const ServerSettings&) = delete;
  ServerSettings& operator=(const ServerSettings&) = delete;

  // --- while the server starts (one task only)
  /// Sets a value below or above the files: kDynamicDefault, kEnvironment, kCommandLine, kOverride.
  /// Throws Error (22023, 42704 …) in PostgreSQL's words. Also publishes it.
  void set(std::string_view name, std::string_view value, SettingSource source);

  struct Selection {
    std::string stderr_text;  ///< not empty: nothing was found; to standard error, exit code 2
    ConfigReading reading;    ///< ok false: the last message is FATAL, exit code 1
    bool ok() const { return stderr_text.empty() && reading.ok; }
  };
  /// Finds data directory and files (SelectConfigFiles) from -D, PGDATA and the settings
  /// config_file, data_directory, hba_file, ident_file, and reads the files. Empty strings: not
  /// given.
  Selection select_config_files(std::string_view data_directory_option, std::string_view env_pgdata,
                                std::string_view program_name);
  /// Defaults that need the rest: wal_buffers. After the files have been read.
  void choose_computed_defaults();
  /// Cross-checks before shared memory exists (PostmasterMain): nullopt when all is well; severity
  /// kFatal for the log, or kError for a plain line on standard error, both with exit code 1.
  std::optional<ErrorData> cross_check() const;

  /// For a process that is born again after a crash: the values that were in force, and the way
  /// back to them without reading files that may have been edited since (write_nondefault_variables
  /// and read_nondefault_variables in guc.c). restore() is called on a fresh object; throws as
  /// set().
  std::vector<SavedSetting> save() const;
  void restore(const std::vector<SavedSetting>& saved);

  // --- at any time
  /// Reads postgresql.conf and postgresql.auto.conf and publishes a generation. At a reload
  /// (`at_start` false) settings that need a restart are left and reported, bad values too, and the
  /// good ones are applied. Any task may call it; the last one to finish is the newest.
  ConfigReading read_files(bool at_start);

  /// The newest generation this process can see.
  std::shared_ptr<const SettingsGeneration> current() const {
    return current_.load(std::memory_order_acquire);
  }
  /// When the files were last read and their values taken, microseconds since 1970 UTC
  /// (PgReloadTime).
  int64_t loaded_at_us() const { return loaded_at_us_.load(std::memory_order_relaxed); }
  FileSystem& files() const { return files_; }
  const std::string& data_directory() const { return data_directory_; }
  std::string auto_config_file() const { return data_directory_ + "/postgresql.auto.conf"; }
  /// One value of the newest generation, for code that runs before a task has a view.
  std::string show(SettingIndex index) const;

 private:
  class Builder;
  struct BaseItem {
    SettingIndex index;  ///< kCount: a custom setting
    std::string custom_name;
    SettingValue value;
    SettingSource source;
  };

  void put_base(BaseItem item);
  void publish(std::unique_ptr<SettingsGeneration> generation);
  void forget_overridden_items(ConfigItems& read) const;

  FileSystem& files_;
  std::string data_directory_;  ///< empty until it is known
  std::string config_file_;
  std::vector<BaseItem> base_;  ///< values that do not come from files; weaker sources first
  std::atomic<int64_t> loaded_at_us_{0};
  std::atomic<std::shared_ptr<const SettingsGeneration>> current_;
};

/// ALTER SYSTEM: rewrites postgresql.auto.conf (a new file, synced, renamed over the old one).
/// `value` nullopt: RESET. Throws as AlterSystemSetConfigFile: 42704, 55P02, 22023 … The caller
/// holds the AutoFileLock, and has checked that this user may.
void alter_system(const SettingsView& view, std::string_view name,
                  std::optional<std::string_view> value);
/// ALTER SYSTEM RESET ALL.
void alter_system_reset_all(const SettingsView& view);

}  // namespace cofork
