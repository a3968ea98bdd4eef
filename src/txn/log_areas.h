// The areas of shared memory that hold pages of the transaction floor's logs; what is in them is
// storage/slru.h's. postmaster/shared_memory.cc lists them.
#pragma once

#include "shmem/segment.h"

namespace cofork {

struct CommitLogArea {
  static constexpr Area kArea = Area::kXact;
  static constexpr const char* kName = "Xact";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);
};

struct SubtransArea {
  static constexpr Area kArea = Area::kSubtrans;
  static constexpr const char* kName = "Subtrans";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);
};

struct MultiXactOffsetArea {
  static constexpr Area kArea = Area::kMultiXactOffset;
  static constexpr const char* kName = "MultiXactOffset";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);
};

struct MultiXactMemberArea {
  static constexpr Area kArea = Area::kMultiXactMember;
  static constexpr const char* kName = "MultiXactMember";
  static size_t size(const Limits& limits);
  static void init(void* memory, const Limits& limits);
};

}  // namespace cofork
