// The session begins: its settings, the greeting with parameters and cancel key. And the line that
// says how long it was (as process_startup_options in postinit.c, BeginReportingGUCOptions in
// guc.c, log_disconnections in postgres.c, 15).
#include <fmt/core.h>

#include "roles/client_backend.h"
#include "shmem/proc.h"
#include "shmem/stats.h"
#include "wal/checkpoint_request.h"

namespace cofork {

void ClientBackend::apply_startup_settings() {
  settings_.set_internal(setting::kSessionAuthorization.index, session_.session_user);
  settings_.set_internal(setting::kIsSuperuser.index, session_.is_superuser ? "on" : "off");
  SettingContext context =
      session_.is_superuser ? SettingContext::kSuperuserBackend : SettingContext::kBackend;
  for (const auto& [name, value] : settings_of_options(split_options(packet_.options))) {
    apply_startup_setting(name, value, context);
  }
  for (const auto& [name, value] : packet_.settings) apply_startup_setting(name, value, context);
}

void ClientBackend::apply_startup_setting(const std::string& name, const std::string& value,
                                          SettingContext context) {
  settings_.set(name, value, context, SettingSource::kClient);
  SettingIndex index = find_setting(name);
  if (index == SettingIndex::kCount || !setting_info(index).has(setting_flag::kIsName)) return;
  std::string kept = settings_.show(index);
  if (kept == value) return;
  ErrorData notice;
  notice.severity = Severity::kNotice;
  notice.sqlstate = sqlstate::kNameTooLong;
  notice.message = fmt::format("identifier \"{}\" will be truncated to \"{}\"", value, kept);
  report(notice);
}

void ClientBackend::greet() {
  StatusIntroduction who;
  who.type = BackendType::kClientBackend;
  who.backend_start = start_.accept_time_us - kPostgresEpochUs;
  who.client = &start_.peer;
  if (settings_.get(setting::kLogHostname)) who.client_hostname = remote_host_;
  who.application_name = settings_.get(setting::kApplicationName);
  who.database_id = session_.database_oid;
  who.role_id = session_.session_user_oid;
  status_begin(who);
  stats_session_begins(session_.database_oid);
  logs_disconnection_ = settings_.get(setting::kLogDisconnections);

  session_.start_us = who.backend_start;
  if (start_.peer.family != PeerAddress::Family::kUnix) {
    session_.peer.client_address = start_.peer.host();
    session_.peer.client_port = start_.peer.port;
  }
  checks_encoding_ = settings_.get(setting::kServerEncoding) == "UTF8";
  follow_encoding();
  task_.set_slot(&session_);
  session_.request_checkpoint = [](Task&) {
    request_checkpoint(kCheckpointImmediate | kCheckpointForce | kCheckpointWait);
  };
  engine_.emplace(session_);
  simple_rows_.emplace(connection_, *this, true, this);
  extended_rows_.emplace(connection_, *this, false, this);

  settings_.take_changed_reports([this](std::string_view name, const std::string& value) {
    send_parameter_status(name, value);
  });
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kBackendKeyData);
  out.add_int32(static_cast<uint32_t>(task_.pid()));
  out.add_int32(start_.cancel_key);
  out.end();

  packet_ = StartupPacket{.protocol = packet_.protocol,
                          .user = std::move(packet_.user),
                          .database = std::move(packet_.database)};
}

void ClientBackend::send_parameter_status(std::string_view name, std::string_view value) {
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kParameterStatus);
  out.add_string(name);
  out.add_string(value);
  out.end();
}

void ClientBackend::publish_settings() {
  if (published_settings_ == settings_.version()) return;
  published_settings_ = settings_.version();
  follow_encoding();
  std::string_view application_name = settings_.get(setting::kApplicationName);
  if (log_identity_.application_name != application_name) {
    log_identity_.application_name = application_name;
    report_application_name(application_name);
  }
  task_.max_stack_depth_bytes = static_cast<size_t>(settings_.get(setting::kMaxStackDepth)) * 1024;
  if (settings_.reports_pending()) {
    settings_.take_changed_reports([this](std::string_view name, const std::string& value) {
      send_parameter_status(name, value);
    });
  }
}

void ClientBackend::log_disconnection() {
  int64_t milliseconds = (task_.os().clock.realtime_us() - start_.accept_time_us) / 1000;
  int64_t seconds = milliseconds / 1000;
  log(Severity::kLog,
      "disconnection: session time: {}:{:02}:{:02}.{:03} user={} database={} host={}{}{}",
      seconds / 3600, seconds / 60 % 60, seconds % 60, milliseconds % 1000, packet_.user,
      packet_.database, remote_host_, remote_port_.empty() ? "" : " port=", remote_port_);
}

}  // namespace cofork
