// Making a data directory: what `cofork init` and initdb do (as initdb.c and BootStrapXLOG, 15).
//
// What has to be there before a server can start: the directories, PG_VERSION, a control file in
// the state "shut down", a first WAL segment with the one record the control file points at, empty
// commit-log pages and the configuration files. Then the catalogs, which know floors above this
// one: the command hands in how they are made (postmaster/bootstrap.h).
//
//   ClusterInit init(options, progress);
//   try { init.run(); } catch (Error) { init.clean_up(); … }
//
// The command calls it outside any task. Errors carry initdb's own texts; the command puts
// "initdb: error: " before them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "recovery/control_file.h"

namespace cofork {

/// Which locale and encoding a cluster gets. Known: C, POSIX and C.UTF-8; UTF8 and SQL_ASCII.
struct LocaleChoice {
  std::string collate;
  std::string ctype;
  int32_t encoding = 6;
  std::string notice;  ///< what to tell the user, when it is not what the environment says
};
/// Options are "" when not given; `environment` is LC_ALL, LC_CTYPE or LANG, whichever counts.
/// Throws for a locale or encoding that is asked for by an option and not there.
LocaleChoice choose_locale(std::string_view locale_option, std::string_view encoding_option,
                           std::string_view environment);

/// May pg_hba.conf name this method for "local" or "host" connections? Throws initdb's error when
/// PostgreSQL has no such method, and 0A000 when this server does not serve it yet: it has trust
/// and reject.
void check_authentication_method(std::string_view method, std::string_view connections);

struct InitOptions {
  std::string directory;               ///< -D
  std::string wal_directory;           ///< -X: absolute; "" for pg_wal inside
  std::string superuser;               ///< -U
  std::string local_method = "trust";  ///< --auth-local, -A
  std::string host_method = "trust";   ///< --auth-host, -A
  LocaleChoice locale;
  bool data_checksums = true;                            ///< -k
  bool group_access = false;                             ///< -g
  bool sync = true;                                      ///< without -N
  uint32_t wal_segment_bytes = kDefaultWalSegmentBytes;  ///< --wal-segsize
  std::string postgresql_conf;                           ///< the file's text
  /// Fills the directory with its catalogs; null: there will be none. Throws.
  std::function<void(const InitOptions& options, mode_t file_mode)> make_catalogs;
};

/// Told before and after each step: begin("creating subdirectories"), end("ok").
struct InitProgress {
  std::function<void(std::string_view)> begin;
  std::function<void(std::string_view)> end;
};

class ClusterInit {
 public:
  ClusterInit(InitOptions options, InitProgress progress);

  /// Everything, in initdb's order. Throws.
  void run();
  /// Takes away what run() has made, after a failure; directories that were there before are only
  /// emptied. Returns what initdb says about it ("removing data directory "…""), line by line.
  std::vector<std::string> clean_up();

 private:
  void create_directory(const std::string& path, bool& made, bool& emptied);
  void create_wal_directory();
  void create_subdirectories();
  void create_configuration_files();
  void write_first_segment();
  void write_control();
  void write_page_files();
  void write(const std::string& name, std::string_view content);
  std::string path(std::string_view name) const;

  InitOptions options_;
  InitProgress progress_;
  mode_t directory_mode_;
  mode_t file_mode_;
  ControlFileData control_;
  bool made_directory_ = false;
  bool emptied_directory_ = false;
  bool made_wal_directory_ = false;
  bool emptied_wal_directory_ = false;
};

/// Forces a whole data directory to disk (-S, and the last step of init). Throws.
void sync_data_directory(const std::string& directory);

/// The first bytes of a cluster's first segment: a page with its header and the checkpoint record.
std::string first_wal_page(const ControlFileData& control);

/// pg_hba.conf with the two methods.
std::string initial_hba_conf(std::string_view local_method, std::string_view host_method);

}  // namespace cofork
