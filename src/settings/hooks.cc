// The checks, one function each, and the table that says which setting has which.
#include "settings/hooks.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <span>

#include "settings/encodings.h"
#include "types/encoding.h"
#include "types/timezone.h"

namespace cofork {
namespace {

struct Call {
  const SettingInfo& info;
  SettingValue& value;
  SettingSource source;
  const SettingValue* current;

  std::string_view text() const { return value.string->text; }
  bool from_session() const { return source >= SettingSource::kInteractive; }
};

Error refusal(const Call& call) {
  if (call.info.type == SettingType::kString) {
    return Error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": \"{}\"",
                 call.info.name, call.text());
  }
  return Error(sqlstate::kInvalidParameterValue, "invalid value for parameter \"{}\": {}",
               call.info.name, call.value.integer);
}

bool same_word(std::string_view a, std::string_view b) {
  return compare_setting_names(a, b) == 0;
}

bool starts_with_word(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same_word(text.substr(0, prefix.size()), prefix);
}

std::vector<std::string> list_of(const Call& call) {
  std::optional<std::vector<std::string>> names = split_identifiers(call.text());
  if (!names) throw refusal(call).detail("List syntax is invalid.");
  return *std::move(names);
}

void check_name_list(Call& call) {
  auto names = std::make_shared<const NameList>(NameList{list_of(call)});
  call.value = SettingValue::of_text(std::string(call.text()), std::move(names));
}

// --- DateStyle

const char* const kStyleNames[] = {"Postgres", "ISO", "SQL", "German"};
const char* const kOrderNames[] = {"YMD", "DMY", "MDY"};

struct DateStyleWords {
  std::optional<DateStyleValue::Style> style;
  std::optional<DateStyleValue::Order> order;
  bool conflict = false;

  void want(DateStyleValue::Style wanted) {
    conflict |= style && *style != wanted;
    style = wanted;
  }
  void want(DateStyleValue::Order wanted) {
    conflict |= order && *order != wanted;
    order = wanted;
  }
  /// False: no such word.
  bool take(std::string_view word) {
    using Style = DateStyleValue::Style;
    using Order = DateStyleValue::Order;
    if (same_word(word, "ISO")) {
      want(Style::kIso);
    } else if (same_word(word, "SQL")) {
      want(Style::kSql);
    } else if (starts_with_word(word, "POSTGRES")) {
      want(Style::kPostgres);
    } else if (same_word(word, "GERMAN")) {
      want(Style::kGerman);
      // German dates are day first, unless another word says otherwise.
      if (!order) order = Order::kDmy;
    } else if (same_word(word, "YMD")) {
      want(Order::kYmd);
    } else if (same_word(word, "DMY") || starts_with_word(word, "EURO")) {
      want(Order::kDmy);
    } else if (same_word(word, "MDY") || same_word(word, "US") ||
               starts_with_word(word, "NONEURO")) {
      want(Order::kMdy);
    } else {
      return false;
    }
    return true;
  }
};

void check_date_style(Call& call) {
  DateStyleWords words;
  DateStyleValue before{DateStyleValue::Style::kIso, DateStyleValue::Order::kMdy};
  if (call.current != nullptr) {
    before = *static_cast<const DateStyleValue*>(call.current->string->derived.get());
  }
  for (const std::string& word : list_of(call)) {
    if (same_word(word, "DEFAULT")) {
      if (!words.style) words.style = DateStyleValue::Style::kIso;
      if (!words.order) words.order = DateStyleValue::Order::kMdy;
    } else if (!words.take(word)) {
      throw refusal(call).detail("Unrecognized key word: \"{}\".", word);
    }
  }
  if (words.conflict) throw refusal(call).detail("Conflicting \"datestyle\" specifications.");
  auto result = std::make_shared<const DateStyleValue>(
      DateStyleValue{words.style.value_or(before.style), words.order.value_or(before.order)});
  std::string canonical = fmt::format("{}, {}", kStyleNames[static_cast<int>(result->style)],
                                      kOrderNames[static_cast<int>(result->order)]);
  call.value = SettingValue::of_text(std::move(canonical), std::move(result));
}

// --- time zones

void take_time_zone(Call& call, std::optional<TimeZone> found) {
  if (!found) throw refusal(call);
  auto zone = std::make_shared<const TimeZone>(*std::move(found));
  std::string name = zone->name();
  call.value = SettingValue::of_text(std::move(name), std::move(zone));
}

void check_time_zone(Call& call) {
  std::string text(call.text());
  if (starts_with_word(text, "interval")) {
    throw Error(sqlstate::kFeatureNotSupported,
                "time zones given as an interval are not supported");
  }
  char* end = nullptr;
  double hours = std::strtod(text.c_str(), &end);
  bool is_number = end != text.c_str() && *end == '\0';
  // At most a week: what a POSIX zone can say.
  if (is_number && !(std::fabs(hours) <= 167)) {
    throw refusal(call).detail("UTC timezone offset is out of range.");
  }
  take_time_zone(call, time_zone_from_setting(text));
}

void check_log_time_zone(Call& call) {
  take_time_zone(call, find_time_zone(call.text()));
}

void check_zone_abbreviations(Call& call) {
  if (call.value.string->is_null) return;
  // The three sets PostgreSQL ships; types/ knows the abbreviations themselves.
  for (std::string_view known : {"Default", "Australia", "India"}) {
    if (call.text() == known) return;
  }
  throw refusal(call);
}

// --- logging

void check_log_destination(Call& call) {
  LogDestinations to;
  for (const std::string& word : list_of(call)) {
    if (same_word(word, "stderr")) {
      to.to_stderr = true;
    } else if (same_word(word, "csvlog")) {
      to.to_csv = true;
    } else if (same_word(word, "jsonlog")) {
      to.to_json = true;
    } else {
      // syslog is not built in; PostgreSQL says the same where its platform has none.
      throw refusal(call).detail("Unrecognized key word: \"{}\".", word);
    }
  }
  call.value =
      SettingValue::of_text(std::string(call.text()), std::make_shared<const LogDestinations>(to));
}

void check_backtrace_functions(Call& call) {
  for (char c : call.text()) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != ',' && c != ' ' &&
        c != '\n' && c != '\t') {
      throw refusal(call).detail("invalid character");
    }
  }
}

// --- names

// Titles and log lines go to terminals: whatever is not printable ASCII becomes a question mark.
void clean_ascii(Call& call) {
  std::string text(call.text());
  for (char& c : text) {
    if (c < 32 || c > 126) c = '?';
  }
  call.value = SettingValue::of_text(std::move(text));
}

void check_client_encoding(Call& call) {
  const char* name = find_encoding(call.text());
  if (name == nullptr) throw refusal(call);
  if (!find_conversion(name)) {
    Error unsupported = refusal(call);
    unsupported.data().sqlstate = sqlstate::kFeatureNotSupported;
    throw std::move(unsupported).detail("Conversion between {} and UTF8 is not supported.", name);
  }
  call.value = SettingValue::of_text(name);
}

/// "C", "POSIX", "C.UTF-8", or language_COUNTRY with encoding and modifier. Nothing here depends on
/// the locale, so its form is all that is checked.
void check_locale(Call& call) {
  std::string_view text = call.text();
  if (text.empty() || text == "C" || text == "POSIX") return;
  std::string_view base = text.substr(0, text.find_first_of(".@"));
  bool is_c = base == "C" || base == "POSIX";
  bool is_pair = base.size() >= 5 && base.find('_') != std::string_view::npos;
  bool is_plain = true;
  for (char c : text) {
    is_plain &= std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' ||
                c == '-' || c == '@';
  }
  if (!is_plain || (!is_c && !is_pair)) throw refusal(call);
}

void check_table_access_method(Call& call) {
  if (call.text().empty()) throw refusal(call).detail("{} cannot be empty.", call.info.name);
  if (call.from_session() && call.text() != "heap") {
    throw refusal(call).detail("Table access method \"{}\" does not exist.", call.text());
  }
}

bool is_tablespace(std::string_view name) {
  return name.empty() || name == "pg_default" || name == "pg_global";
}

void check_default_tablespace(Call& call) {
  if (call.from_session() && !is_tablespace(call.text())) {
    throw refusal(call).detail("Tablespace \"{}\" does not exist.", call.text());
  }
}

void check_temp_tablespaces(Call& call) {
  for (const std::string& name : list_of(call)) {
    if (call.from_session() && !is_tablespace(name)) {
      throw Error(sqlstate::kUndefinedObject, "tablespace \"{}\" does not exist", name);
    }
  }
}

void check_text_search_config(Call& call) {
  if (!call.from_session()) return;
  static constexpr const char* kConfigurations[] = {
      "simple",  "arabic",    "armenian",   "basque",   "catalan", "danish",
      "dutch",   "english",   "finnish",    "french",   "german",  "greek",
      "hindi",   "hungarian", "indonesian", "irish",    "italian", "lithuanian",
      "nepali",  "norwegian", "portuguese", "romanian", "russian", "serbian",
      "spanish", "swedish",   "tamil",      "turkish",  "yiddish"};
  std::string_view name = call.text();
  constexpr std::string_view kSchema = "pg_catalog.";
  if (name.starts_with(kSchema)) name.remove_prefix(kSchema.size());
  for (std::string_view known : kConfigurations) {
    if (name == known) {
      call.value = SettingValue::of_text(std::string(kSchema) + std::string(known));
      return;
    }
  }
  throw refusal(call);
}

// --- what this build does not have

void check_ssl(Call& call) {
  if (call.value.integer == 0) return;
  throw Error(sqlstate::kInvalidParameterValue, "SSL is not supported by this build");
}

void check_bonjour(Call& call) {
  if (call.value.integer == 0) return;
  throw Error(sqlstate::kInvalidParameterValue, "Bonjour is not supported by this build");
}

void check_default_with_oids(Call& call) {
  if (call.value.integer == 0) return;
  throw Error(sqlstate::kFeatureNotSupported, "tables declared WITH OIDS are not supported");
}

void check_io_method(Call& call) {
  if (static_cast<setting::IoMethod>(call.value.integer) != setting::IoMethod::kIoUring) return;
  throw Error(sqlstate::kInvalidParameterValue, "io_uring is not supported by this build");
}

// --- others

void check_max_stack_depth(Call& call) {
  // Under the usual 8 MB of stack, less what PostgreSQL leaves for the frames of libraries. The
  // coroutine model's deep stacks are made to hold as much, so that both refuse the same.
  constexpr int kLimitKilobytes = 8192 - 512;
  if (call.value.integer <= kLimitKilobytes) return;
  throw refusal(call)
      .detail("\"max_stack_depth\" must not exceed {}kB.", kLimitKilobytes)
      .hint("Increase the platform's stack depth limit via \"ulimit -s\" or local equivalent.");
}

void check_recovery_target(Call& call) {
  if (call.text().empty() || call.text() == "immediate") return;
  throw refusal(call).detail("The only allowed value is \"immediate\".");
}

void check_slot_name(Call& call) {
  for (char c : call.text()) {
    bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (allowed) continue;
    throw refusal(call)
        .detail("replication slot name \"{}\" contains invalid character", call.text())
        .hint(
            "Replication slot names may only contain lower case letters, numbers, and the "
            "underscore character.");
  }
}

void check_keywords(Call& call, std::span<const char* const> known) {
  for (const std::string& word : list_of(call)) {
    bool found = false;
    for (const char* name : known) found |= same_word(word, name);
    if (!found) throw refusal(call).detail("Unrecognized key word: \"{}\".", word);
  }
}

void check_wal_consistency(Call& call) {
  static constexpr const char* kManagers[] = {"all",    "heap2", "heap",   "btree",
                                              "hash",   "gin",   "gist",   "sequence",
                                              "spgist", "brin",  "generic"};
  check_keywords(call, kManagers);
}

void check_relation_kinds(Call& call) {
  static constexpr const char* kKinds[] = {"view", "foreign-table"};
  check_keywords(call, kKinds);
}

struct Hook {
  SettingIndex index;
  void (*check)(Call&);
};

constexpr Hook kHooks[] = {
    {SettingIndex::kApplicationName, clean_ascii},
    {SettingIndex::kBacktraceFunctions, check_backtrace_functions},
    {SettingIndex::kBonjour, check_bonjour},
    {SettingIndex::kClientEncoding, check_client_encoding},
    {SettingIndex::kClusterName, clean_ascii},
    {SettingIndex::kCoforkIoMethod, check_io_method},
    {SettingIndex::kDateStyle, check_date_style},
    {SettingIndex::kDefaultTableAccessMethod, check_table_access_method},
    {SettingIndex::kDefaultTablespace, check_default_tablespace},
    {SettingIndex::kDefaultTextSearchConfig, check_text_search_config},
    {SettingIndex::kDefaultWithOids, check_default_with_oids},
    {SettingIndex::kLcMessages, check_locale},
    {SettingIndex::kLcMonetary, check_locale},
    {SettingIndex::kLcNumeric, check_locale},
    {SettingIndex::kLcTime, check_locale},
    {SettingIndex::kLogDestination, check_log_destination},
    {SettingIndex::kLogTimezone, check_log_time_zone},
    {SettingIndex::kMaxStackDepth, check_max_stack_depth},
    {SettingIndex::kPrimarySlotName, check_slot_name},
    {SettingIndex::kRecoveryTarget, check_recovery_target},
    {SettingIndex::kRestrictNonsystemRelationKind, check_relation_kinds},
    {SettingIndex::kSearchPath, check_name_list},
    {SettingIndex::kSsl, check_ssl},
    {SettingIndex::kTempTablespaces, check_temp_tablespaces},
    {SettingIndex::kTimeZone, check_time_zone},
    {SettingIndex::kTimezoneAbbreviations, check_zone_abbreviations},
    {SettingIndex::kWalConsistencyChecking, check_wal_consistency},
};

constexpr auto kCheckOf = [] {
  struct {
    void (*of[kSettingCount])(Call&) = {};
  } table;
  for (const Hook& hook : kHooks) table.of[static_cast<size_t>(hook.index)] = hook.check;
  return table;
}();

SettingIndex index_of(const SettingInfo& info) {
  return static_cast<SettingIndex>(&info - all_settings().data());
}

bool is_plain_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

void check_setting(const SettingInfo& info, SettingValue& value, SettingSource source,
                   const SettingValue* current) {
  auto check = kCheckOf.of[static_cast<size_t>(index_of(info))];
  if (check == nullptr) return;
  Call call{info, value, source, current};
  check(call);
}

std::optional<std::string> show_hook(const SettingInfo& info, const SettingValue& value) {
  switch (index_of(info)) {
    case SettingIndex::kDataDirectoryMode:
    case SettingIndex::kLogFileMode:
    case SettingIndex::kUnixSocketPermissions:
      return fmt::format("{:04o}", value.integer);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<std::string>> split_identifiers(std::string_view text) {
  std::vector<std::string> names;
  size_t at = 0;
  auto skip_blanks = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
  };
  skip_blanks();
  if (at == text.size()) return names;
  while (true) {
    std::string name;
    if (text[at] == '"') {
      ++at;
      while (true) {
        size_t quote = text.find('"', at);
        if (quote == std::string_view::npos) return std::nullopt;
        name += text.substr(at, quote - at);
        at = quote + 1;
        if (at < text.size() && text[at] == '"') {
          name += '"';
          ++at;
        } else {
          break;
        }
      }
    } else {
      size_t start = at;
      while (at < text.size() && text[at] != ',' &&
             !std::isspace(static_cast<unsigned char>(text[at]))) {
        char c = text[at++];
        name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      if (at == start) return std::nullopt;
    }
    names.push_back(std::move(name));
    skip_blanks();
    if (at == text.size()) return names;
    if (text[at] != ',') return std::nullopt;
    ++at;
    skip_blanks();
    if (at == text.size()) return std::nullopt;
  }
}

std::string quote_setting_identifier(std::string_view name) {
  bool is_plain = !name.empty() && is_plain_identifier_start(name[0]);
  for (char c : name) {
    is_plain &= is_plain_identifier_start(c) || (c >= '0' && c <= '9');
  }
  if (is_plain) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace cofork
