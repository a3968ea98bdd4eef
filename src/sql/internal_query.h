// SQL that the server runs for its own purposes, inside the statement that needs it: checks of
// existing rows, foreign keys, CREATE TABLE AS (as spi.c, 15).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "sql/engine_state.h"

namespace cofork {

/// A prepared statement of the server's own. Kept as long as its owner likes; it is analysed anew
/// when what it names has changed.
class InternalQuery {
 public:
  InternalQuery(Engine::State& state, std::string_view text, std::span<const Oid> parameters = {});

  /// Called with each row's values; false ends the query.
  using OnRow = std::function<bool(const Datum* values, const bool* nulls)>;
  /// Runs it to its end, with a snapshot of now. Returns the rows it gave, or changed.
  int64_t run(std::span<const Datum> values = {}, std::span<const char> nulls = {},
              const OnRow& on_row = nullptr);
  const PreparedStatement& statement() const { return *statement_; }

 private:
  Engine::State& state_;
  std::shared_ptr<PreparedStatement> statement_;
};

/// Is there any row? Runs `text` up to its first one.
bool query_finds_row(Engine::State& state, std::string_view text);

}  // namespace cofork
