// TOAST, the tables: long values of a table's rows are kept in chunks of 1996 bytes in a table of
// its own, pg_toast.pg_toast_OID (heaptoast.c, toast_internals.c, toasting.c, 15).
//
//   write   HeapTuple tuple = form_tuple(…);  toast_tuple(relation, values, nulls, tuple, command,
//   arena); read    if (is_toasted(value)) value = detoast(value, arena); away
//   delete_toasted(relation, place, command)    // after an UPDATE or DELETE of the row there
//
// A row is made to fit into 2 kB: the longest value is compressed, and if that does not do, moved
// out, then the next longest.
#pragma once

#include "access/heap.h"
#include "access/toast_value.h"
#include "catalog/relation_cache.h"

namespace cofork {

/// Forms the row again with long values compressed or moved out, if it is longer than 2032 bytes
/// and the table has a TOAST table. Writes the chunks: may wait.
void toast_tuple(RelationDesc& relation, const Datum* values, const bool* nulls, HeapTuple& tuple,
                 CommandId command, Arena& arena);

/// The value as it was before it was compressed or moved out. Reads pages. Throws XX001
/// `missing chunk number %d for toast value %u in %s`.
Datum detoast(Datum value, Arena& arena);

/// Deletes the chunks that the row version at `place`, which the running transaction has just
/// deleted or updated, points to.
void delete_toasted(RelationDesc& relation, const ItemPointer& place, CommandId command);

/// Makes a TOAST table if the table's rows can be longer than 2032 bytes and it has none
/// (AlterTableCreateToastTable).
void create_toast_table(Oid table);

}  // namespace cofork
