// "live" is a promise: a setting is marked kLive exactly when code looks at it. This reads the
// sources.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "settings/setting.h"
#include "test_data.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, SettingIndex>& indexes_by_symbol() {
  static const std::map<std::string, SettingIndex> kSymbols = {
#define BOOLEAN(symbol, ...) {#symbol, SettingIndex::symbol},
#define INTEGER(symbol, ...) {#symbol, SettingIndex::symbol},
#define REAL(symbol, ...) {#symbol, SettingIndex::symbol},
#define STRING(symbol, ...) {#symbol, SettingIndex::symbol},
#define ENUM(symbol, ...) {#symbol, SettingIndex::symbol},
#include "settings/setting_list.h"
  };
  return kSymbols;
}

/// Where settings are named because they exist, not because something depends on them.
bool is_bookkeeping(const std::string& path) {
  return path.find("/src/settings/") != std::string::npos;
}

/// The symbols after every "setting::" or "SettingIndex::" of a text.
void collect_symbols(const std::string& text, std::set<std::string>& symbols) {
  for (const std::string prefix : {"setting::", "SettingIndex::"}) {
    for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
      at += prefix.size();
      size_t end = at;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0)) ++end;
      symbols.insert(text.substr(at, end - at));
    }
  }
}

std::set<std::string> symbols_in_use() {
  std::set<std::string> used = {"kMaxStackDepth"};  // settings.cc hands it to the model
  for (const auto& entry :
       fs::recursive_directory_iterator(testing_support::data_path("../../src"))) {
    std::string path = entry.path().lexically_normal().string();
    bool is_source = path.ends_with(".cc") || path.ends_with(".h");
    if (is_source && !is_bookkeeping(path)) {
      collect_symbols(testing_support::read_file(path), used);
    }
  }
  return used;
}

TEST(SettingsLive, SaysWhatTheCodeDoes) {
  std::set<std::string> used = symbols_in_use();
  for (const auto& [symbol, index] : indexes_by_symbol()) {
    const SettingInfo& info = setting_info(index);
    // Facts about the build and the server are shown, whoever asks.
    if (info.context == SettingContext::kInternal) continue;
    EXPECT_EQ(info.has(setting_flag::kLive), used.contains(symbol))
        << symbol << " in src/settings/table/: kLive must be there exactly when code reads it";
  }
}

}  // namespace
}  // namespace cofork
