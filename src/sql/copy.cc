// The COPY statement: its options, its table, where the bytes come from and go to. See copy.h.
#include "sql/copy.h"

#include <fcntl.h>

#include <algorithm>

#include "catalog/names.h"
#include "io/file.h"
#include "sql/table_definition.h"
#include "support/error.h"

namespace cofork {
namespace {

bool copy_option_is_on(const Node& option) {
  std::string value = option_text(option);
  if (value == "true" || value == "on" || value == "1") return true;
  if (value == "false" || value == "off" || value == "0") return false;
  throw Error(sqlstate::kSyntaxError, "{} requires a Boolean value", option.string("defname"));
}

std::vector<std::string> names_of(const Node& option) {
  std::vector<std::string> names;
  for (const Node* name : option.list("arg")) names.emplace_back(name->text());
  if (const Node* list = option.node("arg")) {
    for (const Node* name : list->list("items")) names.emplace_back(name->text());
  }
  return names;
}

char one_character(const Node& option, std::string_view what) {
  std::string value = option_text(option);
  if (value.size() != 1) {
    throw Error(sqlstate::kFeatureNotSupported, "COPY {} must be a single one-byte character",
                what);
  }
  return value[0];
}

void check_options(const CopyOptions& options, bool is_from, bool has_delimiter, bool has_null,
                   bool has_quote, bool has_escape) {
  bool csv = options.format == CopyFormat::kCsv, binary = options.format == CopyFormat::kBinary;
  auto refuse = [](std::string_view text) { throw Error(sqlstate::kSyntaxError, "{}", text); };
  if (binary && has_delimiter) refuse("cannot specify DELIMITER in BINARY mode");
  if (binary && has_null) refuse("cannot specify NULL in BINARY mode");
  if (!csv && options.header && binary) {
    throw Error(sqlstate::kFeatureNotSupported, "cannot specify HEADER in BINARY mode");
  }
  if (!csv && has_quote) {
    throw Error(sqlstate::kFeatureNotSupported, "COPY quote available only in CSV mode");
  }
  if (!csv && has_escape) {
    throw Error(sqlstate::kFeatureNotSupported, "COPY escape available only in CSV mode");
  }
  auto csv_only = [&](bool given, std::string_view what, bool only_from) {
    if (given && !csv) {
      throw Error(sqlstate::kFeatureNotSupported, "COPY {} available only in CSV mode", what);
    }
    if (given && is_from != only_from) {
      throw Error(sqlstate::kFeatureNotSupported, "COPY {} only available using COPY {}", what,
                  only_from ? "FROM" : "TO");
    }
  };
  csv_only(options.quote_all || !options.force_quote.empty(), "force quote", false);
  csv_only(!options.force_not_null.empty(), "force not null", true);
  csv_only(!options.force_null.empty(), "force null", true);
  if (options.delimiter == '\n' || options.delimiter == '\r') {
    throw Error(sqlstate::kInvalidParameterValue,
                "COPY delimiter cannot be newline or carriage return");
  }
  constexpr std::string_view kForbidden = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
  if (!csv && kForbidden.find(options.delimiter) != kForbidden.npos) {
    throw Error(sqlstate::kInvalidParameterValue, "COPY delimiter cannot be \"{}\"",
                options.delimiter);
  }
  if (csv && options.delimiter == options.quote) {
    throw Error(sqlstate::kInvalidParameterValue, "COPY delimiter and quote must be different");
  }
  if (options.null.find(options.delimiter) != std::string::npos && !binary) {
    throw Error(sqlstate::kFeatureNotSupported,
                "COPY delimiter must not appear in the NULL specification");
  }
}

}  // namespace

CopyOptions read_copy_options(const Node& node, std::string_view text) {
  CopyOptions options;
  bool has_format = false, has_delimiter = false, has_null = false, has_quote = false,
       has_escape = false;
  for (const Node* option : node.list("options")) {
    std::string_view name = option->string("defname");
    int position = character_position(text, option->location());
    if (name == "format") {
      std::string format = option_text(*option);
      if (has_format) {
        throw Error(sqlstate::kSyntaxError, "conflicting or redundant options").position(position);
      }
      has_format = true;
      if (format == "csv") {
        options.format = CopyFormat::kCsv;
      } else if (format == "binary") {
        options.format = CopyFormat::kBinary;
      } else if (format != "text") {
        throw Error(sqlstate::kInvalidParameterValue, "COPY format \"{}\" not recognized", format)
            .position(position);
      }
    } else if (name == "delimiter") {
      has_delimiter = true;
      options.delimiter = one_character(*option, "delimiter");
    } else if (name == "null") {
      has_null = true;
      options.null = option_text(*option);
    } else if (name == "header") {
      std::string value = option_text(*option);
      options.header_must_match = value == "match";
      options.header = options.header_must_match || copy_option_is_on(*option);
    } else if (name == "quote") {
      has_quote = true;
      options.quote = one_character(*option, "quote");
    } else if (name == "escape") {
      has_escape = true;
      options.escape = one_character(*option, "escape");
    } else if (name == "freeze") {
      options.freeze = copy_option_is_on(*option);
    } else if (name == "force_quote") {
      options.force_quote = names_of(*option);
      options.quote_all = options.force_quote.empty();
    } else if (name == "force_not_null") {
      options.force_not_null = names_of(*option);
    } else if (name == "force_null") {
      options.force_null = names_of(*option);
    } else if (name == "encoding") {
      std::string value = option_text(*option);
      if (value != "UTF8" && value != "utf8" && value != "UTF-8" && value != "utf-8") {
        throw Error(sqlstate::kFeatureNotSupported, "encoding \"{}\" is not supported", value);
      }
    } else {
      throw Error(sqlstate::kSyntaxError, "option \"{}\" not recognized", name).position(position);
    }
  }
  if (options.format == CopyFormat::kCsv) {
    if (!has_delimiter) options.delimiter = ',';
    if (!has_null) options.null.clear();
    if (!has_escape) options.escape = options.quote;
  }
  check_options(options, node.flag("is_from"), has_delimiter, has_null, has_quote, has_escape);
  return options;
}

// --- where bytes come from and go to

namespace {

class ClientSource final : public CopySource {
 public:
  explicit ClientSource(CopyChannel& channel) : channel_(channel) {}
  bool read(std::string& data) override {
    if (done_) return false;
    done_ = !channel_.read(data);
    return !done_;
  }

 private:
  CopyChannel& channel_;
  bool done_ = false;
};

class CopyOutSink final : public CopySink {
 public:
  explicit CopyOutSink(CopyChannel& channel) : channel_(channel) {}
  void write(std::string_view row) override { channel_.write(row); }
  void end() override { channel_.end_out(); }

 private:
  CopyChannel& channel_;
};

class FileSource final : public CopySource {
 public:
  explicit FileSource(const std::string& path) {
    int result = file_.open(path, O_RDONLY);
    if (result >= 0) return;
    throw Error(sqlstate_for_file_errno(-result), "could not open file \"{}\" for reading: {}",
                path, errno_text(-result))
        .hint(
            "COPY FROM instructs the PostgreSQL server process to read a file. You may want a "
            "client-side facility such as psql's \\copy.");
  }
  bool read(std::string& data) override {
    constexpr size_t kPiece = 65536;
    size_t before = data.size();
    data.resize(before + kPiece);
    ssize_t got = file_.read_at(data.data() + before, kPiece, offset_, WaitEventId::kDataFileRead);
    data.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) {
      throw Error(sqlstate_for_file_errno(static_cast<int>(-got)),
                  "could not read from COPY file: {}", errno_text(static_cast<int>(-got)));
    }
    offset_ += got;
    return got > 0;
  }

 private:
  File file_;
  off_t offset_ = 0;
};

class FileSink final : public CopySink {
 public:
  explicit FileSink(const std::string& path) {
    int result = file_.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (result >= 0) return;
    throw Error(sqlstate_for_file_errno(-result), "could not open file \"{}\" for writing: {}",
                path, errno_text(-result))
        .hint(
            "COPY TO instructs the PostgreSQL server process to write a file. You may want a "
            "client-side facility such as psql's \\copy.");
  }
  void write(std::string_view row) override {
    pending_ += row;
    if (pending_.size() >= 65536) flush();
  }
  void end() override { flush(); }

 private:
  void flush() {
    ssize_t done =
        file_.write_at(pending_.data(), pending_.size(), offset_, WaitEventId::kDataFileWrite);
    if (done < 0) {
      throw Error(sqlstate_for_file_errno(static_cast<int>(-done)),
                  "could not write to COPY file: {}", errno_text(static_cast<int>(-done)));
    }
    offset_ += done;
    pending_.clear();
  }
  File file_;
  off_t offset_ = 0;
  std::string pending_;
};

}  // namespace

std::unique_ptr<CopySource> open_copy_file(const std::string& path) {
  return std::make_unique<FileSource>(path);
}
std::unique_ptr<CopySink> create_copy_file(const std::string& path) {
  return std::make_unique<FileSink>(path);
}

// --- the statement

CopyTarget CopyCommand::find_target(const Node& node, bool is_from) {
  const Node& relation = *node.node("relation");
  std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
  LockMode mode = is_from ? LockMode::kRowExclusive : LockMode::kAccessShare;
  FoundRelation found = lock_relation(schema, name, mode);
  CopyTarget target;
  if (found.view != nullptr) {
    throw Error(sqlstate::kWrongObjectType, "cannot copy {} view \"{}\"", is_from ? "to" : "from",
                name);
  }
  target.relation = &open_relation(found.oid, mode);
  const RelationDesc& desc = *target.relation;
  if (desc.kind != 'r') {
    std::string_view what = desc.kind == 'v' ? "view" : desc.kind == 'S' ? "sequence" : "relation";
    Error error(sqlstate::kWrongObjectType, "cannot copy {} {} \"{}\"", is_from ? "to" : "from",
                what, desc.name);
    if (desc.kind == 'v' && !is_from) {
      throw std::move(error).hint("Try the COPY (SELECT ...) TO variant.");
    }
    throw error;
  }
  if (is_from && desc.is_system) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                desc.name);
  }
  NodeList names = node.list("attlist");
  for (const ColumnDesc& column : desc.columns) {
    if (names.empty() && !column.dropped && column.generated == '\0') {
      target.columns.push_back(column.number - 1);
    }
  }
  for (const Node* item : names) {
    const ColumnDesc* column = desc.find_column(item->text());
    if (column == nullptr) {
      throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                  item->text(), desc.name);
    }
    if (column->generated != '\0') {
      throw Error(sqlstate::kInvalidColumnReference, "column \"{}\" is a generated column",
                  column->name)
          .detail("Generated columns cannot be used in COPY.");
    }
    if (std::ranges::find(target.columns, column->number - 1) != target.columns.end()) {
      throw Error(sqlstate::kDuplicateColumn, "column \"{}\" specified more than once",
                  column->name);
    }
    target.columns.push_back(column->number - 1);
  }
  return target;
}

int64_t CopyCommand::run(const Node& node, RowReceiver& receiver) {
  bool is_from = node.flag("is_from");
  std::string path(node.string("filename"));
  if (node.flag("is_program")) {
    throw Error(sqlstate::kFeatureNotSupported, "COPY with PROGRAM is not supported");
  }
  if (!path.empty() && !state_.session.is_superuser) {
    throw Error(sqlstate::kInsufficientPrivilege,
                "must be superuser or have privileges of the {} role to COPY {} a file",
                is_from ? "pg_read_server_files" : "pg_write_server_files",
                is_from ? "from" : "to");
  }
  if (!path.empty() && !is_from && path[0] != '/') {
    throw Error(sqlstate::kInvalidName, "relative path not allowed for COPY to file");
  }
  CopyChannel* channel = receiver.copy_channel();
  if (path.empty() && channel == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "COPY needs a client to send or take its data");
  }
  CopyTarget target;
  PreparedStatement source;
  if (node.node("relation") != nullptr) {
    target = find_target(node, is_from);
  } else {
    const Node& query = *node.node("query");
    if (!is_query(query)) {
      throw Error(sqlstate::kFeatureNotSupported, "COPY query must be a SELECT");
    }
    source.parsed = state_.cache.parse(text_);
    source.statement = &source.parsed->statements[0];
    state_.analyse(source, query, false);
    state_.fill_columns(source);
    if (source.columns.empty()) {
      throw Error(sqlstate::kFeatureNotSupported, "COPY query must have a RETURNING clause");
    }
  }
  CopyOptions options = read_copy_options(node, text_);
  bool binary = options.format == CopyFormat::kBinary;
  if (is_from) {
    int columns = static_cast<int>(target.columns.size());
    if (path.empty()) {
      channel->begin_in(binary, columns);
      ClientSource client(*channel);
      return copy_from(target, options, client, node.node("whereClause"));
    }
    auto file = open_copy_file(path);
    return copy_from(target, options, *file, node.node("whereClause"));
  }
  if (target.relation != nullptr) {
    std::string text = "SELECT ";
    for (size_t i = 0; i < target.columns.size(); ++i) {
      if (i > 0) text += ", ";
      text +=
          quote_identifier(target.relation->columns[static_cast<size_t>(target.columns[i])].name);
    }
    text += fmt::format(" FROM ONLY {}",
                        qualified_name(target.relation->schema_name, target.relation->name));
    source.parsed = parse_query(text);
    source.statement = &source.parsed->statements[0];
    state_.analyse(source, *source.statement->node, false);
    state_.fill_columns(source);
  }
  if (!path.empty()) {
    auto file = create_copy_file(path);
    return copy_to(source, options, *file);
  }
  channel->begin_out(binary, static_cast<int>(source.columns.size()));
  CopyOutSink client(*channel);
  return copy_to(source, options, client);
}

}  // namespace cofork
