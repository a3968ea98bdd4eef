// One WAL record: building it from what a change touched, and taking it apart again.
//
// A record is a 24-byte header, packed sub-headers, then the payloads they announce:
//
//   header | block headers in ascending id | [origin] [top xid] | main-data header
//          | for each block: [page image] [block data] | main data
//
// Building (as xloginsert.c): register what the record consists of, then assemble. Nothing is
// copied until the record goes into the WAL buffers; the pieces must stay where they are until
// then.
//
//   WalRecordBuilder& record = …;            // kept by the task and used again and again
//   record.begin(kRmgrHeap, kHeapInsert);
//   record.add_block({.id = 0, .file = …, .block = 7, .page = page, .flags =
//   kWalBlockStandardPage}); record.add_block_data(0, tuple, tuple_bytes); record.add_main(&xlrec,
//   sizeof xlrec); Lsn end = wal_insert(record);            // wal/insert.h
//
// Decoding (as DecodeXLogRecord, xlogreader.c) checks every length; a record that breaks a rule is
// refused with PostgreSQL's text. Neither side knows what a resource manager means by its data.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wal/format.h"

namespace cofork {

/// How the builder treats a registered block (as REGBUF_* of xloginsert.h).
enum WalBlockFlag : uint8_t {
  kWalBlockForceImage = 0x01,
  kWalBlockNoImage = 0x02,
  kWalBlockReinitialized = 0x04 | 0x02,  ///< redo rebuilds the page from nothing: never an image
  kWalBlockStandardPage = 0x08,          ///< pd_lower and pd_upper bound a hole that needs no bytes
  kWalBlockKeepData = 0x10,              ///< keep the block data even when there is an image
};

struct WalBlockRegistration {
  uint8_t id = 0;
  RelationFile file;
  ForkNumber fork = ForkNumber::kMain;
  uint32_t block = 0;
  const char* page =
      nullptr;  ///< as it is after the change, 8192 bytes; null with kWalBlockNoImage
  uint8_t flags = 0;
};

/// What decides about full-page images; asked again under the insertion lock.
struct WalImageRule {
  Lsn redo;  ///< a page changed last at or before this needs its image
  bool full_page_writes;
};

class WalRecordBuilder {
 public:
  /// Forgets the record before and starts one.
  void begin(uint8_t resource_manager, uint8_t info, TransactionId xid = 0);
  /// Blocks in ascending id.
  void add_block(const WalBlockRegistration& block);
  void add_block_data(uint8_t block_id, const void* bytes, size_t count);
  void add_main(const void* bytes, size_t count);

  /// Lays the record out: sub-headers, images, lengths and the CRC of everything but the header.
  /// May be called again with another rule. Throws 54000 for a record over 1 GB or block data
  /// over 64 kB.
  void assemble(const WalImageRule& rule);

  // After assemble():
  uint32_t total_length() const { return header_.total_length; }
  uint8_t resource_manager() const { return header_.resource_manager; }
  uint8_t info() const { return header_.info; }
  /// The oldest page LSN among blocks that could have needed an image and got none; invalid when
  /// there is none. If the redo pointer has passed it since, the record must be assembled again.
  Lsn oldest_unimaged() const { return oldest_unimaged_; }
  uint32_t image_count() const { return image_count_; }
  /// Completes the header for its place in the stream.
  const WalRecordHeader& finish_header(Lsn previous);
  /// Everything after the header, in order.
  using Piece = std::string_view;
  std::span<const Piece> body() const { return body_; }

 private:
  struct Chunk {
    Piece bytes;
    int32_t next;  ///< of the same block, -1 at the end
  };
  struct Block {
    WalBlockRegistration registration;
    int32_t first_chunk;
    int32_t last_chunk;
    uint32_t data_bytes;
  };
  struct Image {
    uint16_t hole_offset = 0;
    uint16_t hole_length = 0;
  };
  void append_block(const Block& block, const Block* previous, const WalImageRule& rule);
  bool needs_image(const WalBlockRegistration& block, const WalImageRule& rule);
  void append_sub_header(const void* bytes, size_t count);

  WalRecordHeader header_{};
  std::vector<Block> blocks_;
  std::vector<Chunk> chunks_;
  std::vector<Piece> main_;
  uint64_t main_bytes_ = 0;
  // The assembled form: sub-headers in one buffer, then pieces that point at it and at the
  // payloads.
  std::vector<char> sub_headers_;
  std::vector<Piece> body_;
  std::vector<Piece> payload_;
  uint32_t body_crc_state_ = 0;
  Lsn oldest_unimaged_;
  uint32_t image_count_ = 0;
};

/// A whole record as bytes, for places without WAL buffers (a first segment, tests).
std::string wal_record_bytes(WalRecordBuilder& record, Lsn previous);

struct DecodedBlock {
  bool in_use = false;
  RelationFile file;
  ForkNumber fork = ForkNumber::kMain;
  uint32_t block = 0;
  bool will_init = false;
  bool has_image = false;
  bool apply_image = false;  ///< redo restores the page from the image
  bool has_data = false;
  uint8_t image_info = 0;
  uint16_t hole_offset = 0;
  uint16_t hole_length = 0;
  std::string_view image;  ///< stored bytes: without the hole, possibly compressed
  std::string_view data;
};

/// A record taken apart. The views point into the reader's memory and live until its next read.
struct DecodedRecord {
  Lsn start;
  Lsn end;  ///< where the next record begins (before its page header); what pages are stamped with
  WalRecordHeader header{};
  uint16_t origin = 0;
  TransactionId toplevel_xid = 0;
  std::string_view main_data;
  int block_id_max = -1;
  std::array<DecodedBlock, kWalBlockIdMax + 1> blocks;

  uint8_t own_info() const { return header.info & kWalInfoOwnBits; }
};

/// Takes a complete record of header.total_length bytes apart. "" or PostgreSQL's complaint.
std::string decode_wal_record(const char* bytes, Lsn start, DecodedRecord& record);

/// Writes the page an uncompressed image stands for into 8192 bytes. False for a compressed one.
bool restore_wal_image(const DecodedBlock& block, char* page);

}  // namespace cofork
