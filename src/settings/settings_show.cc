// Showing settings: SHOW, pg_settings, ParameterStatus.
#include "settings/custom.h"
#include "settings/hooks.h"
#include "settings/server_settings.h"
#include "settings/settings.h"

namespace cofork {
namespace {

/// Base-unit text of a value as pg_settings.boot_val and reset_val have it: no show hook, NULL
/// kept.
std::optional<std::string> plain_text(const SettingInfo& info, const SettingValue& value) {
  if (info.type == SettingType::kInteger) return std::to_string(value.integer);
  if (info.type == SettingType::kString && value.string->is_null) return std::nullopt;
  return show_setting(info, value, false);
}

std::string range_text(const SettingInfo& info, double limit) {
  return info.type == SettingType::kReal ? real_text(limit)
                                         : std::to_string(static_cast<int64_t>(limit));
}

}  // namespace

bool SettingsView::may_see(const SettingInfo& info) const {
  return !info.has(setting_flag::kSuperuserOnly) || host_ == nullptr || host_->may_see_all();
}

std::string SettingsView::show_text(SettingIndex index, bool with_units) const {
  // A command that archive_mode keeps from running is not shown as if it did.
  if (index == SettingIndex::kArchiveCommand &&
      get(setting::kArchiveMode) == setting::ArchiveMode::kOff) {
    return "(disabled)";
  }
  return show_setting(setting_info(index), value(index), with_units);
}

std::optional<std::string> SettingsView::show_custom(std::string_view name) const {
  auto own = own_custom_.find(name);
  if (own != own_custom_.end()) return own->second.current.value.string->text;
  auto shared = generation_->custom.find(name);
  if (shared != generation_->custom.end()) return shared->second.value.string->text;
  return std::nullopt;
}

std::optional<std::string> SettingsView::show(std::string_view name, bool missing_ok) const {
  SettingIndex index = find_setting(name);
  if (index == SettingIndex::kCount) {
    std::optional<std::string> text = show_custom(name);
    if (text || missing_ok) return text;
    throw Error(sqlstate::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
  }
  const SettingInfo& info = setting_info(index);
  if (!may_see(info)) {
    throw Error(sqlstate::kInsufficientPrivilege,
                "must be superuser or have privileges of pg_read_all_settings to examine \"{}\"",
                info.name);
  }
  return show_text(index, true);
}

std::string SettingsView::canonical_name(std::string_view name) const {
  SettingIndex index = find_setting(name);
  if (index != SettingIndex::kCount) return setting_info(index).name;
  auto own = own_custom_.find(name);
  if (own != own_custom_.end()) return own->first;
  auto shared = generation_->custom.find(name);
  if (shared != generation_->custom.end()) return shared->first;
  throw Error(sqlstate::kUndefinedObject, "unrecognized configuration parameter \"{}\"", name);
}

SettingSource SettingsView::source_of(SettingIndex index) const {
  const Own* own = find_own(index);
  return own != nullptr ? own->current.source
                        : generation_->origins[static_cast<size_t>(index)].source;
}

SettingRow SettingsView::row(SettingIndex index) const {
  auto i = static_cast<size_t>(index);
  const SettingInfo& info = setting_info(index);
  const SettingOrigin& origin = generation_->origins[i];
  const Own* own = find_own(index);
  SettingRow row;
  row.name = info.name;
  row.setting = show_text(index, false);
  if (const char* unit = unit_name(info.unit)) row.unit = unit;
  row.category = info.category;
  row.short_desc = info.description;
  if (!info.is_live()) {
    row.extra_desc = "Accepted and checked; has no effect in this server.";
  }
  row.context = context_name(info.context);
  row.vartype = type_name(info.type);
  row.source = source_name(source_of(index));
  if (info.type == SettingType::kInteger || info.type == SettingType::kReal) {
    row.min_val = range_text(info, info.minimum);
    row.max_val = range_text(info, info.maximum);
  }
  if (info.type == SettingType::kEnum) {
    row.enumvals.emplace();
    for (const EnumOption& option : info.options) {
      if (!option.hidden) row.enumvals->push_back(option.name);
    }
  }
  row.boot_val = plain_text(info, boot_value(info));
  row.reset_val =
      plain_text(info, own != nullptr ? reset_state(*own).value : generation_->values[i]);
  bool from_file = source_of(index) == SettingSource::kFile && origin.file != nullptr;
  if (from_file && (host_ == nullptr || host_->may_see_all())) {
    row.sourcefile = *origin.file;
    row.sourceline = origin.line;
  }
  row.pending_restart = origin.pending_restart;
  return row;
}

std::vector<SettingRow> SettingsView::rows() const {
  std::vector<SettingRow> rows;
  for (SettingIndex index : settings_by_name()) {
    const SettingInfo& info = setting_info(index);
    if (info.has(setting_flag::kNoShowAll) || !may_see(info)) continue;
    rows.push_back(row(index));
  }
  return rows;
}

void SettingsView::for_each_reported(
    const std::function<void(std::string_view, const std::string&)>& tell) const {
  for (SettingIndex index : settings_by_name()) {
    const SettingInfo& info = setting_info(index);
    if (info.has(setting_flag::kReport)) tell(info.name, show_text(index, true));
  }
}

void SettingsView::take_changed_reports(
    const std::function<void(std::string_view, const std::string&)>& tell) {
  reports_pending_ = false;
  for (SettingIndex index : settings_by_name()) {
    const SettingInfo& info = setting_info(index);
    if (!info.has(setting_flag::kReport)) continue;
    std::string text = show_text(index, true);
    auto [last, is_new] = last_reported_.try_emplace(index, text);
    if (!is_new && last->second == text) continue;
    last->second = text;
    tell(info.name, text);
  }
}

std::string SettingsView::flatten_list(std::string_view name,
                                       const std::vector<std::string>& elements) const {
  SettingIndex index = find_setting(name);
  bool is_list = index != SettingIndex::kCount && setting_info(index).has(setting_flag::kListInput);
  bool quotes = index != SettingIndex::kCount && setting_info(index).has(setting_flag::kListQuote);
  if (elements.size() > 1 && !is_list) {
    throw Error(sqlstate::kInvalidParameterValue, "SET {} takes only one argument", name);
  }
  std::string text;
  for (const std::string& element : elements) {
    if (!text.empty()) text += ", ";
    text += quotes ? quote_setting_identifier(element) : element;
  }
  return text;
}

std::vector<std::string> setting_flag_names(const SettingInfo& info) {
  std::vector<std::string> names;
  if (info.has(setting_flag::kExplain)) names.push_back("EXPLAIN");
  if (info.has(setting_flag::kNoShowAll)) names.push_back("NO_SHOW_ALL");
  if (info.has(setting_flag::kNoResetAll)) names.push_back("NO_RESET_ALL");
  if (info.has(setting_flag::kNotInSample)) names.push_back("NOT_IN_SAMPLE");
  if (info.has(setting_flag::kRuntimeComputed)) names.push_back("RUNTIME_COMPUTED");
  return names;
}

}  // namespace cofork
