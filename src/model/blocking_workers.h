// BlockingWorkers: the threads that make the coroutine model's blocking calls, so that no scheduler
// thread ever waits for the disk.
//
// Nearly all that passes here is the fdatasync of a commit, so the way there and back is counted in
// system calls:
//
//   * A job lies on the stack of the fiber that waits for it; handing it over allocates nothing.
//   * The worker that fell idle last gets the next job. Its stack is still in the cache, and a lone
//     client's commits always meet the same thread.
//   * Each worker sleeps on a word of its own: one call wakes exactly one. With all of them busy a
//     job waits in line, and costs no call at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cofork {

class BlockingWorkers {
 public:
  /// Must stay where it is until `done` has been called.
  struct Job {
    const std::function<void()>& work;
    /// On the worker's thread; the job is the submitter's again as soon as it begins, so it must
    /// not be touched after whatever tells the submitter.
    void (*done)(Job& job);
    Job* next = nullptr;
  };

  explicit BlockingWorkers(int count);
  /// Finishes what was submitted.
  ~BlockingWorkers() { stop(); }
  BlockingWorkers(const BlockingWorkers&) = delete;

  /// Any thread.
  void submit(Job& job);
  void stop();

 private:
  struct Worker {
    std::thread thread;
    std::atomic<uint32_t> is_called{0};  ///< slept on
    Job* job = nullptr;                  ///< what it is called for; null: the end
  };
  void live(Worker& me);
  /// The first job in line, or the one `me` is called for after a sleep; null: the end.
  Job* next(Worker& me);
  static void call(Worker& worker, Job* job);

  std::mutex mutex_;  ///< guards what follows
  std::vector<Worker*> idle_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  bool stops_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace cofork
