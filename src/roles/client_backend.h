// ClientBackend: the state of one client backend, and the steps of its life. One object per
// connection; the steps stand in files of their own:
//
//   backend.cc                  birth, the order of steps, death
//   backend_startup.cc          the startup packet and what may come instead of it
//   backend_authentication.cc   who is it, may he come in
//   backend_session.cc          settings of the session, greeting, disconnection line
//   backend_loop.cc             waiting for a command, becoming idle, recovering from an error
//   backend_commands.cc         what each message does
//   backend_copy.cc             COPY's data, in and out
//   backend_function_call.cc    the fast-path function call
//   backend_interrupts.cc       signals, timeouts, last words
//   backend_statement_log.cc    log_statement, log_duration and their kin
//
// What PostgreSQL keeps in static variables of postgres.c (DoingCommandRead, ignore_till_sync,
// QueryCancelHoldoffCount …) are members here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "model/task.h"
#include "roles/backend.h"
#include "roles/row_sender.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "sql/engine.h"
#include "support/arena.h"
#include "types/encoding.h"
#include "wire/connection.h"
#include "wire/message_reader.h"
#include "wire/protocol.h"
#include "wire/startup_packet.h"

namespace cofork {

struct BootstrapRole;

class ClientBackend final : public ConnectionOwner,
                            public ClientSink,
                            public StatementObserver,
                            public CopyChannel {
 public:
  static constexpr TaskSlot kTaskSlot = TaskSlot::kBackend;

  ClientBackend(Task& task, BackendStart start);
  ~ClientBackend() override;

  /// The whole life up to the exit callbacks. Throws TaskExit.
  void run();
  /// The last exit callback: the disconnection line, then the socket.
  void end();

  // ConnectionOwner
  void serve_read_interrupts(bool blocked) override;
  void serve_write_interrupts(bool blocked) override;
  void sending_failed(int error_number) override;
  void receiving_failed(int error_number) override;
  // ClientSink
  void send_report(const ErrorData& data) override;
  // StatementObserver
  void query_parsed(StatementClass strongest) override;
  void statement_begins(std::string_view tag) override;
  // CopyChannel (backend_copy.cc)
  void begin_in(bool binary, int columns) override;
  bool read(std::string& data) override;
  void begin_out(bool binary, int columns) override;
  void write(std::string_view data) override;
  void end_out() override;

 private:
  friend void prepare_for_backends();

  enum class Phase : uint8_t { kStartupPacket, kAuthentication, kSession };
  struct Message {
    char type;
    std::string_view body;  ///< valid until the next message is read
  };

  void live();
  [[noreturn]] void die_of(ErrorData data);

  // --- startup (backend_startup.cc)
  void install_startup_handlers();
  void log_connection_received();
  /// False: the client has been served (cancel request) or has gone; nothing more is to be said.
  bool read_startup_packet();
  /// One length word, code and body; nullopt when the connection ends here.
  struct RawPacket {
    uint32_t code;
    std::string_view body;
  };
  std::optional<RawPacket> read_raw_packet(bool encryption_refused);
  void refuse_encryption(const char* kind);
  void serve_cancel(std::string_view body);
  void accept_startup_packet(uint32_t protocol, std::string_view body);
  void negotiate_protocol();
  void refuse_by_verdict();
  static void on_startup_signal(Task& task, int signo);
  static void on_startup_timeout(Task& task);

  // --- authentication (backend_authentication.cc)
  void join_server();
  void authenticate();
  void apply_hba();
  bool client_has_host_name(const std::string& host_name);
  void check_role();
  void check_database();
  void log_connection_authorized();

  // --- session (backend_session.cc)
  void apply_startup_settings();
  /// Tells the client when a name was too long and has been cut.
  void apply_startup_setting(const std::string& name, const std::string& value,
                             SettingContext context);
  void greet();
  void send_parameter_status(std::string_view name, std::string_view value);
  void log_disconnection();

  // --- loop (backend_loop.cc)
  void serve_client();
  void become_idle();
  void arm_idle_timeout(TimeoutId id, int milliseconds);
  /// False at the end of the conversation.
  bool read_message(Message& message);
  bool lose_synchronization(const char* what);
  void note_message_type(char type);
  void after_message_read();
  void reload_configuration();
  void recover_from(ErrorData data);

  // --- commands (backend_commands.cc)
  /// False: Terminate.
  bool execute_message(const Message& message);
  void simple_query(MessageReader& reader);
  void parse(MessageReader& reader);
  void bind(MessageReader& reader);
  void read_bind_parameters(MessageReader& reader, std::string_view portal);
  static std::string portal_in_context(std::string_view portal);
  void refuse_rows_in_failed_block(std::span<const ResultColumn> columns);
  void describe(MessageReader& reader);
  void send_description(std::span<const ResultColumn> columns, std::span<const int16_t> formats);
  void execute(MessageReader& reader);
  void close(MessageReader& reader);
  /// A message that works on a statement begins: its time, text, state and timeout.
  void begin_command(std::string_view text);
  void begin_timeouts();
  void end_timeouts();
  std::string_view read_text(MessageReader& reader);
  void convert_binary_texts(std::string_view statement);
  std::string_view from_client(std::string_view text);
  void follow_encoding();

  // --- fast path (backend_function_call.cc)
  void function_call(MessageReader& reader);
  void send_function_result(EvalContext& context, Oid type_oid, Datum result, bool is_null,
                            int16_t format);

  // --- interrupts (backend_interrupts.cc)
  void install_session_handlers();
  static void on_interrupts(Task& task, uint32_t bits);
  void serve_interrupts(uint32_t bits);
  [[noreturn]] void die_as_told();
  void serve_cancel_interrupt();
  void check_client();
  void serve_idle_timeouts();
  void serve_proc_signals();
  /// The messages for the postmaster's SIGQUIT, ready to be sent.
  struct LastWords {
    std::string crash, stop;
  };
  static const LastWords& last_words();
  static void quick_die(Task& task, int signo);
  void quit_unexpectedly();
  static void on_statement_timeout(Task& task);
  static void on_other_timeout(Task& task);

  // --- statement log (backend_statement_log.cc)
  bool log_statement_wants(StatementClass statement_class) const;
  void log_statement_text(std::string message, std::string detail);
  bool duration_is_wanted() const;
  void sample_transaction();
  bool is_drawn(double rate) const;
  bool is_in_sample(int64_t duration_us);
  /// After a statement, if duration_is_wanted(): "duration: … ms", and when the settings say so and
  /// it was not logged before, "WHAT: TEXT" behind it ("statement", "bind NAME", "execute NAME").
  void log_duration(std::string_view what, std::string_view text, const std::string& detail);

  // --- what others see
  std::string title_of_session() const;
  void set_title(std::string_view activity);
  /// In pg_stat_activity; an empty statement leaves the last one there.
  void set_state(BackendState state, std::string_view statement);
  /// Copies settings that outsiders show to where they look for them, if any setting has changed.
  void publish_settings();

  Task& task_;
  BackendStart start_;
  std::string remote_host_;
  std::string remote_port_;
  SettingsView settings_;
  LogIdentity log_identity_;
  SettingsView* inherited_settings_;  ///< of the postmaster: the task's again at the very end
  LogIdentity* inherited_log_;
  Connection connection_;
  StartupPacket packet_;

  Phase phase_ = Phase::kStartupPacket;
  bool logs_disconnection_ = false;
  std::string title_;  ///< "postgres: user db host(port) " and then the activity
  size_t title_prefix_ = 0;

  Session session_;
  std::optional<Engine> engine_;
  std::optional<RowSender> simple_rows_;
  std::optional<RowSender> extended_rows_;

  bool ready_for_query_due_ = true;
  bool skip_until_sync_ = false;
  bool in_extended_query_ = false;
  bool reading_command_ = false;  ///< interrupts are served as between two commands
  bool reading_message_ = false;  ///< its type is known, its end is not yet here
  uint64_t published_settings_ = 0;

  std::string copy_statement_;   ///< its text while COPY's data passes where it lay
  bool checks_encoding_ = true;  ///< the server's encoding is UTF8
  Encoding client_encoding_ = Encoding::kUtf8;
  uint64_t encoding_version_ = UINT64_MAX;  ///< of the settings client_encoding_ was taken from
  Arena message_arena_;                     ///< converted texts of the message at work
  bool statement_was_logged_ = false;
  bool transaction_is_sampled_ = false;     ///< log_transaction_sample_rate chose it
  std::vector<ParameterValue> parameters_;  ///< of the Bind at work; kept for its capacity
  std::vector<int16_t> formats_;
  std::vector<Oid> parameter_types_;  ///< of the Parse at work
};

}  // namespace cofork
