// The raw parse tree: PostgreSQL's own nodes and field names, as libpg_query gives them.
//
// A Node is a kind and a list of named fields, so every statement of PostgreSQL's grammar has a
// tree, whether or not this engine executes it; a reader can go from node->node("whereClause") to
// parsenodes.h. Fields that are zero, false or empty are absent, as in libpg_query's JSON, and read
// as zero, false or empty here. Nodes live in the arena of their ParsedQuery and never change.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cofork {

/// The kinds the engine tells apart. kPlain: an object whose kind its field implies (the TypeName
/// in "typeName", the SelectStmt in "larg"). kOther: a kind the engine does not know.
enum class NodeKind : uint8_t {
  kPlain,
  kOther,
  kAArrayExpr,
  kAConst,
  kAExpr,
  kAIndices,
  kAIndirection,
  kAStar,
  kAlterSystemStmt,
  kBitString,
  kBoolExpr,
  kBoolean,
  kBooleanTest,
  kCaseExpr,
  kCaseWhen,
  kCheckPointStmt,
  kClosePortalStmt,
  kCoalesceExpr,
  kCollateClause,
  kColumnRef,
  kCommonTableExpr,
  kDeallocateStmt,
  kDeclareCursorStmt,
  kDefElem,
  kDiscardStmt,
  kExecuteStmt,
  kExplainStmt,
  kFetchStmt,
  kFloat,
  kFuncCall,
  kGroupingFunc,
  kGroupingSet,
  kInteger,
  kJoinExpr,
  kList,
  kMinMaxExpr,
  kNamedArgExpr,
  kNullTest,
  kParamRef,
  kPrepareStmt,
  kRangeFunction,
  kRangeSubselect,
  kRangeVar,
  kResTarget,
  kRowExpr,
  kSelectStmt,
  kSetToDefault,
  kSortBy,
  kSqlValueFunction,
  kString,
  kSubLink,
  kTransactionStmt,
  kTypeCast,
  kTypeName,
  kVariableSetStmt,
  kVariableShowStmt,
  kWindowDef,
};

struct Field;
struct Node;
/// Items of a list; an item may be null.
using NodeList = std::span<const Node* const>;

struct Node {
  NodeKind kind = NodeKind::kPlain;
  std::string_view kind_name;  ///< "SelectStmt"; "" for kPlain
  std::span<const Field> fields;

  bool is(NodeKind k) const { return kind == k; }
  const Field* find(std::string_view name) const;
  /// Null when absent.
  const Node* node(std::string_view name) const;
  NodeList list(std::string_view name) const;
  std::string_view string(std::string_view name) const;
  int64_t number(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// Byte offset in the query string; -1 when the grammar gave none.
  int location() const { return static_cast<int>(number("location")); }
  /// The text of a String node.
  std::string_view text() const { return string("sval"); }
};

struct Field {
  enum class Type : uint8_t { kNull, kBool, kNumber, kString, kNode, kList };
  std::string_view name;
  Type type = Type::kNull;
  int64_t number = 0;
  std::string_view string;
  const Node* node = nullptr;
  NodeList list;
};

}  // namespace cofork
