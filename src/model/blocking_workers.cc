// See blocking_workers.h.
#include "model/blocking_workers.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cofork {

namespace {

void call_futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value, nullptr, nullptr, 0);
}

}  // namespace

BlockingWorkers::BlockingWorkers(int count) {
  for (int i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>());
  idle_.reserve(workers_.size());
  for (auto& worker : workers_) {
    worker->thread = std::thread([this, &me = *worker] { live(me); });
  }
}

void BlockingWorkers::call(Worker& worker, Job* job) {
  worker.job = job;
  worker.is_called.store(1, std::memory_order_release);
  call_futex(worker.is_called, FUTEX_WAKE_PRIVATE, 1);
}

void BlockingWorkers::submit(Job& job) {
  Worker* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      (first_ == nullptr ? first_ : last_->next) = &job;
      last_ = &job;
      return;
    }
    worker = idle_.back();
    idle_.pop_back();
  }
  call(*worker, &job);
}

BlockingWorkers::Job* BlockingWorkers::next(Worker& me) {
  {
    std::lock_guard lock(mutex_);
    if (Job* job = first_) {
      first_ = job->next;
      return job;
    }
    if (stops_) return nullptr;
    idle_.push_back(&me);
  }
  while (me.is_called.load(std::memory_order_acquire) == 0) {
    call_futex(me.is_called, FUTEX_WAIT_PRIVATE, 0);
  }
  me.is_called.store(0, std::memory_order_relaxed);
  return me.job;
}

void BlockingWorkers::live(Worker& me) {
  while (Job* job = next(me)) {
    job->work();
    job->done(*job);
  }
}

void BlockingWorkers::stop() {
  std::vector<Worker*> idle;
  {
    std::lock_guard lock(mutex_);
    stops_ = true;
    idle.swap(idle_);
  }
  for (Worker* worker : idle) call(*worker, nullptr);
  for (auto& worker : workers_) worker->thread.join();
  workers_.clear();
}

}  // namespace cofork
