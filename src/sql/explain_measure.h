// A plan node that notes what it does: rows, loops, time, use of buffers (InstrStartNode and
// InstrStopNode in instrument.c, 15). The planner makes nodes of this kind for EXPLAIN ANALYZE
// only, so that nobody else pays for it.
#pragma once

#include "model/task.h"
#include "os/os.h"
#include "sql/exec.h"
#include "storage/buffer_pool.h"

namespace cofork {

template <typename Node>
class Measured final : public Node {
 public:
  using Node::Node;

  void open(Execution& execution) override {
    begin_loop();
    Watch watch(*this, execution);
    Node::open(execution);
  }
  void rewind(Execution& execution) override {
    begin_loop();
    Watch watch(*this, execution);
    Node::rewind(execution);
  }
  bool next(Execution& execution) override {
    if (!running_) {
      running_ = true;
      ++this->measurement->loops;
    }
    bool found;
    {
      Watch watch(*this, execution);
      found = Node::next(execution);
    }
    if (!std::exchange(has_first_, true)) {
      // Opening is part of it: PostgreSQL does the same work at the first call.
      this->measurement->startup_ms += this->measurement->total_ms - total_before_loop_;
    }
    if (found) ++this->measurement->rows;
    return found;
  }

 private:
  class Watch {
   public:
    Watch(Measured& node, Execution& execution)
        : node_(node),
          execution_(execution),
          started_(execution.task.os().clock.monotonic_ns()),
          before_(buffer_usage()) {}
    ~Watch() {
      Measurement& m = *node_.measurement;
      m.total_ms += static_cast<double>(execution_.task.os().clock.monotonic_ns() - started_) / 1e6;
      const BufferUsage& now = buffer_usage();
      m.buffers.hit += now.hit - before_.hit;
      m.buffers.read += now.read - before_.read;
      m.buffers.dirtied += now.dirtied - before_.dirtied;
      m.buffers.written += now.written - before_.written;
    }
    Watch(const Watch&) = delete;

   private:
    Measured& node_;
    Execution& execution_;
    int64_t started_;
    BufferUsage before_;
  };

  void begin_loop() {
    running_ = has_first_ = false;
    total_before_loop_ = this->measurement->total_ms;
  }

  bool running_ = false;
  bool has_first_ = false;
  double total_before_loop_ = 0;
};

}  // namespace cofork
