// See worker_registry.h.
#include "shmem/worker_registry.h"

#include <csignal>
#include <cstring>

#include "log/log.h"
#include "model/model.h"

namespace cofork {

namespace {

bool may_restart(const WorkerRegistry::Worker& worker) {
  return worker.definition.restart_time_s != kNeverRestart;
}

int64_t restart_at(const WorkerRegistry::Worker& worker) {
  return worker.crashed_at + int64_t{worker.definition.restart_time_s} * 1'000'000;
}

/// What a child has written is not trusted to end, or to be printable (ascii_safe_strlcpy).
void make_safe(char (&text)[kWorkerNameBytes]) {
  text[sizeof text - 1] = '\0';
  for (char& c : text) {
    if (c == '\0') break;
    if ((c < 32 || c > 126) && c != '\n' && c != '\r' && c != '\t') c = '?';
  }
}

}  // namespace

void WorkerRegistry::register_static(BackgroundWorker definition, int32_t slots) {
  log(Severity::kDebug1, "registering background worker \"{}\"", definition.name);
  if (const char* reason = check_worker(definition)) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate::kInvalidParameterValue;
    data.message = fmt::format("background worker \"{}\": {}", definition.name, reason);
    report(data);
    return;
  }
  if (workers_.size() >= static_cast<size_t>(slots)) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate::kConfigurationLimitExceeded;
    data.message = "too many background workers";
    data.detail =
        fmt::format("Up to {} background worker{} can be registered with the current settings.",
                    slots, slots == 1 ? "" : "s");
    data.hint = "Consider increasing the configuration parameter \"max_worker_processes\".";
    report(data);
    return;
  }
  Worker& worker = workers_.emplace_front();
  worker.definition = definition;
  worker.definition.notify_pid = 0;
}

void WorkerRegistry::publish(SharedMemory& memory) {
  memory_ = &memory;
  WorkerArray& array = memory.area<WorkerArray>();
  int32_t next = 0;
  for (Worker& worker : workers_) {
    WorkerSlot& slot = array.slots()[next];
    worker.slot = next++;
    slot.worker = worker.definition;
    slot.pid.store(kWorkerNotStarted, std::memory_order_relaxed);
    slot.terminate.store(false, std::memory_order_relaxed);
    slot.generation.store(0, std::memory_order_relaxed);
    slot.in_use.store(true, std::memory_order_release);
  }
}

WorkerSlot& WorkerRegistry::slot_of(const Worker& worker) const {
  return memory_->area<WorkerArray>().slots()[worker.slot];
}

void WorkerRegistry::notify(Task& postmaster, Pid pid) {
  if (pid != 0) postmaster.model().kill(pid, SIGUSR1);
}

std::list<WorkerRegistry::Worker>::iterator WorkerRegistry::forget(
    std::list<Worker>::iterator worker) {
  log(Severity::kDebug1, "unregistering background worker \"{}\"", worker->definition.name);
  // Last: the slot may be taken by somebody else at once.
  slot_of(*worker).in_use.store(false, std::memory_order_release);
  return workers_.erase(worker);
}

std::list<WorkerRegistry::Worker>::iterator WorkerRegistry::iterator_to(Worker& worker) {
  auto it = workers_.begin();
  while (&*it != &worker) ++it;
  return it;
}

void WorkerRegistry::scan(Task& postmaster, bool accept_new) {
  WorkerArray& array = memory_->area<WorkerArray>();
  int32_t count = memory_->limits().max_worker_processes;
  for (int32_t i = 0; i < count; ++i) {
    WorkerSlot& slot = array.slots()[i];
    if (!slot.in_use.load(std::memory_order_acquire)) continue;
    Worker* known = nullptr;
    for_each([&](Worker& worker) {
      if (worker.slot == i) known = &worker;
    });
    bool terminate = slot.terminate.load(std::memory_order_acquire);
    if (known != nullptr) {
      if (terminate && !known->terminate) {
        known->terminate = true;
        if (known->pid != 0) {
          postmaster.model().kill(known->pid, SIGTERM);
        } else {
          slot.pid.store(0, std::memory_order_release);
          notify(postmaster, known->definition.notify_pid);
        }
      }
      continue;
    }
    BackgroundWorker definition = slot.worker;
    if (terminate || !accept_new) {
      // Ended before it began.
      slot.pid.store(0, std::memory_order_relaxed);
      slot.in_use.store(false, std::memory_order_release);
      notify(postmaster, definition.notify_pid);
      continue;
    }
    make_safe(definition.name);
    make_safe(definition.type);
    Worker& worker = workers_.emplace_front();
    worker.definition = definition;
    worker.slot = i;
    log(Severity::kDebug1, "registering background worker \"{}\"", definition.name);
  }
}

WorkerRegistry::Worker* WorkerRegistry::next_to_start(Task& postmaster,
                                                      std::optional<WorkerStart> reached,
                                                      int64_t now) {
  for (auto it = workers_.begin(); it != workers_.end();) {
    Worker& worker = *it;
    if (worker.pid != 0) {
      ++it;
      continue;
    }
    if (worker.terminate || (worker.crashed_at != 0 && !may_restart(worker))) {
      Pid waiting = worker.definition.notify_pid;
      it = forget(it);
      notify(postmaster, waiting);
      continue;
    }
    bool due = worker.crashed_at == 0 || now >= restart_at(worker);
    if (due && reached && *reached >= worker.definition.start) return &worker;
    ++it;
  }
  return nullptr;
}

void WorkerRegistry::started(Task& postmaster, Worker& worker, Pid pid) {
  worker.crashed_at = 0;
  worker.pid = pid;
  slot_of(worker).pid.store(pid, std::memory_order_release);
  notify(postmaster, worker.definition.notify_pid);
}

void WorkerRegistry::could_not_start(Worker& worker, int64_t now) {
  worker.crashed_at = now;
}

int64_t WorkerRegistry::next_restart_at() const {
  int64_t next = 0;
  for (const Worker& worker : workers_) {
    if (worker.pid != 0 || worker.crashed_at == 0 || worker.terminate) continue;
    // One that will only be forgotten is due at once.
    int64_t at = may_restart(worker) ? restart_at(worker) : worker.crashed_at;
    if (next == 0 || at < next) next = at;
  }
  return next;
}

WorkerRegistry::Worker* WorkerRegistry::find(Pid pid) {
  for (Worker& worker : workers_) {
    if (worker.pid == pid) return &worker;
  }
  return nullptr;
}

void WorkerRegistry::exited(Task& postmaster, Worker& worker, ExitStatus status, int64_t now) {
  if (status.is_exit(0)) {
    worker.crashed_at = 0;
    worker.terminate = true;
  } else {
    worker.crashed_at = now;
  }
  worker.pid = 0;
  worker.child_slot = 0;
  slot_of(worker).pid.store(0, std::memory_order_release);
  Pid waiting = worker.definition.notify_pid;
  // Free the slot before telling: whoever waits may want to register another one.
  if (worker.terminate || !may_restart(worker)) forget(iterator_to(worker));
  notify(postmaster, waiting);
}

void WorkerRegistry::stop_notifications(Pid pid) {
  for_each([&](Worker& worker) {
    if (worker.definition.notify_pid == pid) worker.definition.notify_pid = 0;
  });
}

void WorkerRegistry::forget_unstarted(Task& postmaster) {
  for (auto it = workers_.begin(); it != workers_.end();) {
    Pid waiting = it->definition.notify_pid;
    if (slot_of(*it).pid.load(std::memory_order_acquire) != kWorkerNotStarted || waiting == 0) {
      ++it;
      continue;
    }
    it = forget(it);
    notify(postmaster, waiting);
  }
}

void WorkerRegistry::reset_after_crash() {
  for (auto it = workers_.begin(); it != workers_.end();) {
    if (!may_restart(*it)) {
      it = forget(it);
      continue;
    }
    it->pid = 0;
    it->crashed_at = 0;
    // Whoever was to be told is gone like everybody else.
    it->definition.notify_pid = 0;
    ++it;
  }
}

}  // namespace cofork
