// See coroutine_wait_set.h.
//
// The event loop watches edges (the moment a socket becomes ready), a WaitSet promises levels (is
// it ready?). The difference is bridged here: an edge is remembered until it has been told; and
// what has been told once is asked from the kernel again, unless the caller has said that it read
// the socket empty (drained), as the hot path does.
#include "model/coroutine_wait_set.h"

#include <poll.h>
#include <sys/epoll.h>

#include "model/model.h"

namespace cofork {

namespace {

uint32_t edge_events_of(uint32_t flags) {
  uint32_t events = EPOLLET | EPOLLRDHUP;
  if (flags & kWaitReadable) events |= EPOLLIN;
  // Only while somebody waits for it: with each answer a client reads, the room to write grows, and
  // every growth would be an event.
  if (flags & kWaitWriteable) events |= EPOLLOUT;
  return events;
}

uint32_t flags_of(uint32_t epoll_events) {
  uint32_t flags = 0;
  if (epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) flags |= kWaitReadable;
  if (epoll_events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) flags |= kWaitWriteable;
  if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) flags |= kWaitClosed;
  return flags;
}

}  // namespace

class CoroutineWaitSet::Socket final : public EventLoop::Watch {
 public:
  Socket(FiberTask& fiber, int position, int fd, uint32_t flags)
      : fiber_(fiber), position_(position), fd_(fd), flags_(flags) {
    fiber_.scheduler.events().add(fd_, edge_events_of(flags_), *this);
  }
  ~Socket() { fiber_.scheduler.events().remove(fd_); }

  int position() const { return position_; }

  void happened(uint32_t epoll_events) override {
    edges_ |= flags_of(epoll_events);
    // The end comes once, perhaps in one edge with the last data: it must outlive being drained.
    if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ended_ = true;
    if (edges_ & flags_) fiber_.scheduler.wake(fiber_);
  }

  void change(uint32_t flags) {
    if (edge_events_of(flags) != edge_events_of(flags_)) {
      // Registering anew makes the kernel tell the present level as an edge.
      fiber_.scheduler.events().modify(fd_, edge_events_of(flags), *this);
    }
    flags_ = flags;
  }

  void drained() { told_ = 0; }

  /// What is ready of what is wanted now, and tells it (once) as ready.
  uint32_t take() {
    uint32_t flags = edges_ & flags_;
    if (ended_) flags |= (kWaitReadable | kWaitClosed) & flags_;
    if (flags == 0 && (told_ & flags_) != 0) flags = ask_kernel() & flags_;
    edges_ &= ~flags;
    told_ = flags;
    return flags;
  }

 private:
  uint32_t ask_kernel() const {
    pollfd asked{fd_, static_cast<short>(POLLIN | POLLRDHUP), 0};
    if (flags_ & kWaitWriteable) asked.events |= POLLOUT;
    if (::poll(&asked, 1, 0) <= 0) return 0;
    // EPOLLIN … are the same bits as POLLIN … .
    return flags_of(static_cast<uint32_t>(asked.revents));
  }

  FiberTask& fiber_;
  int position_;
  int fd_;
  uint32_t flags_;
  uint32_t edges_ = 0;  ///< became ready, not told yet
  uint32_t told_ = 0;   ///< told, and may still be ready
  bool ended_ = false;  ///< the peer has closed its end: readable from now on
};

CoroutineWaitSet::CoroutineWaitSet(FiberTask& fiber) : fiber_(fiber) {}
CoroutineWaitSet::~CoroutineWaitSet() = default;

int CoroutineWaitSet::add_latch(Latch& latch) {
  latch_ = &latch;
  return latch_position_ = next_position_++;
}

int CoroutineWaitSet::add_socket(int fd, uint32_t flags) {
  int position = next_position_++;
  sockets_.push_back(std::make_unique<Socket>(fiber_, position, fd, flags));
  return position;
}

int CoroutineWaitSet::add_postmaster_death(uint32_t) {
  // The postmaster is in this process: whoever could ask lives no longer than it does.
  return next_position_++;
}

CoroutineWaitSet::Socket* CoroutineWaitSet::find(int position) {
  for (auto& socket : sockets_) {
    if (socket->position() == position) return socket.get();
  }
  return nullptr;
}

void CoroutineWaitSet::modify_socket(int position, uint32_t flags) {
  find(position)->change(flags);
}

void CoroutineWaitSet::modify_latch(int, Latch& latch) {
  latch_ = &latch;
}

void CoroutineWaitSet::remove_socket(int position) {
  std::erase_if(sockets_, [position](auto& socket) { return socket->position() == position; });
}

void CoroutineWaitSet::drained(int position) {
  find(position)->drained();
}

int CoroutineWaitSet::look(std::span<WaitOccurred> occurred) {
  size_t found = 0;
  if (latch_ != nullptr && latch_->is_set.load(std::memory_order_seq_cst) != 0) {
    occurred[found++] = {latch_position_, kWaitLatch};
  }
  for (auto& socket : sockets_) {
    if (found == occurred.size()) break;
    if (uint32_t flags = socket->take()) occurred[found++] = {socket->position(), flags};
  }
  return static_cast<int>(found);
}

int CoroutineWaitSet::wait(int64_t timeout_ms, std::span<WaitOccurred> occurred,
                           WaitEventId event) {
  Clock& clock = fiber_.task.os().clock;
  int64_t due_ns = timeout_ms >= 0 ? clock.monotonic_ns() + timeout_ms * 1'000'000 : 0;
  bool sleeps = timeout_ms != 0;
  fiber_.task.wait_begins(static_cast<uint32_t>(event));
  int found;
  for (;;) {
    // Same protocol as in the fork model: announce the sleep, then look once more.
    if (latch_ != nullptr) latch_->maybe_sleeping.store(1, std::memory_order_seq_cst);
    found = look(occurred);
    if (found > 0 || (timeout_ms > 0 && clock.monotonic_ns() >= due_ns)) break;
    if (!sleeps) {
      // A wait that never sleeps must still hear its sockets: let the event loop run once.
      fiber_.scheduler.yield();
      found = look(occurred);
      break;
    }
    fiber_.scheduler.suspend_until(due_ns);
  }
  if (latch_ != nullptr) latch_->maybe_sleeping.store(0, std::memory_order_seq_cst);
  fiber_.task.wait_ends();
  return found;
}

}  // namespace cofork
