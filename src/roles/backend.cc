// The client backend's birth, the order of its steps, and its death. See client_backend.h.
#include "roles/backend.h"

#include <fmt/core.h>

#include <new>
#include <utility>

#include "catalog/catalog_table.h"
#include "catalog/views/view.h"
#include "model/model.h"
#include "roles/client_backend.h"
#include "shmem/task_table.h"
#include "txn/transaction.h"
#include "wire/error_response.h"

namespace cofork {

void prepare_for_backends() {
  (void)system_shape(*system_catalogs().front());  // works out all of them
  (void)all_views();
  (void)ClientBackend::last_words();
}

void backend_main(Task& task, BackendStart start) {
  // The object outlives the stack: exit callbacks run after that has been unwound.
  auto backend = std::make_shared<ClientBackend>(task, std::move(start));
  task.on_proc_exit([backend](Task&, int) { backend->end(); });
  backend->run();
}

ClientBackend::ClientBackend(Task& task, BackendStart start)
    : task_(task),
      start_(std::move(start)),
      remote_host_(start_.peer.host()),
      settings_(settings().server()),
      inherited_settings_(task.slot<SettingsView>()),
      inherited_log_(task.slot<LogIdentity>()),
      connection_(task, start_.socket, *this),
      session_(task) {
  if (start_.peer.family != PeerAddress::Family::kUnix) {
    remote_port_ = std::to_string(start_.peer.port);
  }
  log_identity_.backend_type = backend_type_name(BackendType::kClientBackend);
  log_identity_.is_session = true;
  log_identity_.session_start_us = start_.accept_time_us;
  log_identity_.remote_host = remote_host_;
  log_identity_.remote_port = remote_port_;
  log_identity_.client = this;
  task_.set_slot(&settings_);
  task_.set_slot(&log_identity_);
  task_.set_slot(this);
}

ClientBackend::~ClientBackend() = default;

void ClientBackend::run() {
  std::optional<ErrorData> failure;
  try {
    live();
  } catch (Error& error) {
    failure = std::move(error.data());
  } catch (const std::bad_alloc&) {
    failure = Error(sqlstate::kOutOfMemory, "out of memory").data();
  }
  if (failure) die_of(std::move(*failure));
}

void ClientBackend::live() {
  if (start_.child_slot > 0) {
    enter_task_table(task_row_of_child(start_.child_slot), BackendType::kClientBackend);
  }
  install_startup_handlers();
  log_connection_received();
  if (!read_startup_packet()) return;
  title_ = title_of_session();
  title_prefix_ = title_.size();
  set_title("initializing");

  join_server();
  authenticate();
  // Looking up who comes is reading catalogs, as any statement does.
  my_transaction().begin({});
  check_role();
  check_database();
  my_transaction().commit();
  apply_startup_settings();
  greet();
  serve_client();
}

// Before there is a session every error ends the task, and so does FATAL at any time.
void ClientBackend::die_of(ErrorData data) {
  if (data.severity < Severity::kFatal) data.severity = Severity::kFatal;
  log_identity_.user_name = packet_.user;
  log_identity_.database_name = packet_.database;
  std::optional<ErrorData> second;
  try {
    report(data);
    connection_.flush();
  } catch (Error& error) {
    second = std::move(error.data());  // told to die while the client would not read
  }
  if (second) connection_.stop_sending();
  proc_exit(1);
}

void ClientBackend::end() {
  if (logs_disconnection_) log_disconnection();
  connection_.flush_without_waiting();
  connection_.close();
  task_.set_slot<Session>(nullptr);
  task_.set_slot<ClientBackend>(nullptr);
  task_.set_slot(inherited_log_);
  task_.set_slot(inherited_settings_);
}

void ClientBackend::send_report(const ErrorData& data) {
  // Until the client has been let in, it learns of nothing but its refusal.
  if (phase_ != Phase::kSession && data.severity < Severity::kError) return;
  if (!connection_.sending()) return;
  uint32_t major = protocol_major(packet_.protocol);
  if (major == 1 || major == 2) {
    append_version2_error(connection_.out(), data);
  } else {
    // What the client's encoding cannot say is replaced by the complaint that it cannot.
    std::optional<ErrorData> untranslatable;
    try {
      append_report(connection_.out(), data);
    } catch (const Error& error) {
      untranslatable = error.data();
    }
    if (untranslatable) append_report(connection_.out(), *untranslatable);
  }
  if (data.severity < Severity::kError) connection_.flush_without_waiting();
}

std::string ClientBackend::title_of_session() const {
  std::string title = "postgres: ";
  std::string_view cluster_name = settings_.get(setting::kClusterName);
  if (!cluster_name.empty()) title += fmt::format("{}: ", cluster_name);
  title += fmt::format("{} {} {}", packet_.user, packet_.database, remote_host_);
  if (!remote_port_.empty()) title += fmt::format("({})", remote_port_);
  return title + " ";
}

void ClientBackend::set_title(std::string_view activity) {
  if (!settings_.get(setting::kUpdateProcessTitle) && phase_ == Phase::kSession) return;
  title_.resize(title_prefix_);
  title_ += activity;
  task_.set_title(title_);
}

}  // namespace cofork
