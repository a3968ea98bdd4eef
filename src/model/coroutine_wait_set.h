// WaitSet of the coroutine model: the fiber is suspended, Asio tells when a socket is ready.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <vector>

#include "model/scheduler.h"
#include "model/wait_set.h"

namespace cofork {

/// A socket Asio watches. Readiness may arrive when the fiber has long been woken by something
/// else, or is gone: so it is counted, and it knows its task by pid, not by address.
struct WatchedSocket;

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
  int wait(int64_t timeout_ms, std::span<WaitOccurred> occurred, WaitEventId event) override;

 private:
  int look(std::span<WaitOccurred> occurred);
  void sleep(int64_t due_ns);

  FiberTask& fiber_;
  Latch* latch_ = nullptr;
  int latch_position_ = -1;
  int next_position_ = 0;
  std::vector<boost::intrusive_ptr<WatchedSocket>> sockets_;
};

/// Suspends the running fiber until it is woken or the monotonic time has come (0: no limit).
void suspend_until(FiberTask& fiber, int64_t due_ns);

}  // namespace cofork
