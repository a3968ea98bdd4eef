// See sequence.h.
#include "catalog/sequence.h"

#include "access/relation_storage.h"
#include "access/sequence_page.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/ddl_parts.h"
#include "catalog/dependency.h"
#include "catalog/invalidation.h"
#include "catalog/names.h"
#include "catalog/privileges.h"
#include "catalog/system/pg_depend.h"
#include "catalog/system/pg_sequence.h"
#include "catalog/task_catalog.h"
#include "support/error.h"
#include "txn/transaction.h"
#include "wal/insert.h"

namespace cofork {

namespace {

constexpr int64_t kLogAhead = 32;  ///< SEQ_LOG_VALS

RelationDesc& open_sequence(Oid oid, LockMode mode, uint32_t privileges) {
  RelationDesc& relation = open_relation(oid, mode);
  if (relation.kind != 'S' || !relation.sequence) {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not a sequence", relation.name);
  }
  if (!has_relation_privileges(relation, privileges) &&
      !has_relation_privileges(relation, kPrivilegeUsage)) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied for sequence {}",
                relation.name);
  }
  return relation;
}

/// The task's own state of a sequence; a sequence with a new file is another sequence.
TaskCatalog::Sequence& own_state(const RelationDesc& relation) {
  TaskCatalog::Sequence& state = task_catalog().sequences[relation.oid];
  if (state.file_number != relation.access.file.number) {
    state.file_number = relation.access.file.number;
    state.cached_until = state.last;  // what was taken ahead came from the old one
  }
  return state;
}

Buffer read_row(const RelationDesc& relation) {
  Buffer buffer = read_buffer(relation.access.file, ForkNumber::kMain, 0);
  buffer.lock_exclusive();
  return buffer;
}

/// Walks on from a value; false at the end of the range. Overflow counts as the end.
bool step(const SequenceDesc& sequence, int64_t& value) {
  int64_t next;
  bool overflow = __builtin_add_overflow(value, sequence.increment, &next);
  if (overflow || next > sequence.maximum || next < sequence.minimum) return false;
  value = next;
  return true;
}

[[noreturn]] void refuse_end(const RelationDesc& relation) {
  const SequenceDesc& sequence = *relation.sequence;
  bool up = sequence.increment > 0;
  throw Error(sqlstate::kSequenceGeneratorLimitExceeded,
              "nextval: reached {} value of sequence \"{}\" ({})", up ? "maximum" : "minimum",
              relation.name, up ? sequence.maximum : sequence.minimum);
}

/// What one visit to the page brings.
struct Taken {
  int64_t first;      ///< the value to give out now
  int64_t last;       ///< taken ahead up to here (CACHE)
  int64_t used_up;    ///< what WAL shall say is gone
  int64_t log_count;  ///< values between `last` and what WAL says
  bool log;           ///< WAL has to be written
};

Taken take_values(const RelationDesc& relation, const SequenceRow& row, bool after_checkpoint) {
  const SequenceDesc& sequence = *relation.sequence;
  int64_t value = row.last_value;
  Taken taken{value, value, value, row.log_count, false};
  int64_t results = row.is_called ? 0 : 1;  // a value nobody has got yet is the first
  int64_t fetch = sequence.cache - results;
  if (taken.log_count < fetch || !row.is_called || after_checkpoint) {
    fetch += kLogAhead;
    taken.log_count = fetch;
    taken.log = true;
  }
  for (; fetch > 0; --fetch) {
    if (!step(sequence, value)) {
      if (results > 0) break;
      if (!sequence.cycle) refuse_end(relation);
      value = sequence.increment > 0 ? sequence.minimum : sequence.maximum;
    }
    if (results >= sequence.cache) continue;
    --taken.log_count;
    taken.last = value;
    if (++results == 1) taken.first = value;
  }
  taken.log_count -= fetch;
  taken.used_up = value;
  return taken;
}

}  // namespace

int64_t sequence_next(Oid oid) {
  RelationDesc& relation =
      open_sequence(oid, LockMode::kRowExclusive, kPrivilegeUsage | kPrivilegeUpdate);
  my_transaction().prevent_if_read_only("nextval()");
  TaskCatalog& mine = task_catalog();
  TaskCatalog::Sequence& state = own_state(relation);
  mine.last_sequence = oid;
  if (state.has_last && state.last != state.cached_until) {
    state.last += state.increment;
    return state.last;
  }
  Buffer buffer = read_row(relation);
  SequenceRow row = sequence_read(relation.access, buffer);
  bool after_checkpoint = page_lsn(buffer.page()) <= wal_redo();
  Taken taken = take_values(relation, row, after_checkpoint);
  SequenceRow now{taken.last, taken.log_count, true};
  SequenceRow logged{taken.used_up, 0, true};
  sequence_write(relation.access, buffer, now, taken.log ? &logged : nullptr);
  state.has_last = true;
  state.increment = relation.sequence->increment;
  state.last = taken.first;
  state.cached_until = taken.last;
  return state.last;
}

int64_t sequence_current(Oid oid) {
  RelationDesc& relation =
      open_sequence(oid, LockMode::kAccessShare, kPrivilegeSelect | kPrivilegeUsage);
  TaskCatalog::Sequence& state = own_state(relation);
  if (state.has_last) return state.last;
  throw Error(sqlstate::kObjectNotInPrerequisiteState,
              "currval of sequence \"{}\" is not yet defined in this session", relation.name);
}

int64_t sequence_last() {
  Oid oid = task_catalog().last_sequence;
  if (oid != kInvalidOid && relation_key(oid)) return sequence_current(oid);
  throw Error(sqlstate::kObjectNotInPrerequisiteState,
              "lastval is not yet defined in this session");
}

void forget_sequences() {
  task_catalog().sequences.clear();
  task_catalog().last_sequence = kInvalidOid;
}

void sequence_set(Oid oid, int64_t value, bool is_called) {
  RelationDesc& relation = open_sequence(oid, LockMode::kRowExclusive, kPrivilegeUpdate);
  my_transaction().prevent_if_read_only("setval()");
  const SequenceDesc& sequence = *relation.sequence;
  if (value < sequence.minimum || value > sequence.maximum) {
    throw Error(sqlstate::kNumericValueOutOfRange,
                "setval: value {} is out of bounds for sequence \"{}\" ({}..{})", value,
                relation.name, sequence.minimum, sequence.maximum);
  }
  TaskCatalog::Sequence& state = own_state(relation);
  if (is_called) {
    state.last = value;
    state.has_last = true;
  }
  state.cached_until = state.last;
  Buffer buffer = read_row(relation);
  sequence_read(relation.access, buffer);
  SequenceRow row{value, 0, is_called};
  sequence_write(relation.access, buffer, row, &row);
}

SequenceState read_sequence(Oid oid) {
  RelationDesc& relation = open_sequence(oid, LockMode::kAccessShare, kPrivilegeSelect);
  Buffer buffer = read_buffer(relation.access.file, ForkNumber::kMain, 0);
  buffer.lock_shared();
  SequenceRow row = sequence_read(relation.access, buffer);
  return {row.last_value, row.log_count, row.is_called};
}

Oid sequence_of_column(Oid table, int16_t column) {
  for (const Depender& depender : dependers_of(ObjectAddress::relation(table, column))) {
    if (depender.object.class_id != class_oid::kRelation || depender.object.sub != 0) continue;
    if (depender.kind == kDependencyNormal) continue;
    auto key = relation_key(depender.object.object);
    if (key && key->kind == 'S') return depender.object.object;
  }
  return kInvalidOid;
}

// --- CREATE and ALTER SEQUENCE

namespace {

void check_parameters(const SequenceDesc& sequence) {
  auto refuse = [](std::string message) {
    throw Error(sqlstate::kInvalidParameterValue, "{}", message);
  };
  if (sequence.increment == 0) refuse("INCREMENT must not be zero");
  if (sequence.minimum >= sequence.maximum) {
    refuse(fmt::format("MINVALUE ({}) must be less than MAXVALUE ({})", sequence.minimum,
                       sequence.maximum));
  }
  if (sequence.start < sequence.minimum) {
    refuse(fmt::format("START value ({}) cannot be less than MINVALUE ({})", sequence.start,
                       sequence.minimum));
  }
  if (sequence.start > sequence.maximum) {
    refuse(fmt::format("START value ({}) cannot be greater than MAXVALUE ({})", sequence.start,
                       sequence.maximum));
  }
  if (sequence.cache <= 0) {
    refuse(fmt::format("CACHE ({}) must be greater than zero", sequence.cache));
  }
}

void fill_row(CatalogTuple& tuple, const SequenceDesc& sequence) {
  tuple.set_oid(pg_sequence::seqtypid, sequence.type)
      .set_int8(pg_sequence::seqstart, sequence.start)
      .set_int8(pg_sequence::seqincrement, sequence.increment)
      .set_int8(pg_sequence::seqmax, sequence.maximum)
      .set_int8(pg_sequence::seqmin, sequence.minimum)
      .set_int8(pg_sequence::seqcache, sequence.cache)
      .set_bool(pg_sequence::seqcycle, sequence.cycle);
}

ColumnDefinition sequence_column(const char* name, Oid type) {
  ColumnDefinition column;
  column.name = name;
  column.type = type;
  column.not_null = true;
  return column;
}

void check_owner_table(const RelationDesc& table, Oid sequence_owner, Oid sequence_schema) {
  if (table.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "sequence cannot be owned by relation \"{}\"",
                table.name)
        .detail("This operation is not supported for {}.", table.kind == 'v' ? "views" : "indexes");
  }
  if (table.owner != sequence_owner) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "sequence must have same owner as table it is linked to");
  }
  if (table.schema != sequence_schema) {
    throw Error(sqlstate::kObjectNotInPrerequisiteState,
                "sequence must be in same schema as table it is linked to");
  }
}

}  // namespace

Oid create_sequence(const SequenceDefinition& definition) {
  check_parameters(definition.sequence);
  if (definition.persistence == 't') {
    throw Error(sqlstate::kFeatureNotSupported, "temporary sequences are not supported");
  }
  Oid schema = creation_namespace(definition.schema);
  if (!name_is_free(schema, definition.name, definition.if_not_exists)) return kInvalidOid;
  const ColumnDefinition columns[] = {sequence_column("last_value", type_oid::kInt8),
                                      sequence_column("log_cnt", type_oid::kInt8),
                                      sequence_column("is_called", type_oid::kBool)};
  Oid oid = insert_relation({'S', definition.persistence, schema, definition.name, columns});
  lock_acquire(LockTag::relation(my_database(), oid), LockMode::kAccessExclusive);
  CatalogTuple tuple(pg_sequence::kCatalog);
  tuple.set_oid(pg_sequence::seqrelid, oid);
  fill_row(tuple, definition.sequence);
  tuple.insert();
  invalidate_relation(oid);
  show_changes();
  RelationDesc& relation = open_relation(oid, LockMode::kNone);
  SequenceRow row{definition.sequence.start, 0, false};
  sequence_create(relation.access, row, ForkNumber::kMain);
  if (relation.persistence == 'u') sequence_create(relation.access, row, ForkNumber::kInit);
  if (definition.owner_table != kInvalidOid) {
    record_dependency(ObjectAddress::relation(oid),
                      ObjectAddress::relation(definition.owner_table, definition.owner_column),
                      definition.is_identity ? kDependencyInternal : kDependencyAuto);
    show_changes();
  }
  return oid;
}

void sequence_restart(Oid oid, int64_t value) {
  RelationDesc& old = open_relation(oid, LockMode::kShareRowExclusive);
  Oid number = new_oid();
  create_relation_storage(relation_file(number), old.persistence);
  drop_relation_storage(old.access.file);
  change_class(
      oid, [&](CatalogTuple& tuple, CatalogRow&) { tuple.set_oid(pg_class::relfilenode, number); });
  show_changes();
  RelationDesc& renewed = open_relation(oid, LockMode::kNone);
  SequenceRow row{value, 0, false};
  sequence_create(renewed.access, row, ForkNumber::kMain);
  if (renewed.persistence != 'u') return;
  create_init_fork(renewed.access.file);
  sequence_create(renewed.access, row, ForkNumber::kInit);
}

void alter_sequence(Oid oid, const SequenceDesc& changed, std::optional<int64_t> restart) {
  RelationDesc& relation = open_relation(oid, LockMode::kShareRowExclusive);
  must_own_user_relation(relation);
  check_parameters(changed);
  int64_t last = restart ? *restart : read_sequence(oid).last_value;
  for (bool is_minimum : {true, false}) {
    bool wrong = is_minimum ? last < changed.minimum : last > changed.maximum;
    if (!wrong) continue;
    throw Error(sqlstate::kInvalidParameterValue, "RESTART value ({}) cannot be {} {} ({})", last,
                is_minimum ? "less than" : "greater than", is_minimum ? "MINVALUE" : "MAXVALUE",
                is_minimum ? changed.minimum : changed.maximum);
  }
  CatalogScan scan(pg_sequence::kCatalog, pg_sequence::kSeqrelidIndex, {key_of(oid)});
  if (!scan.next()) return;
  CatalogTuple tuple(pg_sequence::kCatalog, scan.row());
  fill_row(tuple, changed);
  tuple.update(scan.row().tuple().self);
  invalidate_relation(oid);
  show_changes();
  if (restart) sequence_restart(oid, *restart);
}

void set_sequence_owner(Oid sequence, Oid table, int16_t column) {
  RelationDesc& relation = open_relation(sequence, LockMode::kShareRowExclusive);
  must_own_user_relation(relation);
  ObjectAddress self = ObjectAddress::relation(sequence);
  forget_dependencies_on(self, class_oid::kRelation, kDependencyAuto);
  if (table != kInvalidOid) {
    check_owner_table(open_relation(table, LockMode::kAccessShare), relation.owner,
                      relation.schema);
    record_dependency(self, ObjectAddress::relation(table, column), kDependencyAuto);
  }
  show_changes();
}

}  // namespace cofork
