// Pages of the forks that map a relation: free space and visibility. Inside storage/ only.
//
// A map is made and grows when something is to be recorded, page by page, and what is missing or
// damaged reads as empty: it is only a hint, or, for the visibility map, careful when empty.
#pragma once

#include "storage/buffer_pool.h"

namespace cofork {

/// A page of a map, pinned and initialised; an empty Buffer when the map does not reach so far and
/// `extend` is false. May wait.
Buffer read_map_fork(const RelationFile& file, ForkNumber fork, BlockNumber block, bool extend);

}  // namespace cofork
