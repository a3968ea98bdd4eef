// See stack.h. Deep stacks: mapped without reserving memory, guarded, pooled per thread.
#include "model/stack.h"

#include <sys/mman.h>

#include <exception>
#include <vector>

#include "model/fiber.h"
#include "model/stack_arena.h"
#include "model/task.h"
#include "support/error.h"

namespace cofork {

namespace {

/// What one call may need between two checks: libstdc++, fmt and the like below role code.
constexpr size_t kStackReserveBytes = size_t{16} << 10;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr size_t kFrameGrowth = 4;  // unoptimised and instrumented frames are that much larger
#else
constexpr size_t kFrameGrowth = 1;
#endif
/// Beyond max_stack_depth, for what the deepest permitted frame still calls.
constexpr size_t kDeepStackSlackBytes = size_t{512} << 10;

const char* frame_address() {
  return static_cast<const char*>(__builtin_frame_address(0));
}

size_t depth_bytes(const Task& task) {
  return task.stack.used_before + static_cast<size_t>(task.stack.base - frame_address());
}

/// Stacks of this thread that nobody uses now. A fiber never changes threads, so neither does a
/// stack it borrowed; a crashed task keeps its own.
struct StackPool {
  std::vector<MappedStack> deep;
  MappedStack big;
  bool big_in_use = false;
};
thread_local StackPool pool;

MappedStack take_deep_stack(size_t bytes) {
  while (!pool.deep.empty()) {
    MappedStack stack = std::move(pool.deep.back());
    pool.deep.pop_back();
    if (stack.size() >= bytes) return stack;
  }
  return MappedStack(bytes);
}

/// Calls `call(argument)` on another stack and comes back; exceptions come back too.
struct Crossing {
  void (*call)(void*);
  void* argument;
  std::exception_ptr failure;
};

void cross(void* raw) {
  auto* crossing = static_cast<Crossing*>(raw);
  try {
    crossing->call(crossing->argument);
  } catch (...) {
    // Nothing waits here: the exception is carried over to the caller's stack and thrown again.
    crossing->failure = std::current_exception();
  }
}

void call_on(MappedStack& stack, void (*call)(void*), void* argument) {
  Crossing crossing{call, argument, nullptr};
  Task* task = this_task_or_null();
  Task::StackSegment before;
  if (task != nullptr) {
    before = task->stack;
    task->stack = {stack.top(), stack.bottom(), depth_bytes(*task)};
  }
  run_on_stack(stack.bottom(), stack.size(), cross, &crossing);
  if (task != nullptr) task->stack = before;
  if (crossing.failure) std::rethrow_exception(std::move(crossing.failure));
}

}  // namespace

namespace {

[[noreturn, gnu::noinline, gnu::cold]] void refuse_depth(const Task& task) {
  throw Error(sqlstate::kStatementTooComplex, "stack depth limit exceeded")
      .hint(
          "Increase the configuration parameter \"max_stack_depth\" (currently {}kB), after "
          "ensuring the platform's stack depth limit is adequate.",
          task.max_stack_depth_bytes / 1024);
}

}  // namespace

void check_stack_depth(size_t more) {
  Task& task = this_task();
  size_t allowed = task.max_stack_depth_bytes * kFrameGrowth;
  if (depth_bytes(task) + more * kFrameGrowth <= allowed) [[likely]]
    return;
  refuse_depth(task);
}

void set_max_stack_depth_bytes(size_t bytes) {
  this_task().max_stack_depth_bytes = bytes;
}

namespace detail {

bool stack_is_low() {
  return static_cast<size_t>(frame_address() - this_task().stack.limit) <
         kStackReserveBytes * kFrameGrowth;
}

bool has_stack(size_t bytes) {
  return static_cast<size_t>(frame_address() - this_task().stack.limit) >=
         (bytes + kStackReserveBytes) * kFrameGrowth;
}

void call_on_deep_stack(void (*call)(void*), void* argument) {
  size_t bytes = this_task().max_stack_depth_bytes * kFrameGrowth + kDeepStackSlackBytes;
  MappedStack stack = take_deep_stack(bytes);
  struct GiveBack {
    MappedStack& stack;
    ~GiveBack() {
      stack.forget_pages();
      pool.deep.push_back(std::move(stack));
    }
  } give_back{stack};
  call_on(stack, call, argument);
}

}  // namespace detail

void run_with_stack(size_t bytes, const std::function<void()>& work) {
  Task* task = this_task_or_null();
  size_t room = task != nullptr ? static_cast<size_t>(frame_address() - task->stack.limit) : 0;
  if (room >= bytes + kStackReserveBytes || pool.big_in_use) {
    work();
    return;
  }
  if (pool.big.size() == 0) pool.big = MappedStack(kBigStackBytes);
  pool.big_in_use = true;
  struct Release {
    size_t bytes;
    ~Release() {
      // A large parse has touched pages that the next thousand small ones will not need.
      if (bytes > (size_t{256} << 10)) pool.big.forget_pages();
      pool.big_in_use = false;
    }
  } release{bytes};
  auto call = [](void* raw) { (*static_cast<const std::function<void()>*>(raw))(); };
  call_on(pool.big, call, const_cast<std::function<void()>*>(&work));
}

}  // namespace cofork
