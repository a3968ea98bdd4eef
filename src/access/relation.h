// Relation: a table or index as the access methods know it (the parts of RelationData they use).
//
// The catalog fills one for a task and keeps it while the task holds a lock on the relation; it is
// private memory, never shared. Columns are counted from 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/tuple.h"
#include "storage/page.h"
#include "wal/format.h"

namespace cofork {

struct Relation {
  Oid oid = kInvalidOid;
  std::string name;         ///< for messages: the table's name without its schema
  std::string schema_name;  ///< likewise
  std::string database_name;
  RelationFile file;
  const TupleShape* shape = nullptr;
  char persistence = 'p';  ///< p permanent, u unlogged, t temporary (relpersistence)
  bool is_shared = false;  ///< in all databases
  bool is_catalog = false;
  int fillfactor = 100;  ///< percent of a page that inserts may fill

  /// Columns any index uses, keys, expressions and predicates alike: an update that leaves them
  /// alone may be HOT. Ascending.
  std::vector<int16_t> indexed_columns;
  /// Columns of unique indexes a foreign key could refer to: an update that leaves them alone
  /// does not disturb FOR KEY SHARE. Ascending.
  std::vector<int16_t> key_columns;

  /// The page the last insertion of this task went to (rd_smgr's target block).
  BlockNumber target_block = kInvalidBlock;

  bool needs_wal() const { return persistence == 'p'; }
};

}  // namespace cofork
