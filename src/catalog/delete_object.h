// Taking one object out of the catalogs; what depends on it is deletion.cc's business.
#pragma once

#include "catalog/object_address.h"

namespace cofork {

/// Before it is known whether it may go: nobody shall use the object any more.
void lock_object(const ObjectAddress& object);

/// Deletes its rows, comments, and dependencies, and marks its files for removal (doDeletion).
void delete_object(const ObjectAddress& object);

}  // namespace cofork
