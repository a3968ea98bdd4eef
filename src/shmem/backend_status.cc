// See backend_status.h.
#include "shmem/backend_status.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "os/shared_bytes.h"

namespace cofork {

namespace {

BackendStatus& status_of(int32_t slot) {
  return shared_memory().area<BackendStatusArray>().slots()[slot];
}
BackendStatus& my_status() {
  return status_of(my().status_slot);
}

/// Fills a fixed row with a text and its final zero; what does not fit is cut at a byte. Readers
/// cut at a character.
template <typename Text>
void write_text(int32_t slot, std::string_view text) {
  const Limits& limits = shared_memory().limits();
  char* row = shared_memory().area<Text>().row(slot, limits);
  size_t length = std::min(text.size(), Text::row_bytes(limits) - 1);
  copy_to_shared(row, text.data(), length);
  shared_store(row[length], '\0');
}

template <typename Text>
void read_text(int32_t slot, std::vector<char>& buffer) {
  const Limits& limits = shared_memory().limits();
  buffer.resize(Text::row_bytes(limits));
  copy_from_shared(buffer.data(), shared_memory().area<Text>().row(slot, limits), buffer.size());
}

/// Text up to the zero, without a UTF-8 character that was cut at the end.
std::string clipped(const std::vector<char>& buffer) {
  size_t length = strnlen(buffer.data(), buffer.size() - 1);
  if (length == buffer.size() - 1) {
    size_t start = length;
    while (start > 0 && length - start < 4 && (buffer[start - 1] & 0xc0) == 0x80) --start;
    if (start > 0) {
      auto lead = static_cast<unsigned char>(buffer[start - 1]);
      size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
      if (length - (start - 1) < wanted) length = start - 1;
    }
  }
  return {buffer.data(), length};
}

void leave(Task&, int) {
  BackendStatus& status = my_status();
  SharedChange change(status.change_count);
  shared_store(status.fields.pid, Pid{0});
}

/// What the time since the last change of state counts as (pg_stat_database).
void charge_time(BackendState before, int64_t elapsed_us) {
  PendingStats& stats = my().stats;
  if (before == BackendState::kRunning || before == BackendState::kFastpath) {
    stats.active_time_us += elapsed_us;
  } else if (before == BackendState::kIdleInTransaction ||
             before == BackendState::kIdleInTransactionAborted) {
    stats.idle_in_transaction_time_us += elapsed_us;
  }
}

}  // namespace

const char* backend_state_name(BackendState state) {
  switch (state) {
    case BackendState::kUndefined:
      return nullptr;
    case BackendState::kIdle:
      return "idle";
    case BackendState::kRunning:
      return "active";
    case BackendState::kIdleInTransaction:
      return "idle in transaction";
    case BackendState::kFastpath:
      return "fastpath function call";
    case BackendState::kIdleInTransactionAborted:
      return "idle in transaction (aborted)";
    case BackendState::kDisabled:
      return "disabled";
  }
  return nullptr;
}

int64_t now_timestamp() {
  return this_task().os().clock.realtime_us() - kPostgresEpochUs;
}

size_t BackendStatusArray::size(const Limits& limits) {
  return sizeof(BackendStatus) * static_cast<size_t>(limits.status_slots());
}

// --- the owner

void status_begin(const StatusIntroduction& who) {
  Task& task = this_task();
  MyProc& me = my();
  BackendStatus& status = my_status();
  BackendStatusFields fields{};
  bool first_time = status.fields.pid != task.pid();
  fields.pid = task.pid();
  fields.proc_number = me.number;
  fields.type = who.type;
  fields.backend_start = who.backend_start != 0 ? who.backend_start : now_timestamp();
  fields.database_id = who.database_id;
  fields.role_id = who.role_id;
  if (who.client != nullptr) {
    fields.has_client = true;
    fields.client_family = who.client->family;
    fields.client_port = who.client->port;
    std::memcpy(fields.client_address, who.client->bytes, sizeof fields.client_address);
  }
  who.worker_type.copy(fields.worker_type, sizeof fields.worker_type - 1);
  {
    SharedChange change(status.change_count);
    copy_to_shared(reinterpret_cast<char*>(&status.fields), reinterpret_cast<const char*>(&fields),
                   sizeof fields);
    write_text<StatusApplicationName>(me.status_slot, who.application_name);
    write_text<StatusClientHostname>(me.status_slot, who.client_hostname);
    write_text<StatusActivity>(me.status_slot, "");
  }
  me.proc->database_id.store(who.database_id, std::memory_order_relaxed);
  me.proc->role_id.store(who.role_id, std::memory_order_relaxed);
  if (first_time) task.on_shmem_exit(leave);
}

void report_activity(BackendState state, std::string_view statement, bool tracked,
                     int64_t statement_start) {
  MyProc& me = my();
  BackendStatus& status = my_status();
  BackendStatusFields& fields = status.fields;
  if (!tracked) {
    if (fields.state == BackendState::kDisabled) return;
    SharedChange change(status.change_count);
    shared_store(fields.state, BackendState::kDisabled);
    shared_store(fields.state_change, int64_t{0});
    shared_store(fields.query_start, int64_t{0});
    shared_store(fields.transaction_start, int64_t{0});
    shared_store(fields.query_id, uint64_t{0});
    write_text<StatusActivity>(me.status_slot, "");
    return;
  }
  int64_t now = now_timestamp();
  if (fields.state != state && fields.state_change != 0) {
    charge_time(fields.state, now - fields.state_change);
  }
  bool shows_statement = state == BackendState::kRunning || state == BackendState::kFastpath;
  SharedChange change(status.change_count);
  shared_store(fields.state, state);
  shared_store(fields.state_change, now);
  if (shows_statement) {
    shared_store(fields.query_id, uint64_t{0});
    shared_store(fields.query_start, statement_start != 0 ? statement_start : now);
    write_text<StatusActivity>(me.status_slot, statement);
  }
}

void report_application_name(std::string_view name) {
  SharedChange change(my_status().change_count);
  write_text<StatusApplicationName>(my().status_slot, name);
}

void report_transaction_start(int64_t timestamp) {
  BackendStatus& status = my_status();
  SharedChange change(status.change_count);
  shared_store(status.fields.transaction_start, timestamp);
}

void report_query_id(uint64_t query_id) {
  BackendStatus& status = my_status();
  SharedChange change(status.change_count);
  shared_store(status.fields.query_id, query_id);
}

// --- readers

std::vector<StatusRow> read_backend_status() {
  std::vector<StatusRow> rows;
  Proc* procs = all_procs();
  std::vector<char> application_name, hostname, activity;
  int32_t count = shared_memory().limits().status_slots();
  for (int32_t slot = 0; slot < count; ++slot) {
    BackendStatus& status = status_of(slot);
    if (shared_load(status.fields.pid) == 0) continue;
    BackendStatusFields fields;
    bool consistent = read_consistently(status.change_count, [&] {
      copy_from_shared(reinterpret_cast<char*>(&fields), reinterpret_cast<char*>(&status.fields),
                       sizeof fields);
      read_text<StatusApplicationName>(slot, application_name);
      read_text<StatusClientHostname>(slot, hostname);
      read_text<StatusActivity>(slot, activity);
    });
    if (!consistent || fields.pid == 0) continue;
    StatusRow& row = rows.emplace_back();
    row.slot = slot;
    row.fields = fields;
    row.application_name = clipped(application_name);
    row.client_hostname = clipped(hostname);
    row.activity = clipped(activity);
    Proc& proc = procs[fields.proc_number];
    if (proc.pid.load(std::memory_order_acquire) == fields.pid) {
      row.wait_event_info = proc.wait_event_info.load(std::memory_order_relaxed);
      row.xid = proc.xid.load(std::memory_order_relaxed);
      row.xmin = proc.xmin.load(std::memory_order_relaxed);
    }
    this_task().check_interrupts();
  }
  return rows;
}

}  // namespace cofork
