// Putting records into WAL (as XLogInsert and XLogInsertRecord; xloginsert.c, xlog.c, 15).
//
//   WalRecordBuilder& record = wal_record();      // the task's own, reused
//   record.begin(kRmgrHeap, kHeapInsert, xid);
//   …
//   Lsn end = wal_insert(record);                 // stamp pages with it
//   wal_flush(end);                               // wal/write.h: before anybody is told
#pragma once

#include "wal/record.h"
#include "wal/shared.h"

namespace cofork {

/// The running task's builder, empty or with an old record in it.
WalRecordBuilder& wal_record();

/// Inserts an assembled-on-the-way record; returns its end. Decides on full-page images against the
/// redo pointer of the moment. Throws "cannot make new WAL entries during recovery"; any other
/// failure is a PANIC. May wait for buffers to be written.
/// `important` false: the record alone is no reason for a checkpoint (XLOG_MARK_UNIMPORTANT).
Lsn wal_insert(WalRecordBuilder& record, bool important = true);
/// Start of the record inserted last by this task.
Lsn wal_last_inserted();
/// And its end (XactLastRecEnd); invalid before the first.
Lsn wal_last_end();

/// Ends the current segment with an XLOG switch record; returns its end. When the segment has
/// nothing in it, does nothing and returns its start (RequestXLogSwitch).
Lsn wal_switch_segment(bool important = true);

/// May this task insert? Only start-up during recovery, everybody after (XLogInsertAllowed).
bool wal_insert_allowed();
/// Start-up and its checkpoint are allowed to insert before recovery has ended
/// (LocalSetXLogInsertAllowed); `false` goes back to the rule.
void wal_allow_insert(bool allowed);
bool recovery_in_progress();
/// Whether WAL carries what a standby needs: wal_level >= replica (XLogStandbyInfoActive).
bool standbys_may_follow();

/// Where the next record would begin (GetXLogInsertRecPtr).
Lsn wal_insert_position();
/// The last record that makes a checkpoint worth while (GetLastImportantRecPtr).
Lsn wal_last_important();
/// The redo pointer of the last checkpoint begun (GetRedoRecPtr).
Lsn wal_redo();

/// Holds all insertion locks: nobody reserves or copies meanwhile.
class WalInsertExclusive {
 public:
  WalInsertExclusive();
  ~WalInsertExclusive();
  WalInsertExclusive(const WalInsertExclusive&) = delete;

  /// Where the next record will begin, page header passed over.
  Lsn next_record_start() const;
  /// Makes it the redo pointer of everybody.
  void set_redo(Lsn redo);
  void set_full_page_writes(bool on);
};

/// Start-up, once recovery has ended: WAL goes on at `end`, after the record at `last_record`.
/// `page` holds the bytes of the page `end` lies in, up to it; null when `end` is a page boundary.
void wal_resume(Lsn end, Lsn last_record, const char* page);

}  // namespace cofork
