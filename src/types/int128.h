// 128-bit integers: sums of bigint and exact decimals of everyday size.
#pragma once

namespace cofork {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

}  // namespace cofork
