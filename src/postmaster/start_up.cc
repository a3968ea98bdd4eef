// The postmaster's way from its first instruction to its first children, in the order of
// PostmasterMain (postmaster.c, 15): checks, lock file, control file, shared memory, files about
// itself, logger, sockets, access files, children.
//
// There is a second way in: a process that executed itself again after a crash (coroutine model)
// finds what its previous image left, and goes on where a forked postmaster would go on in place.
#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <cstdlib>

#include "log/redirect.h"
#include "os/process.h"
#include "postmaster/control.h"
#include "postmaster/postmaster.h"
#include "recovery/cluster_state.h"
#include "recovery/control_file.h"
#include "roles/backend.h"
#include "roles/wait_sampler.h"
#include "shmem/backend_status.h"
#include "shmem/task_table.h"
#include "support/version.h"

namespace cofork {

namespace {

/// Grandparent's pid, set by pg_ctl: its shell may have the pid of a lock file's dead owner.
std::vector<Pid> kin_of_this_process() {
  std::vector<Pid> kin{parent_process_id()};
  if (auto text = environment_variable("PG_GRANDPARENT_PID")) {
    kin.push_back(static_cast<Pid>(std::atoi(text->c_str())));
  }
  return kin;
}

void note_child_exit(Task& task, int) {
  task.raise_interrupt(kInterruptUser1);
  set_latch(task.latch());
}

}  // namespace

Postmaster::Postmaster(Task& self, ServerSettings& server, PostmasterStart start)
    : self_(self),
      os_(self.os()),
      server_(server),
      start_(std::move(start)),
      view_(server),
      start_time_us_(os_.clock.realtime_us()),
      memory_(os_.files) {
  identity_.backend_type = "postmaster";
  identity_.session_start_us = start_time_us_;
  identity_.channel = &channel_;
  self_.set_slot(&view_);
  self_.set_slot(&identity_);
}

void Postmaster::run() {
  std::optional<ErrorData> failed;
  try {
    start_up();
    serve();
  } catch (const Error& error) {
    failed = error.data();
  }
  report(*failed);
  if (failed->severity == Severity::kPanic) {
    self_.model().die_now(self_, ExitStatus::signaled(SIGABRT));
  }
  throw TaskExit{1};
}

void Postmaster::start_up() {
  std::optional<CarriedState> carried;
  if (auto text = self_.model().inherited()) carried = decode_carried_state(*text);

  if (!carried) {
    for (const ErrorData& message : start_.messages) report(message);
  }
  check_before_touching_anything();
  register_cleanup();
  prepare_signals();
  if (carried) {
    begin_again(*carried);
  } else {
    begin_anew();
  }
  update_carried_state();
}

void Postmaster::check_before_touching_anything() {
  const std::string& directory = server_.data_directory();
  auto refuse = [&](const std::optional<Refusal>& refusal) {
    if (!refusal) return;
    write_raw_stderr(refusal->text);
    throw TaskExit{refusal->exit_code};
  };
  mode_ = check_data_directory(os_.files, directory);
  set_file_creation_mask(mode_.creation_mask());
  refuse(check_control_file_exists(os_.files, directory, start_.program_name));
  int error = -os_.files.change_directory(directory);
  if (error != 0) {
    throw Error(sqlstate_for_file_errno(error), "could not change directory to \"{}\": {}",
                directory, errno_text(error))
        .fatal();
  }
  if (std::optional<ErrorData> wrong = server_.cross_check()) {
    if (wrong->severity == Severity::kFatal) throw Error(*wrong);
    refuse(Refusal{fmt::format("{}: {}\n", start_.program_name, wrong->message)});
  }

  LockFileOwner owner;
  owner.pid = self_.pid();
  owner.kin = kin_of_this_process();
  owner.data_directory = directory;
  owner.start_time_s = start_time_us_ / 1'000'000;
  owner.port = view_.get(setting::kPort);
  owner.file_mode = mode_.file_mode();
  locks_.emplace(os_.files, std::move(owner));
  sockets_.emplace(os_, *locks_);
}

void Postmaster::register_cleanup() {
  // Runs in reverse: sockets, external pid file, interlock, lock files.
  self_.on_proc_exit([this](Task&, int) {
    if (locks_->paths().empty()) return;  // never had the directory
    locks_->remove_all();
    log(Severity::kLog, "database system is shut down");
  });
  self_.on_proc_exit([this](Task&, int) { memory_.remove(); });
  self_.on_proc_exit([this](Task&, int) {
    std::string path(view_.get(setting::kExternalPidFile));
    if (!path.empty() && !locks_->paths().empty()) os_.files.unlink(path);
  });
  self_.on_proc_exit([this](Task&, int) { sockets_->close(); });
}

void Postmaster::prepare_signals() {
  self_.on_signal(SIGHUP, Task::handle_reload);
  self_.on_signal(SIGTERM, Task::handle_die);
  self_.on_signal(SIGINT, Task::handle_cancel);
  self_.on_signal(SIGQUIT, Task::handle_shutdown);
  self_.on_signal(SIGUSR1, Task::handle_proc_signal);
  self_.on_signal(SIGCHLD, note_child_exit);
  for (int signo : {SIGUSR2, SIGALRM, SIGPIPE, SIGTTIN, SIGTTOU, SIGXFSZ}) {
    self_.on_signal(signo, Task::ignore_signal);
  }
  self_.unblock_signals();
}

// --- the first image

void Postmaster::begin_anew() {
  locks_->lock_data_directory();
  check_wal_size_settings(read_control_file());  // a damaged or foreign one ends the start here
  register_static_workers();
  make_shared_memory();
  memory_.create_interlock(self_.pid());
  locks_->set_line(LockFileLine::kSharedMemoryKey, memory_.lock_file_line());

  remember_command_line();
  write_external_pid_file();
  os_.files.unlink("promote");
  os_.files.unlink("logrotate");
  os_.files.unlink("current_logfiles");
  forget_kill_request(os_.files);
  if (view_.get(setting::kLoggingCollector)) {
    redirect_log_to_pipe(self_, channel_);
    launch(Role::kLogger);
  }

  log(Severity::kLog, "starting {}", version_text());
  open_sockets();
  load_access_files();
  prepare_wait_sets();
  prepare_for_backends();
  locks_->set_line(LockFileLine::kStatus, kStatusStarting);
  launch_first_children(false);
}

void Postmaster::remember_command_line() {
  std::string line = start_.executable;
  for (const std::string& argument : start_.arguments) line += fmt::format(" \"{}\"", argument);
  line += '\n';
  constexpr const char* kPath = "postmaster.opts";
  int fd = os_.files.open(kPath, O_WRONLY | O_CREAT | O_TRUNC, mode_.file_mode());
  if (fd < 0) {
    log(Severity::kLog, "could not create file \"{}\": {}", kPath, errno_text(-fd));
    throw TaskExit{1};
  }
  ssize_t written = os_.files.write(fd, line.data(), line.size());
  os_.files.close(fd);
  if (written != static_cast<ssize_t>(line.size())) {
    log(Severity::kLog, "could not write file \"{}\": {}", kPath,
        errno_text(written < 0 ? static_cast<int>(-written) : ENOSPC));
    throw TaskExit{1};
  }
}

void Postmaster::write_external_pid_file() {
  std::string path(view_.get(setting::kExternalPidFile));
  if (path.empty()) return;
  int fd = os_.files.open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) {
    write_raw_stderr(fmt::format("{}: could not write external PID file \"{}\": {}\n",
                                 start_.program_name, path, errno_text(-fd)));
    return;
  }
  std::string line = fmt::format("{}\n", self_.pid());
  os_.files.write(fd, line.data(), line.size());
  os_.files.close(fd);
  int error = -os_.files.chmod(path, 0644);
  if (error != 0) {
    write_raw_stderr(
        fmt::format("{}: could not change permissions of external PID file \"{}\": {}\n",
                    start_.program_name, path, errno_text(error)));
  }
}

void Postmaster::register_static_workers() {
  if (view_.get(setting::kCoforkWaitSamplingInterval) > 0) {
    workers_.register_static(wait_sampler_registration(), view_.get(setting::kMaxWorkerProcesses));
  }
}

/// Settings that were decided when the directory was made (ReadControlFile in xlog.c, 15).
void Postmaster::take_settings_from_directory() {
  ControlFileData control = read_control_file();
  server_.set("wal_segment_size", fmt::format("{}B", control.wal_segment_bytes),
              SettingSource::kDynamicDefault);
  server_.set("data_checksums", control.data_checksum_version != 0 ? "on" : "off",
              SettingSource::kDynamicDefault);
  view_.adopt(server_.current());
}

void Postmaster::make_shared_memory() {
  take_settings_from_directory();
  Limits limits = limits_from(view_);
  server_.set("shared_memory_size", fmt::format("{}", shared_memory_size_mb(limits)),
              SettingSource::kDynamicDefault);
  server_.set("shared_memory_size_in_huge_pages",
              fmt::format("{}", shared_memory_size_in_huge_pages(
                                    limits, view_.get(setting::kHugePageSize))),
              SettingSource::kDynamicDefault);
  view_.adopt(server_.current());
  memory_.create(limits, self_.pid());
  self_.set_slot(&memory_.segment());
  slots_.emplace(memory_.segment());
  workers_.publish(memory_.segment());
  show_in_task_table();
}

void Postmaster::show_in_task_table() {
  enter_task_table(kPostmasterRow, BackendType::kPostmaster);
  // Not through set_title(): the postmaster keeps its own command line in `ps`, as PostgreSQL's.
  std::string title = start_.executable;
  for (const std::string& argument : start_.arguments) title += " " + argument;
  self_.card()->set_title(title);
  // Made again after a crash, the row still tells when the server started.
  TaskRow& row = memory_.segment().area<TaskTable>().rows()[kPostmasterRow];
  row.started_at.store(start_time_us_ - kPostgresEpochUs, std::memory_order_relaxed);
}

void Postmaster::open_sockets() {
  ListenSettings settings;
  settings.listen_addresses = view_.get(setting::kListenAddresses);
  settings.unix_socket_directories = view_.get(setting::kUnixSocketDirectories);
  settings.port = view_.get(setting::kPort);
  settings.backlog = 2 * memory_.segment().limits().max_backends();
  settings.unix_socket_permissions =
      static_cast<mode_t>(view_.get(setting::kUnixSocketPermissions));
  settings.unix_socket_group = view_.get(setting::kUnixSocketGroup);
  sockets_->open(settings);
}

void Postmaster::load_access_files() {
  std::vector<ErrorData> reports;
  hba_ = load_hba(os_.files, std::string(view_.get(setting::kHbaFile)), reports);
  for (const ErrorData& data : reports) report(data);
  if (hba_ == nullptr) {
    throw Error(sqlstate::kInternalError, "could not load pg_hba.conf").fatal();
  }
  reports.clear();
  // Without pg_ident.conf the server runs; only methods that map names will refuse.
  ident_ = load_ident(os_.files, std::string(view_.get(setting::kIdentFile)), reports);
  for (const ErrorData& data : reports) report(data);
}

void Postmaster::prepare_wait_sets() {
  // They watch through the model, which ends with this task; the Postmaster object lives longer.
  self_.on_proc_exit([this](Task&, int) {
    accepting_.reset();
    deaf_.reset();
  });
  deaf_ = self_.model().make_wait_set(self_);
  deaf_->add_latch(self_.latch());
  accepting_ = self_.model().make_wait_set(self_);
  accepting_->add_latch(self_.latch());
  for (const Listener& listener : sockets_->all()) {
    self_.adopt_fd(listener.fd);  // children do not get it
    accepting_->add_socket(listener.fd, kWaitReadable);
  }
  locks_checked_s_ = sockets_touched_s_ = now_s();
}

void Postmaster::launch_first_children(bool after_crash) {
  // A cold start has the writers up before the startup process; after a crash the startup process
  // comes first, and the server loop launches whatever else is missing.
  if (!after_crash) {
    launch(Role::kCheckpointer);
    launch(Role::kBackgroundWriter);
  }
  if (!launch(Role::kStartup)) throw TaskExit{1};
  machine_.server_starts();
  launch_workers();
}

// --- born again

void Postmaster::begin_again(const CarriedState& carried) {
  start_time_us_ = carried.start_time_us;
  identity_.session_start_us = start_time_us_;
  locks_->adopt(carried.lock_files);
  sockets_->adopt(carried.listeners);
  machine_.resume_after_crash();
  read_control_file();
  register_static_workers();
  make_shared_memory();
  memory_.adopt_interlock(carried.interlock);
  forget_kill_request(os_.files);
  if (carried.log_pipe >= 0) {
    // Standard error is the pipe's write end still: lines of the last image may wait in it.
    channel_.read_fd = carried.log_pipe;
    channel_.redirected = true;
    launch(Role::kLogger);
  }
  load_access_files();
  prepare_wait_sets();
  launch_first_children(true);
}

void Postmaster::update_carried_state() {
  CarriedState state;
  state.start_time_us = start_time_us_;
  state.data_directory = server_.data_directory();
  state.interlock = memory_.interlock();
  state.listeners = sockets_->all();
  state.lock_files = locks_->paths();
  state.log_pipe = channel_.read_fd;
  state.settings = server_.save();
  self_.model().carry_over({carried_descriptors(state), encode_carried_state(state)});
}

}  // namespace cofork
