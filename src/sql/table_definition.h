// Parse trees of CREATE TABLE, ALTER TABLE and CREATE INDEX into the definitions the catalog takes
// (parse_utilcmd.c, 15).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/ddl.h"
#include "sql/engine_state.h"

namespace cofork {

/// Reads definitions of one statement. What it analyses lives as long as it does.
class DefinitionReader {
 public:
  DefinitionReader(Engine::State& state, std::string_view text);

  /// A sequence that a serial or identity column needs: a serial's is made before its table, which
  /// names it in a default; an identity's after it.
  struct NeededSequence {
    std::string column;
    SequenceDefinition definition;
    Oid oid = kInvalidOid;
  };
  std::vector<NeededSequence> sequences;

  TableDefinition table(const Node& create);
  /// Name and type of a ColumnDef.
  ColumnDefinition column(const Node& node);
  /// What stands behind the type: those about the column alone go into it, others to `constraints`.
  void column_constraints(const Node& node, std::string_view schema, std::string_view table,
                          ColumnDefinition& column, std::vector<ConstraintDefinition>& constraints);
  ConstraintDefinition constraint(const Node& node, std::string_view column);
  IndexDefinition index(const Node& node, RelationDesc& table);

  /// The row that conditions may name, from the columns that are (or will be) there.
  void set_row(std::string_view table, std::span<const ColumnDefinition> columns);
  void set_row(RelationDesc& relation);
  void add_to_row(const ColumnDefinition& column);

  /// DEFAULT. `analysed`: the expression, coerced to the column's type.
  StoredExpression default_expression(const Node& node, const ColumnDefinition& column,
                                      Expr** analysed = nullptr);
  StoredExpression row_expression(const Node& node, Place place, Oid type, int32_t typmod,
                                  std::vector<std::string>* columns, Expr** analysed = nullptr);
  Analyzer& analyzer() { return analyzer_; }
  /// The value of an expression without columns.
  Datum evaluate(Expr* expr, bool& is_null, Arena& arena);

 private:
  void add_sequence(NodeList options, Oid type, std::string_view schema, std::string_view table,
                    std::string_view column, bool is_identity);
  void serial_column(std::string_view schema, std::string_view table, ColumnDefinition& column);
  std::vector<ObjectAddress> objects_in(const Expr* expr, std::vector<std::string>* columns) const;

  Engine::State& state_;
  std::string_view text_;
  Arena arena_;
  std::vector<Oid> no_parameters_;
  Dependencies dependencies_;
  EvalContext context_;
  AnalyzeInput input_;
  Analyzer analyzer_;
  RangeEntry* row_ = nullptr;
  Oid serial_type_ = kInvalidOid;  ///< of the ColumnDef read last, when it was serial
};

/// WITH (fillfactor = 70): names and values as text.
OptionList read_options(NodeList options);
/// The value of an option as text: "70", "on", a name.
std::string option_text(const Node& option);
/// The options of CREATE and ALTER SEQUENCE. Throws 22023, 42601. `restart` is set by RESTART;
/// plain RESTART means the start value. `owned_by` becomes the list of names of OWNED BY.
void read_sequence_options(NodeList options, SequenceDesc& sequence, bool is_new,
                           std::optional<int64_t>* restart, const Node** owned_by);

}  // namespace cofork
