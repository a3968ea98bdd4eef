// Doubly linked lists of Procs, by number instead of by pointer (as proclist.h, 15).
//
// A Proc has one ProcLink for each kind of list it can stand on. The list itself has no lock; its
// owner names one. Memory that reads as zero is an empty list and a link that stands on none, so
// that fresh shared memory needs no initialising: the words hold the number plus one.
#pragma once

#include <cstdint>

namespace cofork {

/// "No Proc" wherever a Proc number is expected.
inline constexpr int32_t kNoProc = -1;

struct ProcLink {
  static constexpr int32_t kEnd = -1;
  int32_t next = 0;  ///< 0: on no list; kEnd: last; else number + 1
  int32_t prev = 0;
};

struct ProcList {
  int32_t head = 0;  ///< 0: empty; else number + 1
  int32_t tail = 0;
  bool empty() const { return head == 0; }
};

/// A list seen through the array its numbers point into. `link` chooses the link.
template <typename P, ProcLink P::*link>
class ProcListView {
 public:
  ProcListView(ProcList& list, P* procs) : list_(list), procs_(procs) {}

  bool empty() const { return list_.empty(); }
  int32_t head() const { return list_.head - 1; }  ///< kNoProc when empty
  int32_t next(int32_t n) const {
    int32_t word = (procs_[n].*link).next;
    return word == ProcLink::kEnd ? kNoProc : word - 1;
  }
  bool contains(int32_t n) const { return (procs_[n].*link).next != 0; }

  void push_tail(int32_t n) {
    procs_[n].*link = {ProcLink::kEnd, empty() ? ProcLink::kEnd : list_.tail};
    (empty() ? list_.head : (procs_[list_.tail - 1].*link).next) = n + 1;
    list_.tail = n + 1;
  }
  void push_head(int32_t n) {
    procs_[n].*link = {empty() ? ProcLink::kEnd : list_.head, ProcLink::kEnd};
    (empty() ? list_.tail : (procs_[list_.head - 1].*link).prev) = n + 1;
    list_.head = n + 1;
  }
  /// Puts `n` before `other`, which is on the list.
  void insert_before(int32_t other, int32_t n) {
    ProcLink& l = procs_[other].*link;
    if (l.prev == ProcLink::kEnd) return push_head(n);
    procs_[n].*link = {other + 1, l.prev};
    (procs_[l.prev - 1].*link).next = n + 1;
    l.prev = n + 1;
  }
  void remove(int32_t n) {
    ProcLink& l = procs_[n].*link;
    if (l.prev == ProcLink::kEnd) {
      list_.head = l.next == ProcLink::kEnd ? 0 : l.next;
    } else {
      (procs_[l.prev - 1].*link).next = l.next;
    }
    if (l.next == ProcLink::kEnd) {
      list_.tail = l.prev == ProcLink::kEnd ? 0 : l.prev;
    } else {
      (procs_[l.next - 1].*link).prev = l.prev;
    }
    l = ProcLink{};
  }
  int32_t pop_head() {
    int32_t n = head();
    remove(n);
    return n;
  }

 private:
  ProcList& list_;
  P* procs_;
};

}  // namespace cofork
