// Stack depth: max_stack_depth is enforced at every recursive entry, in both models alike.
//
//   Datum evaluate(const Expr& e) { return with_stack([&] { …recurse… }); }
//
// with_stack() throws 54001 "stack depth limit exceeded" when the recursion has used
// max_stack_depth, as check_stack_depth() in postgres.c. In the coroutine model it also continues
// the call on a pooled deep stack when the fiber's small slot runs low; the callee may wait there.
// A recursion that does not ask overflows a fiber's slot long before it does a process's stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

namespace cofork {

/// Throws Error 54001 when this task's recursion is deeper than max_stack_depth allows, or would be
/// with `more` bytes.
void check_stack_depth(size_t more = 0);
/// The limit of the running task in bytes (max_stack_depth); set when the setting changes.
void set_max_stack_depth_bytes(size_t bytes);

/// Runs `work` with at least `bytes` of stack below it: here when there is room, else on the
/// thread's own 64 MiB stack. For parsers, which recurse without asking; `work` must not wait, and
/// what it throws comes out here.
void run_with_stack(size_t bytes, const std::function<void()>& work);
inline constexpr size_t kBigStackBytes = size_t{64} << 20;

namespace detail {
bool stack_is_low();
void call_on_deep_stack(void (*call)(void*), void* argument);
bool has_stack(size_t bytes);

template <typename F>
auto continue_on_deep_stack(F&& f) -> decltype(f()) {
  if constexpr (std::is_void_v<decltype(f())>) {
    call_on_deep_stack([](void* p) { (*static_cast<std::remove_reference_t<F>*>(p))(); }, &f);
  } else {
    struct Frame {
      std::remove_reference_t<F>* call;
      decltype(f()) result{};
    } frame{&f};
    call_on_deep_stack(
        [](void* p) {
          auto* fr = static_cast<Frame*>(p);
          fr->result = (*fr->call)();
        },
        &frame);
    return std::move(frame.result);
  }
}

}  // namespace detail

template <typename F>
auto with_stack(F&& f) -> decltype(f()) {
  check_stack_depth();
  if (!detail::stack_is_low()) [[likely]]
    return f();
  return detail::continue_on_deep_stack(f);
}

/// For a recursion whose depth is known before it starts, and which therefore does not ask at each
/// level: calls `f` where it may use `bytes` of stack (as optimised code counts them). It may wait.
template <typename F>
auto with_stack_of(size_t bytes, F&& f) -> decltype(f()) {
  check_stack_depth(bytes);
  if (detail::has_stack(bytes)) return f();
  return detail::continue_on_deep_stack(f);
}

}  // namespace cofork
