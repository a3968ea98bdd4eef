// Functions that act on the server: signals, sleeping, reloading (signalfuncs.c, misc.c), and
// cofork_crash(), which breaks the task that calls it in a way of your choice.
#include <cmath>
#include <csignal>
#include <cstdlib>

#include "catalog/functions/wrap.h"
#include "catalog/names.h"
#include "io/durable.h"
#include "log/log.h"
#include "model/model.h"
#include "settings/server_settings.h"
#include "settings/settings.h"
#include "shmem/backend_status.h"
#include "shmem/pm_signal.h"
#include "shmem/proc_array.h"
#include "shmem/stats.h"
#include "shmem/task_table.h"
#include "sql/functions/session_functions.h"
#include "sql/session.h"
#include "support/error.h"

namespace cofork {
namespace {

using namespace type_oid;

// --- signals

void warn(std::string message) {
  ErrorData data;
  data.severity = Severity::kWarning;
  data.sqlstate = sqlstate::kWarning;
  data.message = std::move(message);
  report(data);
}

/// Sends `signo` to a backend the caller may signal; `verb` is for the complaint otherwise.
bool signal_backend(Session& session, int32_t pid, int signo, std::string_view verb) {
  int32_t number = proc_of_backend(pid);
  if (number == kNoProc) {
    warn(fmt::format("PID {} is not a PostgreSQL backend process", pid));
    return false;
  }
  uint32_t role = my().procs[number].role_id.load(std::memory_order_relaxed);
  if (!session.is_superuser && role != session.current_user_oid) {
    throw Error(sqlstate::kInsufficientPrivilege,
                "must be a member of the role whose {} or member of pg_signal_backend", verb);
  }
  if (int error = session.task.model().kill(pid, signo); error != 0) {
    warn(fmt::format("could not send signal to process {}: {}", pid, errno_text(-error)));
    return false;
  }
  return true;
}

bool cancel_backend(EvalContext& context, int32_t pid) {
  return signal_backend(*context.session, pid, SIGINT, "query is being canceled");
}

/// Sleeps a moment on the latch; interrupts are served.
void wait_ms(Session& session, int64_t milliseconds, WaitEventId event) {
  wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, milliseconds, event);
  reset_latch(session.task.latch());
  session.task.check_interrupts();
}

bool terminate_backend(EvalContext& context, int32_t pid, int64_t timeout_ms) {
  if (timeout_ms < 0) {
    throw Error(sqlstate::kNumericValueOutOfRange, "\"timeout\" must not be negative");
  }
  Session& session = *context.session;
  if (!signal_backend(session, pid, SIGTERM, "process is being terminated")) return false;
  if (timeout_ms == 0) return true;
  int64_t deadline_ns = session.task.os().clock.monotonic_ns() + timeout_ms * 1'000'000;
  while (session.task.model().kill(pid, 0) == 0) {
    int64_t left_ms = (deadline_ns - session.task.os().clock.monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) {
      warn(fmt::format("backend with PID {} did not terminate within {} milliseconds", pid,
                       timeout_ms));
      return false;
    }
    wait_ms(session, std::min<int64_t>(left_ms, 100), WaitEventId::kBackendTermination);
  }
  return true;
}

void require_superuser(const EvalContext& context, std::string_view function) {
  if (context.session->is_superuser) return;
  throw Error(sqlstate::kInsufficientPrivilege, "permission denied for function {}", function);
}

bool reload_conf(EvalContext& context) {
  require_superuser(context, "pg_reload_conf");
  Pid postmaster = shared_memory().header().creator;
  if (context.session->task.model().kill(postmaster, SIGHUP) == 0) return true;
  warn("failed to send signal to postmaster");
  return false;
}

/// The postmaster's row keeps the time through every crash cycle, in both models.
int64_t postmaster_start_time(EvalContext&) {
  return shared_memory().area<TaskTable>().rows()[kPostmasterRow].started_at.load(
      std::memory_order_relaxed);
}

int64_t conf_load_time(EvalContext&) {
  constexpr int64_t kEpochUs = 946'684'800'000'000;
  return settings().server().loaded_at_us() - kEpochUs;
}

bool rotate_logfile(EvalContext& context) {
  require_superuser(context, "pg_rotate_logfile");
  if (!settings().get(setting::kLoggingCollector)) {
    warn("rotation not possible because log collection not active");
    return false;
  }
  send_postmaster_signal(PmSignal::kRotateLogfile);
  return true;
}

constexpr const char* kCurrentLogfiles = "current_logfiles";

/// The file the logger writes now: in the given format, or in the first one there is.
Datum current_logfile(FunctionCall& call) {
  require_superuser(call.context, "pg_current_logfile");
  std::string_view format;
  if (call.count > 0 && !call.nulls[0]) format = varlena_view(call.args[0]);
  bool any = call.count == 0 || call.nulls[0];
  if (!any && format != "stderr" && format != "csvlog" && format != "jsonlog") {
    throw Error(sqlstate::kInvalidParameterValue, "log format \"{}\" is not supported", format)
        .hint("The supported log formats are \"stderr\", \"csvlog\", and \"jsonlog\".");
  }
  // Lines "FORMAT PATH". The file is there only while there is a logger.
  struct stat st;
  std::string all;
  if (call.context.session->task.os().files.stat(kCurrentLogfiles, st) == 0) {
    all = read_whole_file(kCurrentLogfiles, WaitEventId::kDataFileRead);
  }
  for (std::string_view left = all; !left.empty();) {
    std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    size_t space = line.find(' ');
    if (space == line.npos) continue;
    if (any || line.substr(0, space) == format) {
      return varlena_from(call.arena(), line.substr(space + 1));
    }
  }
  return call.null();
}

// --- sleeping

void sleep_seconds(Session& session, double seconds) {
  int64_t start_ns = session.task.os().clock.monotonic_ns();
  for (;;) {
    session.task.check_interrupts();
    double passed = static_cast<double>(session.task.os().clock.monotonic_ns() - start_ns) / 1e9;
    double left = seconds - passed;
    if (!(left > 0)) return;
    // At most ten minutes at a time, so that no length of sleep overflows anything.
    auto milliseconds = static_cast<int64_t>(std::ceil(std::min(left, 600.0) * 1000.0));
    wait_latch(kWaitLatch | kWaitTimeout | kWaitExitOnPostmasterDeath, milliseconds,
               WaitEventId::kPgSleep);
    reset_latch(session.task.latch());
  }
}

Datum pg_sleep(FunctionCall& call) {
  sleep_seconds(*call.context.session, datum_to_float8(call.args[0]));
  return 0;
}

Datum pg_sleep_for(FunctionCall& call) {
  const char* interval = datum_to_pointer(call.args[0]);
  auto microseconds = load_le<int64_t>(interval);
  auto days = load_le<int32_t>(interval + 8);
  auto months = load_le<int32_t>(interval + 12);
  double seconds = static_cast<double>(microseconds) / 1e6 + days * 86400.0 + months * 30 * 86400.0;
  sleep_seconds(*call.context.session, seconds);
  return 0;
}

Datum pg_sleep_until(FunctionCall& call) {
  int64_t until = datum_to_int64(call.args[0]);
  double seconds = static_cast<double>(until - now_timestamp()) / 1e6;
  sleep_seconds(*call.context.session, seconds);
  return 0;
}

// --- crashing

/// Recurses until the stack ends. The frame must be used after the call, or it would be a loop.
[[gnu::noinline]] int overflow_stack(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  if (depth < 0) return 0;  // never; it only keeps the compiler from seeing that there is no end
  return overflow_stack(depth + 1) + frame[0];
}

/// The undefined behaviour is the point of it: no sanitizer shall report it before the kernel does.
[[gnu::noinline, gnu::no_sanitize("undefined", "address", "thread")]] void store_to_null() {
  volatile int* volatile nowhere = nullptr;  // twice volatile, or the store is optimised away
  *nowhere = 1;
}

Datum crash(FunctionCall& call) {
  require_superuser(call.context, "cofork_crash");
  std::string_view how = varlena_view(call.args[0]);
  if (how == "segv") {
    store_to_null();
  } else if (how == "stack") {
    return datum_from_int32(overflow_stack(0));
  } else if (how == "abort") {
    std::abort();
  } else if (how == "panic") {
    throw Error(sqlstate::kInternalError, "cofork_crash() was asked to panic")
        .severity(Severity::kPanic);
  }
  throw Error(sqlstate::kInvalidParameterValue, "unrecognized way to crash: \"{}\"", how)
      .hint("Available ways: segv, stack, abort, panic.");
}

// --- statistics

Datum force_next_flush(FunctionCall&) {
  report_stats(true);
  return 0;
}

Datum reset_statistics(FunctionCall& call) {
  require_superuser(call.context, "pg_stat_reset");
  reset_database_stats(my_database());
  return 0;
}

Datum reset_shared_statistics(FunctionCall& call) {
  require_superuser(call.context, "pg_stat_reset_shared");
  std::string_view target = varlena_view(call.args[0]);
  if (target == "bgwriter") {
    reset_checkpointer_stats();
  } else if (target == "wal") {
    reset_wal_stats();
  } else if (target != "archiver" && target != "recovery_prefetch") {  // nobody counts there
    throw Error(sqlstate::kInvalidParameterValue, "unrecognized reset target: \"{}\"", target)
        .hint("Target must be \"archiver\", \"bgwriter\", \"recovery_prefetch\", or \"wal\".");
  }
  return 0;
}

constexpr Datum kNoTimeout[] = {0};
constexpr const char* kTerminateNames[] = {"pid", "timeout"};

constexpr BuiltinFunction kAdminFunctions[] = {
    BuiltinFunction{2171, "pg_cancel_backend", kBool, {kInt4}, fn<cancel_backend>}.changing(),
    BuiltinFunction{2096, "pg_terminate_backend", kBool, {kInt4, kInt8}, fn<terminate_backend>}
        .changing()
        .named(kTerminateNames)
        .defaulting(kNoTimeout),
    BuiltinFunction{2621, "pg_reload_conf", kBool, {}, fn<reload_conf>}.changing(),
    BuiltinFunction{2622, "pg_rotate_logfile", kBool, {}, fn<rotate_logfile>}.changing(),
    BuiltinFunction{2560, "pg_postmaster_start_time", kTimestampTz, {}, fn<postmaster_start_time>}
        .stable(),
    BuiltinFunction{2034, "pg_conf_load_time", kTimestampTz, {}, fn<conf_load_time>}.stable(),
    BuiltinFunction{3800, "pg_current_logfile", kText, {}, current_logfile}.on_null().changing(),
    BuiltinFunction{3801, "pg_current_logfile", kText, {kText}, current_logfile}
        .on_null()
        .changing(),
    BuiltinFunction{2626, "pg_sleep", kVoid, {kFloat8}, pg_sleep}.changing(),
    BuiltinFunction{3935, "pg_sleep_for", kVoid, {kInterval}, pg_sleep_for}.changing(),
    BuiltinFunction{3936, "pg_sleep_until", kVoid, {kTimestampTz}, pg_sleep_until}.changing(),
    BuiltinFunction{2137, "pg_stat_force_next_flush", kVoid, {}, force_next_flush}.changing(),
    BuiltinFunction{2274, "pg_stat_reset", kVoid, {}, reset_statistics}.changing(),
    BuiltinFunction{3775, "pg_stat_reset_shared", kVoid, {kText}, reset_shared_statistics}
        .changing(),
    BuiltinFunction{8901, "cofork_crash", kVoid, {kText}, crash}.changing(),
};

}  // namespace

std::span<const BuiltinFunction> admin_functions() {
  return kAdminFunctions;
}

}  // namespace cofork
