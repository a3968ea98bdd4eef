// Memory that is read while another task changes it, where any of the values seen will do.
//
// PostgreSQL's pages have such places by design: hint bits are set under a shared lock, a row that
// is read under a pin alone may be locked or deleted by somebody meanwhile, and whether a page is
// worth pruning is guessed without a lock. In C++ each of these is a data race unless it is said to
// be one.
#pragma once

namespace cofork {

/// A word of a page or of shared memory whose loads and stores are atomic but order nothing: on x86
/// plain moves. As on disk it is just its T.
template <typename T>
class Unordered {
 public:
  Unordered() = default;
  Unordered(T value) : value_(value) {}
  operator T() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  Unordered& operator=(T value) {
    __atomic_store_n(&value_, value, __ATOMIC_RELAXED);
    return *this;
  }
  T load() const { return *this; }
  // For its only writer: a load and a store.
  Unordered& operator+=(T value) { return *this = static_cast<T>(*this + value); }
  Unordered& operator-=(T value) { return *this = static_cast<T>(*this - value); }
  Unordered& operator|=(T bits) { return *this = static_cast<T>(*this | bits); }

 private:
  T value_;
};

#if defined(__SANITIZE_THREAD__)
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
/// While it lives, the thread sanitizer does not look at this thread's reads: for copying a whole
/// page of which a part may be changing that the copy's reader will not believe.
struct RacyReads {
  RacyReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~RacyReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};
#else
struct RacyReads {
  RacyReads() {}  // not trivial, or the compiler would call it unused
};
#endif

}  // namespace cofork
