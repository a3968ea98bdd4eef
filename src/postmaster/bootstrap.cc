// See bootstrap.h.
#include "postmaster/bootstrap.h"

#include <optional>

#include "catalog/shared_objects.h"
#include "io/durable.h"
#include "log/log.h"
#include "model/model.h"
#include "os/os.h"
#include "postmaster/shared_memory.h"
#include "recovery/checkpoint.h"
#include "roles/startup.h"
#include "settings/server_settings.h"
#include "shmem/proc.h"
#include "shmem/proc_array.h"
#include "storage/buffer_pool.h"
#include "storage/sync_request.h"
#include "wal/checkpoint_request.h"

namespace cofork {

namespace {

/// A server's defaults, but small, quiet and without waiting for the disk. What the control file
/// and WAL remember of the settings stays as a first start will have it.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"shared_buffers", "8MB"}, {"fsync", "off"}, {"log_min_messages", "fatal"}};

class Bootstrap {
 public:
  Bootstrap(Task& task, ServerSettings& server, const BootstrapOptions& options, mode_t file_mode)
      : task_(task),
        context_(task, "standalone backend"),
        memory_(task.os().files),
        options_(options),
        file_mode_(file_mode) {
    memory_.create(limits_from(SettingsView(server)), task.pid());
    task.set_slot(&memory_.segment());
  }

  void run() {
    init_process(BackendType::kStandaloneBackend, ProcPool::kOrdinary, 0);
    syncs_.emplace();  // this task is its own checkpointer
    task_.on_proc_exit([this](Task&, int) { syncs_.reset(); });
    start_up_system(task_);
    my_proc().database_id.store(kTemplate1Oid);
    proc_array_join();
    write_file("global/pg_filenode.map", relation_map(true), file_mode_);
    write_file("base/1/pg_filenode.map", relation_map(false), file_mode_);
    bootstrap_catalogs(options_);
    copy_template();
    CheckpointHistory history;
    create_checkpoint(kCheckpointIsShutdown | kCheckpointImmediate, history,
                      {[](std::string_view) {}, [](double) {}, *syncs_});
  }

 private:
  /// The other databases begin as template1, file by file (CREATE DATABASE … STRATEGY FILE_COPY).
  void copy_template() {
    flush_database_buffers(kTemplate1Oid);
    std::vector<std::string> names;
    task_files().list("base/1", names);
    for (const std::string& name : names) {
      std::string content = read_whole_file("base/1/" + name, WaitEventId::kDataFileRead);
      write_file("base/4/" + name, content, file_mode_);
      write_file("base/5/" + name, content, file_mode_);
    }
  }

  Task& task_;
  ChildContext context_;
  ServerMemory memory_;
  const BootstrapOptions& options_;
  mode_t file_mode_;
  std::optional<PendingSyncs> syncs_;  ///< an aborting transaction removes files with it
};

void run_in_directory(const BootstrapOptions& options, mode_t file_mode) {
  OperatingSystem& os = real_operating_system();
  ServerSettings server(os.files);
  for (const auto& [name, value] : kSettings) server.set(name, value, SettingSource::kCommandLine);
  server.choose_computed_defaults();
  SettingsView view(server);
  std::optional<ErrorData> failure;
  std::optional<Bootstrap> bootstrap;  // outlives the task, whose exit callbacks use its parts
  run_under_fork_model(os, [&](Task& task) {
    task.set_slot(&view);
    try {
      bootstrap.emplace(task, server, options, file_mode);
      bootstrap->run();
    } catch (const Error& error) {
      failure = error.data();
    }
    throw TaskExit{failure ? 1 : 0};
  });
  if (failure) throw Error(*failure);
}

}  // namespace

void bootstrap_cluster(const std::string& directory, const BootstrapOptions& options,
                       mode_t file_mode) {
  FileSystem& files = real_operating_system().files;
  std::string here = files.real_path(".");
  if (int error = files.change_directory(directory); error < 0) {
    throw Error(sqlstate_for_file_errno(-error), "could not change directory to \"{}\": {}",
                directory, errno_text(-error));
  }
  std::optional<ErrorData> failure;
  try {
    run_in_directory(options, file_mode);
  } catch (const Error& error) {
    failure = error.data();
  }
  files.change_directory(here);
  if (failure) throw Error(*failure);
}

}  // namespace cofork
