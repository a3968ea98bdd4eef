// SIGHUP: the configuration files are read again, and everybody is told (SIGHUP_handler in
// postmaster.c, 15).
#include <signal.h>

#include "postmaster/postmaster.h"

namespace cofork {

void Postmaster::reload() {
  if (machine_.shutdown() > ShutdownMode::kSmart) return;
  log(Severity::kLog, "received SIGHUP, reloading configuration files");
  for (const ErrorData& message : server_.read_files(false).messages) report(message);
  view_.adopt(server_.current());
  signal_children(&RoleSpec::gets_reload, SIGHUP);

  // A file with a mistake is as if it had not been touched.
  std::vector<ErrorData> reports;
  auto hba = load_hba(os_.files, std::string(view_.get(setting::kHbaFile)), reports);
  for (const ErrorData& data : reports) report(data);
  if (hba != nullptr) {
    hba_ = std::move(hba);
  } else {
    log(Severity::kLog, "pg_hba.conf was not reloaded");
  }
  reports.clear();
  auto ident = load_ident(os_.files, std::string(view_.get(setting::kIdentFile)), reports);
  for (const ErrorData& data : reports) report(data);
  if (ident != nullptr) {
    ident_ = std::move(ident);
  } else {
    log(Severity::kLog, "pg_ident.conf was not reloaded");
  }
  update_carried_state();
}

}  // namespace cofork
