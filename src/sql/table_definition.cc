// See table_definition.h.
#include "sql/table_definition.h"

#include <algorithm>
#include <charconv>

#include "catalog/names.h"
#include "sql/deparse.h"
#include "sql/planner.h"

namespace cofork {

using namespace type_oid;

DefinitionReader::DefinitionReader(Engine::State& state, std::string_view text)
    : state_(state),
      text_(text),
      context_(state.context()),
      input_{&state.session, text, &arena_, &no_parameters_, false, &context_, &dependencies_},
      analyzer_(input_) {
  context_.arena = &arena_;
}

// --- options

std::string option_text(const Node& option) {
  const Node* value = option.node("arg");
  if (value == nullptr) return "true";
  switch (value->kind) {
    case NodeKind::kInteger:
      return fmt::format("{}", value->number("ival"));
    case NodeKind::kFloat:
      return std::string(value->string("fval"));
    case NodeKind::kString:
      return std::string(value->text());
    case NodeKind::kBoolean:
      return value->flag("boolval") ? "true" : "false";
    case NodeKind::kTypeName:
      return std::string(value->list("names").back()->text());
    default:
      return {};
  }
}

OptionList read_options(NodeList options) {
  OptionList list;
  for (const Node* option : options) {
    list.emplace_back(std::string(option->string("defname")), option_text(*option));
  }
  return list;
}

namespace {

int64_t option_number(const Node& option) {
  std::string text = option_text(option);
  int64_t number = 0;
  auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || stop != text.data() + text.size()) {
    throw Error(sqlstate::kSyntaxError, "{} requires a numeric value", option.string("defname"));
  }
  return number;
}

int64_t least_of(Oid type) {
  return type == kInt2 ? INT16_MIN : type == kInt4 ? INT32_MIN : INT64_MIN;
}
int64_t most_of(Oid type) {
  return type == kInt2 ? INT16_MAX : type == kInt4 ? INT32_MAX : INT64_MAX;
}

}  // namespace

void read_sequence_options(NodeList options, SequenceDesc& sequence, bool is_new,
                           std::optional<int64_t>* restart, const Node** owned_by) {
  std::optional<int64_t> start;
  bool sets_minimum = is_new, sets_maximum = is_new;
  std::optional<int64_t> minimum, maximum;
  bool plain_restart = false;
  for (const Node* option : options) {
    std::string_view name = option->string("defname");
    if (name == "as") {
      std::string type = option_text(*option);
      const BuiltinType* found = find_type(type);
      if (found == nullptr || (found->oid != kInt2 && found->oid != kInt4 && found->oid != kInt8)) {
        throw Error(sqlstate::kInvalidParameterValue,
                    "sequence type must be smallint, integer, or bigint");
      }
      if (!is_new && sequence.maximum == most_of(sequence.type)) sets_maximum = true;
      if (!is_new && sequence.minimum == least_of(sequence.type)) sets_minimum = true;
      sequence.type = found->oid;
    } else if (name == "increment") {
      sequence.increment = option_number(*option);
      if (sequence.increment == 0) {
        throw Error(sqlstate::kInvalidParameterValue, "INCREMENT must not be zero");
      }
    } else if (name == "start") {
      start = option_number(*option);
    } else if (name == "restart") {
      if (option->node("arg") == nullptr) {
        plain_restart = true;
      } else if (restart != nullptr) {
        *restart = option_number(*option);
      }
    } else if (name == "minvalue") {
      sets_minimum = true;
      if (option->node("arg") != nullptr) minimum = option_number(*option);
    } else if (name == "maxvalue") {
      sets_maximum = true;
      if (option->node("arg") != nullptr) maximum = option_number(*option);
    } else if (name == "cache") {
      sequence.cache = option_number(*option);
      if (sequence.cache <= 0) {
        throw Error(sqlstate::kInvalidParameterValue, "CACHE ({}) must be greater than zero",
                    sequence.cache);
      }
    } else if (name == "cycle") {
      sequence.cycle = option_text(*option) == "true";
    } else if (name == "owned_by") {
      if (owned_by != nullptr) *owned_by = option;
    }
  }
  bool ascends = sequence.increment > 0;
  if (sets_maximum) {
    sequence.maximum = maximum.value_or(ascends ? most_of(sequence.type) : -1);
  }
  if (sets_minimum) {
    sequence.minimum = minimum.value_or(ascends ? 1 : least_of(sequence.type));
  }
  for (auto [value, word] :
       {std::pair{sequence.maximum, "MAXVALUE"}, std::pair{sequence.minimum, "MINVALUE"}}) {
    if (value > most_of(sequence.type) || value < least_of(sequence.type)) {
      throw Error(sqlstate::kInvalidParameterValue,
                  "{} ({}) is out of range for sequence data type {}", word, value,
                  type_name(sequence.type));
    }
  }
  if (sequence.minimum >= sequence.maximum) {
    throw Error(sqlstate::kInvalidParameterValue, "MINVALUE ({}) must be less than MAXVALUE ({})",
                sequence.minimum, sequence.maximum);
  }
  if (start) sequence.start = *start;
  if (is_new && !start) sequence.start = ascends ? sequence.minimum : sequence.maximum;
  if (sequence.start < sequence.minimum) {
    throw Error(sqlstate::kInvalidParameterValue,
                "START value ({}) cannot be less than MINVALUE ({})", sequence.start,
                sequence.minimum);
  }
  if (sequence.start > sequence.maximum) {
    throw Error(sqlstate::kInvalidParameterValue,
                "START value ({}) cannot be greater than MAXVALUE ({})", sequence.start,
                sequence.maximum);
  }
  if (plain_restart && restart != nullptr) *restart = sequence.start;
}

// --- expressions

void DefinitionReader::set_row(std::string_view table, std::span<const ColumnDefinition> columns) {
  row_ = arena_.make<RangeEntry>();
  row_->kind = RangeKind::kTable;
  row_->name = arena_.copy(table);
  for (const ColumnDefinition& column : columns) add_to_row(column);
}

void DefinitionReader::set_row(RelationDesc& relation) {
  row_ = analyzer_.row_of(relation, relation.name);
}

void DefinitionReader::add_to_row(const ColumnDefinition& column) {
  row_->columns.push(arena_, {arena_.copy(column.name), column.type, column.typmod});
}

std::vector<ObjectAddress> DefinitionReader::objects_in(const Expr* expr,
                                                        std::vector<std::string>* columns) const {
  std::vector<ObjectAddress> uses;
  walk(expr, 0, [&](const Expr& part, int) {
    if (part.kind == ExprKind::kSubLink) {
      throw Error(sqlstate::kFeatureNotSupported, "cannot use subquery in this expression");
    }
    if (part.kind == ExprKind::kVar && part.entry == row_) {
      auto at = static_cast<size_t>(part.column);
      if (at < row_->columns.size() && columns != nullptr) {
        std::string name(row_->columns[at].name);
        if (std::ranges::find(*columns, name) == columns->end()) columns->push_back(name);
      }
      if (row_->relation != nullptr && at < row_->columns.size()) {
        uses.push_back(ObjectAddress::relation(row_->relation->oid, part.column + 1));
      }
    }
    if (part.kind == ExprKind::kConst && part.type == kRegclass && !part.is_null) {
      uses.push_back(ObjectAddress::relation(datum_to_oid(part.value)));
    }
    return true;
  });
  return uses;
}

StoredExpression DefinitionReader::default_expression(const Node& node,
                                                      const ColumnDefinition& column,
                                                      Expr** analysed) {
  Expr* e = analyzer_.table_expression(node, nullptr, Place::kColumnDefault);
  // The cast to the column's type happens when it is used; a literal gets its type now.
  Expr* coerced = analyzer_.coerce_default(e, column.name, column.type, column.typmod);
  if (e->type == kUnknown) {
    e = analyzer_.coerce_default(e, column.name, column.type, -1);
  }
  if (analysed != nullptr) *analysed = coerced;
  if (e->kind == ExprKind::kConst && e->is_null) return {};  // DEFAULT NULL is none
  StoredExpression stored;
  stored.uses = objects_in(e, nullptr);
  stored.text = deparse(*e, context_);
  return stored;
}

StoredExpression DefinitionReader::row_expression(const Node& node, Place place, Oid type,
                                                  int32_t typmod, std::vector<std::string>* columns,
                                                  Expr** analysed) {
  Expr* e = analyzer_.table_expression(node, row_, place);
  if (type != kInvalidOid) e = analyzer_.coerce_default(e, {}, type, typmod);
  if (analysed != nullptr) *analysed = e;
  StoredExpression stored;
  stored.uses = objects_in(e, columns);
  stored.text = deparse(*e, context_);
  return stored;
}

Datum DefinitionReader::evaluate(Expr* expr, bool& is_null, Arena& arena) {
  Query query;
  Target target;
  target.expr = expr;
  query.targets.push(arena_, target);
  auto execution = plan_statement(query, arena_, {}, state_.session.task, context_);
  execution->start();
  execution->next();
  is_null = execution->row_nulls()[0];
  return is_null ? 0 : copy_datum(*find_type(expr->type), execution->row_values()[0], arena);
}

// --- columns

ColumnDefinition DefinitionReader::column(const Node& node) {
  ColumnDefinition column;
  column.name = node.string("colname");
  serial_type_ = kInvalidOid;
  const Node& type_node = *node.node("typeName");
  NodeList names = type_node.list("names");
  constexpr std::pair<std::string_view, Oid> kSerials[] = {
      {"serial", kInt4},  {"serial4", kInt4},     {"bigserial", kInt8},
      {"serial8", kInt8}, {"smallserial", kInt2}, {"serial2", kInt2},
  };
  for (auto& [name, type] : kSerials) {
    if (names.size() != 1 || names[0]->text() != name) continue;
    serial_type_ = type;
    column.type = type;
    column.not_null = true;
    return column;
  }
  Analyzer::TypeRef type = analyzer_.resolve_type(type_node);
  if (type.type->is_pseudo()) {
    throw Error(sqlstate::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.name,
                type.type->sql_name);
  }
  column.type = type.type->oid;
  column.typmod = type.typmod;
  return column;
}

void DefinitionReader::add_sequence(NodeList options, Oid type, std::string_view schema,
                                    std::string_view table, std::string_view column,
                                    bool is_identity) {
  NeededSequence needed;
  needed.column = column;
  SequenceDefinition& definition = needed.definition;
  Oid where = creation_namespace(schema);
  definition.schema = namespace_name(where);
  definition.name = choose_relation_name(table, column, "seq", where, false);
  definition.is_identity = is_identity;
  definition.sequence.type = type;
  for (const Node* option : options) {
    if (option->string("defname") == "sequence_name") {
      definition.name = option->node("arg")->list("items").back()->text();
    }
  }
  read_sequence_options(options, definition.sequence, true, nullptr, nullptr);
  sequences.push_back(std::move(needed));
}

void DefinitionReader::serial_column(std::string_view schema, std::string_view table,
                                     ColumnDefinition& column) {
  add_sequence({}, column.type, schema, table, column.name, false);
  NeededSequence& needed = sequences.back();
  needed.oid = create_sequence(needed.definition);
  std::string name = relation_display_name(needed.oid).value_or(needed.definition.name);
  column.default_value.text = fmt::format("nextval({}::regclass)", quote_literal(name));
  column.default_value.uses.push_back(ObjectAddress::relation(needed.oid));
}

void DefinitionReader::column_constraints(const Node& node, std::string_view schema,
                                          std::string_view table, ColumnDefinition& column,
                                          std::vector<ConstraintDefinition>& constraints) {
  bool is_serial = false;
  if (NodeList names = node.node("typeName")->list("names"); names.size() == 1) {
    std::string_view name = names[0]->text();
    is_serial = name.find("serial") != name.npos && find_type(name) == nullptr;
  }
  if (is_serial) serial_column(schema, table, column);
  ConstraintDefinition* last = nullptr;
  bool says_null = false;
  for (const Node* item : node.list("constraints")) {
    std::string_view kind = item->string("contype");
    if (kind == "CONSTR_NOTNULL" || kind == "CONSTR_NULL") {
      bool wants_null = kind == "CONSTR_NULL";
      if ((wants_null && column.not_null) || (!wants_null && says_null)) {
        throw Error(sqlstate::kSyntaxError,
                    "conflicting NULL/NOT NULL declarations for column \"{}\" of table \"{}\"",
                    column.name, table)
            .position(character_position(text_, item->location()));
      }
      says_null |= wants_null;
      column.not_null |= !wants_null;
    } else if (kind == "CONSTR_DEFAULT") {
      if (!column.default_value.empty()) {
        throw Error(sqlstate::kSyntaxError,
                    "multiple default values specified for column \"{}\" of table \"{}\"",
                    column.name, table)
            .position(character_position(text_, item->location()));
      }
      column.default_value = default_expression(*item->node("raw_expr"), column);
    } else if (kind == "CONSTR_IDENTITY") {
      if (column.type != kInt2 && column.type != kInt4 && column.type != kInt8) {
        throw Error(sqlstate::kInvalidParameterValue,
                    "identity column type must be smallint, integer, or bigint");
      }
      column.identity = item->string("generated_when").starts_with('a') ? 'a' : 'd';
      column.not_null = true;
      add_sequence(item->list("options"), column.type, schema, table, column.name, true);
    } else if (kind == "CONSTR_GENERATED") {
      column.generated = 's';
      column.default_value = row_expression(*item->node("raw_expr"), Place::kGenerated, column.type,
                                            column.typmod, nullptr);
    } else if (kind == "CONSTR_ATTR_DEFERRABLE" || kind == "CONSTR_ATTR_DEFERRED") {
      if (last == nullptr) {
        throw Error(sqlstate::kSyntaxError, "misplaced DEFERRABLE clause")
            .position(character_position(text_, item->location()));
      }
      last->deferrable = true;
      last->initially_deferred |= kind == "CONSTR_ATTR_DEFERRED";
    } else if (kind == "CONSTR_ATTR_NOT_DEFERRABLE" || kind == "CONSTR_ATTR_IMMEDIATE") {
      continue;
    } else {
      constraints.push_back(constraint(*item, column.name));
      last = &constraints.back();
    }
  }
}

// --- constraints

namespace {

std::vector<std::string> texts_of(NodeList names) {
  std::vector<std::string> texts;
  for (const Node* name : names) texts.emplace_back(name->text());
  return texts;
}

char letter(std::string_view text, char otherwise) {
  return text.empty() ? otherwise : text[0];
}

}  // namespace

ConstraintDefinition DefinitionReader::constraint(const Node& node, std::string_view column) {
  ConstraintDefinition definition;
  std::string_view kind = node.string("contype");
  definition.name = node.string("conname");
  definition.deferrable = node.flag("deferrable");
  definition.initially_deferred = node.flag("initdeferred");
  definition.not_valid = node.flag("skip_validation");
  definition.no_inherit = node.flag("is_no_inherit");
  auto own_column = [&] {
    if (!column.empty()) definition.columns.emplace_back(column);
  };
  if (kind == "CONSTR_CHECK") {
    definition.type = 'c';
    definition.check =
        row_expression(*node.node("raw_expr"), Place::kCheck, kBool, -1, &definition.columns);
  } else if (kind == "CONSTR_PRIMARY" || kind == "CONSTR_UNIQUE") {
    definition.type = kind == "CONSTR_PRIMARY" ? 'p' : 'u';
    definition.columns = texts_of(node.list("keys"));
    own_column();
    definition.include = texts_of(node.list("including"));
    definition.nulls_not_distinct = node.flag("nulls_not_distinct");
    definition.options = read_options(node.list("options"));
    if (std::string_view index = node.string("indexname"); !index.empty()) {
      FoundRelation found = find_relation("", index);
      if (!found) {
        throw Error(sqlstate::kUndefinedObject, "index \"{}\" does not exist", index)
            .position(character_position(text_, node.location()));
      }
      definition.existing_index = found.oid;
      if (definition.name.empty()) definition.name = index;
    }
  } else if (kind == "CONSTR_FOREIGN") {
    definition.type = 'f';
    definition.columns = texts_of(node.list("fk_attrs"));
    own_column();
    definition.referenced_columns = texts_of(node.list("pk_attrs"));
    definition.match = letter(node.string("fk_matchtype"), 's');
    definition.on_update = letter(node.string("fk_upd_action"), 'a');
    definition.on_delete = letter(node.string("fk_del_action"), 'a');
    definition.set_columns = texts_of(node.list("fk_del_set_cols"));
    const Node& table = *node.node("pktable");
    std::string_view schema = table.string("schemaname"), name = table.string("relname");
    if (row_ != nullptr && row_->relation == nullptr && row_->name == name &&
        !find_relation(schema, name)) {
      definition.referenced = ConstraintDefinition::kSelf;
    } else {
      // The same text as any use of a table that is not there, without a position.
      definition.referenced = lock_relation(schema, name, LockMode::kShareRowExclusive).oid;
    }
  } else {
    throw Error(sqlstate::kFeatureNotSupported, "{} constraints are not supported",
                kind == "CONSTR_EXCLUSION" ? "exclusion" : "these");
  }
  return definition;
}

// --- CREATE TABLE

TableDefinition DefinitionReader::table(const Node& create) {
  const Node& relation = *create.node("relation");
  TableDefinition definition;
  definition.schema = relation.string("schemaname");
  definition.name = relation.string("relname");
  definition.persistence = letter(relation.string("relpersistence"), 'p');
  definition.options = read_options(create.list("options"));
  definition.if_not_exists = create.flag("if_not_exists");
  for (std::string_view clause : {"inhRelations", "partspec", "partbound", "ofTypename"}) {
    if (create.find(clause) == nullptr) continue;
    throw Error(sqlstate::kFeatureNotSupported, "{} is not supported",
                clause == "inhRelations" ? "inheritance"
                : clause == "ofTypename" ? "CREATE TABLE OF"
                                         : "partitioning");
  }
  std::vector<const Node*> column_nodes, constraint_nodes;
  for (const Node* element : create.list("tableElts")) {
    if (element->kind_name == "ColumnDef") {
      definition.columns.push_back(column(*element));
      column_nodes.push_back(element);
    } else if (element->kind_name == "Constraint") {
      constraint_nodes.push_back(element);
    } else {
      throw Error(sqlstate::kFeatureNotSupported, "LIKE in CREATE TABLE is not supported");
    }
  }
  set_row(definition.name, definition.columns);
  std::string_view schema = definition.persistence == 't' ? "pg_temp" : definition.schema;
  for (size_t i = 0; i < column_nodes.size(); ++i) {
    column_constraints(*column_nodes[i], schema, definition.name, definition.columns[i],
                       definition.constraints);
  }
  for (const Node* node : constraint_nodes) {
    definition.constraints.push_back(constraint(*node, {}));
  }
  return definition;
}

// --- CREATE INDEX

IndexDefinition DefinitionReader::index(const Node& node, RelationDesc& table) {
  IndexDefinition definition;
  definition.name = node.string("idxname");
  definition.table = table.oid;
  definition.unique = node.flag("unique");
  definition.nulls_not_distinct = node.flag("nulls_not_distinct");
  definition.if_not_exists = node.flag("if_not_exists");
  definition.options = read_options(node.list("options"));
  std::string_view method = node.string("accessMethod");
  if (!method.empty() && method != "btree") {
    constexpr std::string_view kOthers[] = {"hash", "gist", "gin", "spgist", "brin"};
    if (std::ranges::find(kOthers, method) == std::end(kOthers)) {
      throw Error(sqlstate::kUndefinedObject, "access method \"{}\" does not exist", method);
    }
    throw Error(sqlstate::kFeatureNotSupported, "access method \"{}\" is not supported", method);
  }
  set_row(table);
  for (const Node* element : node.list("indexParams")) {
    IndexKeyDefinition key;
    key.column = element->string("name");
    if (const Node* raw = element->node("expr")) {
      Expr* analysed = nullptr;
      key.expression =
          row_expression(*raw, Place::kIndexExpression, kInvalidOid, -1, nullptr, &analysed);
      bool is_immutable = true;
      walk(analysed, 0, [&](const Expr& part, int) {
        is_immutable &=
            part.function == nullptr || part.function->volatility == Volatility::kImmutable;
        return is_immutable;
      });
      if (!is_immutable) {
        throw Error(sqlstate::kInvalidObjectDefinition,
                    "functions in index expression must be marked IMMUTABLE");
      }
      key.type = analysed->type;
      key.typmod = analysed->typmod;
      key.expression_name = figure_column_name(*raw);
      if (key.expression_name == "?column?") key.expression_name.clear();
    }
    std::string_view order = element->string("ordering");
    key.descending = order == "SORTBY_DESC";
    std::string_view nulls = element->string("nulls_ordering");
    if (nulls == "SORTBY_NULLS_FIRST") key.nulls_first = true;
    if (nulls == "SORTBY_NULLS_LAST") key.nulls_first = false;
    definition.keys.push_back(std::move(key));
  }
  for (const Node* element : node.list("indexIncludingParams")) {
    definition.include.emplace_back(element->string("name"));
  }
  if (const Node* where = node.node("whereClause")) {
    definition.predicate = row_expression(*where, Place::kIndexPredicate, kBool, -1, nullptr);
  }
  return definition;
}

}  // namespace cofork
