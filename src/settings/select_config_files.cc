// Where the data directory and the configuration files are, and what follows from the values in
// them.
#include <cerrno>

#include "settings/config_file.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

/// config_file, hba_file and ident_file, whose text names where else the place could be given.
std::string does_not_know(std::string_view program, std::string_view what, std::string_view setting,
                          std::string_view config_file) {
  return fmt::format(
      "{} does not know where to find the {}.\n"
      "This can be specified as \"{}\" in \"{}\", or by the -D invocation option, or by the PGDATA "
      "environment variable.\n",
      program, what, setting, config_file);
}

}  // namespace

ServerSettings::Selection ServerSettings::select_config_files(
    std::string_view data_directory_option, std::string_view env_pgdata,
    std::string_view program_name) {
  Selection selection;
  const std::string here = files_.real_path(".");
  std::string_view given = data_directory_option.empty() ? env_pgdata : data_directory_option;
  std::string folder = given.empty() ? std::string() : absolute_path(given, here);
  struct stat st;
  if (!folder.empty()) {
    if (int error = files_.stat(folder, st); error < 0) {
      selection.stderr_text = fmt::format("{}: could not access directory \"{}\": {}\n",
                                          program_name, folder, errno_text(-error));
      if (error == -ENOENT) {
        selection.stderr_text +=
            "Run initdb or pg_basebackup to initialize a PostgreSQL data directory.\n";
      }
      return selection;
    }
  }
  std::string named = show(SettingIndex::kConfigFile);
  if (!named.empty()) {
    config_file_ = absolute_path(named, here);
  } else if (!folder.empty()) {
    config_file_ = folder + "/postgresql.conf";
  } else {
    selection.stderr_text = fmt::format(
        "{} does not know where to find the server configuration file.\n"
        "You must specify the --config-file or -D invocation option or set the PGDATA environment "
        "variable.\n",
        program_name);
    return selection;
  }
  set("config_file", config_file_, SettingSource::kOverride);
  if (int error = files_.stat(config_file_, st); error < 0) {
    selection.stderr_text =
        fmt::format("{}: could not access the server configuration file \"{}\": {}\n", program_name,
                    config_file_, errno_text(-error));
    return selection;
  }
  selection.reading = read_files(true);
  if (!selection.reading.ok) return selection;

  std::string data_directory = show(SettingIndex::kDataDirectory);
  if (data_directory.empty()) data_directory = folder;
  if (data_directory.empty()) {
    selection.stderr_text =
        does_not_know(program_name, "database system data", "data_directory", config_file_);
    return selection;
  }
  data_directory_ = absolute_path(data_directory, here);
  set("data_directory", data_directory_, SettingSource::kOverride);
  selection.reading = read_files(true);
  if (!selection.reading.ok) return selection;

  struct Named {
    const char* setting;
    const char* file;
    const char* what;
  };
  for (const Named& n : {Named{"hba_file", "pg_hba.conf", "\"hba\" configuration file"},
                         Named{"ident_file", "pg_ident.conf", "\"ident\" configuration file"}}) {
    std::string path = show(find_setting(n.setting));
    if (path.empty() && folder.empty()) {
      selection.stderr_text = does_not_know(program_name, n.what, n.setting, config_file_);
      return selection;
    }
    set(n.setting, path.empty() ? folder + "/" + n.file : absolute_path(path, here),
        SettingSource::kOverride);
  }
  return selection;
}

void ServerSettings::choose_computed_defaults() {
  std::shared_ptr<const SettingsGeneration> now = current();
  auto number = [&](SettingIndex index) { return now->values[static_cast<size_t>(index)].integer; };
  // A 32nd of shared_buffers, at least 8 pages, at most one segment (XLOGChooseNumBuffers).
  if (number(SettingIndex::kWalBuffers) == -1) {
    int64_t pages = number(SettingIndex::kSharedBuffers) / 32;
    int64_t most = number(SettingIndex::kWalSegmentSize) / number(SettingIndex::kWalBlockSize);
    bool is_default = now->origins[static_cast<size_t>(SettingIndex::kWalBuffers)].source <
                      SettingSource::kEnvironment;
    set("wal_buffers", std::to_string(std::max<int64_t>(8, std::min(pages, most))),
        is_default ? SettingSource::kDynamicDefault : SettingSource::kOverride);
  }
}

std::optional<ErrorData> ServerSettings::cross_check() const {
  std::shared_ptr<const SettingsGeneration> now = current();
  auto number = [&](SettingIndex index) { return now->values[static_cast<size_t>(index)].integer; };
  ErrorData data;
  data.severity = Severity::kFatal;
  data.sqlstate = sqlstate::kInternalError;
  int64_t reserved = number(SettingIndex::kSuperuserReservedConnections);
  int64_t connections = number(SettingIndex::kMaxConnections);
  bool is_minimal =
      number(SettingIndex::kWalLevel) == static_cast<int>(setting::WalLevel::kMinimal);
  if (reserved >= connections) {
    data.severity = Severity::kError;
    data.message =
        fmt::format("superuser_reserved_connections ({}) must be less than max_connections ({})",
                    reserved, connections);
  } else if (number(SettingIndex::kArchiveMode) != 0 && is_minimal) {
    data.message = "WAL archival cannot be enabled when wal_level is \"minimal\"";
  } else if (number(SettingIndex::kMaxWalSenders) > 0 && is_minimal) {
    data.message =
        "WAL streaming (max_wal_senders > 0) requires wal_level \"replica\" or \"logical\"";
  } else {
    return std::nullopt;
  }
  return data;
}

}  // namespace cofork
