// See event_loop.h.
#include "model/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
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
      on_timer_(std::move(on_timer)) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    throw Error(sqlstate::kInsufficientResources, "could not create an event loop: {}",
                errno_text(errno));
  }
}

EventLoop::~EventLoop() {
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
  bool first;
  {
    std::lock_guard lock(mutex_);
    first = posts_.empty();
    posts_.push_back(std::move(work));
    has_posts_.store(true, std::memory_order_release);
  }
  // One wake-up serves all posts that come before the loop looks.
  uint64_t one = 1;
  if (first) [[maybe_unused]]
    ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

int EventLoop::sleep(bool may_sleep, epoll_event* events, int limit) {
  if (!may_sleep) return epoll_wait(epoll_, events, limit, 0);
  if (timers_.empty()) return epoll_wait(epoll_, events, limit, -1);
  int64_t left_ns = timers_.begin()->due_ns - monotonic_ns();
  if (left_ns <= 0) return epoll_wait(epoll_, events, limit, 0);
  timespec timeout{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
  int count = epoll_pwait2(epoll_, events, limit, &timeout, nullptr);
  if (count >= 0 || errno != ENOSYS) return count;
  return epoll_wait(epoll_, events, limit, static_cast<int>(left_ns / 1'000'000 + 1));
}

void EventLoop::run_once(bool may_sleep) {
  epoll_event events[128];
  int count = sleep(may_sleep && !has_posts_.load(std::memory_order_acquire), events, 128);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr != nullptr) {
      static_cast<Watch*>(events[i].data.ptr)->happened(events[i].events);
      continue;
    }
    uint64_t ignored;
    [[maybe_unused]] ssize_t got = ::read(wake_fd_, &ignored, sizeof ignored);
  }
  if (!timers_.empty()) ring_timers();
  if (has_posts_.load(std::memory_order_acquire)) run_posts();
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
  std::vector<std::function<void()>> posts;
  {
    std::lock_guard lock(mutex_);
    posts.swap(posts_);
    has_posts_.store(false, std::memory_order_relaxed);
  }
  for (auto& work : posts) work();
}

}  // namespace cofork
