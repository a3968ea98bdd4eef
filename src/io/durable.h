// Changes of the file system that survive a power failure, with PostgreSQL's errors (as fd.c).
//
// A rename or a new file is durable only when the directory has been forced to disk too. And a
// failed fsync is a PANIC: the kernel may have dropped the dirty pages, so that a second fsync
// would succeed without the data being anywhere (setting data_sync_retry = on accepts that).
//
// All of these may wait, and throw Error with the SQLSTATE of the errno.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"
#include "support/error.h"

namespace cofork {

/// Error "could not VERB file "PATH": %m" with the errno's SQLSTATE; `error` may be negated.
Error file_error(std::string_view verb, const std::string& path, int error);
/// `severity`, or PANIC unless data_sync_retry is on (data_sync_elevel).
Severity data_sync_severity(Severity severity);

/// Forces a file or directory to disk by its name. Nothing with fsync = off. Directories that
/// cannot be synced on this file system are passed over (fsync_fname).
void sync_path(const std::string& path, bool is_directory);
/// The same for the directory a path lies in.
void sync_parent(const std::string& path);

/// rename(2) that is on disk when it returns: the file is synced first, its directories after
/// (durable_rename).
void durable_rename(const std::string& from, const std::string& to);
/// unlink(2) likewise (durable_unlink).
void durable_unlink(const std::string& path);

/// Writes a whole file that must not be there yet or is replaced in place, without syncing it.
void write_file(const std::string& path, std::string_view content, mode_t mode);
/// The whole of a small file. Throws "could not open file …" or "could not read file …".
std::string read_whole_file(const std::string& path, WaitEventId event);

}  // namespace cofork
