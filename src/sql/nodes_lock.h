// Row locks: SELECT … FOR UPDATE and its kin, and what happens when a row has a newer version than
// the snapshot's (nodeLockRows.c, EvalPlanQual in execMain.c, heapam_tuple_lock, 15).
#pragma once

#include <vector>

#include "access/heap.h"
#include "sql/exec.h"
#include "sql/nodes_table.h"
#include "sql/query.h"

namespace cofork {

/// Locks the newest version of the row that begins at tuple.self, following its updates. kOk: it is
/// in `tuple`, pinned by `buffer`; `moved` says whether it is another version. kDeleted: there is
/// none any more.
TmResult lock_latest_version(Relation& relation, HeapTuple& tuple, CommandId command,
                             LockTupleMode mode, LockWaitPolicy policy, Buffer& buffer,
                             TmFailure& failure, bool& moved);

/// Throws 40001 under REPEATABLE READ and SERIALIZABLE, returns under READ COMMITTED.
void refuse_concurrent_change(bool was_delete);

class LockRowsNode : public PlanNode {
 public:
  explicit LockRowsNode(PlanNode* child) : child_(child) {}
  void add(RelationDesc& relation, const RangeEntry& entry);
  void open(Execution& execution) override;
  bool next(Execution& execution) override;
  void close() override;
  std::unique_ptr<ExplainNode> explain(ExplainContext& context) const override;

  Program* recheck = nullptr;     ///< the query's conditions, for newer versions
  Program* projection = nullptr;  ///< the targets, computed below already: again for newer versions

 private:
  struct Locked {
    Locked(RelationDesc& relation, const RangeEntry& entry);
    TableRow row;
    int ctid_slot;
    LockTupleMode mode;
    LockWaitPolicy policy;
    Buffer buffer;
  };
  bool lock(Execution& execution, Locked& locked, bool& moved);

  PlanNode* child_;
  std::vector<std::unique_ptr<Locked>> locked_;
  Arena arena_;
};

}  // namespace cofork
