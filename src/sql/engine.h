// Engine: executes SQL for one session. The whole interface between the client backend (messages)
// and the SQL engine (statements).
//
//   simple protocol                         extended protocol
//     engine.simple_query(text, receiver);    engine.parse("s", text, types);
//                                             engine.bind("p", "s", values, formats);
//                                             engine.execute("p", 0, receiver);
//                                             engine.sync();
//
// Every call may throw Error. The caller copies its data, leaves the handler, calls failed(), sends
// the error, and (extended protocol) skips to Sync. The engine keeps the rules of transaction
// blocks; the caller only shows transaction_status() in ReadyForQuery.
//
// After the first execution of a prepared statement, bind + execute + sync allocate nothing from
// the heap: plan, execution state and portal are kept and used again.
//
// As exec_simple_query, exec_parse_message, exec_bind_message … in postgres.c, PostgreSQL 15.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/builtin.h"
#include "sql/session.h"
#include "types/datum.h"

namespace cofork {

class SettingsView;

/// One column of a result, as RowDescription shows it.
struct ResultColumn {
  std::string_view name;
  Oid table = kInvalidOid;
  int16_t number = 0;
  const BuiltinType* type = nullptr;  ///< oid, typlen, output and send functions
  int32_t typmod = -1;
};

/// What log_statement distinguishes, weakest first (GetCommandLogLevel).
enum class StatementClass : uint8_t { kOther, kModification, kDefinition };

/// The client's end of COPY … FROM STDIN and TO STDOUT.
class CopyChannel {
 public:
  virtual ~CopyChannel() = default;
  /// Asks the client for data (CopyInResponse).
  virtual void begin_in(bool binary, int columns) = 0;
  /// Appends the next piece of data; false when there is no more (CopyDone). Waits. Throws 57014
  /// "COPY from stdin failed: …" and 08P01.
  virtual bool read(std::string& data) = 0;
  virtual void begin_out(bool binary, int columns) = 0;
  virtual void write(std::string_view data) = 0;  ///< CopyData
  virtual void end_out() = 0;                     ///< CopyDone
};

/// Where rows and tags go.
class RowReceiver {
 public:
  virtual ~RowReceiver() = default;
  /// Simple protocol: all of the text has been parsed and nothing executed yet. The strongest class
  /// among its statements; called even when there is none.
  virtual void parsed(StatementClass) {}
  /// Simple protocol: a statement is about to be analysed and executed: "SELECT".
  virtual void begin_statement(std::string_view /*tag*/) {}
  /// Before the rows of each statement that returns rows. `formats` (0 text, 1 binary) has one
  /// entry a column. The simple protocol sends RowDescription here; the extended one does not
  /// (Describe did).
  virtual void begin_rows(std::span<const ResultColumn> columns,
                          std::span<const int16_t> formats) = 0;
  /// One row, a value and a null flag a column; valid during the call only. May wait.
  virtual void row(EvalContext& context, const Datum* values, const bool* nulls) = 0;
  /// A statement of a simple query has ended: CommandComplete.
  virtual void complete(std::string_view tag) = 0;
  /// The query string held no statement: EmptyQueryResponse.
  virtual void empty_query() = 0;
  /// Null: there is no client that could send or take COPY data.
  virtual CopyChannel* copy_channel() { return nullptr; }
};

/// A parameter as Bind brings it.
struct ParameterValue {
  std::string_view bytes;
  bool is_null = false;
  int16_t format = 0;  ///< 0 text, 1 binary
};

enum class ExecuteOutcome : uint8_t { kComplete, kSuspended, kEmpty };
struct ExecuteResult {
  ExecuteOutcome outcome;
  std::string_view tag;  ///< when complete; valid until the next call
};

class Engine {
 public:
  /// Installs itself as session.engine. The session outlives the engine.
  explicit Engine(Session& session);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Query: parses all of it, then executes statement by statement, in one implicit transaction
  /// when there are several.
  void simple_query(std::string_view text, RowReceiver& receiver);

  /// Parse. 42P05 when the name is taken, 42601 for more than one statement. `types` may be
  /// shorter than the parameters, and 0 in it means "infer".
  void parse(std::string_view name, std::string_view text, std::span<const Oid> types);
  /// Bind. 26000 no such statement, 08P01 wrong number of parameters, 42P03 portal name taken.
  void bind(std::string_view portal, std::string_view statement,
            std::span<const ParameterValue> values, std::span<const int16_t> result_formats);
  /// Execute; `max_rows` 0 means all. 34000 no such portal.
  ExecuteResult execute(std::string_view portal, int64_t max_rows, RowReceiver& receiver);
  /// Close: no error when there is none of that name.
  void close_statement(std::string_view name);
  void close_portal(std::string_view name);
  /// Sync: ends an implicit transaction.
  void sync();

  // Describe. Empty columns: NoData.
  std::span<const Oid> statement_parameters(std::string_view name);
  std::span<const ResultColumn> statement_columns(std::string_view name);
  std::span<const ResultColumn> portal_columns(std::string_view name,
                                               std::span<const int16_t>* formats);

  /// After any Error from the calls above: aborts the transaction, drops portals.
  void failed();
  /// What a function called outside any statement needs (fast path): settings of now.
  EvalContext evaluation_context(Arena& arena);
  /// 'I', 'T' or 'E'.
  char transaction_status() const { return session_.transaction.status(); }
  /// What the running statement is, for the log and pg_stat_activity: "SELECT"; "" when none.
  std::string_view command_tag() const;
  /// Text of a prepared statement or portal, for "execute NAME: …" log lines. 26000, 34000.
  std::string_view statement_text(std::string_view name);
  /// What Execute needs to know beforehand, for the log, the title and pg_stat_activity. 34000.
  struct PortalInfo {
    std::string_view text;
    std::string_view statement;  ///< the prepared statement's name, "" for the unnamed one
    std::string_view tag;        ///< "SELECT"; "" for an empty query
    StatementClass statement_class = StatementClass::kOther;
    bool started = false;  ///< this Execute fetches further rows
  };
  PortalInfo portal_info(std::string_view name);
  /// "$1 = '41', $2 = NULL": the values bound, as text; "" when there are none.
  std::string portal_parameters(std::string_view name);

  Session& session() { return session_; }
  struct State;
  State& state() { return *state_; }

 private:
  Session& session_;
  SettingsView& settings_;  ///< the session's, which goes after the engine
  std::unique_ptr<State> state_;
};

}  // namespace cofork
