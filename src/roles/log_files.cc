// See log_files.h.
#include "roles/log_files.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "io/file.h"
#include "settings/hooks.h"
#include "settings/local_time.h"

namespace cofork {
namespace {

constexpr const char* kCurrentLogfiles = "current_logfiles";
constexpr LogDestination kDestinations[] = {LogDestination::kStderr, LogDestination::kCsv,
                                            LogDestination::kJson};

const char* destination_name(LogDestination destination) {
  static constexpr const char* kNames[] = {"stderr", "csvlog", "jsonlog"};
  return kNames[static_cast<int>(destination)];
}

}  // namespace

std::string log_file_name(const SettingsView& settings, int64_t unix_seconds,
                          LogDestination destination) {
  LocalTime local = local_time(*settings.derived<TimeZone>(setting::kLogTimezone), unix_seconds);
  std::string name =
      fmt::format("{}/{}", settings.get(setting::kLogDirectory),
                  format_local_time(settings.get(setting::kLogFilename), local, unix_seconds));
  if (destination == LogDestination::kStderr) return name;
  if (name.ends_with(".log")) name.resize(name.size() - 4);
  return name + (destination == LogDestination::kCsv ? ".csv" : ".json");
}

int64_t next_rotation_seconds(const SettingsView& settings, int64_t now_seconds) {
  int64_t interval = int64_t{settings.get(setting::kLogRotationAge)} * 60;
  if (interval <= 0) return 0;
  int offset =
      local_time(*settings.derived<TimeZone>(setting::kLogTimezone), now_seconds).offset_seconds;
  int64_t local = now_seconds + offset;
  return local - local % interval + interval - offset;
}

LogFiles::LogFiles(Task& task) : task_(task) {}

LogFiles::~LogFiles() {
  for (File& f : files_) close(f);
}

int64_t LogFiles::now_seconds() const {
  return task_.os().clock.realtime_us() / 1'000'000;
}

bool LogFiles::is_wanted(LogDestination destination) const {
  const auto* to = settings().derived<LogDestinations>(setting::kLogDestination);
  if (destination == LogDestination::kCsv) return to->to_csv;
  if (destination == LogDestination::kJson) return to->to_json;
  // The text file is always there: stray output and what has no other place goes to it.
  return true;
}

void LogFiles::make_directory() {
  directory_ = settings().get(setting::kLogDirectory);
  pattern_ = settings().get(setting::kLogFilename);
  // It may well be there; if it cannot be made, opening the file says why.
  task_.os().files.mkdir(directory_, 0700);
}

void LogFiles::open_all() {
  make_directory();
  int64_t now = now_seconds();
  for (LogDestination destination : kDestinations) {
    if (!is_wanted(destination) || reopen(destination, now, false)) continue;
    throw Error(sqlstate::kInternalError, "could not open log file \"{}\"",
                log_file_name(settings(), now, destination))
        .fatal();
  }
  rotation_age_ = settings().get(setting::kLogRotationAge);
  next_rotation_s_ = next_rotation_seconds(settings(), now);
  write_current_logfiles();
}

bool LogFiles::reopen(LogDestination destination, int64_t at_seconds, bool by_age) {
  File& f = file(destination);
  std::string name = log_file_name(settings(), at_seconds, destination);
  bool truncates = settings().get(setting::kLogTruncateOnRotation) && by_age &&
                   !f.last_name.empty() && f.last_name != name;
  int flags = O_WRONLY | O_CREAT | O_APPEND | (truncates ? O_TRUNC : 0);
  FileSystem& files = task_.os().files;
  // Whatever mode is asked for, the logger itself must be able to append.
  auto mode = static_cast<mode_t>(settings().get(setting::kLogFileMode)) | S_IWUSR;
  int fd = files.open(name, flags, mode);
  if (fd < 0) {
    log(Severity::kLog, "could not open log file \"{}\": {}", name, errno_text(-fd));
    return false;
  }
  files.chmod(name, mode);
  close(f);
  struct stat st {};
  files.fstat(fd, st);
  f.fd = fd;
  f.name = name;
  f.last_name = name;
  f.size = st.st_size;
  return true;
}

void LogFiles::close(File& f) {
  if (f.is_open()) task_.os().files.close(f.fd);
  f.fd = -1;
}

void LogFiles::append(LogDestination destination, std::string_view text) {
  bool has_file = file(destination).is_open();
  file(has_file ? destination : LogDestination::kStderr).pending += text;
}

void LogFiles::flush() {
  for (File& f : files_) {
    if (f.pending.empty() || !f.is_open()) continue;
    std::string text = std::exchange(f.pending, {});
    FileSystem& files = task_.os().files;
    ssize_t written = 0;
    wait_for_io(WaitEventId::kSysLoggerMain,
                [&] { written = files.write(f.fd, text.data(), text.size()); });
    if (written < 0) {
      write_raw_stderr(
          fmt::format("could not write to log file: {}\n", errno_text(static_cast<int>(-written))));
    } else {
      f.size += written;
    }
  }
}

void LogFiles::write_log_file(LogDestination destination, std::string_view text) {
  append(destination, text);
  flush();
}

int64_t LogFiles::next_rotation_ms() const {
  if (next_rotation_s_ == 0 || rotation_is_disabled_) return -1;
  int64_t now_ms = task_.os().clock.realtime_us() / 1000;
  return std::max<int64_t>(0, next_rotation_s_ * 1000 - now_ms);
}

void LogFiles::rotate_if_due() {
  if (rotation_is_disabled_) return;
  if (next_rotation_s_ != 0 && now_seconds() >= next_rotation_s_) {
    rotate(true, true);
    return;
  }
  int64_t limit = int64_t{settings().get(setting::kLogRotationSize)} * 1024;
  bool is_too_long = std::any_of(std::begin(files_), std::end(files_),
                                 [&](const File& f) { return f.is_open() && f.size >= limit; });
  if (limit > 0 && is_too_long) rotate(false, false);
}

/// By age, the name is that of the moment the rotation was planned for, so that a late logger does
/// not shift the names. By size, only the files that are too long.
void LogFiles::rotate(bool by_age, bool all) {
  int64_t at = by_age ? next_rotation_s_ : now_seconds();
  int64_t limit = int64_t{settings().get(setting::kLogRotationSize)} * 1024;
  for (LogDestination destination : kDestinations) {
    File& f = file(destination);
    if (!is_wanted(destination)) {
      close(f);
      f.name.clear();
      continue;
    }
    if (!all && f.is_open() && f.size < limit) continue;
    errno = 0;
    if (!reopen(destination, at, by_age)) {
      log(Severity::kLog, "disabling automatic rotation (use SIGHUP to re-enable)");
      rotation_is_disabled_ = true;
      break;
    }
  }
  write_current_logfiles();
  next_rotation_s_ = next_rotation_seconds(settings(), now_seconds());
}

void LogFiles::settings_changed() {
  bool needs_rotation = rotation_is_disabled_;
  rotation_is_disabled_ = false;
  if (directory_ != settings().get(setting::kLogDirectory) ||
      pattern_ != settings().get(setting::kLogFilename)) {
    make_directory();
    needs_rotation = true;
  }
  for (LogDestination destination : kDestinations) {
    needs_rotation |= is_wanted(destination) != file(destination).is_open();
  }
  if (rotation_age_ != settings().get(setting::kLogRotationAge)) {
    rotation_age_ = settings().get(setting::kLogRotationAge);
    next_rotation_s_ = next_rotation_seconds(settings(), now_seconds());
  }
  if (needs_rotation) rotate_now();
}

/// What pg_current_logfile() reads: replaced as a whole, so that no reader sees half of it.
void LogFiles::write_current_logfiles() {
  std::string text;
  const auto* to = settings().derived<LogDestinations>(setting::kLogDestination);
  for (LogDestination destination : kDestinations) {
    if (destination == LogDestination::kStderr && !to->to_stderr) continue;
    const File& f = file(destination);
    if (f.is_open()) text += fmt::format("{} {}\n", destination_name(destination), f.name);
  }
  FileSystem& files = task_.os().files;
  const std::string temporary = std::string(kCurrentLogfiles) + ".tmp";
  int fd = files.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) {
    log(Severity::kLog, "could not open file \"{}\": {}", temporary, errno_text(-fd));
    return;
  }
  files.write(fd, text.data(), text.size());
  files.close(fd);
  if (int error = files.rename(temporary, kCurrentLogfiles); error < 0) {
    log(Severity::kLog, "could not rename file \"{}\" to \"{}\": {}", temporary, kCurrentLogfiles,
        errno_text(-error));
  }
}

}  // namespace cofork
