// See foreign_keys.h.
#include "sql/foreign_keys.h"

#include <algorithm>

#include "access/heap.h"
#include "catalog/names.h"
#include "sql/internal_query.h"
#include "support/error.h"

namespace cofork {
namespace {

std::string full_name(const RelationDesc& relation) {
  return qualified_name(relation.schema_name, relation.name);
}

const std::string& column_name(const RelationDesc& relation, int16_t number) {
  return relation.columns[static_cast<size_t>(number - 1)].name;
}

Oid column_type(const RelationDesc& relation, int16_t number) {
  return relation.columns[static_cast<size_t>(number - 1)].type;
}

/// "(a, b)=(1, 2)".
std::string describe(const RelationDesc& relation, std::span<const int16_t> columns,
                     const Datum* values) {
  Arena arena;
  EvalContext context = current_session()->engine->evaluation_context(arena);
  std::string names, texts;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) {
      names += ", ";
      texts += ", ";
    }
    names += quote_identifier(column_name(relation, columns[i]));
    find_type(column_type(relation, columns[i]))->to_text(context, values[i], texts);
  }
  return fmt::format("({})=({})", names, texts);
}

const ConstraintDesc* find_constraint(const RelationDesc& relation, Oid oid) {
  for (const ConstraintDesc& constraint : relation.constraints) {
    if (constraint.oid == oid) return &constraint;
  }
  return nullptr;
}

[[noreturn]] void violated(Error error, const RelationDesc& referencing,
                           const ConstraintDesc& constraint, std::string detail) {
  error.data().detail = std::move(detail);
  error.data().schema_name = referencing.schema_name;
  error.data().table_name = referencing.name;
  error.data().constraint_name = constraint.name;
  throw error;
}

/// Is the row version there, for the running transaction, as things are now?
bool is_there(const RelationDesc& relation, const ItemPointer& place) {
  Snapshot self = snapshot_of(SnapshotKind::kSelf);
  HeapTuple tuple;
  tuple.self = place;
  Buffer buffer;
  return heap_fetch(const_cast<Relation&>(relation.access), self, tuple, buffer);
}

}  // namespace

ForeignKeyQueue::ForeignKeyQueue(Session& session) : session_(session) {}
ForeignKeyQueue::~ForeignKeyQueue() = default;

ForeignKeyQueue* foreign_key_queue(const Execution& execution) {
  const Session* session = execution.context.session;
  if (session == nullptr || session->engine == nullptr) return nullptr;
  return &session->engine->state().foreign_keys;
}

void ForeignKeyQueue::clear() {
  events_.clear();
  arena_.reset();
  all_deferred_.reset();
}

bool ForeignKeyQueue::concerns(const RelationDesc& relation) {
  return !relation.referencing.empty() ||
         std::ranges::any_of(relation.constraints,
                             [](const ConstraintDesc& c) { return c.type == 'f'; });
}

bool ForeignKeyQueue::is_deferred(const ConstraintDesc& constraint) const {
  if (!constraint.deferrable) return false;
  return all_deferred_.value_or(constraint.deferred);
}

// --- noting

namespace {

bool key_has_null(const Execution& execution, std::span<const int16_t> columns, int slot) {
  return std::ranges::any_of(columns,
                             [&](int16_t number) { return execution.nulls[slot + number - 1]; });
}

bool key_is_same(const Execution& execution, const RelationDesc& relation,
                 std::span<const int16_t> columns, int a, int b) {
  for (int16_t number : columns) {
    int x = a + number - 1, y = b + number - 1;
    if (execution.nulls[x] != execution.nulls[y]) return false;
    if (execution.nulls[x]) continue;
    const BuiltinType* type = find_type(column_type(relation, number));
    if (type->compare(execution.values[x], execution.values[y]) != 0) return false;
  }
  return true;
}

}  // namespace

void ForeignKeyQueue::add(Execution& execution, Kind kind, const RelationDesc& relation,
                          const ConstraintDesc& constraint, int old_slot, int new_slot,
                          const ItemPointer& place) {
  const std::vector<int16_t>& columns =
      kind == Kind::kCheck ? constraint.columns : constraint.referenced_columns;
  size_t n = columns.size();
  Event event{kind,    constraint.oid, constraint.table, constraint.referenced,  place,
              nullptr, nullptr,        nullptr,          is_deferred(constraint)};
  auto keep = [&](int slot, Datum*& values, bool** nulls) {
    if (slot < 0) return;
    values = arena_.make_array<Datum>(n);
    if (nulls != nullptr) *nulls = arena_.make_array<bool>(n);
    for (size_t i = 0; i < n; ++i) {
      int from = slot + columns[i] - 1;
      if (execution.nulls[from]) {
        if (nulls != nullptr) (*nulls)[i] = true;
        continue;
      }
      values[i] =
          copy_datum(*find_type(column_type(relation, columns[i])), execution.values[from], arena_);
    }
  };
  keep(old_slot, event.old_values, nullptr);
  keep(new_slot, event.new_values, &event.new_nulls);
  events_.push_back(event);
}

void ForeignKeyQueue::note(Execution& execution, const RelationDesc& relation, int old_slot,
                           int new_slot, const ItemPointer& old_place,
                           const ItemPointer& new_place) {
  if (new_slot >= 0) {
    for (const ConstraintDesc& key : relation.constraints) {
      if (key.type != 'f') continue;
      if (key_has_null(execution, key.columns, new_slot)) {
        size_t nulls = static_cast<size_t>(std::ranges::count_if(
            key.columns, [&](int16_t number) { return execution.nulls[new_slot + number - 1]; }));
        if (key.match == 'f' && nulls < key.columns.size()) {
          violated(Error(sqlstate::kForeignKeyViolation,
                         "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                         relation.name, key.name),
                   relation, key,
                   "MATCH FULL does not allow mixing of null and nonnull key values.");
        }
        continue;
      }
      if (old_slot >= 0 && key_is_same(execution, relation, key.columns, old_slot, new_slot)) {
        continue;
      }
      add(execution, Kind::kCheck, relation, key, -1, new_slot, new_place);
    }
  }
  if (old_slot < 0) return;
  for (const ConstraintDesc& key : relation.referencing) {
    if (key_has_null(execution, key.referenced_columns, old_slot)) continue;
    if (new_slot >= 0 &&
        key_is_same(execution, relation, key.referenced_columns, old_slot, new_slot)) {
      continue;
    }
    add(execution, new_slot >= 0 ? Kind::kUpdated : Kind::kDeleted, relation, key, old_slot,
        new_slot, old_place);
  }
}

// --- checking

void ForeignKeyQueue::fire_immediate() {
  // What is done about one event may add more, at the end.
  std::deque<Event> later;
  while (!events_.empty()) {
    Event event = events_.front();
    events_.pop_front();
    if (event.deferred) {
      later.push_back(event);
    } else {
      fire(event);
    }
  }
  events_ = std::move(later);
  if (events_.empty()) arena_.reset();
}

void ForeignKeyQueue::fire_all() {
  while (!events_.empty()) {
    Event event = events_.front();
    events_.pop_front();
    fire(event);
  }
  arena_.reset();
  all_deferred_.reset();
}

void ForeignKeyQueue::fire(const Event& event) {
  RelationDesc& referencing = open_relation(event.referencing, LockMode::kRowShare);
  const ConstraintDesc* constraint = find_constraint(referencing, event.constraint);
  if (constraint == nullptr) return;  // dropped since
  if (event.kind == Kind::kCheck) {
    check(event, referencing, *constraint);
  } else {
    act(event, referencing, *constraint);
  }
}

InternalQuery& ForeignKeyQueue::query(Oid constraint, char purpose, const std::string& text,
                                      const std::vector<Oid>& types) {
  std::unique_ptr<InternalQuery>& slot = queries_[{constraint, purpose}];
  if (slot == nullptr) {
    slot = std::make_unique<InternalQuery>(session_.engine->state(), text, types);
  }
  return *slot;
}

void ForeignKeyQueue::check(const Event& event, const RelationDesc& referencing,
                            const ConstraintDesc& constraint) {
  if (!is_there(referencing, event.place)) return;  // changed again, or rolled back
  RelationDesc& referenced = open_relation(event.referenced, LockMode::kRowShare);
  std::string text = fmt::format("SELECT 1 FROM ONLY {} x WHERE ", full_name(referenced));
  std::vector<Oid> types;
  for (size_t i = 0; i < constraint.columns.size(); ++i) {
    text += fmt::format("{}x.{} = ${}", i > 0 ? " AND " : "",
                        quote_identifier(column_name(referenced, constraint.referenced_columns[i])),
                        i + 1);
    types.push_back(column_type(referencing, constraint.columns[i]));
  }
  text += " FOR KEY SHARE OF x";
  std::vector<char> nulls(types.size(), 0);
  std::span<const Datum> values(event.new_values, types.size());
  if (query(constraint.oid, '?', text, types).run(values, nulls) > 0) return;
  violated(
      Error(sqlstate::kForeignKeyViolation,
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            referencing.name, constraint.name),
      referencing, constraint,
      fmt::format("Key {} is not present in table \"{}\".",
                  describe(referencing, constraint.columns, event.new_values), referenced.name));
}

void ForeignKeyQueue::refuse_if_referenced(const Event& event, const RelationDesc& referencing,
                                           const ConstraintDesc& constraint) {
  RelationDesc& referenced = open_relation(event.referenced, LockMode::kRowShare);
  std::vector<Oid> types;
  std::string same, refers;
  for (size_t i = 0; i < constraint.columns.size(); ++i) {
    const char* and_word = i > 0 ? " AND " : "";
    same += fmt::format("{}x.{} = ${}", and_word,
                        quote_identifier(column_name(referenced, constraint.referenced_columns[i])),
                        i + 1);
    refers += fmt::format("{}x.{} = ${}", and_word,
                          quote_identifier(column_name(referencing, constraint.columns[i])), i + 1);
    types.push_back(column_type(referenced, constraint.referenced_columns[i]));
  }
  std::vector<char> nulls(types.size(), 0);
  std::span<const Datum> values(event.old_values, types.size());
  char action = event.kind == Kind::kDeleted ? constraint.on_delete : constraint.on_update;
  // Another row may have the key by now; RESTRICT does not care.
  if (action == 'a' && query(constraint.oid, 'p',
                             fmt::format("SELECT 1 FROM ONLY {} x WHERE {} FOR KEY SHARE OF x",
                                         full_name(referenced), same),
                             types)
                               .run(values, nulls) > 0) {
    return;
  }
  if (query(constraint.oid, 'r',
            fmt::format("SELECT 1 FROM ONLY {} x WHERE {} FOR KEY SHARE OF x",
                        full_name(referencing), refers),
            types)
          .run(values, nulls) == 0) {
    return;
  }
  violated(Error(sqlstate::kForeignKeyViolation,
                 "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table "
                 "\"{}\"",
                 referenced.name, constraint.name, referencing.name),
           referencing, constraint,
           fmt::format("Key {} is still referenced from table \"{}\".",
                       describe(referenced, constraint.referenced_columns, event.old_values),
                       referencing.name));
}

void ForeignKeyQueue::act(const Event& event, const RelationDesc& referencing,
                          const ConstraintDesc& constraint) {
  RelationDesc& referenced = open_relation(event.referenced, LockMode::kRowShare);
  if (is_there(referenced, event.place)) return;  // its end was rolled back
  bool deleted = event.kind == Kind::kDeleted;
  char action = deleted ? constraint.on_delete : constraint.on_update;
  if (action == 'a' || action == 'r') {
    refuse_if_referenced(event, referencing, constraint);
    return;
  }
  size_t n = constraint.columns.size();
  std::vector<Oid> types;
  std::vector<Datum> values(event.old_values, event.old_values + n);
  std::vector<char> nulls(n, 0);
  std::string refers, assignments;
  for (size_t i = 0; i < n; ++i) {
    std::string column = quote_identifier(column_name(referencing, constraint.columns[i]));
    refers += fmt::format("{}{} = ${}", i > 0 ? " AND " : "", column, i + 1);
    types.push_back(column_type(referenced, constraint.referenced_columns[i]));
    bool is_set = !deleted || constraint.set_columns.empty() ||
                  std::ranges::find(constraint.set_columns, constraint.columns[i]) !=
                      constraint.set_columns.end();
    if (!is_set) continue;
    if (!assignments.empty()) assignments += ", ";
    assignments += column + " = " +
                   (action == 'n'   ? "NULL"
                    : action == 'd' ? "DEFAULT"
                                    : fmt::format("${}", n + i + 1));
  }
  std::string text;
  if (action == 'c' && deleted) {
    text = fmt::format("DELETE FROM ONLY {} WHERE {}", full_name(referencing), refers);
  } else {
    text =
        fmt::format("UPDATE ONLY {} SET {} WHERE {}", full_name(referencing), assignments, refers);
  }
  if (action == 'c' && !deleted) {
    for (size_t i = 0; i < n; ++i) {
      types.push_back(types[i]);
      values.push_back(event.new_values[i]);
      nulls.push_back(event.new_nulls[i] ? 1 : 0);
    }
  }
  query(constraint.oid, deleted ? 'D' : 'U', text, types).run(values, nulls);
}

}  // namespace cofork
