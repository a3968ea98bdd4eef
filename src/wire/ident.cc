// See ident.h.
#include "wire/ident.h"

#include "types/regex.h"

namespace cofork {

namespace {

IdentLine parse_line(const ConfigLine& source) {
  for (const ConfigField& field : source.fields) {
    if (field.size() > 1) throw Error(sqlstate::kConfigFileError, "multiple values in ident field");
  }
  if (source.fields.size() < 3) {
    throw Error(sqlstate::kConfigFileError, "missing entry at end of line");
  }
  IdentLine line{source.number, source.fields[0][0].text, source.fields[1][0].text,
                 source.fields[2][0].text};
  if (line.system_user.starts_with('/')) {
    const std::string pattern = line.system_user.substr(1);
    std::string complaint;
    try {
      Regex checked(pattern, RegexFlags{});
    } catch (const Error& failure) {
      complaint = failure.data().message;
    }
    if (!complaint.empty()) {
      complaint.insert(std::string_view("invalid regular expression").size(),
                       " \"" + pattern + "\"");
      throw Error(sqlstate::kInvalidRegularExpression, "{}", complaint);
    }
  }
  return line;
}

}  // namespace

std::shared_ptr<const IdentConfig> parse_ident(std::string_view text, const std::string& file_name,
                                               const FileReader& read_included,
                                               std::vector<ErrorData>& reports) {
  auto config = std::make_shared<IdentConfig>();
  config->file_name = file_name;
  size_t reports_before = reports.size();
  for (const ConfigLine& line : tokenize_config(text, file_name, read_included, reports)) {
    try {
      config->lines.push_back(parse_line(line));
    } catch (const Error& error) {
      ErrorData data = config_file_report(error.data().message, line.number, file_name);
      data.sqlstate = error.data().sqlstate;
      reports.push_back(std::move(data));
    }
  }
  if (reports.size() != reports_before) return nullptr;
  return config;
}

std::shared_ptr<const IdentConfig> load_ident(FileSystem& files, const std::string& file_name,
                                              std::vector<ErrorData>& reports) {
  FileReader read = file_reader(files);
  std::optional<std::string> text = read_config_file(read, file_name, reports);
  return text ? parse_ident(*text, file_name, read, reports) : nullptr;
}

}  // namespace cofork
