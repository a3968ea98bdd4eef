// Fiber: a flow of control with its own stack, and the one function that switches between two.
//
// Every switch of the server goes through switch_fiber(). Besides the registers it saves what the
// C++ runtime keeps per thread and would otherwise mix up between tasks: the stack of caught
// exceptions (a session that waits while another is inside a handler would report the other's
// error), and errno. It also tells the sanitizers about the change of stack.
//
// boost::context::detail's three functions are used directly instead of boost::context::fiber: that
// class unwinds a suspended stack when its handle goes, and a crashed task must be dropped without
// running a single destructor (they would touch memory that is no longer trusted).
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

namespace cofork {

class Fiber;

/// From `from`, the running one, to `to`. Returns when somebody switches back.
void switch_fiber(Fiber& from, Fiber& to);
/// As switch_fiber, but `from` will never run again.
[[noreturn]] void leave_fiber(Fiber& from, Fiber& to);

class Fiber {
 public:
  /// The flow that is running already (a thread's own stack).
  Fiber();
  /// A new flow that will call entry(argument) on the given stack when first switched to.
  /// `entry` must never return; it ends by switching away for good.
  Fiber(char* stack_bottom, size_t stack_bytes, void (*entry)(void*), void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;

  char* stack_bottom() const { return stack_bottom_; }
  size_t stack_bytes() const { return stack_bytes_; }
  /// Of a fiber that is not running: everything in use lies at or above it.
  const char* saved_stack_pointer() const { return static_cast<const char*>(context_); }

  friend void switch_fiber(Fiber& from, Fiber& to);
  friend void leave_fiber(Fiber& from, Fiber& to);

 private:
  struct Start;
  static void first_frame(boost::context::detail::transfer_t transfer);
  void arrived(boost::context::detail::transfer_t transfer);

  boost::context::detail::fcontext_t context_ = nullptr;
  char* stack_bottom_ = nullptr;
  size_t stack_bytes_ = 0;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  void* asan_fake_stack_ = nullptr;
  void* tsan_fiber_ = nullptr;
  bool owns_tsan_fiber_ = false;
};

/// Calls entry(argument) on another stack within the same flow of control, and returns here after
/// it. The callee may switch fibers meanwhile. Nothing may be thrown across.
void run_on_stack(char* stack_bottom, size_t stack_bytes, void (*entry)(void*), void* argument);

}  // namespace cofork
