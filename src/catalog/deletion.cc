// Dropping an object and all that goes with it (performDeletion, findDependentObjects,
// reportDependentObjects, dependency.c, 15).
//
// First the whole set is found: from each object to those that depend on it, those first. Then it
// is decided whether all of them may go; then they go, in the order of the list.
#include <algorithm>

#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/delete_object.h"
#include "catalog/dependency.h"
#include "catalog/names.h"
#include "catalog/system/pg_depend.h"
#include "log/log.h"
#include "model/stack.h"
#include "support/error.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

/// How an object came into the set.
enum Reason : uint8_t {
  kOriginal = 1,      ///< the statement named it
  kNormal = 2,        ///< needs something that goes
  kAutomatic = 4,     ///< goes along silently
  kInternal = 8,      ///< part of something that goes
  kReverse = 16,      ///< a part of it needs something that goes
  kPartOfOther = 32,  ///< a column of a relation that goes as a whole
};

struct Target {
  ObjectAddress object;
  uint8_t reasons;
  ObjectAddress dependee;  ///< what it needs
};

class Deletion {
 public:
  Deletion(std::span<const ObjectAddress> originals, DropBehavior behavior, bool quiet)
      : originals_(originals), cascade_(behavior == DropBehavior::kCascade), quiet_(quiet) {}

  void perform() {
    for (const ObjectAddress& object : originals_) find(object, kOriginal, nullptr);
    report();
    for (const Target& target : targets_) {
      if ((target.reasons & kPartOfOther) == 0) delete_object(target.object);
    }
  }

 private:
  struct Level {
    const ObjectAddress* object;
    uint8_t* reasons;
    const Level* above;
  };

  void find(const ObjectAddress& object, uint8_t reason, const Level* above);
  bool is_on_the_way(const ObjectAddress& object, uint8_t reason, const Level* above);
  bool is_known(const ObjectAddress& object, uint8_t reason);
  bool belongs_elsewhere(const ObjectAddress& object, uint8_t reason, const Level* above);
  void refuse_part(const ObjectAddress& object, const ObjectAddress& owner);
  bool is_original(const ObjectAddress& object) const {
    return std::ranges::find(originals_, object) != originals_.end();
  }
  void report();

  std::span<const ObjectAddress> originals_;
  bool cascade_, quiet_;
  std::vector<Target> targets_;
};

bool covers(const ObjectAddress& whole, const ObjectAddress& part) {
  return whole.class_id == part.class_id && whole.object == part.object &&
         (whole.sub == 0 || whole.sub == part.sub);
}

bool Deletion::is_on_the_way(const ObjectAddress& object, uint8_t reason, const Level* above) {
  for (; above != nullptr; above = above->above) {
    if (!covers(*above->object, object)) continue;
    if (*above->object == object) *above->reasons |= reason;
    return true;
  }
  return false;
}

bool Deletion::is_known(const ObjectAddress& object, uint8_t reason) {
  bool known = false;
  for (Target& target : targets_) {
    if (target.object == object) {
      target.reasons |= reason;
      known = true;
    } else if (covers(target.object, object)) {
      known = true;
    } else if (covers(object, target.object)) {
      target.reasons |= kPartOfOther;
    }
  }
  return known;
}

void Deletion::refuse_part(const ObjectAddress& object, const ObjectAddress& owner) {
  std::string whole = describe_object(owner);
  throw Error(sqlstate::kDependentObjectsStillExist, "cannot drop {} because {} requires it",
              describe_object(object), whole)
      .hint("You can drop {} instead.", whole);
}

/// An object that is part of another goes with that one: true when the other was visited instead.
bool Deletion::belongs_elsewhere(const ObjectAddress& object, uint8_t reason, const Level* above) {
  std::vector<ObjectAddress> owners;
  {
    CatalogScan scan(pg_depend::kCatalog, pg_depend::kDependerIndex,
                     {key_of(object.class_id), key_of(object.object)});
    while (scan.next()) {
      CatalogRow& row = scan.row();
      if (row.character(pg_depend::deptype) != kDependencyInternal) continue;
      owners.push_back({row.oid(pg_depend::refclassid), row.oid(pg_depend::refobjid),
                        row.int4(pg_depend::refobjsubid)});
    }
  }
  for (const ObjectAddress& owner : owners) {
    if (above == nullptr) {
      if (is_original(owner)) return true;  // its turn comes
      refuse_part(object, owner);
    }
    if (covers(*above->object, owner)) continue;
    find(owner, kReverse, above);
    is_known(object, reason);
    return true;
  }
  return false;
}

void Deletion::find(const ObjectAddress& object, uint8_t reason, const Level* above) {
  with_stack([&] {
    if (is_on_the_way(object, reason, above) || is_known(object, reason)) return;
    if (belongs_elsewhere(object, reason, above)) return;
    lock_object(object);

    uint8_t reasons = reason;
    Level level{&object, &reasons, above};
    std::vector<Depender> dependers = dependers_of(object);
    // Newer objects first: they go first, and are told last.
    std::ranges::stable_sort(dependers, [](const Depender& a, const Depender& b) {
      return a.object.object > b.object.object;
    });
    for (const Depender& depender : dependers) {
      uint8_t why = depender.kind == kDependencyNormal ? kNormal
                    : depender.kind == kDependencyAuto ? kAutomatic
                                                       : kInternal;
      if (!(depender.object == object)) find(depender.object, why, &level);
    }
    targets_.push_back({object, reasons, above == nullptr ? object : *above->object});
  });
}

/// Tells what goes besides the originals, or why they cannot.
void Deletion::report() {
  constexpr int kMostTold = 100;
  std::string told, logged, last;
  int count = 0, unwanted = 0;
  const ObjectAddress* first_original = nullptr;
  for (const Target& target : targets_) {
    if ((target.reasons & kOriginal) != 0) first_original = &target.object;
  }
  for (auto target = targets_.rbegin(); target != targets_.rend(); ++target) {
    if ((target->reasons & (kOriginal | kPartOfOther | kAutomatic | kInternal)) != 0) continue;
    std::string line;
    if (cascade_) {
      line = "drop cascades to " + describe_object(target->object);
    } else {
      line = fmt::format("{} depends on {}", describe_object(target->object),
                         describe_object(target->dependee));
      ++unwanted;
    }
    if (++count <= kMostTold) told += (told.empty() ? "" : "\n") + line;
    logged += (logged.empty() ? "" : "\n") + line;
    last = std::move(line);
  }
  if (count > kMostTold) {
    told += fmt::format("\nand {} other object{} (see server log for list)", count - kMostTold,
                        count - kMostTold == 1 ? "" : "s");
  }
  if (unwanted > 0) {
    Error error =
        originals_.size() == 1
            ? Error(sqlstate::kDependentObjectsStillExist,
                    "cannot drop {} because other objects depend on it",
                    describe_object(first_original != nullptr ? *first_original : originals_[0]))
            : Error(sqlstate::kDependentObjectsStillExist,
                    "cannot drop desired object(s) because other objects depend on them");
    error.data().detail = told;
    error.data().detail_log = logged;
    error.data().hint = "Use DROP ... CASCADE to drop the dependent objects too.";
    throw error;
  }
  if (count == 0 || quiet_) return;
  ErrorData notice;
  notice.severity = Severity::kNotice;
  notice.sqlstate = sqlstate::kSuccessfulCompletion;
  notice.message = count == 1 ? last : fmt::format("drop cascades to {} other objects", count);
  if (count > 1) {
    notice.detail = told;
    notice.detail_log = logged;
  }
  cofork::report(notice);
}

}  // namespace

void perform_deletion(std::span<const ObjectAddress> objects, DropBehavior behavior, bool quiet) {
  if (objects.empty()) return;
  Deletion(objects, behavior, quiet).perform();
  my_transaction().command_counter_increment();
}

void drop_objects(std::span<const ObjectAddress> objects, DropBehavior behavior) {
  perform_deletion(objects, behavior);
}

}  // namespace cofork
