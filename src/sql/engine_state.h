// What an Engine keeps between calls: prepared statements, portals, the parse cache.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sql/analyze.h"
#include "sql/engine.h"
#include "sql/exec.h"
#include "sql/foreign_keys.h"
#include "sql/parser.h"
#include "sql/session_settings.h"
#include "types/random.h"
#include "types/regex.h"
#include "types/timezone.h"

namespace cofork {

/// A statement that has been analysed; shared by the portals that run it.
struct PreparedStatement {
  std::string name;
  std::shared_ptr<const ParsedQuery> parsed;   ///< keeps the tree and the text alive
  const ParsedStatement* statement = nullptr;  ///< null: an empty query string
  std::string_view text;
  std::vector<Oid> parameters;
  Arena arena{2048};
  Query* query = nullptr;  ///< null for utility statements
  Dependencies dependencies;
  bool is_fresh = false;  ///< analysed in this transaction: its relations are locked
  std::vector<ResultColumn> columns;
  StatementClass statement_class = StatementClass::kOther;
  bool by_command = false;  ///< made by PREPARE
  int64_t prepared_us = 0;
  /// An execution that no portal uses now.
  std::unique_ptr<Execution> idle;

  std::string_view tag() const { return statement == nullptr ? "" : statement->tag; }
};

/// Things by their names, looked up without making a string.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};
template <typename T>
using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

/// Rows of a statement that were made ahead of their being asked for, as text columns or copies.
struct RowBuffer {
  RowShape shape;
  std::vector<ResultColumn> columns;
  std::vector<StoredRow> rows;
  std::vector<std::unique_ptr<Arena>> arenas;
};

/// Keeps rows for later Executes of a statement that makes them all at once.
class BufferReceiver final : public RowReceiver {
 public:
  explicit BufferReceiver(RowBuffer& buffer) : buffer_(buffer) {}
  void begin_rows(std::span<const ResultColumn> columns, std::span<const int16_t>) override {
    buffer_.columns.assign(columns.begin(), columns.end());
    if (buffer_.arenas.empty()) buffer_.arenas.push_back(std::make_unique<Arena>());
  }
  void row(EvalContext&, const Datum* values, const bool* nulls) override {
    Arena& arena = *buffer_.arenas[0];
    size_t n = buffer_.columns.size();
    StoredRow row{arena.make_array<Datum>(n), arena.make_array<bool>(n)};
    for (size_t i = 0; i < n; ++i) {
      row.nulls[i] = nulls[i];
      row.values[i] = nulls[i] ? 0 : copy_datum(*buffer_.columns[i].type, values[i], arena);
    }
    buffer_.rows.push_back(row);
  }
  void complete(std::string_view) override {}
  void empty_query() override {}

 private:
  RowBuffer& buffer_;
};

struct Portal {
  std::string name;
  std::shared_ptr<PreparedStatement> statement;
  std::unique_ptr<Execution> execution;
  std::vector<int16_t> formats;
  std::vector<Datum> values;  ///< of the parameters
  std::vector<char> nulls;
  Arena parameter_arena;
  enum class State : uint8_t { kReady, kRunning, kDone } state = State::kReady;
  bool is_cursor = false;    ///< made by DECLARE
  bool is_holdable = false;  ///< WITH HOLD
  bool is_held = false;      ///< its transaction has committed
  bool scroll = false;
  int64_t created_us = 0;
  std::string tag;
  // Cursors that move backwards, utility statements: rows kept.
  std::unique_ptr<RowBuffer> buffer;
  int64_t position = 0;  ///< rows given out of the buffer; a cursor's row number
  bool at_end = false;
};

/// Names of relations, for regclass.
class RelationNames final : public ObjectNames {
 public:
  std::optional<Oid> find_relation(std::string_view schema, std::string_view name) override;
  std::optional<std::string> relation_name(Oid oid) override;
};

struct Engine::State {
  explicit State(Session& s) : session(s) {}

  // --- statements
  std::shared_ptr<PreparedStatement> prepare(std::shared_ptr<const ParsedQuery> parsed,
                                             const ParsedStatement* statement,
                                             std::span<const Oid> types, bool variable);
  std::shared_ptr<PreparedStatement>& find_statement(std::string_view name);
  void refuse_in_failed_block(const PreparedStatement& statement) const;
  void fill_columns(PreparedStatement& statement);
  /// Parse tree into Query; `variable`: parameters' types may be inferred.
  void analyse(PreparedStatement& statement, const Node& node, bool variable);
  /// Locks what the statement reads and changes, and analyses it anew if any of it has changed
  /// since (RevalidateCachedQuery).
  void revalidate(PreparedStatement& statement);

  // --- portals
  Portal& find_portal(std::string_view name);
  Portal& make_portal(std::string_view name, std::shared_ptr<PreparedStatement> statement);
  void bind_values(Portal& portal, std::span<const ParameterValue> values);
  void set_formats(Portal& portal, std::span<const int16_t> formats);
  /// Runs up to max_rows (0: all).
  ExecuteResult run(Portal& portal, int64_t max_rows, RowReceiver& receiver);
  ExecuteResult run_query(Portal& portal, int64_t max_rows, RowReceiver& receiver);
  ExecuteResult run_utility(Portal& portal, int64_t max_rows, RowReceiver& receiver);
  /// Gives the portal an execution: the statement's idle one, or a new one (GetCachedPlan).
  void plan(Portal& portal);
  void start_execution(Portal& portal);
  void finish_execution(Portal& portal);
  void drop_portal(std::string_view name);
  /// After an error (`all`) or at the end of a transaction: drops the portals that end with it.
  void drop_portals(bool all);
  /// The transaction is about to end: executions let go of what belongs to it. Rows of holdable
  /// cursors are fetched while they can be, if it commits (PreCommit_Portals).
  void release_portals(bool commit);

  // --- commands (commands_*.cc): the tag, and rows to the receiver
  std::string_view utility(Portal& portal, const Node& node, RowReceiver& receiver);
  void check_where_allowed(const Node& node, std::string_view command_tag) const;
  [[noreturn]] void refuse_unsupported(const Portal& portal, const Node& node) const;
  std::string_view transaction_command(const Node& node);
  std::string_view set_command(const Node& node);
  void set_transaction_option(const Node& option, bool as_default);
  /// The name as the list of settings spells it, or as it was given.
  static std::string_view settings_name(std::string_view name);
  std::string_view show_command(const Node& node, RowReceiver& receiver);
  std::string_view alter_system_command(const Node& node);
  std::string_view prepare_command(Portal& portal, const Node& node);
  std::string_view execute_command(Portal& portal, const Node& node, RowReceiver& receiver);
  std::string_view deallocate_command(const Node& node);
  std::string_view discard_command(const Node& node);
  std::string_view declare_command(Portal& portal, const Node& node);
  std::string_view fetch_command(const Node& node, RowReceiver& receiver);
  std::string_view close_command(const Node& node);
  std::string_view drop_command(const Node& node);
  std::string_view drop_database_command(const Node& node);
  std::string_view drop_role_command(const Node& node);
  /// The arguments of EXECUTE, into a portal that runs the statement it names.
  void evaluate_arguments(Portal& portal, const Node& node, Portal& inner);
  std::string_view explain_command(Portal& portal, const Node& node, RowReceiver& receiver);
  std::shared_ptr<PreparedStatement> prepare_explained(Portal& portal, const Node& query,
                                                       ParsedStatement& inner);
  void set_constants(PreparedStatement& explained, const Portal& arguments);
  std::vector<ResultColumn> utility_columns(const Node& node);
  bool fetch_row(Portal& cursor, int64_t number);
  ExecuteResult give_buffered(Portal& portal, int64_t max_rows, RowReceiver& receiver);
  ExecuteResult run_buffered(Portal& portal, int64_t max_rows, RowReceiver& receiver);
  void check_read_only(const Query& query, std::string_view command_tag) const;

  // --- the rest
  /// The settings that change what values look like, copied out of the settings when they change.
  const EvalContext& context();
  /// A message with a statement has arrived: statement_timestamp(), and a transaction if none.
  void statement_arrived();
  void start_statement();
  void finish_statement();
  int64_t now_us() const;

  Session& session;
  SessionSettings host{session};  ///< of the settings
  ForeignKeyQueue foreign_keys{session};
  ParseCache cache;
  ByName<std::shared_ptr<PreparedStatement>> statements;
  ByName<std::unique_ptr<Portal>> portals;
  std::unique_ptr<Portal> unnamed_portal = std::make_unique<Portal>();
  std::shared_ptr<PreparedStatement> unnamed_statement;
  EvalContext base{nullptr};
  uint64_t context_version = 0;
  // What `base` points to: the session's zone, and what functions remember between statements.
  TimeZone time_zone{"UTC", 0};
  RandomState random;
  RegexCache regexes;
  RelationNames relation_names;
  Arena scratch;    ///< of the running utility statement
  std::string tag;  ///< "SELECT 12": what ExecuteResult::tag points to
  std::string_view running_tag;
};

/// SELECT, INSERT, UPDATE, DELETE: statements that are analysed and planned.
bool is_query(const Node& node);

/// Throws 42P01 when there is no relation of that RangeVar's name; null is none.
void check_relation(const ParsedQuery& parsed, const Node* relation);

/// The class of a statement for log_statement, by its command tag.
StatementClass class_of(std::string_view tag);

}  // namespace cofork
