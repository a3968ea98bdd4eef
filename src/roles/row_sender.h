// RowSender: rows of the SQL engine, written straight into a connection's output buffer (as
// printtup.c, 15).
#pragma once

#include <span>
#include <string_view>

#include "sql/engine.h"
#include "wire/connection.h"

namespace cofork {

/// RowDescription. `formats` has one entry a column, or is empty for all text.
void send_row_description(OutputBuffer& out, std::span<const ResultColumn> columns,
                          std::span<const int16_t> formats);

/// What the session adds to rows: told of each step of a simple query.
class StatementObserver {
 public:
  virtual void query_parsed(StatementClass strongest) = 0;
  virtual void statement_begins(std::string_view tag) = 0;

 protected:
  ~StatementObserver() = default;
};

class RowSender final : public RowReceiver {
 public:
  /// `describe`: RowDescription goes before the rows (simple protocol).
  RowSender(Connection& connection, StatementObserver& observer, bool describe,
            CopyChannel* copy_channel)
      : connection_(connection),
        observer_(observer),
        describe_(describe),
        copy_channel_(copy_channel) {}

  void parsed(StatementClass strongest) override { observer_.query_parsed(strongest); }
  void begin_statement(std::string_view tag) override { observer_.statement_begins(tag); }
  void begin_rows(std::span<const ResultColumn> columns, std::span<const int16_t> formats) override;
  void row(EvalContext& context, const Datum* values, const bool* nulls) override;
  void complete(std::string_view tag) override;
  void empty_query() override;
  CopyChannel* copy_channel() override { return copy_channel_; }

 private:
  Connection& connection_;
  StatementObserver& observer_;
  bool describe_;
  CopyChannel* copy_channel_;
  std::span<const ResultColumn> columns_;
  std::span<const int16_t> formats_;
};

}  // namespace cofork
