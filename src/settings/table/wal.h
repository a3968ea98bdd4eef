// The write-ahead log, checkpoints, archiving, recovery and replication.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Write-Ahead Log / Archive Recovery"
STRING(kArchiveCleanupCommand, "archive_cleanup_command", kSighup, 0, "",
       "shell command at each restartpoint to trim old WAL")
STRING(kRecoveryEndCommand, "recovery_end_command", kSighup, 0, "",
       "shell command once at end of recovery")
STRING(kRestoreCommand, "restore_command", kSighup, 0, "", "shell command to fetch archived WAL")
#undef CATEGORY

#define CATEGORY "Write-Ahead Log / Archiving"
STRING(kArchiveCommand, "archive_command", kSighup, 0, "",
       "shell command that archives one WAL file")
STRING(kArchiveLibrary, "archive_library", kSighup, 0, "", "library used to archive WAL")
ENUM(kArchiveMode, "archive_mode", kPostmaster, kLive, ArchiveMode, kArchiveModeOptions, "off",
     "turns WAL archiving on")
INTEGER(kArchiveTimeout, "archive_timeout", kSighup, kLive, kSeconds, 0, 0, kMaxInt / 2,
        "force a WAL switch after this long")
#undef CATEGORY

#define CATEGORY "Write-Ahead Log / Checkpoints"
REAL(kCheckpointCompletionTarget, "checkpoint_completion_target", kSighup, kLive, kNoUnit, 0.9, 0,
     1,
     "share of the interval over which checkpoint writes spread")
INTEGER(kCheckpointFlushAfter, "checkpoint_flush_after", kSighup, kLive, kBlocks, 32, 0, 256,
        "pages a checkpoint writes before OS flush")
INTEGER(kCheckpointTimeout, "checkpoint_timeout", kSighup, kLive, kSeconds, 300, 30, 86400,
        "longest time between automatic checkpoints")
INTEGER(kCheckpointWarning, "checkpoint_warning", kSighup, kLive, kSeconds, 30, 0, kMaxInt,
        "warn if WAL-driven checkpoints come closer than this")
INTEGER(kMaxWalSize, "max_wal_size", kSighup, kLive, kMegabytes, 1024, 2, kMaxInt,
        "WAL amount that triggers a checkpoint")
INTEGER(kMinWalSize, "min_wal_size", kSighup, kLive, kMegabytes, 80, 2, kMaxInt,
        "WAL kept for recycling")
#undef CATEGORY

#define CATEGORY "Write-Ahead Log / Recovery"
ENUM(kRecoveryPrefetch, "recovery_prefetch", kSighup, 0, OffOnTry, kOffOnTryOptions, "try",
     "prefetch blocks named in WAL")
INTEGER(kWalDecodeBufferSize, "wal_decode_buffer_size", kPostmaster, 0,
        kBytes, 524288, 65536, kMaxInt / 2, "WAL look-ahead buffer in recovery")
#undef CATEGORY

#define CATEGORY "Write-Ahead Log / Recovery Target"
STRING(kRecoveryTarget, "recovery_target", kPostmaster, 0, "",
       "'immediate' stops as soon as consistent")
ENUM(kRecoveryTargetAction, "recovery_target_action", kPostmaster, 0,
     RecoveryTargetAction, kRecoveryTargetActionOptions, "pause",
     "what to do at the recovery target")
BOOLEAN(kRecoveryTargetInclusive, "recovery_target_inclusive", kPostmaster, 0, true,
        "stop after (not before) the target")
STRING(kRecoveryTargetLsn, "recovery_target_lsn", kPostmaster, 0, "", "stop at this LSN")
STRING(kRecoveryTargetName, "recovery_target_name", kPostmaster, 0, "",
       "stop at this restore point")
STRING(kRecoveryTargetTime, "recovery_target_time", kPostmaster, 0, "", "stop at this time")
STRING(kRecoveryTargetTimeline, "recovery_target_timeline", kPostmaster, 0, "latest",
       "timeline to follow")
STRING(kRecoveryTargetXid, "recovery_target_xid", kPostmaster, 0, "", "stop at this xid")
#undef CATEGORY

#define CATEGORY "Write-Ahead Log / Settings"
INTEGER(kCommitDelay, "commit_delay", kSuperuser, kLive, kNoUnit, 0, 0, 100000,
        "microseconds to wait before WAL flush at commit")
INTEGER(kCommitSiblings, "commit_siblings", kUser, kLive, kNoUnit, 5, 0, 1000,
        "open transactions needed for commit_delay")
BOOLEAN(kFsync, "fsync", kSighup, kLive, true, "flush writes to disk")
BOOLEAN(kFullPageWrites, "full_page_writes", kSighup, kLive, true,
        "log full pages after a checkpoint")
ENUM(kSynchronousCommit, "synchronous_commit", kUser, kLive,
     SynchronousCommit, kSynchronousCommitOptions, "on", "what commit waits for")
INTEGER(kWalBuffers, "wal_buffers", kPostmaster, kLive, kWalBlocks, -1, -1, kMaxBackends,
        "WAL buffer memory")
ENUM(kWalCompression, "wal_compression", kSuperuser, 0,
     WalCompression, kWalCompressionOptions, "off", "compress full-page images")
BOOLEAN(kWalInitZero, "wal_init_zero", kSuperuser, kLive, true, "zero-fill new WAL files")
ENUM(kWalLevel, "wal_level", kPostmaster, kLive, WalLevel, kWalLevelOptions, "replica",
     "how much goes in the WAL")
BOOLEAN(kWalLogHints, "wal_log_hints", kPostmaster, kLive, false, "log hint-bit page changes")
BOOLEAN(kWalRecycle, "wal_recycle", kSuperuser, kLive, true, "reuse old WAL files")
INTEGER(kWalSkipThreshold, "wal_skip_threshold", kUser, 0, kKilobytes, 2048, 0, kMaxInt,
        "smaller new files are logged rather than synced")
ENUM(kWalSyncMethod, "wal_sync_method", kSighup, kLive,
     WalSyncMethod, kWalSyncMethodOptions, "fdatasync", "how WAL is forced to disk")
INTEGER(kWalWriterDelay, "wal_writer_delay", kSighup, kLive, kMilliseconds, 200, 1, 10000,
        "WAL writer sleep")
INTEGER(kWalWriterFlushAfter, "wal_writer_flush_after", kSighup, kLive, kWalBlocks, 128, 0, kMaxInt,
        "WAL writer flush amount")
#undef CATEGORY

#define CATEGORY "Replication / Primary Server"
STRING(kSynchronousStandbyNames, "synchronous_standby_names", kSighup, kListInput, "",
       "names of synchronous standbys")
INTEGER(kVacuumDeferCleanupAge, "vacuum_defer_cleanup_age", kSighup, kLive, kNoUnit, 0, 0, 1000000,
        "transactions by which cleanup lags")
#undef CATEGORY

#define CATEGORY "Replication / Sending Servers"
INTEGER(kMaxReplicationSlots, "max_replication_slots", kPostmaster, 0, kNoUnit, 10, 0, kMaxBackends,
        "most replication slots")
INTEGER(kMaxSlotWalKeepSize, "max_slot_wal_keep_size", kSighup, 0, kMegabytes, -1, -1, kMaxInt,
        "cap on WAL kept for slots")
INTEGER(kMaxWalSenders, "max_wal_senders", kPostmaster, kLive, kNoUnit, 10, 0, kMaxBackends,
        "most WAL senders")
BOOLEAN(kTrackCommitTimestamp, "track_commit_timestamp", kPostmaster, kLive, false,
        "record commit times")
INTEGER(kWalKeepSize, "wal_keep_size", kSighup, kLive, kMegabytes, 0, 0, kMaxInt,
        "WAL kept for standbys")
INTEGER(kWalSenderTimeout, "wal_sender_timeout", kUser, 0, kMilliseconds, 60000, 0, kMaxInt,
        "sender gives up after this silence")
#undef CATEGORY

#define CATEGORY "Replication / Standby Servers"
BOOLEAN(kHotStandby, "hot_standby", kPostmaster, kLive, true, "allow queries during recovery")
BOOLEAN(kHotStandbyFeedback, "hot_standby_feedback", kSighup, 0, false,
        "standby tells primary its oldest xmin")
INTEGER(kMaxStandbyArchiveDelay, "max_standby_archive_delay", kSighup, 0,
        kMilliseconds, 30000, -1, kMaxInt, "standby delay before cancelling (archive WAL)")
INTEGER(kMaxStandbyStreamingDelay, "max_standby_streaming_delay", kSighup, 0,
        kMilliseconds, 30000, -1, kMaxInt, "standby delay before cancelling (streamed WAL)")
STRING(kPrimaryConninfo, "primary_conninfo", kSighup, kSuperuserOnly, "",
       "connection string to the primary")
STRING(kPrimarySlotName, "primary_slot_name", kSighup, 0, "", "slot to use on the primary")
STRING(kPromoteTriggerFile, "promote_trigger_file", kSighup, 0, "", "file that ends standby mode")
INTEGER(kRecoveryMinApplyDelay, "recovery_min_apply_delay", kSighup, 0,
        kMilliseconds, 0, 0, kMaxInt, "apply WAL this much later")
BOOLEAN(kWalReceiverCreateTempSlot, "wal_receiver_create_temp_slot", kSighup, 0, false,
        "make a temp slot for the receiver")
INTEGER(kWalReceiverStatusInterval, "wal_receiver_status_interval", kSighup, 0,
        kSeconds, 10, 0, kMaxInt / 1000, "receiver status spacing")
INTEGER(kWalReceiverTimeout, "wal_receiver_timeout", kSighup, 0, kMilliseconds, 60000, 0, kMaxInt,
        "receiver gives up after this silence")
INTEGER(kWalRetrieveRetryInterval, "wal_retrieve_retry_interval", kSighup, 0,
        kMilliseconds, 5000, 1, kMaxInt, "wait after a failed WAL fetch")
#undef CATEGORY

#define CATEGORY "Replication / Subscribers"
INTEGER(kMaxLogicalReplicationWorkers, "max_logical_replication_workers", kPostmaster, 0,
        kNoUnit, 4, 0, kMaxBackends, "most logical replication workers")
INTEGER(kMaxSyncWorkersPerSubscription, "max_sync_workers_per_subscription", kSighup, 0,
        kNoUnit, 2, 0, kMaxBackends, "table sync workers per subscription")
#undef CATEGORY
