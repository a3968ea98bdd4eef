// Foreign keys: what rows were changed is noted while a statement runs, and checked when it has
// ended, or at commit for DEFERRED ones (ri_triggers.c and the after-trigger queue of trigger.c,
// 15).
//
//   a referencing row came    → its key must be among the referenced rows, which get a KEY SHARE
//   lock a referenced row went     → NO ACTION, RESTRICT: nobody may refer to it any more
//                               CASCADE, SET NULL, SET DEFAULT: the referring rows are changed
//
// Checks are SQL, as in PostgreSQL: statements that are prepared once for each constraint.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/relation_cache.h"
#include "sql/exec.h"

namespace cofork {

class InternalQuery;

class ForeignKeyQueue {
 public:
  explicit ForeignKeyQueue(Session& session);
  ~ForeignKeyQueue();

  /// Rows of `relation` stand in consecutive slots from `slot` on; -1: there is none (an insertion
  /// has no old row, a deletion no new one).
  void note(Execution& execution, const RelationDesc& relation, int old_slot, int new_slot,
            const ItemPointer& old_place, const ItemPointer& new_place);
  /// Must note() be called for this relation at all?
  static bool concerns(const RelationDesc& relation);

  /// The end of a statement: everything that is not deferred, and what comes of it. 23503.
  void fire_immediate();
  /// The end of the transaction.
  void fire_all();
  /// SET CONSTRAINTS ALL; nothing: as each is declared. Ends with the transaction.
  void set_all_deferred(std::optional<bool> deferred) { all_deferred_ = deferred; }
  void clear();

 private:
  enum class Kind : uint8_t { kCheck, kDeleted, kUpdated };
  struct Event {
    Kind kind;
    Oid constraint;
    Oid referencing;
    Oid referenced;
    ItemPointer place;  ///< kCheck: of the new row; else of the old one
    Datum* old_values;  ///< of the key
    Datum* new_values;
    bool* new_nulls;
    bool deferred;
  };
  void add(Execution& execution, Kind kind, const RelationDesc& relation,
           const ConstraintDesc& constraint, int old_slot, int new_slot, const ItemPointer& place);
  void fire(const Event& event);
  void check(const Event& event, const RelationDesc& referencing, const ConstraintDesc& constraint);
  void act(const Event& event, const RelationDesc& referencing, const ConstraintDesc& constraint);
  void refuse_if_referenced(const Event& event, const RelationDesc& referencing,
                            const ConstraintDesc& constraint);
  InternalQuery& query(Oid constraint, char purpose, const std::string& text,
                       const std::vector<Oid>& types);
  bool is_deferred(const ConstraintDesc& constraint) const;

  Session& session_;
  std::deque<Event> events_;
  Arena arena_{4096};
  std::optional<bool> all_deferred_;
  std::map<std::pair<Oid, char>, std::unique_ptr<InternalQuery>> queries_;
};

/// The session's queue; null in a task without one.
ForeignKeyQueue* foreign_key_queue(const Execution& execution);

}  // namespace cofork
