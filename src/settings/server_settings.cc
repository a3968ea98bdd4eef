// How a generation is made. For each setting the strongest source wins:
//
//   boot value < computed default < environment < files < command line < the server's own overrides
//
// At a reload everything is taken from the files again, except what needs a restart (kept from the
// previous generation) and what is bad now (kept too); so a generation depends on files and history
// in the same way in every process that reads them.
#include "settings/server_settings.h"

#include <algorithm>
#include <cerrno>

#include "os/real_os.h"
#include "settings/config_file.h"
#include "settings/custom.h"

namespace cofork {
namespace {

/// The first reading comes before there are tasks.
int64_t now_us() {
  Task* task = this_task_or_null();
  return (task != nullptr ? task->os() : real_operating_system()).clock.realtime_us();
}

ErrorData log_line(SqlState sqlstate, std::string message, Severity severity = Severity::kLog) {
  ErrorData data;
  data.severity = severity;
  data.sqlstate = sqlstate;
  data.message = std::move(message);
  return data;
}

}  // namespace

/// One pass over the items of the files, onto a copy of the boot values and the base.
class ServerSettings::Builder {
 public:
  Builder(const ServerSettings& server, const SettingsGeneration& previous, bool at_start,
          ConfigReading& reading)
      : server_(server),
        previous_(previous),
        at_start_(at_start),
        reading_(reading),
        next_(std::make_unique<SettingsGeneration>()) {
    next_->number = previous.number + 1;
    for (int i = 0; i < kSettingCount; ++i) next_->values[i] = boot_value(all_settings()[i]);
  }

  std::unique_ptr<SettingsGeneration> build(const ConfigItems& read) {
    apply_base(SettingSource::kDefault, SettingSource::kFile);
    for (const ConfigItem& item : read.items) apply_item(item);
    apply_base(SettingSource::kFile, SettingSource::kSession);
    keep_what_needs_a_restart(read);
    report_removed();
    return std::move(next_);
  }

  /// The file that holds the last bad item, or null when all were good.
  const std::string* file_with_error() const { return file_with_error_; }

 private:
  /// Items with `above` < source < `below`; the first bound may be reached at kDefault.
  void apply_base(SettingSource above, SettingSource below) {
    for (const BaseItem& item : server_.base_) {
      if (item.source <= above || item.source >= below) continue;
      if (item.index == SettingIndex::kCount) {
        next_->custom[item.custom_name] = {item.value, {item.source, false, 0, nullptr}};
      } else {
        auto i = static_cast<size_t>(item.index);
        next_->values[i] = item.value;
        next_->origins[i] = {item.source, false, 0, nullptr};
      }
    }
  }

  void fail(const ConfigItem& item, ErrorData data) {
    data.severity = Severity::kLog;
    reading_.messages.push_back(std::move(data));
    reading_.ok = false;
    file_with_error_ = item.file.get();
  }

  void apply_item(const ConfigItem& item) {
    SettingIndex index = find_setting(item.name);
    if (index == SettingIndex::kCount) {
      SettingOrigin origin{SettingSource::kFile, false, item.line, item.file};
      auto before = previous_.custom.find(item.name);
      if (!at_start_ &&
          (before == previous_.custom.end() || before->second.value.string->text != item.value)) {
        report_changed(item);
      }
      next_->custom[item.name] = {SettingValue::of_text(item.value), origin};
      return;
    }
    auto i = static_cast<size_t>(index);
    const SettingInfo& info = setting_info(index);
    if (info.context == SettingContext::kInternal) {
      fail(item, log_line(sqlstate::kCantChangeRuntimeParam,
                          fmt::format("parameter \"{}\" cannot be changed", info.name)));
      return;
    }
    std::optional<ErrorData> trouble;
    SettingValue value;
    try {
      value = parse_setting(info, item.value, SettingSource::kFile, &next_->values[i]);
    } catch (const Error& error) {
      trouble = error.data();
    }
    if (trouble) {
      fail(item, *std::move(trouble));
      // A bad value leaves what was in force.
      next_->values[i] = previous_.values[i];
      next_->origins[i] = previous_.origins[i];
      return;
    }
    if (index == SettingIndex::kWalBuffers && !at_start_ && value.integer == -1) {
      value = previous_.values[i];  // "choose for me": chosen at start
    }
    if (needs_restart(info)) {
      bool differs = !same_value(info, value, previous_.values[i]);
      pending_restart_[i] = differs;
      if (differs) fail(item, restart_needed(info));
      return;
    }
    if (!at_start_ && !same_value(info, value, previous_.values[i]) && !is_overridden(index)) {
      report_changed(item);
    }
    next_->values[i] = std::move(value);
    next_->origins[i] = {SettingSource::kFile, false, item.line, item.file};
  }

  bool needs_restart(const SettingInfo& info) const {
    return !at_start_ && info.context == SettingContext::kPostmaster;
  }

  bool is_overridden(SettingIndex index) const {
    return std::any_of(server_.base_.begin(), server_.base_.end(), [&](const BaseItem& item) {
      return item.index == index && item.source > SettingSource::kFile;
    });
  }

  static ErrorData restart_needed(const SettingInfo& info) {
    return log_line(
        sqlstate::kCantChangeRuntimeParam,
        fmt::format("parameter \"{}\" cannot be changed without restarting the server", info.name));
  }

  void report_changed(const ConfigItem& item) {
    reading_.messages.push_back(
        log_line(sqlstate::kSuccessfulCompletion,
                 fmt::format("parameter \"{}\" changed to \"{}\"", item.name, item.value)));
  }

  void keep_what_needs_a_restart(const ConfigItems& read) {
    if (at_start_) return;
    for (int i = 0; i < kSettingCount; ++i) {
      const SettingInfo& info = all_settings()[i];
      if (info.context != SettingContext::kPostmaster) continue;
      bool pending = pending_restart_[i];
      bool was_removed = previous_.origins[i].source == SettingSource::kFile &&
                         std::none_of(read.items.begin(), read.items.end(), [&](const auto& item) {
                           return find_setting(item.name) == static_cast<SettingIndex>(i);
                         });
      // Gone from the file: the default would need a restart as well.
      if (was_removed) {
        pending = true;
        reading_.ok = false;
        reading_.messages.push_back(restart_needed(info));
      }
      next_->values[i] = previous_.values[i];
      next_->origins[i] = previous_.origins[i];
      next_->origins[i].pending_restart = pending;
    }
  }

  void report_removed() {
    if (at_start_) return;
    for (int i = 0; i < kSettingCount; ++i) {
      const SettingInfo& info = all_settings()[i];
      if (info.context == SettingContext::kPostmaster) continue;
      if (previous_.origins[i].source == SettingSource::kFile &&
          next_->origins[i].source < SettingSource::kFile) {
        report_removed(info.name);
      }
    }
    for (const auto& [name, custom] : previous_.custom) {
      if (custom.origin.source == SettingSource::kFile && !next_->custom.contains(name)) {
        report_removed(name);
      }
    }
  }

  void report_removed(std::string_view name) {
    reading_.messages.push_back(log_line(
        sqlstate::kSuccessfulCompletion,
        fmt::format("parameter \"{}\" removed from configuration file, reset to default", name)));
  }

  const ServerSettings& server_;
  const SettingsGeneration& previous_;
  const bool at_start_;
  ConfigReading& reading_;
  std::unique_ptr<SettingsGeneration> next_;
  const std::string* file_with_error_ = nullptr;
  bool pending_restart_[kSettingCount] = {};
};

ServerSettings::ServerSettings(FileSystem& files) : files_(files) {
  auto first = std::make_shared<SettingsGeneration>();
  for (int i = 0; i < kSettingCount; ++i) first->values[i] = boot_value(all_settings()[i]);
  current_.store(std::move(first), std::memory_order_release);
  // What the server knows about itself (InitializeGUCOptions, InitializeGUCOptionsFromEnvironment).
  set("max_stack_depth", "2MB", SettingSource::kDynamicDefault);
  set("timezone_abbreviations", "Default", SettingSource::kDynamicDefault);
  set("client_encoding", "UTF8", SettingSource::kDynamicDefault);
  set("server_encoding", "UTF8", SettingSource::kDynamicDefault);
  for (const char* name :
       {"transaction_isolation", "transaction_read_only", "transaction_deferrable"}) {
    set(name, show(find_setting(name)), SettingSource::kOverride);
  }
}

ServerSettings::~ServerSettings() = default;

void ServerSettings::put_base(BaseItem item) {
  std::erase_if(base_, [&](const BaseItem& old) {
    return old.source == item.source && old.index == item.index &&
           compare_setting_names(old.custom_name, item.custom_name) == 0;
  });
  auto stronger = std::find_if(base_.begin(), base_.end(),
                               [&](const BaseItem& other) { return other.source > item.source; });
  base_.insert(stronger, std::move(item));
}

void ServerSettings::publish(std::unique_ptr<SettingsGeneration> generation) {
  current_.store(std::shared_ptr<const SettingsGeneration>(std::move(generation)),
                 std::memory_order_release);
}

void ServerSettings::set(std::string_view name, std::string_view value, SettingSource source) {
  std::shared_ptr<const SettingsGeneration> before = current();
  auto next = std::make_unique<SettingsGeneration>(*before);
  SettingIndex index = find_setting(name);
  SettingOrigin origin{source, false, 0, nullptr};
  BaseItem item{index, {}, {}, source};
  if (index == SettingIndex::kCount) {
    require_custom_name(name);
    item.custom_name = name;
    item.value = SettingValue::of_text(std::string(value));
    CustomSetting& custom = next->custom[std::string(name)];
    if (custom.origin.source <= source) custom = {item.value, origin};
  } else {
    const SettingInfo& info = setting_info(index);
    if (info.context == SettingContext::kInternal && source == SettingSource::kCommandLine) {
      throw Error(sqlstate::kCantChangeRuntimeParam, "parameter \"{}\" cannot be changed",
                  info.name);
    }
    auto i = static_cast<size_t>(index);
    item.value = parse_setting(info, value, source, &before->values[i]);
    if (before->origins[i].source <= source) {
      next->values[i] = item.value;
      next->origins[i] = origin;
    }
  }
  put_base(std::move(item));
  publish(std::move(next));
}

/// A later line for the same setting makes the earlier ones void, unread.
void ServerSettings::forget_overridden_items(ConfigItems& read) const {
  std::vector<ConfigItem> kept;
  for (size_t i = 0; i < read.items.size(); ++i) {
    bool is_last = std::none_of(read.items.begin() + static_cast<ptrdiff_t>(i) + 1,
                                read.items.end(), [&](const ConfigItem& later) {
                                  return compare_setting_names(later.name, read.items[i].name) == 0;
                                });
    // Until the data directory is known nothing but its own name counts.
    bool wanted = !data_directory_.empty() ||
                  find_setting(read.items[i].name) == SettingIndex::kDataDirectory;
    if (is_last && wanted) kept.push_back(std::move(read.items[i]));
  }
  read.items = std::move(kept);
}

ConfigReading ServerSettings::read_files(bool at_start) {
  ConfigReading reading;
  ConfigItems read;
  std::string file_with_error = config_file_;
  read_config_file(files_, config_file_, true, read);
  if (read.ok && !data_directory_.empty()) {
    read_config_file(files_, auto_config_file(), false, read);
  }
  if (!read.ok) file_with_error = read.file_with_error;
  reading.messages = std::move(read.messages);
  reading.ok = read.ok;
  bool applied = false;
  if (reading.ok) {
    forget_overridden_items(read);
    for (const ConfigItem& item : read.items) {
      if (find_setting(item.name) != SettingIndex::kCount || is_custom_name(item.name)) continue;
      reading.messages.push_back(
          log_line(sqlstate::kUndefinedObject,
                   fmt::format("unrecognized configuration parameter \"{}\" in file \"{}\" line {}",
                               item.name, *item.file, item.line)));
      reading.ok = false;
      file_with_error = *item.file;
    }
  }
  if (reading.ok) {
    Builder builder(*this, *current(), at_start, reading);
    std::unique_ptr<SettingsGeneration> next = builder.build(read);
    if (builder.file_with_error() != nullptr) file_with_error = *builder.file_with_error();
    applied = true;
    loaded_at_us_.store(now_us(), std::memory_order_relaxed);
    if (reading.ok || !at_start) publish(std::move(next));
  }
  if (!reading.ok) {
    std::string message = fmt::format("configuration file \"{}\" contains errors", file_with_error);
    if (!at_start) {
      message += applied ? "; unaffected changes were applied" : "; no changes were applied";
    }
    reading.messages.push_back(log_line(sqlstate::kConfigFileError, std::move(message),
                                        at_start ? Severity::kFatal : Severity::kLog));
  }
  return reading;
}

std::string ServerSettings::show(SettingIndex index) const {
  return show_setting(setting_info(index), current()->values[static_cast<size_t>(index)], true);
}

std::vector<SavedSetting> ServerSettings::save() const {
  std::shared_ptr<const SettingsGeneration> generation = current();
  std::vector<SavedSetting> saved;
  for (int i = 0; i < kSettingCount; ++i) {
    const SettingInfo& info = all_settings()[i];
    const SettingValue& value = generation->values[i];
    SettingSource source = generation->origins[i].source;
    bool is_null = info.type == SettingType::kString && value.string->is_null;
    if (source == SettingSource::kDefault || is_null) continue;
    saved.push_back({info.name, source, show_setting(info, value, false)});
  }
  for (const auto& [name, custom] : generation->custom) {
    saved.push_back({name, custom.origin.source, custom.value.string->text});
  }
  return saved;
}

void ServerSettings::restore(const std::vector<SavedSetting>& saved) {
  for (const SavedSetting& setting : saved) {
    set(setting.name, setting.value, setting.source);
  }
  // What came from files must give way to them at the next reload: it is no part of the base.
  std::erase_if(base_, [](const BaseItem& item) { return item.source == SettingSource::kFile; });
  data_directory_ = show(SettingIndex::kDataDirectory);
  config_file_ = show(SettingIndex::kConfigFile);
}

}  // namespace cofork
