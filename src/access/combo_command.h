// Combo command ids: a row inserted and deleted by one transaction needs two command ids, and the
// tuple header has room for one (combocid.c, 15).
//
// So the transaction keeps a private list of pairs and stores a number in that list, marked by
// kTupleComboCommand. Only the transaction itself ever asks for the pair: to everybody else both
// ends are its own affair until it has committed. The list is forgotten with the transaction.
#pragma once

#include "access/tuple_header.h"

namespace cofork {

/// The command that inserted it; the inserter is the running transaction.
CommandId tuple_cmin(const HeapTupleHeader& header);
/// The command that deleted or updated it; the deleter is the running transaction.
CommandId tuple_cmax(const HeapTupleHeader& header);

/// What to store for a deletion by command `cmax`, with or without kTupleComboCommand
/// (HeapTupleHeaderAdjustCmax).
struct StoredCommand {
  CommandId command;
  bool is_combo;
};
StoredCommand command_for_cmax(const HeapTupleHeader& header, CommandId cmax);

inline void set_tuple_cmin(HeapTupleHeader& header, CommandId command) {
  header.command = command;
  header.infomask = static_cast<uint16_t>(header.infomask & ~kTupleComboCommand);
}
inline void set_tuple_cmax(HeapTupleHeader& header, StoredCommand stored) {
  header.command = stored.command;
  header.infomask = static_cast<uint16_t>(stored.is_combo ? header.infomask | kTupleComboCommand
                                                          : header.infomask & ~kTupleComboCommand);
}

}  // namespace cofork
