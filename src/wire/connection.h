// Connection: a client's socket, with what was read and not yet consumed, and what was not yet
// sent.
//
// Reading: bytes go into a small buffer that is part of the object; a message that does not fit
// moves to a heap buffer, which grows as bytes arrive (never because of a length that the client
// merely claims) and is given back when the session becomes idle. A message stays where it is until
// the next read, so the text of a statement is never copied.
//
// Waiting: on the latch, the socket and the postmaster's death at once. Whoever owns the connection
// is asked at each wake-up what to do about interrupts (ConnectionOwner): while a command is being
// waited for they are served, in the middle of writing only a request to die is. (as secure_read,
// secure_write in be-secure.c and ProcessClientReadInterrupt in postgres.c, 15)
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "model/task.h"
#include "model/wait_set.h"
#include "wire/output_buffer.h"

namespace cofork {

/// Decides about interrupts while the connection waits. May throw.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// `blocked`: the latch was set while waiting for the client; otherwise before or after a read.
  virtual void serve_read_interrupts(bool blocked) = 0;
  virtual void serve_write_interrupts(bool blocked) = 0;
  /// The kernel refused, with this errno. After a failed send nothing more is sent, and the owner
  /// ends the session at its next interrupt check; a failed read looks like the client's end.
  virtual void sending_failed(int error_number) = 0;
  virtual void receiving_failed(int error_number) = 0;
};

class Connection {
 public:
  /// Takes over `socket`; close() closes it. `owner` must outlive the connection.
  Connection(Task& task, int socket, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // --- reading
  /// Waits until at least `count` bytes are there. False when the client has gone first (the rest
  /// that came is in available()); a receive error other than that is logged.
  bool need(size_t count) { return available_ >= count || fill(count); }
  size_t available() const { return available_; }
  /// Valid until the next need().
  const char* data() const { return input() + start_; }
  void consume(size_t count) {
    start_ += count;
    available_ -= count;
  }
  /// Forgets all input: the client is not worth listening to any more.
  void discard_input() { start_ = available_ = 0; }

  // --- writing
  OutputBuffer& out() { return out_; }
  /// Sends everything, waiting for the client where it must.
  void flush() {
    if (!out_.empty()) send_all();
  }
  /// After each message of a long answer.
  void flush_if_full() {
    if (out_.full()) send_all();
  }
  /// Sends what the kernel takes now; the rest stays for flush(). Never waits, never throws.
  void flush_without_waiting();
  /// The last words of a task that is about to die, from its signal handler: what is complete, then
  /// `message`, as far as the kernel takes it now.
  void send_last_words(std::string_view message) noexcept;
  /// For a signal handler that is about to send last words: false when it may. Between a send and
  /// the counting of what was sent it may not, or the client would get those bytes twice; then the
  /// signal is sent again when they have been counted.
  bool postpone_signal(int signo) noexcept;

  // --- life
  /// Gives back what large messages took. Called before waiting for the next command.
  void shrink();
  /// The task has another latch now (it got or gave back its Proc).
  void latch_changed();
  /// The client has gone, or must not get anything any more: output is thrown away.
  void stop_sending() {
    sending_ = false;
    out_.drop();
  }
  bool sending() const { return sending_; }
  /// Has the peer closed its end? Asks the kernel; does not wait.
  bool peer_has_gone();
  void close();
  int socket() const { return socket_; }
  /// Bytes of buffers on the heap.
  size_t footprint_bytes() const { return heap_bytes_ + out_.capacity(); }

 private:
  static constexpr size_t kInlineBytes = 1024;
  static constexpr size_t kHeapBytes = 8192;  ///< as PQ_RECV_BUFFER_SIZE

  const char* input() const { return heap_ ? heap_.get() : inline_; }
  char* input() { return heap_ ? heap_.get() : inline_; }
  bool fill(size_t count);
  void make_room(size_t count);
  void send_all();
  /// Sends what the kernel takes now, and counts it.
  ssize_t send_some();
  /// Sleeps until the socket is ready or the latch is set; true when the socket is.
  bool wait(uint32_t flags, WaitEventId event);

  Task& task_;
  ConnectionOwner& owner_;
  int socket_;
  bool sending_ = true;
  std::atomic<bool> counting_{false};  ///< inside send_some()
  std::atomic<int> postponed_signal_{0};
  bool more_is_waiting_ = false;  ///< the last read filled all the room it had
  uint32_t waiting_for_;          ///< the flags the wait set has for the socket now
  int socket_position_;
  int latch_position_;
  std::unique_ptr<WaitSet> wait_set_;
  OutputBuffer out_;
  size_t start_ = 0;      ///< of the unconsumed input
  size_t available_ = 0;  ///< bytes of it
  size_t heap_bytes_ = 0;
  std::unique_ptr<char[]> heap_;
  char inline_[kInlineBytes];
};

}  // namespace cofork
