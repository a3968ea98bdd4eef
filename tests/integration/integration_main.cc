// main() of the integration tests. A server refuses to run as root, so a test program started by
// root copies the binary to a place everybody can read and becomes `nobody`, before anything else.
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "server.h"

namespace {

bool become_nobody() {
  const passwd* nobody = ::getpwnam("nobody");
  if (nobody == nullptr) return false;
  const auto give = [nobody](const std::filesystem::path& path) {
    return ::lchown(path.c_str(), nobody->pw_uid, nobody->pw_gid) == 0;
  };
  bool given = give(cofork::test::test_root());
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(cofork::test::test_root())) {
    given = given && give(entry.path());
  }
  return given && ::setgroups(0, nullptr) == 0 && ::setgid(nobody->pw_gid) == 0 &&
         ::setuid(nobody->pw_uid) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  ::unsetenv("PGDATA");
  ::unsetenv("PGPORT");
  cofork::test::prepare_binaries();
  if (::geteuid() == 0 && !become_nobody()) {
    std::fprintf(stderr, "cannot become the user nobody\n");
    return 1;
  }
  if (::chdir("/") != 0) return 1;
  return RUN_ALL_TESTS();
}
