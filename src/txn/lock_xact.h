// Locks on transactions, real and virtual, between the files of the lock manager. Inside txn/ only.
#pragma once

#include <string>

#include "txn/lock_manager.h"

namespace cofork {

/// The end of the virtual transaction: its lock goes, wherever it is by now.
void lock_virtual_xid_delete();

/// "while updating tuple (0,1) in relation "t""; "" for an operation that is none.
std::string describe_wait_context(const XactWaitContext& context);

}  // namespace cofork
