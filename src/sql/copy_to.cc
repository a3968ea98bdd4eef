// COPY TO: rows of a query as text, csv or binary (copyto.c, 15).
#include <algorithm>

#include "sql/copy.h"
#include "support/bytes.h"

namespace cofork {
namespace {

void append_text_field(std::string& row, std::string_view value, char delimiter) {
  for (char c : value) {
    switch (c) {
      case '\b':
        row += "\\b";
        continue;
      case '\f':
        row += "\\f";
        continue;
      case '\n':
        row += "\\n";
        continue;
      case '\r':
        row += "\\r";
        continue;
      case '\t':
        row += "\\t";
        continue;
      case '\v':
        row += "\\v";
        continue;
      default:
        break;
    }
    if (c == '\\' || c == delimiter) row += '\\';
    row += c;
  }
}

void append_csv_field(std::string& row, std::string_view value, const CopyOptions& options,
                      bool force_quote, bool is_only_column) {
  bool needs_quotes =
      force_quote || value == options.null || (is_only_column && value == "\\.") ||
      std::ranges::any_of(value, [&](char c) {
        return c == options.delimiter || c == options.quote || c == '\n' || c == '\r';
      });
  if (!needs_quotes) {
    row += value;
    return;
  }
  row += options.quote;
  for (char c : value) {
    if (c == options.quote || c == options.escape) row += options.escape;
    row += c;
  }
  row += options.quote;
}

/// Makes the bytes of rows.
class RowWriter {
 public:
  RowWriter(const CopyOptions& options, std::span<const ResultColumn> columns)
      : options_(options), columns_(columns) {
    for (const ResultColumn& column : columns) {
      force_quote_.push_back(options.quote_all ||
                             std::ranges::find(options.force_quote, column.name) !=
                                 options.force_quote.end());
    }
  }

  std::string_view header() {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) row_ += options_.delimiter;
      if (options_.format == CopyFormat::kCsv) {
        append_csv_field(row_, columns_[i].name, options_, false, columns_.size() == 1);
      } else {
        append_text_field(row_, columns_[i].name, options_.delimiter);
      }
    }
    row_ += '\n';
    return row_;
  }

  std::string_view row(EvalContext& context, const Datum* values, const bool* nulls) {
    start_piece();
    if (options_.format == CopyFormat::kBinary) {
      append_be(row_, static_cast<int16_t>(columns_.size()));
      for (size_t i = 0; i < columns_.size(); ++i) binary_field(context, i, values[i], nulls[i]);
      return row_;
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) row_ += options_.delimiter;
      if (nulls[i]) {
        row_ += options_.null;
        continue;
      }
      value_.clear();
      columns_[i].type->to_text(context, values[i], value_);
      if (options_.format == CopyFormat::kCsv) {
        append_csv_field(row_, value_, options_, force_quote_[i], columns_.size() == 1);
      } else {
        append_text_field(row_, value_, options_.delimiter);
      }
    }
    row_ += '\n';
    return row_;
  }

  /// What ends the binary format, which begins with its first piece: the signature shares a message
  /// with the first row, or with this.
  std::string_view trailer() {
    start_piece();
    append_be(row_, int16_t{-1});
    return row_;
  }

 private:
  void start_piece() {
    row_.clear();
    if (options_.format != CopyFormat::kBinary || std::exchange(has_begun_, true)) return;
    row_.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  }

  void binary_field(EvalContext& context, size_t column, Datum value, bool is_null) {
    if (is_null) {
      append_be(row_, int32_t{-1});
      return;
    }
    value_.clear();
    columns_[column].type->to_binary(context, value, value_);
    append_be(row_, static_cast<int32_t>(value_.size()));
    row_ += value_;
  }

  const CopyOptions& options_;
  std::span<const ResultColumn> columns_;
  std::vector<bool> force_quote_;
  bool has_begun_ = false;
  std::string row_, value_;
};

}  // namespace

int64_t CopyCommand::copy_to(PreparedStatement& statement, const CopyOptions& options,
                             CopySink& sink) {
  EvalContext context = state_.context();
  auto execution =
      plan_statement(*statement.query, statement.arena, {}, state_.session.task, context);
  state_.session.transaction.note_query();
  execution->snapshot = register_snapshot(take_snapshot());
  RowWriter writer(options, statement.columns);
  bool binary = options.format == CopyFormat::kBinary;
  if (options.header) sink.write(writer.header());
  execution->start();
  int64_t rows = 0;
  Arena row_arena;
  while (execution->next()) {
    state_.session.task.check_interrupts();
    row_arena.reset();
    context.arena = &row_arena;
    sink.write(writer.row(context, execution->row_values(), execution->row_nulls()));
    ++rows;
  }
  execution->finish();
  if (binary) sink.write(writer.trailer());
  sink.end();
  return rows;
}

}  // namespace cofork
