// What a postmaster leaves to the image of itself that is born when the process executes itself
// again after a crash (coroutine model): everything that must not start anew with the rest.
//
// Text, one fact a line, so that it can be looked at: "NAME VALUE…\n". Values that may hold
// anything are escaped (\n, \\).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/shared_mapping.h"
#include "postmaster/listen.h"
#include "settings/server_settings.h"

namespace cofork {

struct CarriedState {
  int64_t start_time_us = 0;  ///< of the server: pg_postmaster_start_time() does not change
  std::string data_directory;
  Interlock interlock;                  ///< key and id; attached anew
  std::vector<Listener> listeners;      ///< open sockets
  std::vector<std::string> lock_files;  ///< in the order they were made
  int log_pipe = -1;                    ///< the logger's end: lines not read yet must not be lost
  /// The files may have been edited since: a server that starts over does not read them again.
  std::vector<SavedSetting> settings;
};

std::string encode_carried_state(const CarriedState& state);
/// Nothing when the text was not written by encode_carried_state().
std::optional<CarriedState> decode_carried_state(std::string_view text);

/// Descriptors that must stay open in the next image.
std::vector<int> carried_descriptors(const CarriedState& state);

}  // namespace cofork
