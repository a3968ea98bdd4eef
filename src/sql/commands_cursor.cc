// DECLARE, FETCH, MOVE, CLOSE: cursors are named portals whose rows are kept as they are read, so
// that every cursor can move backwards (portalcmds.c, and DoPortalRunFetch in pquery.c).
#include <algorithm>

#include "sql/engine_state.h"

namespace cofork {
namespace {

constexpr int64_t kOptionScroll = 0x0002;
constexpr int64_t kOptionNoScroll = 0x0004;
constexpr int64_t kOptionHold = 0x0020;
constexpr int64_t kFetchAll = INT64_MAX;

}  // namespace

std::string_view Engine::State::declare_command(Portal& portal, const Node& node) {
  std::string_view name = node.string("portalname");
  int64_t options = node.number("options");
  const Node& query = *node.node("query");
  if ((options & kOptionHold) == 0) session.transaction.require_block("DECLARE CURSOR");
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->parsed = portal.statement->parsed;
  prepared->text = portal.statement->text;
  ParsedStatement* inner = prepared->arena.make<ParsedStatement>(*portal.statement->statement);
  inner->node = &query;
  inner->tag = "SELECT";
  prepared->statement = inner;
  prepared->parameters = portal.statement->parameters;
  analyse(*prepared, query, false);
  fill_columns(*prepared);
  Portal& cursor = make_portal(name, prepared);
  cursor.is_cursor = true;
  cursor.is_holdable = (options & kOptionHold) != 0;
  cursor.scroll = (options & kOptionNoScroll) == 0;
  set_formats(cursor, {});
  cursor.buffer = std::make_unique<RowBuffer>();
  cursor.buffer->arenas.push_back(std::make_unique<Arena>(8192));
  start_execution(cursor);
  return "DECLARE CURSOR";
}

/// Makes sure row `number` (from 1) of the cursor has been read; false when there is none.
bool Engine::State::fetch_row(Portal& cursor, int64_t number) {
  RowBuffer& buffer = *cursor.buffer;
  while (static_cast<int64_t>(buffer.rows.size()) < number) {
    if (cursor.at_end || !cursor.execution->next()) {
      cursor.at_end = true;
      return false;
    }
    const Execution& execution = *cursor.execution;
    const auto& columns = cursor.statement->columns;
    Arena& arena = *buffer.arenas[0];
    StoredRow row{arena.make_array<Datum>(columns.size()), arena.make_array<bool>(columns.size())};
    for (size_t i = 0; i < columns.size(); ++i) {
      row.nulls[i] = execution.row_nulls()[i];
      row.values[i] =
          row.nulls[i] ? 0 : copy_datum(*columns[i].type, execution.row_values()[i], arena);
    }
    buffer.rows.push_back(row);
  }
  return number > 0;
}

std::string_view Engine::State::fetch_command(const Node& node, RowReceiver& receiver) {
  std::string_view name = node.string("portalname");
  bool is_move = node.flag("ismove");
  auto at = portals.find(name);
  if (at == portals.end()) {
    throw Error(sqlstate::kUndefinedCursor, "cursor \"{}\" does not exist", name);
  }
  Portal& cursor = *at->second;
  if (cursor.buffer == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "FETCH from a protocol portal is not supported");
  }
  std::string_view direction = node.string("direction");
  int64_t count = node.number("howMany");
  if (direction == "FETCH_BACKWARD") {
    count = count == kFetchAll ? -kFetchAll : -count;
    direction = "FETCH_FORWARD";
  }
  int64_t& position = cursor.position;
  auto row_count = [&] { return static_cast<int64_t>(cursor.buffer->rows.size()); };
  int64_t target = 0;
  bool single = true;
  if (direction == "FETCH_ABSOLUTE") {
    if (count < 0) {
      while (fetch_row(cursor, row_count() + 1)) session.task.check_interrupts();
      target = row_count() + 1 + count;
    } else {
      target = count;
    }
  } else if (direction == "FETCH_RELATIVE" || count == 0) {
    target = position + count;
  } else {
    single = false;
  }
  bool backwards = single ? target < position : count < 0;
  if (backwards && !cursor.scroll) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.");
  }
  EvalContext output = context();
  output.arena = &scratch;
  if (!is_move) receiver.begin_rows(cursor.statement->columns, cursor.formats);
  int64_t done = 0;
  auto give = [&] {
    ++done;
    if (is_move) return;
    const StoredRow& row = cursor.buffer->rows[static_cast<size_t>(position - 1)];
    receiver.row(output, row.values, row.nulls);
  };
  if (single) {
    if (target > 0 && fetch_row(cursor, target)) {
      position = target;
      give();
    } else {
      position = target <= 0 ? 0 : row_count() + 1;
    }
  } else {
    int64_t step = count < 0 ? -1 : 1;
    for (int64_t left = count < 0 ? -count : count; left > 0; --left) {
      session.task.check_interrupts();
      int64_t next = position + step;
      if (next <= 0) {
        position = 0;
        break;
      }
      if (!fetch_row(cursor, next)) {
        position = row_count() + 1;
        break;
      }
      position = next;
      give();
    }
  }
  tag = fmt::format("{} {}", is_move ? "MOVE" : "FETCH", done);
  return tag;
}

std::string_view Engine::State::close_command(const Node& node) {
  std::string_view name = node.string("portalname");
  if (name.empty()) {
    std::erase_if(portals, [](const auto& item) { return item.second->is_cursor; });
    return "CLOSE CURSOR ALL";
  }
  auto at = portals.find(name);
  if (at == portals.end()) {
    throw Error(sqlstate::kUndefinedCursor, "cursor \"{}\" does not exist", name);
  }
  portals.erase(at);
  return "CLOSE CURSOR";
}

}  // namespace cofork
