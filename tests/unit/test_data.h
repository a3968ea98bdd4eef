// Where unit tests find their data files, and how they read the compressed ones.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace cofork::testing_support {

/// COFORK_TEST_DATA comes from tests/unit/meson.build.
inline std::string data_path(const std::string& name) {
  return std::string(COFORK_TEST_DATA) + "/" + name;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Standard output and wait status of a shell command.
inline std::string output_of(const std::string& command, int* status = nullptr) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string out;
  char chunk[65536];
  for (size_t n; (n = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;) out.append(chunk, n);
  int ended = ::pclose(pipe);
  if (status != nullptr) *status = ended;
  return out;
}

inline std::string read_gz(const std::string& path) {
  std::string out = output_of("gzip -dc '" + path + "'");
  if (out.empty()) throw std::runtime_error("cannot unpack " + path);
  return out;
}

}  // namespace cofork::testing_support
