// cofork settings: every setting, what it is now, where that comes from, and whether anything in
// this server looks at it. Without a data directory it shows the defaults.
//
// The files are read as a server would read them at start; no server needs to run, and a running
// one's own command line is not seen (ask it: SHOW, or pg_settings).
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "os/process.h"
#include "settings/server_settings.h"
#include "settings/settings.h"

namespace cofork {
namespace {

constexpr const char* kProgram = "cofork settings";

struct Shown {
  SettingRow row;
  std::string text;  ///< with units
  bool is_live;
};

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_or_null(const std::optional<std::string>& text) {
  return text ? json_text(*text) : "null";
}

std::string json_list(const std::optional<std::vector<std::string>>& words) {
  if (!words) return "null";
  std::string out;
  for (const std::string& word : *words) out += (out.empty() ? "" : ", ") + json_text(word);
  return "[" + out + "]";
}

void print_json(const std::vector<Shown>& settings) {
  fmt::print("[\n");
  for (size_t i = 0; i < settings.size(); ++i) {
    const SettingRow& row = settings[i].row;
    fmt::print(
        "  {{\"name\": {}, \"setting\": {}, \"unit\": {}, \"shown\": {}, \"category\": {}, "
        "\"description\": {}, \"context\": {}, \"type\": {}, \"source\": {}, \"min\": {}, \"max\": "
        "{}, "
        "\"values\": {}, \"default\": {}, \"file\": {}, \"line\": {}, \"live\": {}}}{}\n",
        json_text(row.name), json_or_null(row.setting), json_or_null(row.unit),
        json_text(settings[i].text), json_text(row.category), json_text(row.short_desc),
        json_text(row.context), json_text(row.vartype), json_text(row.source),
        json_or_null(row.min_val), json_or_null(row.max_val), json_list(row.enumvals),
        json_or_null(row.boot_val), json_or_null(row.sourcefile),
        row.sourceline ? std::to_string(*row.sourceline) : "null", settings[i].is_live,
        i + 1 < settings.size() ? "," : "");
  }
  fmt::print("]\n");
}

void print_table(const std::vector<Shown>& settings) {
  size_t name_width = 4;
  size_t value_width = 5;
  for (const Shown& s : settings) {
    name_width = std::max(name_width, s.row.name.size());
    value_width = std::max(value_width, std::min<size_t>(s.text.size(), 40));
  }
  fmt::print("{:<{}}  {:<{}}  {:<20}  {:<17}  {:<4}  {}\n", "NAME", name_width, "VALUE",
             value_width, "SOURCE", "CONTEXT", "LIVE", "DESCRIPTION");
  for (const Shown& s : settings) {
    fmt::print("{:<{}}  {:<{}}  {:<20}  {:<17}  {:<4}  {}\n", s.row.name, name_width, s.text,
               value_width, s.row.source, s.row.context, s.is_live ? "yes" : "no",
               s.row.short_desc);
  }
}

/// The settings of `names`, or all of pg_settings; false for a name there is none of (told).
bool select(const SettingsView& view, const std::vector<std::string>& names, bool only_live,
            std::vector<Shown>& out) {
  for (const std::string& name : names) {
    if (find_setting(name) != SettingIndex::kCount) continue;
    fmt::print(stderr, "{}: unrecognized configuration parameter \"{}\"\n", kProgram, name);
    return false;
  }
  for (SettingRow& row : view.rows()) {
    SettingIndex index = find_setting(row.name);
    bool is_named = names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& name) {
                      return find_setting(name) == index;
                    });
    bool is_live = setting_info(index).is_live();
    if (is_named && (is_live || !only_live))
      out.push_back({std::move(row), view.show(index), is_live});
  }
  return true;
}

/// Reads the files of a data directory; false when that failed (told).
bool read_directory(ServerSettings& server, const std::string& directory) {
  ServerSettings::Selection selection = server.select_config_files(directory, "", kProgram);
  fmt::print(stderr, "{}", selection.stderr_text);
  for (const ErrorData& message : selection.reading.messages) {
    fmt::print(stderr, "{}: {}\n", kProgram, message.message);
  }
  return selection.ok();
}

}  // namespace

int settings_command(int argc, char** argv) {
  CommandLine line(
      kProgram, "Lists the settings of a server.",
      "SOURCE says where the value comes from, CONTEXT what it takes to change it, LIVE whether\n"
      "anything in this server looks at it; the others are accepted and checked, no more.\n\n"
      "Examples:\n"
      "  cofork settings --live\n"
      "  cofork settings -D ~/data work_mem shared_buffers\n"
      "  cofork settings --json | jq '.[] | select(.live)'\n");
  std::string directory = environment_variable("PGDATA").value_or("");
  bool only_live = false;
  bool json = false;
  std::vector<std::string> names;
  line.option("-D,--pgdata", directory, "data directory whose files to read (default: PGDATA)");
  line.flag("--live", only_live, "only those that have an effect");
  line.flag("--json", json, "print JSON instead of a table");
  line.arguments("NAME", names, "only these");
  if (const auto status = line.parse(argc, argv)) return *status;
  ServerSettings server(real_operating_system().files);
  if (!directory.empty() && !read_directory(server, directory)) return 1;
  SettingsView view(server);
  std::vector<Shown> settings;
  if (!select(view, names, only_live, settings)) return 1;
  json ? print_json(settings) : print_table(settings);
  return 0;
}

}  // namespace cofork
