// NumericSum: adds up many numerics without making one for every step.
//
// One 64-bit lane a base-10000 place, signed, with carries put off until the total is asked for
// (as NumericSumAccum in numeric.c). 2^49 values fit before a lane could overflow.
#pragma once

#include <cstdint>

#include "types/datum.h"

namespace cofork {

struct NumericSum {
  int64_t* lanes = nullptr;  ///< lanes[0] is worth 10000^top
  int count = 0;
  int top = 0;
  int dscale = 0;
  bool nan = false;
  bool infinity = false;
  bool minus_infinity = false;

  /// Lanes are made in `arena`, which lives as long as the sum.
  void add(Arena& arena, Datum value);
  Datum total(Arena& arena) const;

 private:
  void cover(Arena& arena, int highest, int lowest);
};

}  // namespace cofork
