// Starting this very program anew in the same process: same pid, same arguments, chosen descriptors
// kept open. Everything is prepared in advance, so that the call itself is async-signal-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cofork {

/// Remembers how the program was started. Once, in main(), before argv is overwritten.
void execute_again_init(int argc, char** argv);
/// Descriptors and a text for the next image; replaces what was prepared before.
void execute_again_prepare(const std::vector<int>& fds, const std::string& state);
/// Does not return. Async-signal-safe.
[[noreturn]] void execute_again();
/// The text the previous image prepared, if this one was started by execute_again() and the image
/// had come far enough to prepare one.
std::optional<std::string> execute_again_peek();
/// The same; asking removes it, so that children never see it.
std::optional<std::string> execute_again_inherited();

}  // namespace cofork
