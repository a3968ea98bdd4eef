// The logger's files: their names, opening, appending, rotation (the second half of syslogger.c).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "log/log.h"
#include "model/task.h"
#include "settings/settings.h"

namespace cofork {

/// `log/postgresql-2026-11-24_101500.log` for a moment: log_directory and log_filename expanded in
/// log_timezone; for CSV and JSON a trailing ".log" is replaced by their own suffix.
std::string log_file_name(const SettingsView& settings, int64_t unix_seconds,
                          LogDestination destination);

/// The next multiple of log_rotation_age in local time (set_next_rotation_time); 0: never.
int64_t next_rotation_seconds(const SettingsView& settings, int64_t now_seconds);

class LogFiles final : public LogFileSink {
 public:
  explicit LogFiles(Task& task);
  ~LogFiles() override;
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  /// Makes the directory and opens the files of the destinations in force. Throws FATAL
  /// "could not open log file …".
  void open_all();
  /// Collects; flush() writes. A structured message whose file is not open goes to the text file.
  void append(LogDestination destination, std::string_view text);
  void flush();
  /// The logger's own messages: at once.
  void write_log_file(LogDestination destination, std::string_view text) override;

  /// Looks at age and size, and rotates when due.
  void rotate_if_due();
  /// Rotates all files now.
  void rotate_now() { rotate(false, true); }
  /// After a reload: directory, name or destinations may have changed.
  void settings_changed();
  /// Milliseconds to the next rotation by age; -1: none planned.
  int64_t next_rotation_ms() const;

 private:
  struct File {
    int fd = -1;
    std::string name;       ///< of the open file
    std::string last_name;  ///< of the file before, for log_truncate_on_rotation
    int64_t size = 0;
    std::string pending;
    bool is_open() const { return fd >= 0; }
  };
  static constexpr int kCount = 3;

  File& file(LogDestination destination) { return files_[static_cast<int>(destination)]; }
  bool is_wanted(LogDestination destination) const;
  int64_t now_seconds() const;
  void make_directory();
  /// Closed and opened anew under the name for `at_seconds`; false when that failed (logged).
  bool reopen(LogDestination destination, int64_t at_seconds, bool by_age);
  void rotate(bool by_age, bool all);
  void close(File& file);
  void write_current_logfiles();

  Task& task_;
  File files_[kCount];
  std::string directory_;
  std::string pattern_;
  int rotation_age_ = 0;
  int64_t next_rotation_s_ = 0;
  bool rotation_is_disabled_ = false;
};

}  // namespace cofork
