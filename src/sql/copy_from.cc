// COPY FROM: rows into a table (copyfrom.c, 15).
//
// A table without indexes gets its rows in batches, one WAL record for each page they fill.
#include <algorithm>

#include "access/heap.h"
#include "sql/copy.h"
#include "sql/nodes_modify.h"
#include "sql/planner.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

constexpr size_t kBatchRows = 1000;
constexpr size_t kBatchBytes = 65536;

std::string clipped(std::string_view text) {
  constexpr size_t kLongest = 100;
  if (text.size() <= kLongest) return std::string(text);
  size_t end = kLongest;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

/// Everything one COPY FROM works with.
class CopyIn {
 public:
  CopyIn(Engine::State& state, std::string_view text, const CopyTarget& target,
         const CopyOptions& options, CopySource& source, const Node* where);
  int64_t run();

 private:
  bool next_row();
  void read_values();
  void check_header();
  void put_row();
  void flush();
  /// "COPY t, line 3, column id: "abc"" (CopyFromErrorCallback).
  std::string where_it_was() const;

  const CopyOptions& options_;
  Arena statement_arena_;
  std::vector<Oid> no_parameters_;
  Dependencies dependencies_;
  Execution execution_;
  Query* query_ = nullptr;
  std::optional<TableWriter> writer_;
  Program* defaults_ = nullptr;
  Program* where_ = nullptr;
  struct Input {
    int column;
    const BuiltinType* type;
    int32_t typmod;
    const std::string* name;
    bool force_not_null;
    bool force_null;
  };
  std::vector<Input> inputs_;
  CopyFieldReader fields_;
  CopyBinaryReader binary_;
  bool is_binary_;
  std::vector<CopyField> row_;
  int64_t line_ = 0;
  int64_t rows_ = 0;
  AccessStrategy strategy_{AccessStrategy::Kind::kBulkWrite};
  BulkInsert bulk_;
  std::vector<HeapTuple> batch_;
  Arena batch_arena_{16384};
  Arena row_arena_;
  // For the context of errors.
  enum class Stage : uint8_t {
    kReading,
    kSplitting,
    kValue,
    kRow,
    kStoring
  } stage_ = Stage::kReading;
  size_t field_ = 0;
};

CopyIn::CopyIn(Engine::State& state, std::string_view text, const CopyTarget& target,
               const CopyOptions& options, CopySource& source, const Node* where)
    : options_(options),
      execution_(state.session.task, state.context()),
      fields_(source, options),
      binary_(source),
      is_binary_(options.format == CopyFormat::kBinary) {
  EvalContext context = state.context();
  context.arena = &statement_arena_;
  AnalyzeInput input{&state.session, text,     &statement_arena_, &no_parameters_,
                     false,          &context, &dependencies_};
  Analyzer analyzer(input);
  query_ = analyzer.insert_row(*target.relation, target.columns);
  Expr* condition = nullptr;
  if (where != nullptr) {
    condition = analyzer.table_expression(*where, query_->modification->row, Place::kWhere);
  }
  mark_used_columns(*query_, statement_arena_);
  execution_.context.arena = &execution_.arena;
  Planner planner(execution_, 0);
  int slot = planner.place_row(*query_->modification);
  writer_.emplace(planner, *query_->modification);
  defaults_ = planner.compile_targets(query_->targets, slot);
  if (condition != nullptr) where_ = planner.compile(*condition);
  planner.finish();
  for (int column : target.columns) {
    const ColumnDesc& desc = target.relation->columns[static_cast<size_t>(column)];
    auto listed = [&](const std::vector<std::string>& names) {
      return std::ranges::find(names, desc.name) != names.end();
    };
    inputs_.push_back({column, find_type(desc.type), desc.typmod, &desc.name,
                       listed(options.force_not_null), listed(options.force_null)});
  }
  bulk_.strategy = &strategy_;
}

std::string CopyIn::where_it_was() const {
  std::string text = fmt::format("COPY {}, line {}", writer_->relation.name, line_);
  if (stage_ == Stage::kValue) {
    text += fmt::format(", column {}", *inputs_[field_].name);
    if (is_binary_) return text;
    const CopyField& field = row_[field_];
    return text + (field.is_null ? std::string(": null input")
                                 : fmt::format(": \"{}\"", clipped(field.text)));
  }
  bool shows_line = (stage_ == Stage::kSplitting || stage_ == Stage::kRow) && !is_binary_;
  if (shows_line) text += fmt::format(": \"{}\"", clipped(fields_.line()));
  return text;
}

bool CopyIn::next_row() {
  stage_ = Stage::kReading;
  ++line_;
  if (is_binary_) {
    row_.resize(inputs_.size());
    return binary_.next_row(row_);
  }
  if (!fields_.next_line()) return false;
  line_ = fields_.line_number();
  stage_ = Stage::kSplitting;
  if (inputs_.empty() && fields_.line().empty()) {
    row_.clear();
    return true;
  }
  fields_.split(row_);
  if (row_.size() > inputs_.size()) {
    throw Error(sqlstate::kBadCopyFileFormat, "extra data after last expected column");
  }
  return true;
}

void CopyIn::check_header() {
  if (!options_.header || is_binary_ || !fields_.next_line()) return;
  if (!options_.header_must_match) return;
  line_ = fields_.line_number();
  stage_ = Stage::kSplitting;
  fields_.split(row_);
  if (row_.size() != inputs_.size()) {
    throw Error(sqlstate::kBadCopyFileFormat,
                "wrong number of fields in header line: got {}, expected {}", row_.size(),
                inputs_.size());
  }
  for (size_t i = 0; i < row_.size(); ++i) {
    if (row_[i].is_null) {
      throw Error(sqlstate::kBadCopyFileFormat,
                  "column name mismatch in header line field {}: got null value (\"{}\"), expected "
                  "\"{}\"",
                  i + 1, options_.null, *inputs_[i].name);
    }
    if (row_[i].text != *inputs_[i].name) {
      throw Error(sqlstate::kBadCopyFileFormat,
                  "column name mismatch in header line field {}: got \"{}\", expected \"{}\"",
                  i + 1, row_[i].text, *inputs_[i].name);
    }
  }
}

void CopyIn::read_values() {
  EvalContext& context = execution_.context;
  context.arena = &row_arena_;
  stage_ = Stage::kValue;
  for (field_ = 0; field_ < inputs_.size(); ++field_) {
    const Input& input = inputs_[field_];
    if (field_ >= row_.size()) {
      stage_ = Stage::kRow;
      throw Error(sqlstate::kBadCopyFileFormat, "missing data for column \"{}\"", *input.name);
    }
    CopyField& field = row_[field_];
    if (input.force_not_null && field.is_null) {
      field.is_null = false;
      field.text = options_.null;
    } else if (input.force_null && !field.is_null && field.was_quoted &&
               field.text == options_.null) {
      field.is_null = true;
    }
    int slot = writer_->first_slot + input.column;
    execution_.nulls[slot] = field.is_null;
    if (field.is_null) {
      execution_.values[slot] = 0;
    } else if (is_binary_) {
      execution_.values[slot] = input.type->from_binary(context, field.text, input.typmod);
    } else {
      execution_.values[slot] = input.type->from_text(context, field.text, input.typmod);
    }
  }
  stage_ = Stage::kRow;
}

void CopyIn::put_row() {
  defaults_->run(execution_, row_arena_);
  if (where_ != nullptr && !where_->test(execution_, row_arena_)) return;
  writer_->complete(execution_, row_arena_);
  ++rows_;
  if (writer_->has_indexes()) {
    HeapTuple tuple = writer_->form(execution_, row_arena_);
    stage_ = Stage::kStoring;
    writer_->insert(execution_, tuple, row_arena_, 0, &bulk_);
    return;
  }
  batch_.push_back(writer_->form(execution_, batch_arena_));
  if (writer_->is_long(batch_.back())) {
    writer_->shorten(execution_, batch_.back(), batch_arena_);
  }
  if (batch_.size() == kBatchRows || batch_arena_.footprint_bytes() > 4 * kBatchBytes) flush();
}

void CopyIn::flush() {
  if (batch_.empty()) return;
  stage_ = Stage::kStoring;
  heap_multi_insert(writer_->relation.access, batch_, writer_->command, 0, &bulk_);
  batch_.clear();
  batch_arena_.reset();
}

int64_t CopyIn::run() {
  Task& task = execution_.task;
  try {
    writer_->open(execution_);
    if (is_binary_) binary_.read_header();
    check_header();
    while (next_row()) {
      task.check_interrupts();
      row_arena_.reset();
      read_values();
      put_row();
    }
    flush();
  } catch (Error& error) {
    if (error.data().context.empty()) error.data().context = where_it_was();
    throw;
  }
  writer_->close();
  bulk_.current.release();
  return rows_;
}

}  // namespace

int64_t CopyCommand::copy_from(const CopyTarget& target, const CopyOptions& options,
                               CopySource& source, const Node* where) {
  if (settings().get(setting::kTransactionReadOnly)) {
    throw Error(sqlstate::kReadOnlySqlTransaction,
                "cannot execute COPY FROM in a read-only transaction");
  }
  return CopyIn(state_, text_, target, options, source, where).run();
}

}  // namespace cofork
