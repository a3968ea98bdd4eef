// See event_loop.h.
#include "model/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "support/error.h"

namespace cofork {

namespace {

int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

EventLoop::EventLoop(TimerHook on_timer)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      clock_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      on_timer_(std::move(on_timer)) {
  // Told apart from watches by where they point to.
  for (int* fd : {&wake_fd_, &clock_fd_}) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, *fd, &event) != 0) {
      throw Error(sqlstate::kInsufficientResources, "could not create an event loop: {}",
                  errno_text(errno));
    }
  }
}

EventLoop::~EventLoop() {
  ::close(clock_fd_);
  ::close(wake_fd_);
  ::close(epoll_);
}

void EventLoop::add(int fd, uint32_t epoll_events, Watch& watch) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &watch;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    throw Error(sqlstate::kInsufficientResources, "epoll_ctl() failed: {}", errno_text(errno));
  }
}

void EventLoop::modify(int fd, uint32_t epoll_events, Watch& watch) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &watch;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::post(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    posts_.push_back(std::move(work));
  }
  // In one order with the loop's "I sleep": either it sees the post, or we see it sleep. The first
  // to see it wakes it for all.
  has_posts_.store(true, std::memory_order_seq_cst);
  if (!sleeps_.load(std::memory_order_seq_cst) || !sleeps_.exchange(false)) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void EventLoop::run_once(bool may_sleep) {
  arm_clock();
  if (may_sleep) {
    sleeps_.store(true, std::memory_order_seq_cst);
    if (has_posts_.load(std::memory_order_seq_cst)) may_sleep = false;
  }
  epoll_event events[128];
  int count = epoll_wait(epoll_, events, 128, may_sleep ? -1 : 0);
  sleeps_.store(false, std::memory_order_relaxed);
  for (int i = 0; i < count; ++i) happened(events[i]);
  if (has_posts_.load(std::memory_order_acquire)) run_posts();
}

void EventLoop::happened(const epoll_event& event) {
  if (event.data.ptr == &clock_fd_) {
    armed_ns_ = 0;
    ring_timers();
  } else if (event.data.ptr != &wake_fd_) {
    static_cast<Watch*>(event.data.ptr)->happened(event.events);
  }
}

/// A clock that rings for a timer that was cancelled finds nothing to do and is set anew.
void EventLoop::arm_clock() {
  if (timers_.empty()) return;
  int64_t due_ns = timers_.begin()->due_ns;
  if (armed_ns_ != 0 && armed_ns_ <= due_ns) return;
  armed_ns_ = due_ns;
  // A time that has passed rings at once, but all zeros would mean "never".
  itimerspec when{};
  when.it_value = {due_ns / 1'000'000'000, due_ns % 1'000'000'000};
  timerfd_settime(clock_fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void EventLoop::ring_timers() {
  int64_t now_ns = monotonic_ns();
  while (!timers_.empty() && timers_.begin()->due_ns <= now_ns) {
    Timer timer = *timers_.begin();
    timers_.erase(timers_.begin());
    on_timer_(timer);
  }
}

void EventLoop::run_posts() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posts_);
    has_posts_.store(false, std::memory_order_relaxed);
  }
  for (auto& work : running_) work();
  running_.clear();
}

}  // namespace cofork
