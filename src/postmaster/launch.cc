// Births: a backend for each accepted connection, the roles that exist once, background workers
// (BackendStartup, StartChildProcess and maybe_start_bgworkers in postmaster.c, 15).
#include <cerrno>

#include "postmaster/postmaster.h"
#include "roles/backend.h"
#include "roles/bgworker.h"
#include "shmem/backend_status.h"

namespace cofork {

namespace {

/// How many connections one wake-up accepts before signals get their turn.
constexpr int kAcceptsMax = 32;
constexpr int64_t kAcceptFailurePauseUs = 100'000;

AcceptVerdict accept_verdict(ConnectionVerdict verdict, bool hot_standby) {
  switch (verdict) {
    case ConnectionVerdict::kOk:
      return AcceptVerdict::kOk;
    case ConnectionVerdict::kStartup:
      return AcceptVerdict::kStartup;
    case ConnectionVerdict::kNotConsistent:
      return hot_standby ? AcceptVerdict::kNotConsistent : AcceptVerdict::kHotStandbyDisabled;
    case ConnectionVerdict::kShutdown:
      return AcceptVerdict::kShutdown;
    case ConnectionVerdict::kRecovery:
      return AcceptVerdict::kRecovery;
    case ConnectionVerdict::kTooMany:
      return AcceptVerdict::kTooMany;
  }
  return AcceptVerdict::kRecovery;
}

}  // namespace

void Postmaster::accept_connections(const Listener& listener) {
  for (int i = 0; i < kAcceptsMax; ++i) {
    PeerAddress peer;
    int socket = os_.sockets.accept(listener.fd, peer);
    if (socket == -EAGAIN || socket == -EWOULDBLOCK || socket == -EINTR) return;
    if (socket < 0) {
      log(Severity::kLog, "could not accept new connection: {}", errno_text(-socket));
      // Out of descriptors, most likely: the connection is still there, and would wake us at once.
      self_.model().pause_us(self_, kAcceptFailurePauseUs);
      return;
    }
    launch_backend(socket, peer);
  }
}

void Postmaster::launch_backend(int socket, const PeerAddress& peer) {
  BackendStart start;
  start.socket = socket;
  start.peer = peer;
  start.accept_time_us = os_.clock.realtime_us();
  os_.entropy.fill(&start.cancel_key, sizeof start.cancel_key);
  start.hba = hba_;
  start.ident = ident_;
  ConnectionVerdict verdict = machine_.verdict(children_.slot_owners(), slots_->count());
  if (verdict == ConnectionVerdict::kOk) {
    start.child_slot = slots_->assign();
    if (start.child_slot == 0) verdict = ConnectionVerdict::kTooMany;
  }
  start.verdict = accept_verdict(verdict, view_.get(setting::kHotStandby));

  Role role = verdict == ConnectionVerdict::kOk ? Role::kBackend : Role::kDeadEnd;
  const RoleSpec& spec = role_spec(role);
  int32_t child_slot = start.child_slot;
  Birth birth;
  birth.name = spec.task_name;
  birth.is_session = spec.is_session;
  birth.fds = {socket};
  birth.body = [start = std::move(start)](Task& task) { backend_main(task, start); };
  Pid pid = self_.model().spawn(self_, std::move(birth));
  if (pid < 0) {
    if (child_slot != 0) slots_->release(child_slot);
    std::string reason = errno_text(-pid);
    log(Severity::kLog, "could not fork new process for connection: {}", reason);
    // Too early for the protocol: clients know this form from before version 3.
    std::string packet = fmt::format("Ecould not fork new process for connection: {}\n", reason);
    os_.sockets.send(socket, packet.c_str(), packet.size() + 1);
    os_.sockets.close(socket);
    return;
  }
  children_.add({pid, role, child_slot});
  log(Severity::kDebug2, "forked new backend, pid={} socket={}", pid, socket);
}

bool Postmaster::launch(Role role) {
  const RoleSpec& spec = role_spec(role);
  Birth birth;
  birth.name = spec.task_name;
  birth.is_session = spec.is_session;
  birth.body = spec.body;
  Pid pid = self_.model().spawn(self_, std::move(birth));
  if (pid < 0) {
    log(Severity::kLog, "could not fork {}: {}", spec.log_name, errno_text(-pid));
    return false;
  }
  children_.add({pid, role, 0});
  return true;
}

std::optional<WorkerStart> Postmaster::workers_may_start() const {
  switch (machine_.state()) {
    case PmState::kRun:
      return WorkerStart::kRecoveryFinished;
    case PmState::kHotStandby:
      return WorkerStart::kConsistentState;
    case PmState::kRecovery:
    case PmState::kStartup:
    case PmState::kInit:
      return WorkerStart::kPostmasterStart;
    default:
      return std::nullopt;
  }
}

void Postmaster::launch_workers() {
  start_worker_needed_ = false;
  // Not while the wreck of a crash is being cleared away.
  if (machine_.fatal_error()) return;
  int64_t now = now_timestamp();
  for (int launched = 0; launched < WorkerRegistry::kLaunchMax; ++launched) {
    WorkerRegistry::Worker* worker = workers_.next_to_start(self_, workers_may_start(), now);
    if (worker == nullptr) return;
    if (!launch_worker(*worker)) {
      workers_.could_not_start(*worker, now);
      return;
    }
  }
  start_worker_needed_ = true;  // more of them in the next pass, after a look at the sockets
}

bool Postmaster::launch_worker(WorkerRegistry::Worker& worker) {
  const RoleSpec& spec = role_spec(Role::kBackgroundWorker);
  int32_t child_slot = slots_->assign();
  if (child_slot == 0) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate::kConfigurationLimitExceeded;
    data.message = "no slot available for new worker process";
    report(data);
    return false;
  }
  log(Severity::kDebug1, "starting background worker process \"{}\"", worker.definition.name);
  Birth birth;
  birth.name = worker.definition.type;
  birth.is_session = spec.is_session;
  birth.body = [registry_slot = worker.slot, child_slot](Task& task) {
    background_worker_main(task, registry_slot, child_slot);
  };
  Pid pid = self_.model().spawn(self_, std::move(birth));
  if (pid < 0) {
    log(Severity::kLog, "could not fork worker process: {}", errno_text(-pid));
    slots_->release(child_slot);
    return false;
  }
  worker.child_slot = child_slot;
  children_.add({pid, Role::kBackgroundWorker, child_slot});
  workers_.started(self_, worker, pid);
  return true;
}

}  // namespace cofork
