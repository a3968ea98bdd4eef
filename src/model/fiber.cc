// See fiber.h.
#include "model/fiber.h"

#include <pthread.h>

#include <cerrno>
#include <cstdlib>

#if !defined(__has_feature)
#define __has_feature(x) 0  // GCC tells by __SANITIZE_*__, clang by __has_feature
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define COFORK_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define COFORK_TSAN 1
#endif

// The thread sanitizer's own record of calls must not see the function in which the stacks change.
#ifdef COFORK_TSAN
#define COFORK_SWITCHES __attribute__((no_sanitize("thread")))
#else
#define COFORK_SWITCHES
#endif

// The Itanium C++ ABI's per-thread exception state: what is caught now, and how many are in flight.
namespace __cxxabiv1 {
struct __cxa_eh_globals;
extern "C" __cxa_eh_globals* __cxa_get_globals() noexcept;
}  // namespace __cxxabiv1

namespace cofork {

namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

ExceptionState& exception_state() {
  return *reinterpret_cast<ExceptionState*>(__cxxabiv1::__cxa_get_globals());
}

void asan_leaving([[maybe_unused]] void** fake_stack, [[maybe_unused]] const char* to_bottom,
                  [[maybe_unused]] size_t to_bytes) {
#ifdef COFORK_ASAN
  __sanitizer_start_switch_fiber(fake_stack, to_bottom, to_bytes);
#endif
}

void asan_arrived([[maybe_unused]] void* fake_stack) {
#ifdef COFORK_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

}  // namespace

Fiber::Fiber() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) std::abort();
  void* bottom;
  pthread_attr_getstack(&attributes, &bottom, &stack_bytes_);
  pthread_attr_destroy(&attributes);
  stack_bottom_ = static_cast<char*>(bottom);
#ifdef COFORK_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(char* stack_bottom, size_t stack_bytes, void (*entry)(void*), void* argument)
    : stack_bottom_(stack_bottom), stack_bytes_(stack_bytes), entry_(entry), argument_(argument) {
  context_ = make_fcontext(stack_bottom + stack_bytes, stack_bytes, first_frame);
#ifdef COFORK_TSAN
  tsan_fiber_ = __tsan_create_fiber(0);
  owns_tsan_fiber_ = true;
#endif
}

Fiber::~Fiber() {
#ifdef COFORK_TSAN
  if (owns_tsan_fiber_) __tsan_destroy_fiber(tsan_fiber_);
#endif
}

/// What the one who leaves hands to the one who arrives.
struct Fiber::Start {
  Fiber* from;
  Fiber* to;
};

void Fiber::arrived(transfer_t transfer) {
  // Where the other one stopped becomes its context, to be continued there.
  static_cast<Start*>(transfer.data)->from->context_ = transfer.fctx;
  asan_arrived(asan_fake_stack_);
}

void Fiber::first_frame(transfer_t transfer) {
  Fiber* self = static_cast<Start*>(transfer.data)->to;
  self->arrived(transfer);
  exception_state() = {};
  errno = 0;
  self->entry_(self->argument_);
  std::abort();  // an entry ends with leave_fiber
}

COFORK_SWITCHES void switch_fiber(Fiber& from, Fiber& to) {
  ExceptionState exceptions = exception_state();
  int saved_errno = errno;
  Fiber::Start start{&from, &to};
  asan_leaving(&from.asan_fake_stack_, to.stack_bottom_, to.stack_bytes_);
#ifdef COFORK_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  transfer_t transfer = jump_fcontext(to.context_, &start);
  from.arrived(transfer);
  exception_state() = exceptions;
  errno = saved_errno;
}

COFORK_SWITCHES void leave_fiber(Fiber& from, Fiber& to) {
  Fiber::Start start{&from, &to};
  asan_leaving(nullptr, to.stack_bottom_, to.stack_bytes_);
#ifdef COFORK_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
  jump_fcontext(to.context_, &start);
  std::abort();
}

namespace {

struct Excursion {
  void (*entry)(void*);
  void* argument;
};

void excursion_frame(transfer_t transfer) {
  [[maybe_unused]] const void* home_bottom = nullptr;
  [[maybe_unused]] size_t home_bytes = 0;
#ifdef COFORK_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &home_bottom, &home_bytes);
#endif
  const auto* excursion = static_cast<const Excursion*>(transfer.data);
  excursion->entry(excursion->argument);
  asan_leaving(nullptr, static_cast<const char*>(home_bottom), home_bytes);
  jump_fcontext(transfer.fctx, nullptr);
  std::abort();
}

}  // namespace

void run_on_stack(char* stack_bottom, size_t stack_bytes, void (*entry)(void*), void* argument) {
  Excursion excursion{entry, argument};
  void* fake_stack = nullptr;
  asan_leaving(&fake_stack, stack_bottom, stack_bytes);
  auto context = make_fcontext(stack_bottom + stack_bytes, stack_bytes, excursion_frame);
  jump_fcontext(context, &excursion);
  asan_arrived(fake_stack);
}

}  // namespace cofork
