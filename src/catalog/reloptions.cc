// See reloptions.h. The lists are those of PostgreSQL 15 for heap tables and B-trees.
#include "catalog/reloptions.h"

#include <algorithm>
#include <charconv>

#include "support/error.h"
#include "types/scalar.h"

namespace cofork {

namespace {

struct Option {
  enum Kind : uint8_t { kBool, kInteger, kReal, kWord } kind;
  const char* kinds;  ///< relkinds that have it
  const char* name;
  double least = 0, most = 0;
};
constexpr double kInt = 2147483647;
constexpr Option kOptions[] = {
    {Option::kInteger, "r", "fillfactor", 10, 100},
    {Option::kInteger, "i", "fillfactor", 10, 100},
    {Option::kBool, "i", "deduplicate_items"},
    {Option::kBool, "r", "autovacuum_enabled"},
    {Option::kBool, "r", "user_catalog_table"},
    {Option::kBool, "r", "vacuum_truncate"},
    {Option::kWord, "r", "vacuum_index_cleanup"},
    {Option::kInteger, "r", "parallel_workers", 0, 1024},
    {Option::kInteger, "r", "toast_tuple_target", 128, 8160},
    {Option::kInteger, "r", "autovacuum_vacuum_threshold", 0, kInt},
    {Option::kInteger, "r", "autovacuum_vacuum_insert_threshold", -1, kInt},
    {Option::kInteger, "r", "autovacuum_analyze_threshold", 0, kInt},
    {Option::kInteger, "r", "autovacuum_vacuum_cost_limit", 1, 10000},
    {Option::kInteger, "r", "autovacuum_freeze_min_age", 0, 1000000000},
    {Option::kInteger, "r", "autovacuum_freeze_max_age", 100000, 2000000000},
    {Option::kInteger, "r", "autovacuum_freeze_table_age", 0, 2000000000},
    {Option::kInteger, "r", "autovacuum_multixact_freeze_min_age", 0, 1000000000},
    {Option::kInteger, "r", "autovacuum_multixact_freeze_max_age", 10000, 2000000000},
    {Option::kInteger, "r", "autovacuum_multixact_freeze_table_age", 0, 2000000000},
    {Option::kInteger, "r", "log_autovacuum_min_duration", -1, kInt},
    {Option::kReal, "r", "autovacuum_vacuum_cost_delay", 0, 100},
    {Option::kReal, "r", "autovacuum_vacuum_scale_factor", 0, 100},
    {Option::kReal, "r", "autovacuum_vacuum_insert_scale_factor", 0, 100},
    {Option::kReal, "r", "autovacuum_analyze_scale_factor", 0, 100},
    {Option::kBool, "v", "security_barrier"},
    {Option::kBool, "v", "security_invoker"},
    {Option::kWord, "v", "check_option"},
};

Error invalid(const char* kind, const std::string& name, const std::string& value) {
  return Error(sqlstate::kInvalidParameterValue, "invalid value for {} option \"{}\": {}", kind,
               name, value);
}

void check_number(const Option& option, const std::string& value) {
  bool is_real = option.kind == Option::kReal;
  double number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  bool whole = is_real || number == static_cast<double>(static_cast<int64_t>(number));
  if (error != std::errc() || end != value.data() + value.size() || !whole) {
    throw invalid(is_real ? "floating point" : "integer", option.name, value);
  }
  if (number >= option.least && number <= option.most) return;
  Error out_of_bounds(sqlstate::kInvalidParameterValue, "value {} out of bounds for option \"{}\"",
                      value, option.name);
  if (is_real) {
    throw std::move(out_of_bounds)
        .detail("Valid values are between \"{:f}\" and \"{:f}\".", option.least, option.most);
  }
  throw std::move(out_of_bounds)
      .detail("Valid values are between \"{}\" and \"{}\".", static_cast<int64_t>(option.least),
              static_cast<int64_t>(option.most));
}

/// As parse_bool() of guc.c takes it.
bool is_boolean(const std::string& value) {
  constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on", "off", "1", "0"};
  std::string word = ascii_lowered(value);
  return std::ranges::find(kWords, word) != std::end(kWords);
}

void check_word(const Option& option, const std::string& value) {
  bool is_check = std::string_view(option.name) == "check_option";
  std::string word = ascii_lowered(value);
  if (is_check && (word == "local" || word == "cascaded")) return;
  if (!is_check && (word == "auto" || is_boolean(word))) return;
  throw Error(sqlstate::kInvalidParameterValue, "invalid value for enum option \"{}\": {}",
              option.name, value)
      .detail("{}", is_check ? "Valid values are \"local\" and \"cascaded\"."
                             : "Valid values are \"on\", \"off\", and \"auto\".");
}

void check_option(const Option& option, const std::string& value) {
  switch (option.kind) {
    case Option::kBool:
      if (!is_boolean(value)) throw invalid("boolean", option.name, value);
      return;
    case Option::kInteger:
    case Option::kReal:
      return check_number(option, value);
    case Option::kWord:
      return check_word(option, value);
  }
}

const Option& find_option(const std::string& name, char kind) {
  for (const Option& option : kOptions) {
    if (option.name == name && option.kinds[0] == kind) return option;
  }
  throw Error(sqlstate::kInvalidParameterValue, "unrecognized parameter \"{}\"", name);
}

}  // namespace

std::vector<std::string> checked_options(const OptionList& options, char kind) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < options.size(); ++i) {
    const auto& [name, value] = options[i];
    const Option& option = find_option(name, kind);
    for (size_t before = 0; before < i; ++before) {
      if (options[before].first == name) {
        throw Error(sqlstate::kInvalidParameterValue, "parameter \"{}\" specified more than once",
                    name);
      }
    }
    check_option(option, value);
    texts.push_back(name + "=" + value);
  }
  return texts;
}

std::vector<std::string> merged_options(const OptionList& before, const OptionList& changes,
                                        char kind, bool reset) {
  OptionList merged = before;
  for (const auto& [name, value] : changes) {
    find_option(name, kind);
    std::erase_if(merged, [&](const auto& old) { return old.first == name; });
    if (!reset) merged.emplace_back(name, value);
  }
  return checked_options(merged, kind);
}

}  // namespace cofork
