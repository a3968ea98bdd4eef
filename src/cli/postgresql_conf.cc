// The text of a new postgresql.conf; see postgresql_conf.h.
//
// Values that stand without a '#' are those initdb writes, so that pg_settings shows the same
// source for them. The others show the default, and what a learner may want to turn first.
#include "cli/postgresql_conf.h"

#include <fmt/core.h>

#include <string_view>

#include "os/os.h"
#include "os/process.h"
#include "settings/config_file.h"

namespace cofork {
namespace {

constexpr const char* kText =
    R"(# Settings of this server. NAME = VALUE, one a line; '#' begins a comment.
#
# A line that begins with '#' shows a default. `cofork settings` lists all settings and which of
# them have an effect; the view pg_settings says where each value comes from. Where (restart)
# stands, a reload is not enough. To reload: pg_ctl reload, or select pg_reload_conf().
# postgresql.auto.conf, which ALTER SYSTEM writes, is read after this file.

# --- how tasks run ---

#cofork.execution_mode = fork		# or coroutine (restart)
#cofork.scheduler_threads = 0		# coroutine mode; 0: as many as there are CPUs (restart)

# --- connections ---

#listen_addresses = 'localhost'		# comma-separated; '*' for all, '' for none (restart)
#port = 5432				# (restart)
max_connections = 100			# (restart)
#superuser_reserved_connections = 3	# of those, for superusers only (restart)
#unix_socket_directories = '/tmp'	# (restart)
#authentication_timeout = 1min

# --- memory and workers ---

shared_buffers = 128MB			# (restart)
dynamic_shared_memory_type = posix	# (restart)
#work_mem = 4MB
#max_stack_depth = 2MB
#max_worker_processes = 8		# (restart)

# --- write-ahead log and checkpoints ---

#wal_level = replica			# (restart)
#fsync = on				# off risks everything at a power failure
#checkpoint_timeout = 5min
max_wal_size = 1GB
min_wal_size = 80MB

# --- crashes ---

#restart_after_crash = on		# start over when a backend dies
#cofork.coroutine_fault = reexec		# or abort: coroutine mode dies of a fault (restart)

# --- the log ---

#logging_collector = off		# a task that writes the log into files (restart)
#log_directory = 'log'
#log_filename = 'postgresql-%Y-%m-%d_%H%M%S.log'
#log_rotation_age = 1d
#log_rotation_size = 10MB
#log_min_messages = warning
#log_min_duration_statement = -1	# ms; 0 logs all statements with their time
#log_connections = off
#log_disconnections = off
#log_line_prefix = '%m [%p] '
#log_statement = 'none'
log_timezone = {zone}

# --- what ps shows ---

#cluster_name = ''			# (restart)
#update_process_title = on

# --- what clients see ---

datestyle = 'iso, mdy'
timezone = {zone}
lc_messages = {locale}
lc_monetary = {locale}
lc_numeric = {locale}
lc_time = {locale}
default_text_search_config = 'pg_catalog.{text_search}'
#statement_timeout = 0
#idle_in_transaction_session_timeout = 0
#idle_session_timeout = 0
)";

}  // namespace

std::string initial_postgresql_conf(const ConfigurationChoices& choices) {
  return fmt::format(fmt::runtime(kText), fmt::arg("zone", quote_config_value(choices.time_zone)),
                     fmt::arg("locale", quote_config_value(choices.locale)),
                     fmt::arg("text_search", choices.text_search));
}

std::string system_time_zone() {
  const std::string from_environment = environment_variable("TZ").value_or("");
  if (!from_environment.empty() && from_environment.front() != ':') return from_environment;
  constexpr std::string_view kDatabase = "/zoneinfo/";
  const std::string target = real_operating_system().files.real_path("/etc/localtime");
  const size_t at = target.find(kDatabase);
  return at == std::string::npos ? "GMT" : target.substr(at + kDatabase.size());
}

}  // namespace cofork
