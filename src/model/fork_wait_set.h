// WaitSet of the fork model: one epoll instance, the process sleeps in epoll_wait.
#pragma once

#include <vector>

#include "model/wait_set.h"

namespace cofork {

class Task;

class ForkWaitSet final : public WaitSet {
 public:
  ForkWaitSet(Task& task, int death_pipe);
  ~ForkWaitSet() override;
  int add_latch(Latch& latch) override;
  int add_socket(int fd, uint32_t flags) override;
  int add_postmaster_death(uint32_t flag) override;
  void modify_socket(int position, uint32_t flags) override;
  void modify_latch(int position, Latch& latch) override;
  void remove_socket(int position) override;
  int wait(int64_t timeout_ms, std::span<WaitOccurred> occurred, WaitEventId event) override;

 private:
  struct Entry {
    int fd;
    uint32_t flags;
  };
  int add(int fd, uint32_t flags, uint32_t epoll_events);
  bool latch_is_set() const;
  /// What an epoll event means: the flags that occurred, 0 for a false alarm.
  uint32_t look_at(int position, uint32_t epoll_events);

  Task& task_;
  int death_pipe_;
  int epoll_;
  Latch* latch_ = nullptr;
  int latch_position_ = -1;
  std::vector<Entry> entries_;
};

}  // namespace cofork
