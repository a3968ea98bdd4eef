// See connection.h.
#include "wire/connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "model/model.h"
#include "support/error.h"

namespace cofork {

Connection::Connection(Task& task, int socket, ConnectionOwner& owner)
    : task_(task),
      owner_(owner),
      socket_(socket),
      waiting_for_(kWaitReadable),
      wait_set_(task.model().make_wait_set(task)) {
  socket_position_ = wait_set_->add_socket(socket_, waiting_for_);
  latch_position_ = wait_set_->add_latch(task_.latch());
  wait_set_->add_postmaster_death(kWaitPostmasterDeath);
}

Connection::~Connection() {
  close();
}

void Connection::close() {
  if (socket_ < 0) return;
  wait_set_.reset();
  task_.forget_fd(socket_);
  task_.os().sockets.close(socket_);
  socket_ = -1;
}

void Connection::latch_changed() {
  wait_set_->modify_latch(latch_position_, task_.latch());
}

bool Connection::wait(uint32_t flags, WaitEventId event) {
  if (waiting_for_ != flags) {
    wait_set_->modify_socket(socket_position_, flags);
    waiting_for_ = flags;
  }
  WaitOccurred occurred[3];
  int count = wait_set_->wait(-1, occurred, event);
  bool ready = false;
  bool latch_was_set = false;
  for (int i = 0; i < count; ++i) {
    if (occurred[i].flags & kWaitPostmasterDeath) {
      throw Error(sqlstate::kAdminShutdown,
                  "terminating connection due to unexpected postmaster exit")
          .fatal();
    }
    if (occurred[i].flags & kWaitLatch) latch_was_set = true;
    if (occurred[i].flags & flags) ready = true;
  }
  if (latch_was_set) {
    reset_latch(task_.latch());
    if (flags == kWaitReadable) {
      owner_.serve_read_interrupts(true);
    } else {
      owner_.serve_write_interrupts(true);
    }
  }
  return ready;
}

// --- reading

// Between two commands the kernel has nothing yet, so waiting first saves a recv() that would only
// say so; in the middle of a message the rest is usually there already.
bool Connection::fill(size_t count) {
  bool ready = available_ > 0 || more_is_waiting_;
  owner_.serve_read_interrupts(false);
  while (available_ < count) {
    make_room(count);
    while (!ready) ready = wait(kWaitReadable, WaitEventId::kClientRead);
    size_t room = (heap_ ? heap_bytes_ : kInlineBytes) - start_ - available_;
    ssize_t got = task_.os().sockets.recv(socket_, input() + start_ + available_, room);
    more_is_waiting_ = got == static_cast<ssize_t>(room);
    if (got != 0 && !more_is_waiting_) wait_set_->drained(socket_position_);
    if (got > 0) {
      available_ += static_cast<size_t>(got);
    } else if (got == -EAGAIN) {
      ready = false;
    } else if (got != -EINTR) {
      if (got < 0) owner_.receiving_failed(static_cast<int>(-got));
      return false;
    }
  }
  owner_.serve_read_interrupts(false);
  return true;
}

void Connection::make_room(size_t count) {
  size_t capacity = heap_ ? heap_bytes_ : kInlineBytes;
  if (start_ > 0 && (available_ == 0 || start_ + count > capacity)) {
    std::memmove(input(), input() + start_, available_);
    start_ = 0;
  }
  if (available_ < capacity) return;
  size_t larger = std::max(kHeapBytes, 2 * capacity);
  auto moved = std::make_unique_for_overwrite<char[]>(larger);
  std::memcpy(moved.get(), input(), available_);
  heap_ = std::move(moved);
  heap_bytes_ = larger;
}

void Connection::shrink() {
  if (heap_ && available_ <= kInlineBytes) {
    std::memcpy(inline_, heap_.get() + start_, available_);
    heap_.reset();
    heap_bytes_ = 0;
    start_ = 0;
  }
  out_.shrink();
}

bool Connection::peer_has_gone() {
  return task_.os().sockets.peer_closed(socket_);
}

// --- writing

void Connection::send_all() {
  if (!sending_) {
    out_.drop();
    return;
  }
  owner_.serve_write_interrupts(false);
  while (!out_.empty()) {
    ssize_t sent = send_some();
    if (sent == -EAGAIN) {
      wait(kWaitWriteable, WaitEventId::kClientWrite);
    } else if (sent <= 0 && sent != -EINTR) {
      stop_sending();
      owner_.sending_failed(static_cast<int>(-sent));
      return;
    }
  }
  owner_.serve_write_interrupts(false);
}

void Connection::flush_without_waiting() {
  if (sending_ && !out_.unsent().empty()) send_some();
}

ssize_t Connection::send_some() {
  counting_.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  std::string_view bytes = out_.unsent();
  ssize_t sent = task_.os().sockets.send(socket_, bytes.data(), bytes.size());
  if (sent > 0) out_.mark_sent(static_cast<size_t>(sent));
  std::atomic_signal_fence(std::memory_order_seq_cst);
  counting_.store(false, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  int signo = postponed_signal_.load(std::memory_order_relaxed);
  if (signo != 0) [[unlikely]]
    task_.model().kill(task_.pid(), signo);
  return sent;
}

bool Connection::postpone_signal(int signo) noexcept {
  if (!counting_.load(std::memory_order_relaxed)) return false;
  postponed_signal_.store(signo, std::memory_order_relaxed);
  return true;
}

void Connection::send_last_words(std::string_view message) noexcept {
  if (!sending_ || socket_ < 0) return;
  Sockets& sockets = task_.os().sockets;
  if (!out_.building()) {
    std::string_view bytes = out_.unsent();
    ssize_t length = static_cast<ssize_t>(bytes.size());
    if (length > 0 && sockets.send(socket_, bytes.data(), bytes.size()) != length) return;
  } else if (!out_.sent_nothing_of_unsent()) {
    return;  // in the middle of a message whose rest is out of reach
  }
  sockets.send(socket_, message.data(), message.size());
}

}  // namespace cofork
