// pg_stat_get_activity(pid): what pg_stat_activity shows, by the names and in the order of the
// function beneath PostgreSQL's view (pg_stat_get_activity in pgstatfuncs.c, 15).
#include <algorithm>
#include <vector>

#include "catalog/views/view.h"
#include "sql/functions/session_functions.h"
#include "sql/session.h"

namespace cofork {
namespace {

using namespace type_oid;

struct ActivityColumn {
  const char* name;
  Oid type;
  const char* in_view;  ///< null: about encryption, which no connection here has
};

constexpr ActivityColumn kColumns[] = {
    {"datid", kOid, "datid"},
    {"pid", kInt4, "pid"},
    {"usesysid", kOid, "usesysid"},
    {"application_name", kText, "application_name"},
    {"state", kText, "state"},
    {"query", kText, "query"},
    {"wait_event_type", kText, "wait_event_type"},
    {"wait_event", kText, "wait_event"},
    {"xact_start", kTimestampTz, "xact_start"},
    {"query_start", kTimestampTz, "query_start"},
    {"backend_start", kTimestampTz, "backend_start"},
    {"state_change", kTimestampTz, "state_change"},
    {"client_addr", kInet, "client_addr"},
    {"client_hostname", kText, "client_hostname"},
    {"client_port", kInt4, "client_port"},
    {"backend_xid", kXid, "backend_xid"},
    {"backend_xmin", kXid, "backend_xmin"},
    {"backend_type", kText, "backend_type"},
    {"ssl", kBool, nullptr},
    {"sslversion", kText, nullptr},
    {"sslcipher", kText, nullptr},
    {"sslbits", kInt4, nullptr},
    {"ssl_client_dn", kText, nullptr},
    {"ssl_client_serial", kNumeric, nullptr},
    {"ssl_issuer_dn", kText, nullptr},
    {"gss_auth", kBool, nullptr},
    {"gss_princ", kText, nullptr},
    {"gss_enc", kBool, nullptr},
    {"leader_pid", kInt4, "leader_pid"},
    {"query_id", kInt8, "query_id"},
};
constexpr size_t kColumnCount = std::size(kColumns);

struct Names {
  const char* of[kColumnCount];
};
constexpr Names kNames = [] {
  Names names{};
  for (size_t i = 0; i < kColumnCount; ++i) names.of[i] = kColumns[i].name;
  return names;
}();
struct Types {
  Oid of[kColumnCount];
};
constexpr Types kTypes = [] {
  Types types{};
  for (size_t i = 0; i < kColumnCount; ++i) types.of[i] = kColumns[i].type;
  return types;
}();

/// The rows of a scan, made when it begins.
struct Rows {
  struct Row {
    Datum values[kColumnCount];
    bool nulls[kColumnCount];
    Row* next;
  };
  Row* first = nullptr;
  Row** end = &first;
};

/// Takes rows of the view and keeps them in the function's order.
class Rearranger final : public ViewSink {
 public:
  Rearranger(const BuiltinView& view, Arena& arena, Rows& rows)
      : view_(view), arena_(arena), rows_(rows) {
    for (size_t i = 0; i < kColumnCount; ++i) {
      if (kColumns[i].in_view != nullptr) from_[i] = column(kColumns[i].in_view);
    }
    pid_ = column("pid");
    type_ = column("backend_type");
  }
  void want(std::optional<int32_t> pid) { wanted_ = pid; }

  void row(const Datum* values, const bool* nulls) override {
    if (wanted_ && datum_to_int32(values[pid_]) != *wanted_) return;
    auto* row = arena_.make<Rows::Row>();
    bool hidden = nulls[type_];  // somebody else's row: not even whether it is encrypted
    for (size_t i = 0; i < kColumnCount; ++i) {
      if (kColumns[i].in_view == nullptr) {
        row->nulls[i] = kColumns[i].type != kBool || hidden;
        continue;
      }
      size_t at = from_[i];
      row->nulls[i] = nulls[at];
      if (!nulls[at]) row->values[i] = copy_datum(*find_type(kColumns[i].type), values[at], arena_);
    }
    *rows_.end = row;
    rows_.end = &row->next;
  }

 private:
  size_t column(std::string_view name) const {
    auto at = std::ranges::find(view_.columns, name,
                                [](const ViewColumn& c) { return std::string_view(c.name); });
    return static_cast<size_t>(at - view_.columns.begin());
  }

  const BuiltinView& view_;
  Arena& arena_;
  Rows& rows_;
  size_t from_[kColumnCount] = {};
  size_t pid_ = 0, type_ = 0;
  std::optional<int32_t> wanted_;  ///< nothing: all
};

bool get_activity(SetCall& set) {
  auto* rows = static_cast<Rows*>(set.state);
  if (rows == nullptr) {
    rows = set.state_arena.make<Rows>();
    rows->end = &rows->first;
    set.state = rows;
    const BuiltinView& view = *find_view("pg_catalog", "pg_stat_activity");
    Rearranger sink(view, set.state_arena, *rows);
    if (!set.call.nulls[0]) sink.want(datum_to_int32(set.call.args[0]));
    const Session& session = *set.call.context.session;
    view.emit(set.call.context, {session.current_user_oid, session.is_superuser}, sink);
  }
  const Rows::Row* row = rows->first;
  if (row == nullptr) return false;
  std::ranges::copy(row->values, set.values);
  std::ranges::copy(row->nulls, set.nulls);
  rows->first = row->next;
  return true;
}

constexpr BuiltinFunction kActivityFunctions[] = {
    BuiltinFunction{2022, "pg_stat_get_activity", kRecord, {kInt4}, nullptr, get_activity}
        .on_null()
        .stable()
        .returning(kNames.of, kTypes.of),
};

}  // namespace

std::span<const BuiltinFunction> activity_functions() {
  return kActivityFunctions;
}

}  // namespace cofork
