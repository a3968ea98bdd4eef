// Doubly linked lists of Procs, by number instead of by pointer (as proclist.h, 15).
//
// A Proc has one ProcLink for each kind of list it can stand on. The list itself has no lock; its
// owner names one.
#pragma once

#include <cstdint>

namespace cofork {

/// "No Proc" wherever a Proc number is expected.
inline constexpr int32_t kNoProc = -1;

struct ProcLink {
  static constexpr int32_t kNotListed = -2;
  int32_t next = kNotListed;
  int32_t prev = kNotListed;
  bool listed() const { return next != kNotListed; }
};

struct ProcList {
  int32_t head = kNoProc;
  int32_t tail = kNoProc;
  bool empty() const { return head == kNoProc; }
};

/// A list seen through the array its numbers point into. `P::*link` chooses the link.
template <typename P, ProcLink P::*link>
class ProcListView {
 public:
  ProcListView(ProcList& list, P* procs) : list_(list), procs_(procs) {}

  bool empty() const { return list_.empty(); }
  int32_t head() const { return list_.head; }
  int32_t next(int32_t n) const { return (procs_[n].*link).next; }
  bool contains(int32_t n) const { return (procs_[n].*link).listed(); }

  void push_tail(int32_t n) {
    procs_[n].*link = {kNoProc, list_.tail};
    (list_.tail == kNoProc ? list_.head : (procs_[list_.tail].*link).next) = n;
    list_.tail = n;
  }
  void push_head(int32_t n) {
    procs_[n].*link = {list_.head, kNoProc};
    (list_.head == kNoProc ? list_.tail : (procs_[list_.head].*link).prev) = n;
    list_.head = n;
  }
  void remove(int32_t n) {
    ProcLink& l = procs_[n].*link;
    (l.prev == kNoProc ? list_.head : (procs_[l.prev].*link).next) = l.next;
    (l.next == kNoProc ? list_.tail : (procs_[l.next].*link).prev) = l.prev;
    l = ProcLink{};
  }
  int32_t pop_head() {
    int32_t n = list_.head;
    remove(n);
    return n;
  }

 private:
  ProcList& list_;
  P* procs_;
};

}  // namespace cofork
