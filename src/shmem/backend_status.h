// Backend status: what each task does right now, for pg_stat_activity (as backend_status.c, 15).
//
// Only the owner writes its entry, and nobody locks: `change_count` is odd while it writes. A
// reader copies the entry and keeps the copy only if the count was the same even number before and
// after. The texts (application name, host name, statement) stand in areas of their own, as in
// PostgreSQL.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/os.h"
#include "shmem/backend_type.h"
#include "shmem/proc.h"

namespace cofork {

enum class BackendState : uint8_t {
  kUndefined,
  kIdle,
  kRunning,
  kIdleInTransaction,
  kFastpath,
  kIdleInTransactionAborted,
  kDisabled,  ///< track_activities is off
};
/// "active", "idle in transaction" …; null for kUndefined.
const char* backend_state_name(BackendState state);

/// Fields of one entry. Times are microseconds since 2000-01-01 UTC, 0 = none; oids 0 = none.
struct BackendStatusFields {
  Pid pid;  ///< 0: free
  int32_t proc_number;
  BackendType type;
  BackendState state;
  bool has_client;  ///< client_addr and client_port mean something
  PeerAddress::Family client_family;
  uint16_t client_port;
  uint8_t client_address[16];
  uint32_t database_id;
  uint32_t role_id;
  uint64_t query_id;
  int64_t backend_start;
  int64_t transaction_start;
  int64_t query_start;
  int64_t state_change;
  char worker_type[96];  ///< bgw_type of a background worker
};

struct alignas(kAreaAlignment) BackendStatus {
  std::atomic<uint32_t> change_count;
  BackendStatusFields fields;
};

struct BackendStatusArray {
  static constexpr Area kArea = Area::kBackendStatus;
  static constexpr const char* kName = "Backend Status Array";
  static size_t size(const Limits& limits);
  static void init(void*, const Limits&) {}
  BackendStatus* slots() { return reinterpret_cast<BackendStatus*>(this); }
};

inline constexpr size_t kStatusNameBytes = 64;  ///< NAMEDATALEN, with the final zero

/// The texts: one fixed-size row a slot.
template <Area area, size_t row_bytes_fixed>
struct StatusText {
  static constexpr Area kArea = area;
  static const char* const kName;
  static size_t row_bytes(const Limits& limits) {
    return row_bytes_fixed != 0 ? row_bytes_fixed
                                : static_cast<size_t>(limits.track_activity_query_size);
  }
  static size_t size(const Limits& limits) { return row_bytes(limits) * limits.status_slots(); }
  static void init(void*, const Limits&) {}
  char* row(int32_t slot, const Limits& limits) {
    return reinterpret_cast<char*>(this) + row_bytes(limits) * slot;
  }
};
using StatusApplicationName = StatusText<Area::kBackendApplicationName, kStatusNameBytes>;
using StatusClientHostname = StatusText<Area::kBackendClientHostname, kStatusNameBytes>;
using StatusActivity = StatusText<Area::kBackendActivity, 0>;
template <>
inline constexpr const char* StatusApplicationName::kName = "Backend Application Name Buffer";
template <>
inline constexpr const char* StatusClientHostname::kName = "Backend Client Host Name Buffer";
template <>
inline constexpr const char* StatusActivity::kName = "Backend Activity Buffer";

/// Microseconds since 2000-01-01 UTC, the time of all timestamps here (GetCurrentTimestamp).
int64_t now_timestamp();
/// The same instant from and to Unix time in microseconds.
inline constexpr int64_t kPostgresEpochUs = 946'684'800'000'000;

// --- the owner

/// How a task introduces itself (pgstat_bestart).
struct StatusIntroduction {
  BackendType type;
  int64_t backend_start = 0;            ///< 0: now
  const PeerAddress* client = nullptr;  ///< null: no client (address columns are NULL)
  std::string_view client_hostname;
  std::string_view application_name;
  std::string_view worker_type;  ///< background workers
  uint32_t database_id = 0;
  uint32_t role_id = 0;
};
/// Makes the task's row visible; it vanishes by an exit callback. May be called again when more
/// is known (database and role after authentication).
void status_begin(const StatusIntroduction& who);

/// Beginning or end of a statement: the row's state and times, and its text
/// (pgstat_report_activity). `statement` is shown while `state` is kRunning or kFastpath; in any
/// other state the last one stays. `statement_start` 0: now. `tracked` is track_activities: when
/// off the row says "disabled". Also charges active and idle-in-transaction time to the database's
/// statistics.
void report_activity(BackendState state, std::string_view statement, bool tracked = true,
                     int64_t statement_start = 0);
void report_application_name(std::string_view name);
void report_transaction_start(int64_t timestamp);  ///< 0: no transaction
void report_query_id(uint64_t query_id);

// --- readers

struct StatusRow {
  int32_t slot;
  BackendStatusFields fields;
  std::string application_name;
  std::string client_hostname;
  std::string activity;  ///< clipped at a character, not in the middle of one
  // From the Proc, as it was a moment later.
  uint32_t wait_event_info = 0;
  TransactionId xid = 0;
  TransactionId xmin = 0;
};

/// A consistent copy of every row in use, in slot order (pgstat_read_current_status). A statement
/// takes one and looks at it as often as it likes.
std::vector<StatusRow> read_backend_status();

}  // namespace cofork
