// CREATE TABLE, CREATE INDEX, DROP, TRUNCATE, and what is created beside them: parse trees into
// calls of the catalog (standard_ProcessUtility and DefineRelation …, 15).
#include <algorithm>

#include "access/btree.h"
#include "catalog/ddl.h"
#include "catalog/names.h"
#include "catalog/sequence.h"
#include "sql/definition_commands.h"
#include "sql/internal_query.h"
#include "sql/nodes_table.h"
#include "sql/planner.h"
#include "sql/table_definition.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

/// "a.b" of a list of String nodes.
QualifiedName name_of(const Node& object) {
  QualifiedName name;
  NodeList parts = object.list("items");
  if (!parts.empty()) name.name = parts.back()->text();
  if (parts.size() > 1) name.schema = parts[parts.size() - 2]->text();
  return name;
}

}  // namespace

DropBehavior behavior_of(const Node& node) {
  return node.string("behavior") == "DROP_CASCADE" ? DropBehavior::kCascade
                                                   : DropBehavior::kRestrict;
}

// --- rows of new indexes

namespace {

/// Computes the columns of an index with expressions or a predicate for rows of its table.
class IndexRowMaker {
 public:
  IndexRowMaker(Engine::State& state, RelationDesc& table, IndexDesc& index)
      : index_(index), execution_(state.session.task, state.context()) {
    input_.context = &context_;
    context_ = state.context();
    context_.arena = &arena_;
    execution_.context.arena = &execution_.arena;
    Analyzer analyzer(input_);
    RangeEntry* row = analyzer.row_of(table, table.name);
    Planner planner(execution_, 0);
    row->first_slot = planner.new_slots(row->columns.size() + kSystemColumns);
    for (size_t i = 0; i < row->columns.size() + kSystemColumns; ++i) {
      row->used.push(arena_, i < row->columns.size() && row->columns[i].type != kInvalidOid);
    }
    row_.emplace(table, *row);
    for (const std::string& text : index.expressions) {
      expressions_.push_back(planner.compile(
          *analyzer.stored_expression(text, row, kInvalidOid, -1, Place::kIndexExpression)));
    }
    if (!index.predicate.empty()) {
      predicate_ = planner.compile(*analyzer.stored_expression(
          index.predicate, row, type_oid::kBool, -1, Place::kIndexPredicate));
    }
    planner.finish();
    row_->open(execution_);
  }

  bool operator()(const HeapTuple& tuple, Datum* values, bool* nulls) {
    row_->show(execution_, tuple);
    row_arena_.reset();
    if (predicate_ != nullptr && !predicate_->test(execution_, row_arena_)) return false;
    size_t expression = 0;
    for (size_t i = 0; i < index_.columns.size(); ++i) {
      int slot = row_->first_slot() + index_.columns[i] - 1;
      if (index_.columns[i] == 0) {
        const Program* program = expressions_[expression++];
        program->run(execution_, row_arena_);
        slot = program->result;
      }
      values[i] = execution_.values[slot];
      nulls[i] = execution_.nulls[slot];
    }
    return true;
  }

 private:
  IndexDesc& index_;
  Execution execution_;
  Arena arena_, row_arena_;
  EvalContext context_{nullptr};
  std::vector<Oid> no_parameters_;
  Dependencies dependencies_;
  AnalyzeInput input_{nullptr, {}, &arena_, &no_parameters_, false, nullptr, &dependencies_};
  std::optional<TableRow> row_;
  std::vector<Program*> expressions_;
  Program* predicate_ = nullptr;
};

}  // namespace

IndexRowFactory index_rows(Engine::State& state) {
  return [&state](RelationDesc& table, IndexDesc& index) -> IndexRow {
    if (index.expressions.empty() && index.predicate.empty()) return nullptr;
    auto maker = std::make_shared<IndexRowMaker>(state, table, index);
    return [maker](const HeapTuple& tuple, Datum* values, bool* nulls) {
      return (*maker)(tuple, values, nulls);
    };
  };
}

// --- CREATE

void finish_sequences(DefinitionReader& reader, Oid table) {
  RelationDesc& relation = open_relation(table, LockMode::kNone);
  std::vector<int16_t> numbers;
  for (const auto& needed : reader.sequences) {
    numbers.push_back(relation.find_column(needed.column)->number);
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    DefinitionReader::NeededSequence& needed = reader.sequences[i];
    if (needed.definition.is_identity) {
      needed.definition.owner_table = table;
      needed.definition.owner_column = numbers[i];
      create_sequence(needed.definition);
    } else {
      set_sequence_owner(needed.oid, table, numbers[i]);
    }
  }
}

std::string_view DefinitionCommands::create_table_command(const Node& node) {
  const Node& relation = *node.node("relation");
  if (node.flag("if_not_exists")) {
    // Before any sequence is made for it.
    Oid where = creation_namespace(relation.string("schemaname"));
    if (find_relation_in(where, relation.string("relname")) != kInvalidOid) {
      notice(sqlstate::kDuplicateTable,
             fmt::format("relation \"{}\" already exists, skipping", relation.string("relname")));
      return "CREATE TABLE";
    }
  }
  DefinitionReader reader(state_, text_);
  TableDefinition definition = reader.table(node);
  Oid table = create_table(definition);
  if (table != kInvalidOid) finish_sequences(reader, table);
  return "CREATE TABLE";
}

std::string_view DefinitionCommands::create_index_command(const Node& node) {
  const Node& relation = *node.node("relation");
  bool concurrently = node.flag("concurrent");
  if (concurrently) state_.session.transaction.prevent_in_block("CREATE INDEX CONCURRENTLY");
  FoundRelation found = lock_target(relation, LockMode::kShare);
  RelationDesc& table = open_relation(found.oid, LockMode::kShare);
  if (table.kind != 'r') {
    throw Error(sqlstate::kWrongObjectType, "cannot create index on relation \"{}\"", table.name)
        .detail("This operation is not supported for {}.", table.kind == 'v'   ? "views"
                                                           : table.kind == 'S' ? "sequences"
                                                                               : "indexes");
  }
  DefinitionReader reader(state_, text_);
  IndexDefinition definition = reader.index(node, table);
  create_index(definition, index_rows(state_));
  return "CREATE INDEX";
}

std::string_view DefinitionCommands::create_sequence_command(const Node& node) {
  const Node& relation = *node.node("sequence");
  SequenceDefinition definition;
  definition.schema = relation.string("schemaname");
  definition.name = relation.string("relname");
  std::string_view persistence = relation.string("relpersistence");
  definition.persistence = persistence.empty() ? 'p' : persistence[0];
  definition.if_not_exists = node.flag("if_not_exists");
  definition.sequence.type = type_oid::kInt8;
  const Node* owned_by = nullptr;
  read_sequence_options(node.list("options"), definition.sequence, true, nullptr, &owned_by);
  Oid sequence = create_sequence(definition);
  if (sequence != kInvalidOid && owned_by != nullptr) set_owner(sequence, *owned_by);
  return "CREATE SEQUENCE";
}

void DefinitionCommands::set_owner(Oid sequence, const Node& option) {
  NodeList names = option.list("arg");
  if (const Node* list = option.node("arg")) names = list->list("items");
  if (names.size() == 1 && names[0]->text() == "none") {
    set_sequence_owner(sequence, kInvalidOid, 0);
    return;
  }
  if (names.size() < 2) {
    throw Error(sqlstate::kSyntaxError, "invalid OWNED BY option")
        .hint("Specify OWNED BY table.column or OWNED BY NONE.");
  }
  std::string_view schema = names.size() > 2 ? names[names.size() - 3]->text() : "";
  std::string_view name = names[names.size() - 2]->text();
  FoundRelation table = lock_relation(schema, name, LockMode::kAccessShare);
  RelationDesc& relation = open_relation(table.oid, LockMode::kNone);
  const ColumnDesc* column = relation.find_column(names.back()->text());
  if (column == nullptr) {
    throw Error(sqlstate::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist",
                names.back()->text(), relation.name);
  }
  set_sequence_owner(sequence, relation.oid, column->number);
}

std::string_view DefinitionCommands::alter_sequence_command(const Node& node) {
  const Node& relation = *node.node("sequence");
  std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
  if (!find_relation(schema, name) && node.flag("missing_ok")) {
    notice(sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return "ALTER SEQUENCE";
  }
  FoundRelation found = lock_target(relation, LockMode::kShareRowExclusive);
  RelationDesc& desc = open_relation(found.oid, LockMode::kShareRowExclusive);
  if (!desc.sequence) {
    throw Error(sqlstate::kWrongObjectType, "\"{}\" is not a sequence", desc.name);
  }
  SequenceDesc changed = *desc.sequence;
  std::optional<int64_t> restart;
  const Node* owned_by = nullptr;
  read_sequence_options(node.list("options"), changed, false, &restart, &owned_by);
  alter_sequence(found.oid, changed, restart);
  if (owned_by != nullptr) set_owner(found.oid, *owned_by);
  return "ALTER SEQUENCE";
}

std::string_view DefinitionCommands::create_schema_command(const Node& node) {
  std::string name(node.string("schemaname"));
  std::string owner;
  if (const Node* role = node.node("authrole")) owner = role->string("rolename");
  if (name.empty()) name = owner;
  create_schema(name, owner, node.flag("if_not_exists"));
  if (!node.list("schemaElts").empty()) {
    throw Error(sqlstate::kFeatureNotSupported,
                "CREATE SCHEMA with elements in it is not supported");
  }
  return "CREATE SCHEMA";
}

// --- DROP, TRUNCATE

std::optional<std::string_view> DefinitionCommands::drop_command(const Node& node) {
  std::string_view object = node.string("removeType");
  bool missing_ok = node.flag("missing_ok");
  struct Kind {
    std::string_view object;
    char kind;
    std::string_view tag;
  };
  constexpr Kind kKinds[] = {{"OBJECT_TABLE", 'r', "DROP TABLE"},
                             {"OBJECT_INDEX", 'i', "DROP INDEX"},
                             {"OBJECT_SEQUENCE", 'S', "DROP SEQUENCE"},
                             {"OBJECT_VIEW", 'v', "DROP VIEW"}};
  for (const Kind& kind : kKinds) {
    if (kind.object != object) continue;
    std::vector<QualifiedName> names;
    for (const Node* item : node.list("objects")) names.push_back(name_of(*item));
    drop_relations(kind.kind, names, behavior_of(node), missing_ok);
    return kind.tag;
  }
  if (object != "OBJECT_SCHEMA") return std::nullopt;
  std::vector<std::string> names;
  for (const Node* item : node.list("objects")) names.emplace_back(item->text());
  drop_schemas(names, behavior_of(node), missing_ok);
  return "DROP SCHEMA";
}

std::string_view DefinitionCommands::truncate_command(const Node& node) {
  std::vector<Oid> tables;
  for (const Node* relation : node.list("relations")) {
    FoundRelation found = lock_target(*relation, LockMode::kAccessExclusive);
    if (std::ranges::find(tables, found.oid) == tables.end()) tables.push_back(found.oid);
  }
  std::vector<Oid> truncated;
  truncate_tables(tables, behavior_of(node) == DropBehavior::kCascade, &truncated);
  if (!node.flag("restart_seqs")) return "TRUNCATE TABLE";
  for (Oid table : truncated) {
    std::vector<int16_t> numbers;
    for (const ColumnDesc& column : open_relation(table, LockMode::kNone).columns) {
      if (!column.dropped) numbers.push_back(column.number);
    }
    for (int16_t number : numbers) {
      Oid sequence = sequence_of_column(table, number);
      if (sequence == kInvalidOid) continue;
      int64_t start = open_relation(sequence, LockMode::kAccessExclusive).sequence->start;
      sequence_restart(sequence, start);
    }
  }
  return "TRUNCATE TABLE";
}

// --- names

FoundRelation DefinitionCommands::lock_target(const Node& relation, LockMode mode) {
  std::string_view schema = relation.string("schemaname"), name = relation.string("relname");
  FoundRelation found = lock_relation(schema, name, mode);
  if (found.view != nullptr) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog",
                name);
  }
  return found;
}

std::string_view DefinitionCommands::rename_command(const Node& node) {
  std::string_view kind = node.string("renameType");
  std::string new_name(node.string("newname"));
  if (kind == "OBJECT_SCHEMA") {
    rename_schema(node.string("subname"), new_name);
    return "ALTER SCHEMA";
  }
  if (kind == "OBJECT_DATABASE") {
    state_.session.transaction.prevent_in_block("ALTER DATABASE");
    rename_database(node.string("subname"), new_name);
    return "ALTER DATABASE";
  }
  if (kind == "OBJECT_ROLE") {
    rename_role(node.string("subname"), new_name);
    return "ALTER ROLE";
  }
  const Node* relation = node.node("relation");
  if (relation == nullptr) {
    throw Error(sqlstate::kFeatureNotSupported, "renaming this kind of object is not supported");
  }
  std::string_view tag = kind == "OBJECT_INDEX"      ? "ALTER INDEX"
                         : kind == "OBJECT_SEQUENCE" ? "ALTER SEQUENCE"
                         : kind == "OBJECT_VIEW"     ? "ALTER VIEW"
                                                     : "ALTER TABLE";
  std::string_view name = relation->string("relname");
  if (node.flag("missing_ok") && !find_relation(relation->string("schemaname"), name)) {
    notice(sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return tag;
  }
  Oid oid = lock_target(*relation, LockMode::kAccessExclusive).oid;
  if (kind == "OBJECT_COLUMN") {
    rename_column(oid, node.string("subname"), new_name);
  } else if (kind == "OBJECT_TABCONSTRAINT") {
    rename_constraint(oid, node.string("subname"), new_name);
  } else {
    rename_relation(oid, new_name);
  }
  return tag;
}

// --- dispatch

void notice(SqlState state, std::string message) {
  ErrorData data;
  data.severity = Severity::kNotice;
  data.sqlstate = state;
  data.message = std::move(message);
  report(data);
}

std::optional<std::string_view> DefinitionCommands::run(const Node& node, std::string_view tag) {
  std::string_view kind = node.kind_name;
  if (kind == "CreateStmt") return create_table_command(node);
  if (kind == "IndexStmt") return create_index_command(node);
  if (kind == "AlterTableStmt") return alter_table_command(node, tag);
  if (kind == "DropStmt") return drop_command(node);
  if (kind == "TruncateStmt") return truncate_command(node);
  if (kind == "RenameStmt") return rename_command(node);
  if (kind == "CreateSeqStmt") return create_sequence_command(node);
  if (kind == "AlterSeqStmt") return alter_sequence_command(node);
  if (kind == "CreateSchemaStmt") return create_schema_command(node);
  if (kind == "ViewStmt") return create_view_command(node);
  if (kind == "CreateTableAsStmt") return create_table_as_command(node);
  if (kind == "CommentStmt") return comment_command(node);
  if (kind == "LockStmt") return lock_command(node);
  if (kind == "CreatedbStmt") return create_database_command(node);
  if (kind == "DropdbStmt") return drop_database_command(node);
  if (kind == "CreateRoleStmt") return create_role_command(node);
  if (kind == "AlterRoleStmt") return alter_role_command(node);
  if (kind == "DropRoleStmt") return drop_role_command(node);
  if (kind == "ReindexStmt") return reindex_command(node);
  if (kind == "VacuumStmt") return vacuum_command(node);
  return std::nullopt;
}

}  // namespace cofork
