// See control_file.h.
#include "recovery/control_file.h"

#include <fcntl.h>

#include <cstring>

#include "io/durable.h"
#include "support/bytes.h"
#include "support/crc32c.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr double kFloatFormat = 1234567.0;
constexpr uint64_t kFirstUnloggedLsn = 1000;
constexpr const char* kInitdbHint = "It looks like you need to initdb.";
constexpr const char* kRecompileHint = "It looks like you need to recompile or initdb.";

Error incompatible(std::string detail, std::string hint) {
  return Error(sqlstate::kInternalError, "database files are incompatible with server")
      .detail("{}", detail)
      .hint("{}", hint)
      .fatal();
}

/// One of the numbers a server is compiled with.
void check_number(const char* name, uint32_t initialized, uint32_t compiled) {
  if (initialized == compiled) return;
  throw incompatible(
      fmt::format("The database cluster was initialized with {} {}, but the server was compiled "
                  "with {} {}.",
                  name, initialized, name, compiled),
      kRecompileHint);
}

void check_versions(const ControlFileData& control) {
  if (control.control_version != kControlFileVersion) {
    // A version that only makes sense with its bytes turned round was written by another machine.
    if (control.control_version % 65536 == 0 && control.control_version / 65536 != 0) {
      throw incompatible(
          fmt::format(
              "The database cluster was initialized with PG_CONTROL_VERSION {} (0x{:08x}), but the "
              "server was compiled with PG_CONTROL_VERSION {} (0x{:08x}).",
              control.control_version, control.control_version, kControlFileVersion,
              kControlFileVersion),
          "This could be a problem of mismatched byte ordering.  It looks like you need to "
          "initdb.");
    }
    throw incompatible(
        fmt::format("The database cluster was initialized with PG_CONTROL_VERSION {}, but the "
                    "server was compiled with PG_CONTROL_VERSION {}.",
                    control.control_version, kControlFileVersion),
        kInitdbHint);
  }
  if (control_file_crc(control) != control.crc) {
    throw Error(sqlstate::kInternalError, "incorrect checksum in control file").fatal();
  }
  if (control.catalog_version != kCatalogVersion) {
    throw incompatible(
        fmt::format("The database cluster was initialized with CATALOG_VERSION_NO {}, but the "
                    "server was compiled with CATALOG_VERSION_NO {}.",
                    control.catalog_version, kCatalogVersion),
        control.catalog_version == kPostgresql15CatalogVersion
            ? "This is a data directory of PostgreSQL 15 itself. Make one for cofork with "
              "\"cofork init\", and copy the data with pg_dump."
            : "It was made by another version of cofork. Make a new one with \"cofork init\", and "
              "copy the data with pg_dump from a server of that version.");
  }
}

}  // namespace

ControlFileData make_control_file_data() {
  ControlFileData control;
  std::memset(&control, 0, sizeof control);  // padding is written too
  control.control_version = kControlFileVersion;
  control.catalog_version = kCatalogVersion;
  control.unlogged_lsn = kFirstUnloggedLsn;
  control.max_align = 8;
  control.float_format = kFloatFormat;
  control.block_bytes = 8192;
  control.relation_segment_blocks = 131072;
  control.wal_page_bytes = kWalPageBytes;
  control.wal_segment_bytes = kDefaultWalSegmentBytes;
  control.name_bytes = 64;
  control.index_keys_max = 32;
  control.toast_chunk_bytes = 1996;
  control.large_object_chunk_bytes = 2048;
  control.float8_by_value = true;
  return control;
}

uint32_t control_file_crc(const ControlFileData& control) {
  return crc32c(&control, offsetof(ControlFileData, crc));
}

std::string encode_control_file(const ControlFileData& control) {
  std::string content(kControlFileBytes, '\0');
  std::memcpy(content.data(), &control, sizeof control);
  store_le(content.data() + offsetof(ControlFileData, crc), control_file_crc(control));
  return content;
}

bool decode_control_file(std::string_view content, ControlFileData& control) {
  if (content.size() < sizeof control) return false;
  std::memcpy(&control, content.data(), sizeof control);
  return true;
}

void check_control_file(const ControlFileData& control) {
  check_versions(control);
  check_number("MAXALIGN", control.max_align, 8);
  if (control.float_format != kFloatFormat) {
    throw incompatible(
        "The database cluster appears to use a different floating-point number format than the "
        "server executable.",
        kInitdbHint);
  }
  check_number("BLCKSZ", control.block_bytes, 8192);
  check_number("RELSEG_SIZE", control.relation_segment_blocks, 131072);
  check_number("XLOG_BLCKSZ", control.wal_page_bytes, kWalPageBytes);
  check_number("NAMEDATALEN", control.name_bytes, 64);
  check_number("INDEX_MAX_KEYS", control.index_keys_max, 32);
  check_number("TOAST_MAX_CHUNK_SIZE", control.toast_chunk_bytes, 1996);
  check_number("LOBLKSIZE", control.large_object_chunk_bytes, 2048);
  if (!control.float8_by_value) {
    throw incompatible(
        "The database cluster was initialized without USE_FLOAT8_BYVAL but the server was compiled "
        "with USE_FLOAT8_BYVAL.",
        kRecompileHint);
  }
  if (!wal_segment_size_is_valid(control.wal_segment_bytes)) {
    throw Error(sqlstate::kInvalidParameterValue,
                "WAL segment size must be a power of two between 1 MB and 1 GB, but the control "
                "file specifies {} byte{}",
                control.wal_segment_bytes, control.wal_segment_bytes == 1 ? "" : "s")
        .fatal();
  }
}

ControlFileData read_control_file(const std::string& path) {
  File file;
  int error = file.open(path, O_RDONLY);
  if (error < 0) throw file_error("open", path, error).severity(Severity::kPanic);
  ControlFileData control;
  ssize_t n = file.read_at(&control, sizeof control, 0, WaitEventId::kControlFileRead);
  if (n < 0) throw file_error("read", path, static_cast<int>(n)).severity(Severity::kPanic);
  if (n != static_cast<ssize_t>(sizeof control)) {
    throw Error(sqlstate::kDataCorrupted, "could not read file \"{}\": read {} of {}", path, n,
                sizeof control)
        .severity(Severity::kPanic);
  }
  check_control_file(control);
  return control;
}

void write_control_file(ControlFileData& control, int64_t now_s, const std::string& path) {
  control.time = now_s;
  control.crc = control_file_crc(control);
  std::string content = encode_control_file(control);
  File file;
  int error = file.open(path, O_RDWR);
  if (error < 0) throw file_error("open", path, error).severity(Severity::kPanic);
  ssize_t n =
      file.write_at(content.data(), content.size(), 0, WaitEventId::kControlFileWriteUpdate);
  if (n < 0) throw file_error("write", path, static_cast<int>(n)).severity(Severity::kPanic);
  error = file.sync(WaitEventId::kControlFileSyncUpdate);
  if (error < 0) throw file_error("fsync", path, error).severity(Severity::kPanic);
}

}  // namespace cofork
