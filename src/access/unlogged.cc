// See unlogged.h.
#include "access/unlogged.h"

#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/durable.h"
#include "model/task.h"
#include "storage/relation_files.h"

namespace cofork {

namespace {

std::optional<uint32_t> number_of(std::string_view text) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool is_all = error == std::errc() && end == text.data() + text.size();
  return is_all ? std::optional(number) : std::nullopt;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  int result = this_task().os().files.list(directory, names);
  if (result < 0 && result != -ENOENT) {
    throw Error(sqlstate_for_file_errno(-result), "could not open directory \"{}\": {}", directory,
                errno_text(-result));
  }
  return names;
}

/// Every relation of a database in a tablespace that has an init fork.
void in_database(uint32_t tablespace, uint32_t database,
                 const std::function<void(const RelationFile&)>& action) {
  constexpr std::string_view kSuffix = "_init";
  for (const std::string& name : names_in(database_path(database, tablespace))) {
    this_task().check_interrupts();
    std::string_view stem = name;
    if (!stem.ends_with(kSuffix)) continue;
    stem.remove_suffix(kSuffix.size());
    if (std::optional<uint32_t> number = number_of(stem)) {
      action({tablespace, database, *number});
    }
  }
}

void for_each_unlogged(const std::function<void(const RelationFile&)>& action) {
  auto in_tablespace = [&](uint32_t tablespace, const std::string& directory) {
    for (const std::string& name : names_in(directory)) {
      if (std::optional<uint32_t> database = number_of(name)) {
        in_database(tablespace, *database, action);
      }
    }
  };
  in_tablespace(kDefaultTablespaceOid, "base");
  for (const std::string& name : names_in("pg_tblspc")) {
    if (std::optional<uint32_t> tablespace = number_of(name)) {
      in_tablespace(*tablespace, "pg_tblspc/" + name + "/" + kTablespaceVersionFolder);
    }
  }
}

}  // namespace

void remove_unlogged_contents() {
  for_each_unlogged([](const RelationFile& file) {
    for (ForkNumber fork :
         {ForkNumber::kMain, ForkNumber::kFreeSpaceMap, ForkNumber::kVisibilityMap}) {
      if (relation_file_exists(file, fork)) unlink_fork(file, fork, true);
    }
  });
}

void recreate_unlogged_relations() {
  for_each_unlogged([](const RelationFile& file) {
    alignas(8) char page[kPageBytes];
    create_relation_file(file, ForkNumber::kMain, true);
    BlockNumber blocks = fork_blocks(file, ForkNumber::kInit);
    for (BlockNumber block = 0; block < blocks; ++block) {
      read_block(file, ForkNumber::kInit, block, page);
      extend_fork(file, ForkNumber::kMain, block, page, false);
    }
    sync_fork(file, ForkNumber::kMain);
    sync_parent(relation_path(file, ForkNumber::kMain));
  });
}

}  // namespace cofork
