// See carry.h.
#include "postmaster/carry.h"

#include <fmt/core.h>

#include <charconv>

namespace cofork {

namespace {

constexpr std::string_view kHeadLine = "cofork-carry-1";

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      result += text[i] == 'n' ? '\n' : text[i];
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string_view take_word(std::string_view& line) {
  size_t end = std::min(line.find(' '), line.size());
  std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <typename T>
bool take_number(std::string_view& line, T& number) {
  std::string_view word = take_word(line);
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size();
}

bool decode_line(std::string_view line, CarriedState& state) {
  std::string_view name = take_word(line);
  if (name == "start_time_us") return take_number(line, state.start_time_us);
  if (name == "data_directory") {
    state.data_directory = unescaped(line);
    return true;
  }
  if (name == "interlock") {
    return take_number(line, state.interlock.key) && take_number(line, state.interlock.id);
  }
  if (name == "listener") {
    Listener listener;
    int family = 0;
    if (!take_number(line, listener.fd) || !take_number(line, family)) return false;
    listener.family = static_cast<PeerAddress::Family>(family);
    listener.text = unescaped(line);
    state.listeners.push_back(std::move(listener));
    return true;
  }
  if (name == "lock_file") {
    state.lock_files.push_back(unescaped(line));
    return true;
  }
  if (name == "log_pipe") return take_number(line, state.log_pipe);
  if (name == "setting") {
    SavedSetting setting;
    int source = 0;
    setting.name = take_word(line);
    if (!take_number(line, source)) return false;
    setting.source = static_cast<SettingSource>(source);
    setting.value = unescaped(line);
    state.settings.push_back(std::move(setting));
    return true;
  }
  return false;
}

}  // namespace

std::string encode_carried_state(const CarriedState& state) {
  std::string text = fmt::format("{}\nstart_time_us {}\ndata_directory {}\ninterlock {} {}\n",
                                 kHeadLine, state.start_time_us, escaped(state.data_directory),
                                 state.interlock.key, state.interlock.id);
  for (const Listener& listener : state.listeners) {
    text += fmt::format("listener {} {} {}\n", listener.fd, static_cast<int>(listener.family),
                        escaped(listener.text));
  }
  for (const std::string& path : state.lock_files)
    text += fmt::format("lock_file {}\n", escaped(path));
  text += fmt::format("log_pipe {}\n", state.log_pipe);
  for (const SavedSetting& setting : state.settings) {
    text += fmt::format("setting {} {} {}\n", setting.name, static_cast<int>(setting.source),
                        escaped(setting.value));
  }
  return text;
}

std::optional<CarriedState> decode_carried_state(std::string_view text) {
  CarriedState state;
  bool first = true;
  while (!text.empty()) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (first ? line != kHeadLine : !decode_line(line, state)) return std::nullopt;
    first = false;
  }
  if (first) return std::nullopt;
  return state;
}

std::vector<int> carried_descriptors(const CarriedState& state) {
  std::vector<int> descriptors;
  for (const Listener& listener : state.listeners) descriptors.push_back(listener.fd);
  if (state.log_pipe >= 0) descriptors.push_back(state.log_pipe);
  return descriptors;
}

}  // namespace cofork
