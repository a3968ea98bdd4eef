// Spelling names, and choosing those that nobody has given (makeObjectName, ChooseRelationName in
// indexcmds.c; quote_literal in ruleutils.c, 15). See names.h.
#include <algorithm>

#include "catalog/catalog_table.h"
#include "catalog/names.h"
#include "catalog/system/pg_constraint.h"
#include "types/text.h"

namespace cofork {

std::string qualified_name(std::string_view schema, std::string_view name) {
  if (schema.empty()) return quote_identifier(name);
  return quote_identifier(schema) + "." + quote_identifier(name);
}

std::string quote_literal(std::string_view text) {
  std::string out = text.find('\\') != std::string_view::npos ? "E'" : "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

namespace {

/// At most `bytes`, no character cut in two.
size_t clipped(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text.size();
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return bytes;
}

}  // namespace

std::string truncate_name(std::string name) {
  name.resize(clipped(name, kNameBytes - 1));
  return name;
}

std::string make_object_name(std::string_view first, std::string_view second,
                             std::string_view label) {
  size_t overhead = (second.empty() ? 0 : 1) + (label.empty() ? 0 : label.size() + 1);
  size_t room = kNameBytes - 1 - overhead;
  // The longer of the two gives way.
  size_t first_bytes = first.size(), second_bytes = second.size();
  while (first_bytes + second_bytes > room) {
    if (first_bytes > second_bytes) {
      --first_bytes;
    } else {
      --second_bytes;
    }
  }
  std::string name(first.substr(0, clipped(first, first_bytes)));
  if (!second.empty()) {
    name += '_';
    name += second.substr(0, clipped(second, second_bytes));
  }
  if (!label.empty()) {
    name += '_';
    name += label;
  }
  return name;
}

namespace {

bool constraint_exists(Oid schema, const std::string& name) {
  return CatalogScan(pg_constraint::kCatalog, pg_constraint::kConnameNspIndex,
                     {key_of(name), key_of(schema)})
      .next();
}

}  // namespace

std::string choose_relation_name(std::string_view first, std::string_view second,
                                 std::string_view label, Oid schema, bool constraint) {
  std::string numbered(label);
  for (int pass = 1;; ++pass) {
    std::string name = make_object_name(first, second, numbered);
    if (find_relation_in(schema, name) == kInvalidOid &&
        !(constraint && constraint_exists(schema, name))) {
      return name;
    }
    numbered = fmt::format("{}{}", label, pass);
  }
}

}  // namespace cofork
