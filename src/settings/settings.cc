// Changing a task's own values: priorities, SET and RESET, and the stack of transaction levels.
#include "settings/settings.h"

#include <algorithm>

#include "model/stack.h"
#include "settings/custom.h"
#include "settings/hooks.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

[[noreturn]] void refuse_change(const SettingInfo& info, const char* why) {
  throw Error(sqlstate::kCantChangeRuntimeParam, "parameter \"{}\" {}", info.name, why);
}

[[noreturn]] void refuse_permission(const SettingInfo& info) {
  throw Error(sqlstate::kInsufficientPrivilege, "permission denied to set parameter \"{}\"",
              info.name);
}

/// Who may change what when: the first part of set_config_option().
void check_context(const SettingInfo& info, SettingContext context, SettingSource source) {
  bool by_server = context <= SettingContext::kSighup;
  switch (info.context) {
    case SettingContext::kInternal:
      if (context != SettingContext::kInternal) refuse_change(info, "cannot be changed");
      return;
    case SettingContext::kPostmaster:
      if (context > SettingContext::kPostmaster) {
        refuse_change(info, "cannot be changed without restarting the server");
      }
      return;
    case SettingContext::kSighup:
      if (!by_server) refuse_change(info, "cannot be changed now");
      return;
    case SettingContext::kSuperuserBackend:
      if (context == SettingContext::kBackend) refuse_permission(info);
      [[fallthrough]];
    case SettingContext::kBackend:
      if (!by_server && context != SettingContext::kBackend &&
          context != SettingContext::kSuperuserBackend && source != SettingSource::kClient) {
        refuse_change(info, "cannot be set after connection start");
      }
      return;
    case SettingContext::kSuperuser:
      if (context == SettingContext::kUser || context == SettingContext::kBackend) {
        refuse_permission(info);
      }
      return;
    case SettingContext::kUser:
      return;
  }
}

}  // namespace

SettingsView::SettingsView(ServerSettings& server)
    : server_(server), generation_(server.current()) {
  if (this_task_or_null() != nullptr) {
    set_max_stack_depth_bytes(static_cast<size_t>(get(setting::kMaxStackDepth)) * 1024);
  }
}

SettingsView::~SettingsView() = default;

// --- the task's own entries

size_t SettingsView::own_rank(SettingIndex index) const {
  auto i = static_cast<unsigned>(index);
  size_t rank = 0;
  for (unsigned word = 0; word < i / 64; ++word) rank += std::popcount(own_bits_[word]);
  return rank + std::popcount(own_bits_[i / 64] & ((uint64_t{1} << (i % 64)) - 1));
}

const SettingsView::Own* SettingsView::find_own(SettingIndex index) const {
  auto i = static_cast<unsigned>(index);
  bool has_own = ((own_bits_[i / 64] >> (i % 64)) & 1) != 0;
  return has_own ? &own_[own_rank(index)] : nullptr;
}

SettingsView::Own& SettingsView::make_own(SettingIndex index) {
  size_t rank = own_rank(index);
  if (find_own(index) != nullptr) return own_[rank];
  Own own;
  own.index = index;
  own.current = shared_state(own);
  own_.insert(own_.begin() + static_cast<ptrdiff_t>(rank), std::move(own));
  auto i = static_cast<unsigned>(index);
  own_bits_[i / 64] |= uint64_t{1} << (i % 64);
  return own_[rank];
}

/// Entries that say nothing the generation does not say cost every reader a detour: away with them.
void SettingsView::drop_idle_entries() {
  std::erase_if(own_, [&](const Own& own) {
    bool idle = own.current.follows && !own.reset && own.levels.empty();
    if (idle) {
      auto i = static_cast<unsigned>(own.index);
      own_bits_[i / 64] &= ~(uint64_t{1} << (i % 64));
    }
    return idle;
  });
}

SettingsView::State SettingsView::shared_state(const Own& own) const {
  if (own.index != SettingIndex::kCount) {
    auto i = static_cast<size_t>(own.index);
    return {generation_->values[i], generation_->origins[i].source, true};
  }
  auto found = generation_->custom.find(own.custom_name);
  if (found == generation_->custom.end()) {
    return {SettingValue::of_text(""), SettingSource::kDefault, true};
  }
  return {found->second.value, found->second.origin.source, true};
}

SettingsView::State SettingsView::reset_state(const Own& own) const {
  return own.reset ? *own.reset : shared_state(own);
}

// --- changing

void SettingsView::after_change(const Own& own) {
  ++version_;
  if (own.index == SettingIndex::kCount) return;
  if (setting_info(own.index).has(setting_flag::kReport)) reports_pending_ = true;
  if (own.index == SettingIndex::kMaxStackDepth && this_task_or_null() != nullptr) {
    set_max_stack_depth_bytes(static_cast<size_t>(own.current.value.integer) * 1024);
  }
  if (host_ != nullptr) host_->changed(own.index);
}

void SettingsView::assign(Own& own, State state) {
  own.current = std::move(state);
  after_change(own);
}

/// Before a change inside a transaction: what this level will have to bring back (push_old_value).
void SettingsView::remember(Own& own, SetAction action) {
  if (nest_level_ == 0) return;
  if (!own.levels.empty() && own.levels.back().nest_level >= nest_level_) {
    Level& level = own.levels.back();
    if (action == SetAction::kSet) {
      level.masked = {};
      level.kind = Level::Kind::kSet;
    } else if (level.kind == Level::Kind::kSet) {
      level.masked = own.current;
      level.kind = Level::Kind::kSetLocal;
    }
    return;
  }
  auto kind = action == SetAction::kSet ? Level::Kind::kSet : Level::Kind::kLocal;
  own.levels.push_back({nest_level_, kind, own.current, {}});
  ++levels_in_use_;
}

/// A value that RESET shall go back to, here and in everything saved that is weaker.
void SettingsView::make_default(Own& own, const State& state) {
  if (reset_state(own).source <= state.source) own.reset = state;
  for (Level& level : own.levels) {
    if (level.prior.source <= state.source) level.prior = state;
  }
}

bool SettingsView::apply(Own& own, std::optional<SettingValue> value, SettingSource source,
                         SetAction action) {
  bool is_default = value && source <= SettingSource::kOverride;
  bool is_stronger = own.current.source <= source;
  if (!is_stronger && !is_default) return false;
  State state = value ? State{*std::move(value), source, false} : reset_state(own);
  if (is_stronger) {
    if (!is_default) remember(own, action);
    assign(own, state);
  }
  if (is_default) make_default(own, state);
  return is_stronger;
}

bool SettingsView::set(std::string_view name, std::optional<std::string_view> value,
                       SettingContext context, SettingSource source, SetAction action) {
  SettingIndex index = find_setting(name);
  if (index == SettingIndex::kCount) {
    if (!own_custom_.contains(name) && !generation_->custom.contains(name))
      require_custom_name(name);
    Own& own = own_custom_[std::string(name)];
    if (own.custom_name.empty()) {
      own.custom_name = name;
      own.current = shared_state(own);
    }
    std::optional<SettingValue> text;
    if (value) text = SettingValue::of_text(std::string(*value));
    return apply(own, std::move(text), source, action);
  }
  const SettingInfo& info = setting_info(index);
  check_context(info, context, source);
  std::optional<SettingValue> parsed;
  if (value) {
    parsed = parse_setting(info, *value, source, &this->value(index));
  } else {
    const Own* own = find_own(index);
    parsed = (own != nullptr ? reset_state(*own)
                             : State{generation_->values[static_cast<size_t>(index)]})
                 .value;
  }
  if (host_ != nullptr) host_->check(index, *parsed, source);
  if (!value) parsed.reset();
  bool applied = apply(make_own(index), std::move(parsed), source, action);
  drop_idle_entries();
  return applied;
}

void SettingsView::set_internal(SettingIndex index, std::string_view text, SettingSource source) {
  SettingValue parsed = parse_setting(setting_info(index), text, source, &value(index));
  apply(make_own(index), std::move(parsed), source, SetAction::kSet);
}

SettingValue SettingsView::check(std::string_view name, std::string_view value,
                                 SettingContext context, SettingSource source) const {
  SettingIndex index = find_setting(name);
  if (index == SettingIndex::kCount) {
    if (!own_custom_.contains(name) && !generation_->custom.contains(name))
      require_custom_name(name);
    return SettingValue::of_text(std::string(value));
  }
  check_context(setting_info(index), context, source);
  return parse_setting(setting_info(index), value, source, &this->value(index));
}

void SettingsView::reset_all(SettingContext) {
  auto reset_one = [&](Own& own) {
    if (own.current.source <= SettingSource::kOverride) return;
    remember(own, SetAction::kSet);
    assign(own, reset_state(own));
  };
  for (Own& own : own_) {
    const SettingInfo& info = setting_info(own.index);
    if (info.context < SettingContext::kSuperuser || info.has(setting_flag::kNoResetAll)) continue;
    reset_one(own);
  }
  for (auto& [name, own] : own_custom_) reset_one(own);
  drop_idle_entries();
}

// --- transactions

void SettingsView::begin_transaction() {
  nest_level_ = 0;  // so that what is set here is not taken back when the transaction ends
  start_from_default(SettingIndex::kTransactionIsolation,
                     SettingIndex::kDefaultTransactionIsolation);
  start_from_default(SettingIndex::kTransactionReadOnly, SettingIndex::kDefaultTransactionReadOnly);
  start_from_default(SettingIndex::kTransactionDeferrable,
                     SettingIndex::kDefaultTransactionDeferrable);
  nest_level_ = 1;
}

void SettingsView::start_from_default(SettingIndex index, SettingIndex default_index) {
  int64_t wanted = value(default_index).integer;
  if (value(index).integer == wanted) return;
  apply(make_own(index), SettingValue::of_integer(wanted), SettingSource::kOverride,
        SetAction::kSet);
}

void SettingsView::end_levels(bool commit, int nest_level) {
  for (Own& own : own_) end_levels(own, commit, nest_level);
  for (auto& [name, own] : own_custom_) end_levels(own, commit, nest_level);
  drop_idle_entries();
}

/// AtEOXact_GUC() for one setting. When a subtransaction commits, its level becomes its parent's.
void SettingsView::end_levels(Own& own, bool commit, int nest_level) {
  using Kind = Level::Kind;
  while (!own.levels.empty() && own.levels.back().nest_level >= nest_level) {
    Level& level = own.levels.back();
    Level* outer = own.levels.size() > 1 ? &own.levels[own.levels.size() - 2] : nullptr;
    std::optional<State> restored;
    if (!commit) {
      restored = std::move(level.prior);
    } else if (level.nest_level == 1) {
      if (level.kind == Kind::kLocal) restored = std::move(level.prior);
      if (level.kind == Kind::kSetLocal) restored = std::move(level.masked);
    } else if (outer == nullptr || outer->nest_level < level.nest_level - 1) {
      --level.nest_level;
      continue;
    } else if (level.kind == Kind::kSet) {
      outer->masked = {};
      outer->kind = Kind::kSet;
    } else if (level.kind == Kind::kSetLocal) {
      outer->masked = std::move(level.masked);
      outer->kind = Kind::kSetLocal;
    } else if (outer->kind == Kind::kSet) {
      outer->masked = std::move(level.prior);
      outer->kind = Kind::kSetLocal;
    }
    own.levels.pop_back();
    --levels_in_use_;
    if (restored) {
      // The shared value may have changed while another was in force.
      if (restored->follows) restored = shared_state(own);
      assign(own, *std::move(restored));
    }
  }
}

// --- reload

void SettingsView::adopt(std::shared_ptr<const SettingsGeneration> generation) {
  // What is fixed for the life of a connection stays as it was at its start.
  for (int i = 0; i < kSettingCount; ++i) {
    const SettingInfo& info = all_settings()[i];
    bool is_fixed = info.context == SettingContext::kBackend ||
                    info.context == SettingContext::kSuperuserBackend;
    auto index = static_cast<SettingIndex>(i);
    if (!is_fixed || find_own(index) != nullptr) continue;
    if (same_value(info, generation_->values[i], generation->values[i])) continue;
    State kept{generation_->values[i], generation_->origins[i].source, false};
    Own& own = make_own(index);
    own.current = kept;
    own.reset = kept;
  }
  std::shared_ptr<const SettingsGeneration> before = std::move(generation_);
  generation_ = std::move(generation);
  ++version_;
  for (Own& own : own_) {
    if (own.current.follows) own.current = shared_state(own);
  }
  for (auto& [name, own] : own_custom_) {
    if (own.current.follows) own.current = shared_state(own);
  }
  reports_pending_ = true;
  if (this_task_or_null() != nullptr) {
    set_max_stack_depth_bytes(static_cast<size_t>(get(setting::kMaxStackDepth)) * 1024);
  }
}

std::vector<ErrorData> reload_settings(SettingsView& view) {
  ServerSettings& server = view.server();
  std::vector<ErrorData> messages;
  if (server.current()->number <= view.generation().number) {
    messages = server.read_files(false).messages;
    // The postmaster has said it all at LOG.
    for (ErrorData& data : messages) data.severity = Severity::kDebug2;
  }
  view.adopt(server.current());
  return messages;
}

}  // namespace cofork
