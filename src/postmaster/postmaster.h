// The postmaster: the task that starts every other one, notices when one is gone, and decides what
// happens then (postmaster.c, 15). It serves no client, takes no lock and hardly ever looks into
// shared memory, so that nothing a child does can bring it down.
//
// Written once for both execution models. It is born as the first task; its children are born
// through Model::spawn; what it waits for are its latch and the listening sockets; it hears of
// things through signals whose handlers only note that something happened (interrupt bits) and set
// the latch:
//
//   SIGHUP   read the configuration again       SIGTERM  smart shutdown
//   SIGCHLD  a child has ended                  SIGINT   fast shutdown
//   SIGUSR1  look at PMSignal's flags and       SIGQUIT  immediate shutdown
//            at request files (control.h)
//
// One class, one file for each of its tasks:
//   start_up.cc     from the checks to the first children      server_loop.cc  waiting and chores
//   launch.cc       births                                     reaper.cc       deaths and crashes
//   shutdown.cc     the three shutdowns, performing steps      reload.cc       SIGHUP
// Pure parts that decide and can be tested alone: state_machine.h, death.h, roles_table.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "model/model.h"
#include "model/task.h"
#include "postmaster/carry.h"
#include "postmaster/child_table.h"
#include "postmaster/death.h"
#include "postmaster/listen.h"
#include "postmaster/lock_file.h"
#include "postmaster/shared_memory.h"
#include "postmaster/startup_checks.h"
#include "postmaster/state_machine.h"
#include "settings/server_settings.h"
#include "settings/settings.h"
#include "shmem/pm_signal.h"
#include "shmem/worker_registry.h"
#include "wire/hba.h"
#include "wire/ident.h"

namespace cofork {

/// What the command line hands over.
struct PostmasterStart {
  std::string program_name = "postgres";  ///< in front of plain messages
  std::string executable;                 ///< full path, for postmaster.opts
  std::vector<std::string> arguments;     ///< as given, for postmaster.opts
  std::vector<ErrorData> messages;        ///< of reading the configuration: logged first
  bool stop_on_crash = false;             ///< -T: SIGSTOP instead of SIGQUIT, to collect core dumps
};

class Postmaster {
 public:
  /// `server` must outlive it; the data directory and the configuration files are known already.
  Postmaster(Task& self, ServerSettings& server, PostmasterStart start);
  Postmaster(const Postmaster&) = delete;
  Postmaster& operator=(const Postmaster&) = delete;

  /// The whole life; ends by TaskExit with 0 after a shutdown that went as planned, else 1 (2 when
  /// there is no database in the directory).
  [[noreturn]] void run();

 private:
  // --- start_up.cc
  void start_up();
  void check_before_touching_anything();
  void take_data_directory();
  void begin_anew();
  void begin_again(const CarriedState& carried);
  void remember_command_line();
  void write_external_pid_file();
  void register_static_workers();
  void take_settings_from_directory();
  void make_shared_memory();
  void show_in_task_table();
  void open_sockets();
  void load_access_files();
  void register_cleanup();
  void prepare_wait_sets();
  void prepare_signals();
  void launch_first_children(bool after_crash);
  /// Tells the model what a reborn image must find. Called whenever that changes.
  void update_carried_state();

  // --- server_loop.cc
  [[noreturn]] void serve();
  int64_t sleep_ms() const;
  void serve_interrupts();
  void serve_child_messages();
  void serve_kill_request();
  void launch_what_is_missing();
  void kill_recalcitrant_children();
  void check_lock_files();
  int64_t now_s() const { return os_.clock.realtime_us() / 1'000'000; }

  // --- launch.cc
  void accept_connections(const Listener& listener);
  void launch_backend(int socket, const PeerAddress& peer);
  /// Launches one of the roles that exist once; false when that failed (logged).
  bool launch(Role role);
  void launch_workers();
  bool launch_worker(WorkerRegistry::Worker& worker);
  /// Latest start time of background workers that the state has come to.
  std::optional<WorkerStart> workers_may_start() const;

  // --- reaper.cc
  void reap_children();
  void child_died(const Child& child, ExitStatus status);
  void worker_died(const Child& child, ExitStatus status, DeathVerdict verdict);
  void recovery_finished();
  void crash(const std::string& name, Pid pid, ExitStatus status);
  void start_over();
  void log_child_exit(Severity severity, const std::string& name, Pid pid, ExitStatus status);

  // --- shutdown.cc
  void request_shutdown(ShutdownMode mode);
  /// Performs what the state machine asks for, until it asks for nothing more.
  void advance();
  [[noreturn]] void end(int code, const char* why);
  void signal_child(Pid pid, int signo);
  /// All children whose role says so.
  void signal_children(bool RoleSpec::*wanted, int signo);

  // --- reload.cc
  void reload();

  Task& self_;
  OperatingSystem& os_;
  ServerSettings& server_;
  PostmasterStart start_;
  SettingsView view_;
  LogChannel channel_;
  LogIdentity identity_;

  int64_t start_time_us_;  ///< Unix epoch
  DirectoryMode mode_;
  std::optional<LockFiles> locks_;
  std::optional<ListenSockets> sockets_;
  ServerMemory memory_;
  std::optional<ChildSlots> slots_;
  std::shared_ptr<const HbaConfig> hba_;
  std::shared_ptr<const IdentConfig> ident_;

  StateMachine machine_;
  ChildTable children_;
  WorkerRegistry workers_;
  bool start_worker_needed_ = true;

  std::unique_ptr<WaitSet> accepting_;  ///< latch and listening sockets
  std::unique_ptr<WaitSet> deaf_;       ///< latch only: no connection is accepted any more
  int64_t locks_checked_s_ = 0;
  int64_t sockets_touched_s_ = 0;
};

}  // namespace cofork
