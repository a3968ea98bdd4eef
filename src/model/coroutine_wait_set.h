// WaitSet of the coroutine model: the fiber is suspended, its thread's event loop tells when a
// socket is ready.
#pragma once

#include <memory>
#include <vector>

#include "model/scheduler.h"
#include "model/wait_set.h"

namespace cofork {

class CoroutineWaitSet final : public WaitSet {
 public:
  explicit CoroutineWaitSet(FiberTask& fiber);
  ~CoroutineWaitSet() override;
  int add_latch(Latch& latch) override;
  int add_socket(int fd, uint32_t flags) override;
  int add_postmaster_death(uint32_t flag) override;
  void modify_socket(int position, uint32_t flags) override;
  void modify_latch(int position, Latch& latch) override;
  void remove_socket(int position) override;
  void drained(int position) override;
  int wait(int64_t timeout_ms, std::span<WaitOccurred> occurred, WaitEventId event) override;

 private:
  class Socket;
  int look(std::span<WaitOccurred> occurred);
  Socket* find(int position);

  FiberTask& fiber_;
  Latch* latch_ = nullptr;
  int latch_position_ = -1;
  int next_position_ = 0;
  std::vector<std::unique_ptr<Socket>> sockets_;
};

}  // namespace cofork
