// Built-in views: relations whose rows are made when they are read (pg_stat_activity …). A view is
// one file: a table of columns and a function that emits rows; catalog/views/views.cc lists them.
#pragma once

#include <span>
#include <string_view>

#include "catalog/builtin.h"

namespace cofork {

struct ViewColumn {
  const char* name;
  Oid type;
};

/// Takes the rows of a view one by one. Values are in the order of the view's columns and need to
/// live only during the call: the scan keeps a copy.
class ViewSink {
 public:
  virtual void row(const Datum* values, const bool* nulls) = 0;

 protected:
  ~ViewSink() = default;
};

/// Who looks: some views show others' rows to superusers only.
struct Viewer {
  Oid role = kInvalidOid;
  bool is_superuser = false;
};

struct BuiltinView {
  Oid oid;
  const char* name;
  std::span<const ViewColumn> columns;
  /// Emits all rows. May wait (locks, interrupts) between rows; results go to context.arena.
  void (*emit)(EvalContext& context, const Viewer& viewer, ViewSink& sink);
  /// False: 42501 "permission denied for table NAME" unless the viewer is a superuser.
  bool is_public = true;
};

/// Null when there is no such view. `schema` may be empty (the search path) or "pg_catalog".
const BuiltinView* find_view(std::string_view schema, std::string_view name);
const BuiltinView* find_view(Oid oid);
std::span<const BuiltinView* const> all_views();

/// Builds one row by setting columns in order: row.text(name).int4(pid).null(); sink.row(row).
class ViewRow {
 public:
  explicit ViewRow(Arena& arena) : arena_(arena) {}
  ViewRow& null() { return put(0, true); }
  ViewRow& boolean(bool v) { return put(datum_from_bool(v)); }
  ViewRow& int4(int32_t v) { return put(datum_from_int32(v)); }
  ViewRow& int8(int64_t v) { return put(datum_from_int64(v)); }
  ViewRow& oid(Oid v) { return put(datum_from_oid(v)); }
  ViewRow& oid_or_null(Oid v) { return put(v, v == kInvalidOid); }
  ViewRow& float8(double v) { return put(datum_from_float8(v)); }
  ViewRow& text(std::string_view v) { return put(varlena_from(arena_, v)); }
  ViewRow& text_or_null(std::string_view v) { return v.empty() ? null() : text(v); }
  ViewRow& name(std::string_view v);
  /// Microseconds since 2000-01-01 UTC; 0 is NULL.
  ViewRow& timestamptz(int64_t v) { return put(datum_from_int64(v), v == 0); }
  ViewRow& character(char v) { return put(datum_from_char(v)); }
  ViewRow& int2(int16_t v) { return put(datum_from_int16(v)); }
  ViewRow& datum(Datum v) { return put(v); }
  /// Gives the row to `sink` and starts the next one.
  void emit(ViewSink& sink) {
    sink.row(values_, nulls_);
    count_ = 0;
  }
  int count() const { return count_; }

 private:
  static constexpr int kMaxColumns = 40;
  ViewRow& put(Datum v, bool is_null = false) {
    values_[count_] = v;
    nulls_[count_++] = is_null;
    return *this;
  }
  Arena& arena_;
  Datum values_[kMaxColumns];
  bool nulls_[kMaxColumns];
  int count_ = 0;
};

}  // namespace cofork
