// See coroutine_wait_set.h.
#include "model/coroutine_wait_set.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>

#include "model/model.h"

namespace cofork {

namespace asio = boost::asio;

struct WatchedSocket : boost::intrusive_ref_counter<WatchedSocket, boost::thread_unsafe_counter> {
  WatchedSocket(Scheduler& home, Pid owner_pid, int at, int fd, uint32_t wanted)
      : scheduler(home),
        owner(owner_pid),
        position(at),
        descriptor(home.events(), fd),
        flags(wanted) {}
  ~WatchedSocket() {
    // The descriptor belongs to the task: Asio only stops watching it.
    if (descriptor.is_open()) descriptor.release();
  }

  /// One question to the reactor per direction at a time; the answer makes `ready` and wakes.
  void ask(uint32_t direction, asio::posix::descriptor_base::wait_type type) {
    if ((flags & direction) == 0 || (asked & direction) != 0) return;
    asked |= direction;
    descriptor.async_wait(type, [self = boost::intrusive_ptr<WatchedSocket>(this),
                                 direction](const boost::system::error_code& error) {
      self->asked &= ~direction;
      if (error == asio::error::operation_aborted) return;
      self->ready |= direction;
      if (FiberTask* fiber = self->scheduler.find(self->owner)) self->scheduler.wake(*fiber);
    });
  }

  Scheduler& scheduler;
  Pid owner;
  int position;
  asio::posix::stream_descriptor descriptor;
  uint32_t flags;
  uint32_t asked = 0;
  uint32_t ready = 0;
};

CoroutineWaitSet::CoroutineWaitSet(FiberTask& fiber) : fiber_(fiber) {}
CoroutineWaitSet::~CoroutineWaitSet() {
  for (auto& socket : sockets_) {
    if (socket->descriptor.is_open()) socket->descriptor.release();
  }
}

int CoroutineWaitSet::add_latch(Latch& latch) {
  latch_ = &latch;
  return latch_position_ = next_position_++;
}

int CoroutineWaitSet::add_socket(int fd, uint32_t flags) {
  int position = next_position_++;
  sockets_.emplace_back(
      new WatchedSocket(fiber_.scheduler, fiber_.task.pid(), position, fd, flags));
  return position;
}

int CoroutineWaitSet::add_postmaster_death(uint32_t) {
  // The postmaster is in this process: whoever could ask lives no longer than it does.
  return next_position_++;
}

void CoroutineWaitSet::modify_socket(int position, uint32_t flags) {
  for (auto& socket : sockets_) {
    if (socket->position == position) socket->flags = flags;
  }
}

void CoroutineWaitSet::modify_latch(int, Latch& latch) {
  latch_ = &latch;
}

void CoroutineWaitSet::remove_socket(int position) {
  std::erase_if(sockets_, [position](auto& socket) {
    if (socket->position != position) return false;
    socket->descriptor.release();
    return true;
  });
}

/// Collects what has occurred; a readiness is told once, and the next wait asks again.
int CoroutineWaitSet::look(std::span<WaitOccurred> occurred) {
  size_t found = 0;
  if (latch_ != nullptr && latch_->is_set.load(std::memory_order_seq_cst) != 0) {
    occurred[found++] = {latch_position_, kWaitLatch};
  }
  for (auto& socket : sockets_) {
    if (found == occurred.size()) break;
    uint32_t flags = socket->ready & socket->flags;
    if (flags == 0) continue;
    socket->ready &= ~flags;
    occurred[found++] = {socket->position, flags};
  }
  return static_cast<int>(found);
}

void suspend_until(FiberTask& fiber, int64_t due_ns) {
  if (due_ns == 0) {
    fiber.scheduler.suspend();
    return;
  }
  if (fiber.wait_timer == nullptr) {
    fiber.wait_timer = std::make_unique<asio::steady_timer>(fiber.scheduler.events());
  }
  fiber.wait_timer->expires_at(asio::steady_timer::time_point(std::chrono::nanoseconds(due_ns)));
  Scheduler& scheduler = fiber.scheduler;
  Pid pid = fiber.task.pid();
  fiber.wait_timer->async_wait([&scheduler, pid](const boost::system::error_code& error) {
    if (error) return;
    if (FiberTask* sleeper = scheduler.find(pid)) scheduler.wake(*sleeper);
  });
  scheduler.suspend();
  fiber.wait_timer->cancel();
}

int CoroutineWaitSet::wait(int64_t timeout_ms, std::span<WaitOccurred> occurred,
                           WaitEventId event) {
  Clock& clock = fiber_.task.os().clock;
  int64_t due_ns = timeout_ms >= 0 ? clock.monotonic_ns() + timeout_ms * 1'000'000 : 0;
  fiber_.task.wait_begins(static_cast<uint32_t>(event));
  int found;
  for (;;) {
    // Same protocol as in the fork model: announce the sleep, then look once more.
    if (latch_ != nullptr) latch_->maybe_sleeping.store(1, std::memory_order_seq_cst);
    found = look(occurred);
    if (found > 0) break;
    if (timeout_ms >= 0 && clock.monotonic_ns() >= due_ns) {
      // A wait that never sleeps must still hear its sockets: let the event loop run once.
      for (auto& socket : sockets_) {
        socket->ask(kWaitReadable, asio::posix::descriptor_base::wait_read);
        socket->ask(kWaitWriteable, asio::posix::descriptor_base::wait_write);
      }
      fiber_.scheduler.yield();
      found = look(occurred);
      break;
    }
    for (auto& socket : sockets_) {
      socket->ask(kWaitReadable, asio::posix::descriptor_base::wait_read);
      socket->ask(kWaitWriteable, asio::posix::descriptor_base::wait_write);
    }
    suspend_until(fiber_, due_ns);
  }
  if (latch_ != nullptr) latch_->maybe_sleeping.store(0, std::memory_order_seq_cst);
  fiber_.task.wait_ends();
  return found;
}

}  // namespace cofork
