// The files of relations as part of transactions (catalog/storage.c, 15).
//
// A file is made at once and removed only when the transaction that wants that has ended: made by
// one that aborts, or dropped by one that commits. Both are in WAL, so that recovery makes and
// removes the same files. What is cut off by truncation is gone at once; that cannot be undone.
#pragma once

#include "access/relation.h"
#include "wal/record.h"

namespace cofork {

inline constexpr uint8_t kManagerStorage = 2;
enum StorageRecord : uint8_t { kStorageCreate = 0x10, kStorageTruncate = 0x20 };

/// Makes the main fork's file, empty; it goes again if the transaction (or the subtransaction)
/// aborts. `persistence` as in Relation: an unlogged relation gets its init fork from the caller.
void create_relation_storage(const RelationFile& file, char persistence);
/// An init fork: what the main fork of an unlogged relation becomes after a crash. Empty.
void create_init_fork(const RelationFile& file);
/// All forks go when the transaction commits.
void drop_relation_storage(const RelationFile& file);

/// Cuts the relation to `blocks` pages and its maps accordingly; the caller holds
/// AccessExclusiveLock. The record is on disk before anything is cut (RelationTruncate).
void truncate_relation(Relation& relation, BlockNumber blocks);

/// Redo of the Storage records.
void storage_redo(const DecodedRecord& record);

}  // namespace cofork
