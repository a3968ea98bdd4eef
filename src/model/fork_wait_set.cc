// See fork_wait_set.h. The latch protocol is that of WaitEventSetWait in latch.c, 15.
#include "model/fork_wait_set.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "model/model.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

namespace {

uint32_t epoll_events_of(uint32_t flags) {
  uint32_t events = EPOLLERR | EPOLLHUP;
  if (flags & kWaitReadable) events |= EPOLLIN;
  if (flags & kWaitWriteable) events |= EPOLLOUT;
  if (flags & kWaitClosed) events |= EPOLLRDHUP;
  return events;
}

uint32_t flags_of(uint32_t events, uint32_t wanted) {
  uint32_t flags = 0;
  // An error or hang-up shows as whatever the caller waits for: its next call will meet it.
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) flags |= kWaitReadable;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) flags |= kWaitWriteable;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) flags |= kWaitClosed;
  return flags & wanted;
}

/// One signalfd a process; a set that outlives a fork is never used by the child.
int latch_signal_fd() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGURG);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

ForkWaitSet::ForkWaitSet(Task& task, int death_pipe)
    : task_(task), death_pipe_(death_pipe), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    throw Error(sqlstate::kInsufficientResources, "epoll_create1 failed: {}", errno_text(errno));
  }
}

ForkWaitSet::~ForkWaitSet() {
  if (latch_position_ >= 0) ::close(entries_[static_cast<size_t>(latch_position_)].fd);
  ::close(epoll_);
}

int ForkWaitSet::add(int fd, uint32_t flags, uint32_t epoll_events) {
  int position = static_cast<int>(entries_.size());
  epoll_event event{};
  event.events = epoll_events;
  event.data.u32 = static_cast<uint32_t>(position);
  if (fd < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    throw Error(sqlstate::kInsufficientResources, "epoll_ctl() failed: {}", errno_text(errno));
  }
  entries_.push_back({fd, flags});
  return position;
}

int ForkWaitSet::add_latch(Latch& latch) {
  latch_ = &latch;
  latch_position_ = add(latch_signal_fd(), kWaitLatch, EPOLLIN);
  return latch_position_;
}

int ForkWaitSet::add_socket(int fd, uint32_t flags) {
  return add(fd, flags, epoll_events_of(flags));
}

int ForkWaitSet::add_postmaster_death(uint32_t flag) {
  return add(death_pipe_, flag, EPOLLIN);
}

void ForkWaitSet::modify_socket(int position, uint32_t flags) {
  Entry& entry = entries_[static_cast<size_t>(position)];
  if (entry.flags == flags) return;
  entry.flags = flags;
  epoll_event event{};
  event.events = epoll_events_of(flags);
  event.data.u32 = static_cast<uint32_t>(position);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, entry.fd, &event);
}

void ForkWaitSet::modify_latch(int, Latch& latch) {
  latch_ = &latch;
}

void ForkWaitSet::remove_socket(int position) {
  Entry& entry = entries_[static_cast<size_t>(position)];
  epoll_ctl(epoll_, EPOLL_CTL_DEL, entry.fd, nullptr);
  entry = {-1, 0};
}

bool ForkWaitSet::latch_is_set() const {
  return latch_ != nullptr && latch_->is_set.load(std::memory_order_seq_cst) != 0;
}

uint32_t ForkWaitSet::look_at(int position, uint32_t epoll_events) {
  const Entry& entry = entries_[static_cast<size_t>(position)];
  if (position == latch_position_) {
    signalfd_siginfo drained;
    while (::read(entry.fd, &drained, sizeof drained) > 0) {
    }
    return latch_is_set() ? uint32_t{kWaitLatch} : 0;
  }
  if (entry.fd != death_pipe_) return flags_of(epoll_events, entry.flags);
  // Double-checked by reading the pipe: a spurious wake-up must not end a task.
  if (task_.model().postmaster_is_alive()) return 0;
  if (entry.flags & kWaitExitOnPostmasterDeath) {
    task_.wait_ends();
    throw TaskExit{1};
  }
  return kWaitPostmasterDeath;
}

int ForkWaitSet::wait(int64_t timeout_ms, std::span<WaitOccurred> occurred, WaitEventId event) {
  Clock& clock = task_.os().clock;
  int64_t due_ns = timeout_ms >= 0 ? clock.monotonic_ns() + timeout_ms * 1'000'000 : 0;
  int left_ms = timeout_ms >= 0 ? static_cast<int>(std::min<int64_t>(timeout_ms, INT32_MAX)) : -1;
  task_.wait_begins(static_cast<uint32_t>(event));
  int found = 0;
  for (;;) {
    if (latch_ != nullptr && !latch_is_set()) {
      // Announce the sleep, then look once more: whoever set the latch before the announcement is
      // seen now, whoever sets it after must wake us.
      latch_->maybe_sleeping.store(1, std::memory_order_seq_cst);
    }
    if (latch_is_set()) {
      occurred[0] = {latch_position_, kWaitLatch};
      found = 1;
      break;
    }
    epoll_event events[16];
    int limit = static_cast<int>(std::min<size_t>(occurred.size(), 16));
    int count = epoll_wait(epoll_, events, limit, left_ms);
    if (latch_ != nullptr) latch_->maybe_sleeping.store(0, std::memory_order_seq_cst);
    for (int i = 0; i < count; ++i) {
      auto position = static_cast<int>(events[i].data.u32);
      uint32_t flags = look_at(position, events[i].events);
      if (flags != 0) occurred[static_cast<size_t>(found++)] = {position, flags};
    }
    if (found > 0 || left_ms == 0) break;
    if (timeout_ms >= 0) {
      int64_t left_ns = due_ns - clock.monotonic_ns();
      if (left_ns <= 0) break;
      left_ms = static_cast<int>(std::min<int64_t>((left_ns + 999'999) / 1'000'000, INT32_MAX));
    }
  }
  if (latch_ != nullptr) latch_->maybe_sleeping.store(0, std::memory_order_seq_cst);
  task_.wait_ends();
  return found;
}

}  // namespace cofork
