// The control file against files written by PostgreSQL 15, and every reason not to start from one.
#include "recovery/control_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "support/error.h"
#include "test_data.h"

namespace cofork {
namespace {

using testing_support::data_path;
using testing_support::read_file;

ControlFileData decoded(const std::string& content) {
  ControlFileData control;
  EXPECT_TRUE(decode_control_file(content, control));
  return control;
}

TEST(ControlFile, RoundTripsThoseOfPostgresql) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data_path("pg_control"))) {
    if (entry.path().extension() != ".pg_control") continue;
    std::string content = read_file(entry.path());
    ControlFileData control = decoded(content);
    EXPECT_EQ(control.crc, control_file_crc(control)) << entry.path();
    EXPECT_TRUE(encode_control_file(control) == content) << entry.path();
    ++count;
  }
  EXPECT_EQ(count, 6);
}

TEST(ControlFile, FieldsAreWherePgControldataFindsThem) {
  ControlFileData control = decoded(read_file(data_path("pg_control/after_initdb.pg_control")));
  EXPECT_EQ(control.system_identifier, 7711400143267978437u);
  EXPECT_EQ(control.state, ClusterState::kShutdowned);
  EXPECT_EQ(control.checkpoint, 0x17414D0u);
  EXPECT_EQ(control.checkpoint_copy.redo, 0x17414D0u);
  EXPECT_TRUE(control.checkpoint_copy.full_page_writes);
  EXPECT_EQ(control.checkpoint_copy.next_xid, 724u);
  EXPECT_EQ(control.checkpoint_copy.next_oid, 13572u);
  EXPECT_EQ(control.checkpoint_copy.oldest_xid, 716u);
  EXPECT_EQ(control.unlogged_lsn, 1000u);
  EXPECT_EQ(control.wal_level, 1);
  EXPECT_EQ(control.max_connections, 100);
  EXPECT_EQ(control.max_wal_senders, 10);
  EXPECT_EQ(control.max_locks_per_transaction, 64);
  EXPECT_EQ(control.toast_chunk_bytes, 1996u);
  EXPECT_EQ(control.data_checksum_version, 1u);
  EXPECT_EQ(control.mock_authentication_nonce[0], 0xea);
}

/// What is thrown for a good control file after a change.
ErrorData refusal(const std::function<void(ControlFileData&)>& change, bool with_crc = true) {
  ControlFileData control = make_control_file_data();
  change(control);
  control.crc = control_file_crc(control) ^ (with_crc ? 0 : 1);
  ErrorData data;
  try {
    check_control_file(control);
  } catch (const Error& error) {
    data = error.data();
  }
  return data;
}

TEST(ControlFile, FreshOneIsAccepted) {
  EXPECT_EQ(refusal([](ControlFileData&) {}).message, "");
}

TEST(ControlFile, WrongChecksum) {
  ErrorData data = refusal([](ControlFileData&) {}, false);
  EXPECT_EQ(data.severity, Severity::kFatal);
  EXPECT_EQ(data.message, "incorrect checksum in control file");
}

TEST(ControlFile, AnotherVersion) {
  ErrorData data = refusal([](ControlFileData& c) { c.control_version = 942; }, false);
  EXPECT_EQ(data.severity, Severity::kFatal);
  EXPECT_EQ(data.message, "database files are incompatible with server");
  EXPECT_EQ(data.detail,
            "The database cluster was initialized with PG_CONTROL_VERSION 942, but the server was "
            "compiled with PG_CONTROL_VERSION 1300.");
  EXPECT_EQ(data.hint, "It looks like you need to initdb.");
}

TEST(ControlFile, AnotherByteOrder) {
  ErrorData data = refusal([](ControlFileData& c) { c.control_version = 0x14050000; });
  EXPECT_EQ(data.detail,
            "The database cluster was initialized with PG_CONTROL_VERSION 335872000 (0x14050000), "
            "but the server was compiled with PG_CONTROL_VERSION 1300 (0x00000514).");
}

TEST(ControlFile, PostgresqlsOwnDirectoryAndOlderOnesOfOurs) {
  ErrorData real = refusal([](ControlFileData& c) { c.catalog_version = 202209061; });
  EXPECT_EQ(real.detail,
            fmt::format("The database cluster was initialized with CATALOG_VERSION_NO 202209061, "
                        "but the server was compiled with CATALOG_VERSION_NO {}.",
                        kCatalogVersion));
  EXPECT_NE(real.hint.find("PostgreSQL 15 itself"), std::string::npos);
  ErrorData older = refusal([](ControlFileData& c) { c.catalog_version = kCatalogVersion - 10; });
  EXPECT_NE(older.hint.find("another version of cofork"), std::string::npos);
}

TEST(ControlFile, OtherSizes) {
  EXPECT_EQ(refusal([](ControlFileData& c) { c.block_bytes = 4096; }).detail,
            "The database cluster was initialized with BLCKSZ 4096, but the server was compiled "
            "with BLCKSZ 8192.");
  EXPECT_EQ(refusal([](ControlFileData& c) { c.wal_segment_bytes = 3; }).message,
            "WAL segment size must be a power of two between 1 MB and 1 GB, but the control file "
            "specifies 3 bytes");
}

TEST(ControlFile, ShortFileIsAPanic) {
  std::string path = testing::TempDir() + "short_control";
  std::filesystem::remove(path);
  { std::ofstream(path) << std::string(100, 'x'); }
  ErrorData data;
  try {
    read_control_file(path);
  } catch (const Error& error) {
    data = error.data();
  }
  EXPECT_EQ(data.severity, Severity::kPanic);
  EXPECT_EQ(data.message, fmt::format("could not read file \"{}\": read 100 of 296", path));
  std::filesystem::remove(path);
}

TEST(ControlFile, WrittenInPlaceAndReadBack) {
  std::string path = testing::TempDir() + "written_control";
  ControlFileData control = make_control_file_data();
  control.system_identifier = 42;
  { std::ofstream(path) << std::string(kControlFileBytes, 'x'); }
  write_control_file(control, 1700000000, path);
  ControlFileData back = read_control_file(path);
  EXPECT_EQ(back.system_identifier, 42u);
  EXPECT_EQ(back.time, 1700000000);
  EXPECT_EQ(std::filesystem::file_size(path), kControlFileBytes);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace cofork
