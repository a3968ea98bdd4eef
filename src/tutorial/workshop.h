// Where a learner works: a directory of the tutorial's own, with a server for each lesson and mode.
//
//   $XDG_STATE_HOME/cofork-tutorial/     (or ~/.local/state/cofork-tutorial)
//     OWNED-BY-COFORK-TUTORIAL           without this file nothing here is touched
//     current                            the lesson last started: "3 fork"
//     3-fork/                            a lesson in a mode
//       data/ log progress env           its server, what has been done, the shell's environment
//
// All errors are std::runtime_error with a text for the user.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tutorial/lesson.h"

namespace cofork::tutorial {

/// One lesson in one mode.
struct Place {
  std::string root;
  std::string directory;
  int number = 0;
  std::string mode;
};

/// What is remembered of it.
struct Progress {
  int port = 0;  ///< 0: never started
  std::set<int> done;
  std::map<int, int> hints;  ///< by step: how many have been shown
};

/// The tutorial's directory, whether it exists or not.
std::string workshop_root();
/// Makes it, or sees that it is ours.
void claim_workshop(const std::string& root);
/// False when there is no such directory, or it is not ours.
bool is_workshop(const std::string& root);

Place place_of(const std::string& root, int number, const std::string& mode);
std::optional<Place> current_place(const std::string& root);
void set_current_place(const Place& place);

/// Makes the place and its `env` file; picks a port that is free when it has none yet.
void prepare_place(const Place& place, Progress& progress);
Progress read_progress(const Place& place);
void write_progress(const Place& place, const Progress& progress);
/// Stops the server and removes everything of this lesson in this mode.
void remove_place(const Place& place);

/// "cd … && . ./env && " for a shell command that is to run there.
std::string enter_place(const Place& place);
/// A shell script, for use behind enter_place(), that makes and starts the server when it does not
/// run yet. It ends with status 1 and a complaint when that fails.
std::string start_server_script();
/// A shell script that stops it, whatever state it is in.
std::string stop_server_script();

std::string shell_quoted(const std::string& text);
std::optional<std::string> read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace cofork::tutorial
