// The list of settings against all rows of pg_settings of PostgreSQL 15.18.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "settings/setting.h"
#include "settings/value.h"
#include "test_data.h"

namespace cofork {
namespace {

/// One line of a CSV file with quoted fields, none of which holds a line end.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::vector<std::map<std::string, std::string>> reference_rows() {
  std::ifstream file(testing_support::data_path("settings/pg_settings_15.csv"));
  std::string line;
  std::getline(file, line);
  std::vector<std::string> columns = fields_of(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(file, line)) {
    std::vector<std::string> fields = fields_of(line);
    auto& row = rows.emplace_back();
    for (size_t i = 0; i < columns.size(); ++i) row[columns[i]] = fields.at(i);
  }
  return rows;
}

/// The array's text form, as pg_settings.enumvals is printed.
std::string enumvals_text(const SettingInfo& info) {
  std::string text = "{";
  for (const EnumOption& option : info.options) {
    if (option.hidden) continue;
    if (text.size() > 1) text += ',';
    std::string name = option.name;
    bool quoted = name.empty() || name.find(' ') != std::string::npos;
    text += quoted ? '"' + name + '"' : name;
  }
  return text + "}";
}

TEST(SettingsTable, HasEveryRowOfPostgresql15) {
  auto rows = reference_rows();
  ASSERT_EQ(rows.size(), 354u);
  for (auto& row : rows) {
    SCOPED_TRACE(row["name"]);
    SettingIndex index = find_setting(row["name"]);
    ASSERT_NE(index, SettingIndex::kCount);
    const SettingInfo& info = setting_info(index);
    EXPECT_EQ(info.name, row["name"]);
    EXPECT_EQ(type_name(info.type), row["vartype"]);
    EXPECT_EQ(context_name(info.context), row["context"]);
    EXPECT_EQ(unit_name(info.unit) ? unit_name(info.unit) : "", row["unit"]);
    EXPECT_EQ(info.category, row["category"]);
    EXPECT_EQ(info.description, row["short_desc"]);
    if (info.type == SettingType::kInteger) {
      EXPECT_EQ(std::to_string(static_cast<int64_t>(info.minimum)), row["min_val"]);
      EXPECT_EQ(std::to_string(static_cast<int64_t>(info.maximum)), row["max_val"]);
      EXPECT_EQ(std::to_string(boot_value(info).integer), row["boot_val"]);
    } else {
      if (info.type == SettingType::kReal) {
        EXPECT_EQ(real_text(info.minimum), row["min_val"]);
        EXPECT_EQ(real_text(info.maximum), row["max_val"]);
      }
      if (info.type == SettingType::kEnum) {
        EXPECT_EQ(enumvals_text(info), row["enumvals"]);
      }
      // What this program is, and that it is built without TLS, are its own facts.
      if (index == SettingIndex::kServerVersion || index == SettingIndex::kSslLibrary) continue;
      EXPECT_EQ(show_setting(info, boot_value(info), false), row["boot_val"]);
    }
  }
}

TEST(SettingsTable, AddsOnlyItsOwnGroupAndTheHiddenOnes) {
  int cofork = 0;
  int hidden = 0;
  for (const SettingInfo& info : all_settings()) {
    if (std::string_view(info.name).starts_with("cofork.")) ++cofork;
    if (info.has(setting_flag::kNoShowAll)) ++hidden;
  }
  EXPECT_EQ(hidden, 6);
  EXPECT_EQ(kSettingCount, 354 + cofork + hidden);
}

TEST(SettingsTable, NamesAreFoundInAnyCaseAndBySortedOrder) {
  EXPECT_EQ(find_setting("DATESTYLE"), SettingIndex::kDateStyle);
  EXPECT_EQ(find_setting("sort_mem"), SettingIndex::kWorkMem);
  EXPECT_EQ(find_setting("no_such"), SettingIndex::kCount);
  EXPECT_EQ(find_setting(""), SettingIndex::kCount);
  std::span<const SettingIndex> order = settings_by_name();
  for (size_t i = 1; i < order.size(); ++i) {
    EXPECT_LT(compare_setting_names(setting_info(order[i - 1]).name, setting_info(order[i]).name),
              0);
  }
}

}  // namespace
}  // namespace cofork
