// Reads libpg_query's JSON into Nodes: one pass, no recursion (a sum of 100,000 terms nests 100,000
// objects deep), names and most strings stay where they are in a copy of the JSON.
//
// The JSON is libpg_query's own output, so it is well-formed; what does not look like it raises
// XX000 rather than being guessed at.
#include <algorithm>
#include <array>
#include <charconv>

#include "sql/parser.h"
#include "support/error.h"

namespace cofork {
namespace {

struct KindName {
  std::string_view name;
  NodeKind kind;
};

// Sorted by name for the binary search below.
constexpr std::array kKindNames = {
    KindName{"A_ArrayExpr", NodeKind::kAArrayExpr},
    KindName{"A_Const", NodeKind::kAConst},
    KindName{"A_Expr", NodeKind::kAExpr},
    KindName{"A_Indices", NodeKind::kAIndices},
    KindName{"A_Indirection", NodeKind::kAIndirection},
    KindName{"A_Star", NodeKind::kAStar},
    KindName{"AlterSystemStmt", NodeKind::kAlterSystemStmt},
    KindName{"BitString", NodeKind::kBitString},
    KindName{"BoolExpr", NodeKind::kBoolExpr},
    KindName{"Boolean", NodeKind::kBoolean},
    KindName{"BooleanTest", NodeKind::kBooleanTest},
    KindName{"CaseExpr", NodeKind::kCaseExpr},
    KindName{"CaseWhen", NodeKind::kCaseWhen},
    KindName{"CheckPointStmt", NodeKind::kCheckPointStmt},
    KindName{"ClosePortalStmt", NodeKind::kClosePortalStmt},
    KindName{"CoalesceExpr", NodeKind::kCoalesceExpr},
    KindName{"CollateClause", NodeKind::kCollateClause},
    KindName{"ColumnRef", NodeKind::kColumnRef},
    KindName{"CommonTableExpr", NodeKind::kCommonTableExpr},
    KindName{"DeallocateStmt", NodeKind::kDeallocateStmt},
    KindName{"DeclareCursorStmt", NodeKind::kDeclareCursorStmt},
    KindName{"DefElem", NodeKind::kDefElem},
    KindName{"DiscardStmt", NodeKind::kDiscardStmt},
    KindName{"ExecuteStmt", NodeKind::kExecuteStmt},
    KindName{"ExplainStmt", NodeKind::kExplainStmt},
    KindName{"FetchStmt", NodeKind::kFetchStmt},
    KindName{"Float", NodeKind::kFloat},
    KindName{"FuncCall", NodeKind::kFuncCall},
    KindName{"GroupingFunc", NodeKind::kGroupingFunc},
    KindName{"GroupingSet", NodeKind::kGroupingSet},
    KindName{"Integer", NodeKind::kInteger},
    KindName{"JoinExpr", NodeKind::kJoinExpr},
    KindName{"List", NodeKind::kList},
    KindName{"MinMaxExpr", NodeKind::kMinMaxExpr},
    KindName{"NamedArgExpr", NodeKind::kNamedArgExpr},
    KindName{"NullTest", NodeKind::kNullTest},
    KindName{"ParamRef", NodeKind::kParamRef},
    KindName{"PrepareStmt", NodeKind::kPrepareStmt},
    KindName{"RangeFunction", NodeKind::kRangeFunction},
    KindName{"RangeSubselect", NodeKind::kRangeSubselect},
    KindName{"RangeVar", NodeKind::kRangeVar},
    KindName{"ResTarget", NodeKind::kResTarget},
    KindName{"RowExpr", NodeKind::kRowExpr},
    KindName{"SQLValueFunction", NodeKind::kSqlValueFunction},
    KindName{"SelectStmt", NodeKind::kSelectStmt},
    KindName{"SetToDefault", NodeKind::kSetToDefault},
    KindName{"SortBy", NodeKind::kSortBy},
    KindName{"String", NodeKind::kString},
    KindName{"SubLink", NodeKind::kSubLink},
    KindName{"TransactionStmt", NodeKind::kTransactionStmt},
    KindName{"TypeCast", NodeKind::kTypeCast},
    KindName{"TypeName", NodeKind::kTypeName},
    KindName{"VariableSetStmt", NodeKind::kVariableSetStmt},
    KindName{"VariableShowStmt", NodeKind::kVariableShowStmt},
    KindName{"WindowDef", NodeKind::kWindowDef},
};
static_assert(std::ranges::is_sorted(kKindNames, {}, &KindName::name));

NodeKind kind_of(std::string_view name) {
  auto found = std::ranges::lower_bound(kKindNames, name, {}, &KindName::name);
  return found != kKindNames.end() && found->name == name ? found->kind : NodeKind::kOther;
}

class Reader {
 public:
  Reader(std::string_view json, ParsedQuery& query)
      : arena_(query.arena), source_(query.text), at_(nullptr), end_(nullptr) {
    std::string_view copy = arena_.copy(json);
    at_ = copy.data();
    end_ = at_ + copy.size();
  }

  const Node* read() {
    Field root;
    Field* slot = &root;
    do {
      read_value(*slot);
      slot = next_slot();
    } while (slot != nullptr);
    return root_;
  }

 private:
  // An open object or array: its members so far are the tails of fields_ or items_.
  struct Open {
    bool is_array;
    size_t first;
  };

  [[noreturn]] static void malformed() {
    throw Error(sqlstate::kInternalError, "could not read the parse tree");
  }
  char peek() const {
    if (at_ == end_) malformed();
    return *at_;
  }
  void expect(char c) {
    if (peek() != c) malformed();
    ++at_;
  }

  /// Reads a scalar into `slot`, or opens an object or array.
  void read_value(Field& slot) {
    switch (peek()) {
      case '{':
      case '[':
        open_.push_back({*at_ == '[', *at_ == '[' ? items_.size() : fields_.size()});
        ++at_;
        return;
      case '"':
        slot.type = Field::Type::kString;
        slot.string = read_string();
        break;
      case 't':
      case 'f':
        slot.type = Field::Type::kBool;
        slot.number = *at_ == 't';
        at_ += *at_ == 't' ? 4 : 5;
        break;
      case 'n':
        at_ += 4;
        break;
      default: {
        slot.type = Field::Type::kNumber;
        auto [stop, failure] = std::from_chars(at_, end_, slot.number);
        if (failure != std::errc{}) malformed();
        at_ = stop;
      }
    }
    pending_scalar_ = true;
  }

  /// Closes what ends here and says where the next value goes; null when the root has closed.
  Field* next_slot() {
    for (;;) {
      Open& top = open_.back();
      char c = peek();
      bool fresh = !pending_scalar_ && !just_closed_;
      if (c == ',' && !fresh) {
        ++at_;
      } else if (c == (top.is_array ? ']' : '}')) {
        ++at_;
        if (close()) return nullptr;
        continue;
      } else if (!fresh) {
        malformed();
      }
      pending_scalar_ = just_closed_ = false;
      if (top.is_array) return &scratch_;  // arrays hold only nodes: the slot is for objects
      Field& field = fields_.emplace_back();
      if (peek() != '"') malformed();
      field.name = read_string();
      expect(':');
      return &field;
    }
  }

  /// Ends the innermost object or array and gives it to its parent; true at the root.
  bool close() {
    Open top = open_.back();
    open_.pop_back();
    pending_scalar_ = false;
    just_closed_ = true;
    if (top.is_array) {
      size_t count = items_.size() - top.first;
      auto* items = arena_.make_array<const Node*>(count);
      std::copy_n(items_.begin() + static_cast<ptrdiff_t>(top.first), count, items);
      items_.resize(top.first);
      Field& parent = fields_.back();
      parent.type = Field::Type::kList;
      parent.list = {items, count};
      return false;
    }
    const Node* node = make_node(top.first);
    fields_.resize(top.first);
    if (open_.empty()) {
      root_ = node;
      return true;
    }
    if (open_.back().is_array) {
      items_.push_back(node->kind == NodeKind::kPlain && node->fields.empty() ? nullptr : node);
    } else {
      fields_.back().type = Field::Type::kNode;
      fields_.back().node = node;
    }
    return false;
  }

  const Node* make_node(size_t first) {
    std::span<Field> fields(fields_.data() + first, fields_.size() - first);
    // {"ColumnRef": {…}} is one node, not two.
    if (fields.size() == 1 && fields[0].type == Field::Type::kNode && fields[0].name[0] >= 'A' &&
        fields[0].name[0] <= 'Z') {
      auto* inner = const_cast<Node*>(fields[0].node);
      inner->kind_name = fields[0].name;
      inner->kind = kind_of(fields[0].name);
      if (inner->kind == NodeKind::kAConst) restore_negative(*inner);
      return inner;
    }
    auto* copy = arena_.make_array<Field>(fields.size());
    std::copy(fields.begin(), fields.end(), copy);
    Node* node = arena_.make<Node>();
    node->fields = {copy, fields.size()};
    return node;
  }

  /// libpg_query 15 writes no integer constant below zero ("ival": {}). The grammar makes one only
  /// of a minus sign before a literal and gives it the sign's location, so the text has the value.
  void restore_negative(Node& constant) {
    const Node* ival = constant.node("ival");
    auto at = static_cast<size_t>(constant.location());
    if (ival == nullptr || !ival->fields.empty() || at >= source_.size() || source_[at] != '-') {
      return;
    }
    size_t digits = at;
    while (digits < source_.size() && (source_[digits] < '0' || source_[digits] > '9')) {
      digits = skip_comment(digits);
    }
    int64_t value = 0;
    std::from_chars(source_.data() + digits, source_.data() + source_.size(), value);
    auto* field = arena_.make_array<Field>(1);
    field->name = "ival";
    field->type = Field::Type::kNumber;
    field->number = -value;
    const_cast<Node*>(ival)->fields = {field, 1};
  }

  size_t skip_comment(size_t at) const {
    std::string_view rest = source_.substr(at);
    if (rest.starts_with("--")) {
      size_t line = rest.find('\n');
      return line == rest.npos ? source_.size() : at + line;
    }
    if (!rest.starts_with("/*")) return at + 1;
    size_t depth = 0;
    do {
      rest = source_.substr(at);
      bool begins = rest.starts_with("/*");
      bool ends = rest.starts_with("*/");
      depth = depth + begins - ends;
      at += begins || ends ? 2 : 1;
    } while (depth > 0 && at < source_.size());
    return at;
  }

  std::string_view read_string() {
    expect('"');
    const char* start = at_;
    while (peek() != '"' && *at_ != '\\') ++at_;
    if (*at_ == '"') return {start, static_cast<size_t>(at_++ - start)};
    // Escapes only shorten: the decoded text is written over the encoded one.
    char* to = const_cast<char*>(at_);
    while (peek() != '"') {
      if (*at_ != '\\') {
        *to++ = *at_++;
      } else {
        read_escape(to);
      }
    }
    ++at_;
    return {start, static_cast<size_t>(to - start)};
  }

  void read_escape(char*& to) {
    ++at_;
    char c = peek();
    ++at_;
    switch (c) {
      case 'b':
        *to++ = '\b';
        return;
      case 'f':
        *to++ = '\f';
        return;
      case 'n':
        *to++ = '\n';
        return;
      case 'r':
        *to++ = '\r';
        return;
      case 't':
        *to++ = '\t';
        return;
      case 'u': {
        unsigned code = 0;  // libpg_query escapes only characters below 0x80 this way
        if (end_ - at_ < 4 || std::from_chars(at_, at_ + 4, code, 16).ptr != at_ + 4) malformed();
        at_ += 4;
        *to++ = static_cast<char>(code);
        return;
      }
      default:
        *to++ = c;
    }
  }

  Arena& arena_;
  std::string_view source_;
  const char* at_;
  const char* end_;
  std::vector<Field> fields_;
  std::vector<const Node*> items_;
  std::vector<Open> open_;
  Field scratch_;
  bool pending_scalar_ = false;
  bool just_closed_ = false;
  const Node* root_ = nullptr;
};

}  // namespace

void read_parse_tree(std::string_view json, ParsedQuery& query) {
  const Node* root = Reader(json, query).read();
  for (const Node* raw : root->list("stmts")) {
    const Node* statement = raw == nullptr ? nullptr : raw->node("stmt");
    if (statement == nullptr) continue;
    int start = static_cast<int>(raw->number("stmt_location"));
    int length = static_cast<int>(raw->number("stmt_len"));
    if (length == 0) length = static_cast<int>(query.text.size()) - start;
    query.statements.push_back({statement, start, length, command_tag_of(*statement)});
  }
}

}  // namespace cofork
