// How much longer things may take here: sanitizers slow everything down. Every deadline of the
// tests is multiplied by it; bounds on how long something must take are not.
#pragma once

namespace cofork {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlowness = 5;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr int kSlowness = 5;
#else
inline constexpr int kSlowness = 1;
#endif
#else
inline constexpr int kSlowness = 1;
#endif

}  // namespace cofork
