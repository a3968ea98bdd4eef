// A task's view of the settings: what code reads, and what SET, RESET and transactions change.
//
//   int kilobytes = settings().get(setting::kWorkMem);        // a bit test and a load
//
// Values live in two places. A *generation* holds the values every task shares: defaults,
// environment, files and command line, made by the postmaster and immutable. A task adds the few
// values of its own (startup packet, SET). A reload makes a new generation; a task adopts it when
// it serves its SIGHUP (reload_settings), never in the middle of a statement.
//
// Own values are stacked by transaction nesting as in guc.c: SET lasts when the transaction
// commits, SET LOCAL ends with it, and a rollback brings back what was before.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/task.h"
#include "settings/setting.h"
#include "settings/value.h"

namespace cofork {

class ServerSettings;

/// Order of names without case.
struct SettingNameLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return compare_setting_names(a, b) < 0;
  }
};

/// Where a shared value came from.
struct SettingOrigin {
  SettingSource source = SettingSource::kDefault;
  bool pending_restart = false;  ///< the file asks for another value, which needs a restart
  int line = 0;
  std::shared_ptr<const std::string> file;  ///< null unless source is kFile
};

/// A `class.name` nobody knows more about than its text.
struct CustomSetting {
  SettingValue value;
  SettingOrigin origin;
};
using CustomSettings = std::map<std::string, CustomSetting, SettingNameLess>;

/// The values all tasks share. Immutable once published.
struct SettingsGeneration {
  uint64_t number = 0;  ///< counts reloads that found the files good; 1 is the start
  SettingValue values[kSettingCount];
  SettingOrigin origins[kSettingCount];
  CustomSettings custom;
};

enum class SetAction : uint8_t { kSet, kLocal };

/// One row of pg_settings; nullopt is NULL.
struct SettingRow {
  std::string name;
  std::optional<std::string> setting;
  std::optional<std::string> unit;
  std::string category;
  std::string short_desc;
  std::optional<std::string> extra_desc;
  std::string context;
  std::string vartype;
  std::string source;
  std::optional<std::string> min_val;
  std::optional<std::string> max_val;
  std::optional<std::vector<std::string>> enumvals;
  std::optional<std::string> boot_val;
  std::optional<std::string> reset_val;
  std::optional<std::string> sourcefile;
  std::optional<int> sourceline;
  bool pending_restart = false;
};

/// What a session adds to the settings it owns: role, session_authorization, transaction_… .
/// Called with the setting's index; everything here is the upper floor's.
class SettingsHost {
 public:
  virtual ~SettingsHost() = default;
  /// May throw Error, or rewrite the value, before it is stored.
  virtual void check(SettingIndex index, SettingValue& value, SettingSource source) = 0;
  /// After a value has changed, by SET, RESET or rollback. Must not throw.
  virtual void changed(SettingIndex index) = 0;
  /// May this user see the settings that only superusers and pg_read_all_settings may?
  virtual bool may_see_all() const = 0;
};

class SettingsView {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kSettings;

  /// Starts with the server's current generation and nothing of its own. `server` must outlive it.
  explicit SettingsView(ServerSettings& server);
  ~SettingsView();
  SettingsView(const SettingsView&) = delete;
  SettingsView& operator=(const SettingsView&) = delete;

  // --- reading
  bool get(BoolSetting id) const { return value(id.index).integer != 0; }
  int get(IntegerSetting id) const { return static_cast<int>(value(id.index).integer); }
  double get(RealSetting id) const { return value(id.index).real; }
  /// Valid until this task changes the setting or adopts a generation.
  std::string_view get(StringSetting id) const { return value(id.index).string->text; }
  template <typename E>
  E get(SettingId<E> id) const {
    return static_cast<E>(value(id.index).integer);
  }
  /// The parsed form a check has left beside a text; null if the setting has none (see hooks.h).
  template <typename T>
  const T* derived(StringSetting id) const {
    return static_cast<const T*>(value(id.index).string->derived.get());
  }
  const SettingValue& value(SettingIndex index) const {
    auto i = static_cast<unsigned>(index);
    if ((own_bits_[i / 64] >> (i % 64)) & 1) [[unlikely]]
      return own_value(index);
    return generation_->values[i];
  }
  const SettingsGeneration& generation() const { return *generation_; }
  /// Changes whenever any value may have changed: derived state can be kept beside it.
  uint64_t version() const { return version_; }

  // --- showing
  /// SHOW and current_setting(): the text with units. nullopt when there is no such setting and
  /// `missing_ok`; else throws 42704. Throws 42501 when only superusers may see it.
  std::optional<std::string> show(std::string_view name, bool missing_ok = false) const;
  std::string show(SettingIndex index) const { return show_text(index, true); }
  /// The name as the list spells it ("TimeZone"); throws 42704.
  std::string canonical_name(std::string_view name) const;
  /// Rows of pg_settings, by name; what may not be seen or is hidden is left out.
  std::vector<SettingRow> rows() const;
  /// Called for each setting the client wants to hear of, name and text.
  void for_each_reported(const std::function<void(std::string_view, const std::string&)>&) const;
  /// The same, for those whose text has changed since the last call (ReportChangedGUCOptions).
  void take_changed_reports(const std::function<void(std::string_view, const std::string&)>&);
  bool reports_pending() const { return reports_pending_; }

  // --- changing
  /// SET: `value` nullopt is SET … TO DEFAULT and RESET. `context` says who asks: kUser, or
  /// kSuperuser for a superuser; kBackend or kSuperuserBackend for a startup packet; kInternal for
  /// the server itself. Throws 42704, 22023, 42501, 55P02 …
  /// Returns false when a value of a stronger source is in force and only the reset value changed.
  bool set(std::string_view name, std::optional<std::string_view> value, SettingContext context,
           SettingSource source, SetAction action = SetAction::kSet);
  /// The server's own change of one of its settings, without checks of permission.
  void set_internal(SettingIndex index, std::string_view value,
                    SettingSource source = SettingSource::kOverride);
  /// RESET ALL.
  void reset_all(SettingContext context);
  /// Would set() accept it? Throws as set() does (ALTER DATABASE … SET, ALTER SYSTEM).
  SettingValue check(std::string_view name, std::string_view value, SettingContext context,
                     SettingSource source) const;
  /// Elements of a SET list as the statement gives them, to the one text that set() takes:
  /// quoted where the setting says so. Throws 22023 "SET … takes only one argument".
  std::string flatten_list(std::string_view name, const std::vector<std::string>& elements) const;

  // --- transactions
  /// Nesting: 0 outside a transaction, 1 in it, more in subtransactions (AtStart_GUC,
  /// NewGUCNestLevel).
  /// transaction_isolation, _read_only and _deferrable start from their default_ settings.
  void begin_transaction();
  int begin_nested() { return ++nest_level_; }
  /// Ends everything at `nest_level` and deeper (AtEOXact_GUC); 1 ends the transaction.
  void end_nested(bool commit, int nest_level) {
    if (levels_in_use_ != 0) end_levels(commit, nest_level);
    nest_level_ = nest_level - 1;
  }
  void end_transaction(bool commit) { end_nested(commit, 1); }
  int nest_level() const { return nest_level_; }

  // --- the rest
  void set_host(SettingsHost* host) { host_ = host; }
  ServerSettings& server() const { return server_; }
  /// Takes over a newer generation: own values stay, stronger or weaker by source.
  void adopt(std::shared_ptr<const SettingsGeneration> generation);

 private:
  /// A value with its source, as saved and restored.
  struct State {
    SettingValue value;
    SettingSource source = SettingSource::kDefault;
    bool follows = false;  ///< no value of the task's own: that of the generation, kept in step
  };
  /// What a transaction level has to undo or to finish (GucStack).
  struct Level {
    int nest_level;
    enum class Kind : uint8_t { kSet, kLocal, kSetLocal } kind;
    State prior;   ///< before this level's first change
    State masked;  ///< kSetLocal: what SET had set, under the SET LOCAL
  };
  struct Own {
    SettingIndex index = SettingIndex::kCount;  ///< kCount: a custom setting
    std::string custom_name;
    State current;
    std::optional<State> reset;  ///< what RESET goes back to, if not the generation's value
    std::vector<Level> levels;
  };

  const SettingValue& own_value(SettingIndex index) const {
    return own_[own_rank(index)].current.value;
  }
  size_t own_rank(SettingIndex index) const;
  const Own* find_own(SettingIndex index) const;
  Own& make_own(SettingIndex index);
  State shared_state(const Own& own) const;
  State reset_state(const Own& own) const;
  SettingSource source_of(SettingIndex index) const;
  std::optional<std::string> show_custom(std::string_view name) const;
  std::string show_text(SettingIndex index, bool with_units) const;
  SettingRow row(SettingIndex index) const;
  bool may_see(const SettingInfo& info) const;

  void remember(Own& own, SetAction action);
  void assign(Own& own, State state);
  void after_change(const Own& own);
  void make_default(Own& own, const State& state);
  void end_levels(bool commit, int nest_level);
  void end_levels(Own& own, bool commit, int nest_level);
  void drop_idle_entries();
  void start_from_default(SettingIndex index, SettingIndex default_index);
  bool apply(Own& own, std::optional<SettingValue> value, SettingSource source, SetAction action);

  ServerSettings& server_;
  std::shared_ptr<const SettingsGeneration> generation_;
  uint64_t own_bits_[(kSettingCount + 63) / 64] = {};
  std::vector<Own> own_;  ///< in index order: the n-th set bit of own_bits_ is own_[n]
  std::map<std::string, Own, SettingNameLess> own_custom_;
  std::map<SettingIndex, std::string> last_reported_;
  SettingsHost* host_ = nullptr;
  uint64_t version_ = 1;
  int nest_level_ = 0;
  int levels_in_use_ = 0;  ///< of all settings: while 0, a transaction's end costs nothing
  bool reports_pending_ = false;
};

/// pg_settings_get_flags(): "EXPLAIN", "NO_SHOW_ALL", "NO_RESET_ALL", "NOT_IN_SAMPLE",
/// "RUNTIME_COMPUTED".
std::vector<std::string> setting_flag_names(const SettingInfo& info);

/// The settings of the running task. A child makes its own view first of all: it is born with a
/// pointer to its parent's, which in the coroutine model changes under it.
inline SettingsView& settings() {
  return *this_task().slot<SettingsView>();
}

/// What a task does about SIGHUP (kInterruptReload): adopts the newest generation its process can
/// see, or, when there is none newer than its own, has the files read (ProcessConfigFile). One
/// rule: a coroutine finds what the postmaster has published, a process finds only its own old
/// copy. Returns what is to be logged: nothing but DEBUG2 lines for children.
std::vector<ErrorData> reload_settings(SettingsView& view);

}  // namespace cofork
