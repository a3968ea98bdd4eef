// EventLoop: what one scheduler thread sleeps in: sockets, timers, and posts from other threads.
//
// Sockets are registered once, edge-triggered: a round trip costs no registration call (Asio's
// async_wait pays one epoll_ctl each; measured 4 system calls per round trip instead of 3). Timers
// are a sorted set behind one timerfd, which is set again only for a timer earlier than the one it
// waits for: most are cancelled long before, so that sleeping and setting cost no call at all. A
// post wakes the loop only if it sleeps.
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
  void happened(const ::epoll_event& event);
  void arm_clock();
  void ring_timers();
  void run_posts();

  int epoll_;
  // Watched for edges only, so that nobody has to read them.
  int wake_fd_;   ///< an eventfd: somebody has posted
  int clock_fd_;  ///< a timerfd
  TimerHook on_timer_;
  std::set<Timer> timers_;
  int64_t armed_ns_ = 0;  ///< when the timerfd will ring; 0: it will not
  std::mutex mutex_;      ///< guards posts_
  std::vector<std::function<void()>> posts_;
  std::vector<std::function<void()>> running_;  ///< posts taken out; the room is kept
  std::atomic<bool> has_posts_{false};
  std::atomic<bool> sleeps_{false};  ///< or is about to: posts must wake it
};

}  // namespace cofork
