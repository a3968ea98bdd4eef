// EventLoop: what one scheduler thread sleeps in: sockets, timers, and posts from other threads.
//
// Sockets are registered once, edge-triggered: a round trip costs no registration call (Asio's
// async_wait pays one epoll_ctl each; measured 4 system calls per round trip instead of 3). Timers
// are a sorted set, and the sleep ends when the first is due: setting one costs no call at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <vector>

#include "model/cells.h"

struct epoll_event;

namespace cofork {

class EventLoop {
 public:
  /// Told about events of its descriptor, on the loop's thread. Must not call add or remove.
  class Watch {
   public:
    virtual void happened(uint32_t epoll_events) = 0;

   protected:
    ~Watch() = default;
  };
  enum class TimerKind : uint8_t { kWait, kAlarm, kTrim };
  struct Timer {
    int64_t due_ns;  ///< monotonic
    Pid pid;
    TimerKind kind;
    auto operator<=>(const Timer&) const = default;
  };
  using TimerHook = std::function<void(const Timer&)>;

  explicit EventLoop(TimerHook on_timer);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;

  void add(int fd, uint32_t epoll_events, Watch& watch);
  void modify(int fd, uint32_t epoll_events, Watch& watch);
  void remove(int fd);
  void set_timer(const Timer& timer) { timers_.insert(timer); }
  void cancel_timer(const Timer& timer) { timers_.erase(timer); }

  /// Any thread: `work` runs on the loop's thread, in order.
  void post(std::function<void()> work);
  /// Tells watches, rings timers, runs posts; sleeps for the first of them if it may.
  void run_once(bool may_sleep);

 private:
  int sleep(bool may_sleep, ::epoll_event* events, int limit);
  void ring_timers();
  void run_posts();

  int epoll_;
  int wake_fd_;  ///< an eventfd: somebody has posted
  TimerHook on_timer_;
  std::set<Timer> timers_;
  std::mutex mutex_;  ///< guards posts_
  std::vector<std::function<void()>> posts_;
  std::atomic<bool> has_posts_{false};
};

}  // namespace cofork
