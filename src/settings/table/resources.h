// Memory, disk, kernel resources and background work.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Resource Usage / Asynchronous Behavior"
INTEGER(kBackendFlushAfter, "backend_flush_after", kUser, kLive, kBlocks, 0, 0, 256,
        "pages a backend writes before asking the OS to flush")
INTEGER(kEffectiveIoConcurrency, "effective_io_concurrency", kUser, kExplain, kNoUnit, 1, 0, 1000,
        "prefetch depth the disks can take")
INTEGER(kMaintenanceIoConcurrency, "maintenance_io_concurrency", kUser, kExplain,
        kNoUnit, 10, 0, 1000, "prefetch depth for maintenance")
INTEGER(kMaxParallelMaintenanceWorkers, "max_parallel_maintenance_workers", kUser, 0,
        kNoUnit, 2, 0, 1024, "most parallel workers per maintenance command")
INTEGER(kMaxParallelWorkers, "max_parallel_workers", kUser, kExplain, kNoUnit, 8, 0, 1024,
        "most parallel workers at once")
INTEGER(kMaxParallelWorkersPerGather, "max_parallel_workers_per_gather", kUser, kExplain,
        kNoUnit, 2, 0, 1024, "most parallel workers per Gather")
INTEGER(kMaxWorkerProcesses, "max_worker_processes", kPostmaster, kLive, kNoUnit, 8, 0,
        kMaxBackends,
        "most background workers")
INTEGER(kOldSnapshotThreshold, "old_snapshot_threshold", kPostmaster, 0, kMinutes, -1, -1, 86400,
        "age after which a snapshot may fail")
BOOLEAN(kParallelLeaderParticipation, "parallel_leader_participation", kUser, kExplain, true,
        "leader also runs the parallel plan")
#undef CATEGORY

#define CATEGORY "Resource Usage / Background Writer"
INTEGER(kBgwriterDelay, "bgwriter_delay", kSighup, kLive, kMilliseconds, 200, 10, 10000,
        "sleep between background-writer rounds")
INTEGER(kBgwriterFlushAfter, "bgwriter_flush_after", kSighup, kLive, kBlocks, 64, 0, 256,
        "pages the background writer writes before OS flush")
INTEGER(kBgwriterLruMaxpages, "bgwriter_lru_maxpages", kSighup, kLive, kNoUnit, 100, 0, kMaxInt / 2,
        "most pages per background-writer round")
REAL(kBgwriterLruMultiplier, "bgwriter_lru_multiplier", kSighup, kLive, kNoUnit, 2, 0, 10,
     "how far ahead the background writer cleans")
#undef CATEGORY

#define CATEGORY "Resource Usage / Cost-Based Vacuum Delay"
REAL(kVacuumCostDelay, "vacuum_cost_delay", kUser, kLive, kMilliseconds, 0, 0, 100,
     "vacuum sleep when budget is spent")
INTEGER(kVacuumCostLimit, "vacuum_cost_limit", kUser, kLive, kNoUnit, 200, 1, 10000,
        "vacuum cost budget")
INTEGER(kVacuumCostPageDirty, "vacuum_cost_page_dirty", kUser, kLive, kNoUnit, 20, 0, 10000,
        "vacuum cost of dirtying a page")
INTEGER(kVacuumCostPageHit, "vacuum_cost_page_hit", kUser, kLive, kNoUnit, 1, 0, 10000,
        "vacuum cost of a page in cache")
INTEGER(kVacuumCostPageMiss, "vacuum_cost_page_miss", kUser, kLive, kNoUnit, 2, 0, 10000,
        "vacuum cost of a page read")
#undef CATEGORY

#define CATEGORY "Resource Usage / Disk"
INTEGER(kTempFileLimit, "temp_file_limit", kSuperuser, 0, kKilobytes, -1, -1, kMaxInt,
        "cap on temp file space per process")
#undef CATEGORY

#define CATEGORY "Resource Usage / Kernel Resources"
INTEGER(kMaxFilesPerProcess, "max_files_per_process", kPostmaster, 0, kNoUnit, 1000, 64, kMaxInt,
        "most open files per process")
#undef CATEGORY

#define CATEGORY "Resource Usage / Memory"
INTEGER(kAutovacuumWorkMem, "autovacuum_work_mem", kSighup, 0, kKilobytes, -1, -1, kMaxInt,
        "memory per autovacuum worker")
ENUM(kDynamicSharedMemoryType, "dynamic_shared_memory_type", kPostmaster, 0,
     DynamicSharedMemoryType, kDynamicSharedMemoryTypeOptions, "posix",
     "kind of dynamic shared memory")
REAL(kHashMemMultiplier, "hash_mem_multiplier", kUser, kExplain | kLive, kNoUnit, 2, 1, 1000,
     "hash memory as a multiple of work_mem")
INTEGER(kHugePageSize, "huge_page_size", kPostmaster, kLive, kKilobytes, 0, 0, kMaxInt,
        "huge page size to ask for")
ENUM(kHugePages, "huge_pages", kPostmaster, 0, OffOnTry, kOffOnTryOptions, "try", "use huge pages")
INTEGER(kLogicalDecodingWorkMem, "logical_decoding_work_mem", kUser, 0,
        kKilobytes, 65536, 64, kMaxInt, "memory per logical decoding")
INTEGER(kMaintenanceWorkMem, "maintenance_work_mem", kUser, kLive, kKilobytes, 65536, 1024, kMaxInt,
        "memory for VACUUM, CREATE INDEX and the like")
INTEGER(kMaxPreparedTransactions, "max_prepared_transactions", kPostmaster, kLive,
        kNoUnit, 0, 0, kMaxBackends, "most prepared (2PC) transactions")
INTEGER(kMaxStackDepth, "max_stack_depth", kSuperuser, kLive, kKilobytes, 100, 100, kMaxInt,
        "cap on stack depth")
INTEGER(kMinDynamicSharedMemory, "min_dynamic_shared_memory", kPostmaster, 0,
        kMegabytes, 0, 0, kMaxInt, "shared memory set aside at start for parallel query")
INTEGER(kSharedBuffers, "shared_buffers", kPostmaster, kLive, kBlocks, 16384, 16, kMaxInt / 2,
        "size of the buffer pool")
ENUM(kSharedMemoryType, "shared_memory_type", kPostmaster, 0,
     SharedMemoryType, kSharedMemoryTypeOptions, "mmap", "kind of main shared memory")
INTEGER(kTempBuffers, "temp_buffers", kUser, kExplain, kBlocks, 1024, 100, kMaxInt / 2,
        "most temp-table buffers per session")
INTEGER(kWorkMem, "work_mem", kUser, kExplain | kLive, kKilobytes, 4096, 64, kMaxInt,
        "memory per sort or hash")
#undef CATEGORY

#define CATEGORY "Autovacuum"
BOOLEAN(kAutovacuum, "autovacuum", kSighup, 0, true, "run the autovacuum launcher")
REAL(kAutovacuumAnalyzeScaleFactor, "autovacuum_analyze_scale_factor", kSighup, 0,
     kNoUnit, 0.1, 0, 100, "share of changed rows that triggers auto-analyze")
INTEGER(kAutovacuumAnalyzeThreshold, "autovacuum_analyze_threshold", kSighup, 0,
        kNoUnit, 50, 0, kMaxInt, "base row count that triggers auto-analyze")
INTEGER(kAutovacuumFreezeMaxAge, "autovacuum_freeze_max_age", kPostmaster, kLive,
        kNoUnit, 200000000, 100000, 2000000000, "xid age that forces anti-wraparound autovacuum")
INTEGER(kAutovacuumMaxWorkers, "autovacuum_max_workers", kPostmaster, kLive,
        kNoUnit, 3, 1, kMaxBackends, "most autovacuum workers at once")
INTEGER(kAutovacuumMultixactFreezeMaxAge, "autovacuum_multixact_freeze_max_age", kPostmaster, kLive,
        kNoUnit, 400000000, 10000, 2000000000, "multixact age that forces autovacuum")
INTEGER(kAutovacuumNaptime, "autovacuum_naptime", kSighup, 0, kSeconds, 60, 1, kMaxInt / 1000,
        "pause between autovacuum rounds per database")
REAL(kAutovacuumVacuumCostDelay, "autovacuum_vacuum_cost_delay", kSighup, 0,
     kMilliseconds, 2, -1, 100, "cost delay for autovacuum")
INTEGER(kAutovacuumVacuumCostLimit, "autovacuum_vacuum_cost_limit", kSighup, 0,
        kNoUnit, -1, -1, 10000, "cost budget for autovacuum")
REAL(kAutovacuumVacuumInsertScaleFactor, "autovacuum_vacuum_insert_scale_factor", kSighup, 0,
     kNoUnit, 0.2, 0, 100, "share of inserted rows that triggers autovacuum")
INTEGER(kAutovacuumVacuumInsertThreshold, "autovacuum_vacuum_insert_threshold", kSighup, 0,
        kNoUnit, 1000, -1, kMaxInt, "base inserted-row count that triggers autovacuum")
REAL(kAutovacuumVacuumScaleFactor, "autovacuum_vacuum_scale_factor", kSighup, 0,
     kNoUnit, 0.2, 0, 100, "share of dead rows that triggers autovacuum")
INTEGER(kAutovacuumVacuumThreshold, "autovacuum_vacuum_threshold", kSighup, 0,
        kNoUnit, 50, 0, kMaxInt, "base dead-row count that triggers autovacuum")
#undef CATEGORY

#define CATEGORY "Lock Management"
INTEGER(kDeadlockTimeout, "deadlock_timeout", kSuperuser, kLive, kMilliseconds, 1000, 1, kMaxInt,
        "wait before checking for deadlock")
INTEGER(kMaxLocksPerTransaction, "max_locks_per_transaction", kPostmaster, kLive,
        kNoUnit, 64, 10, kMaxInt, "lock table slots per transaction")
INTEGER(kMaxPredLocksPerPage, "max_pred_locks_per_page", kSighup, 0, kNoUnit, 2, 0, kMaxInt,
        "predicate locks per page before page lock")
INTEGER(kMaxPredLocksPerRelation, "max_pred_locks_per_relation", kSighup, 0,
        kNoUnit, -2, kMinInt, kMaxInt, "predicate locks per relation before relation lock")
INTEGER(kMaxPredLocksPerTransaction, "max_pred_locks_per_transaction", kPostmaster, 0,
        kNoUnit, 64, 10, kMaxInt, "predicate lock slots per transaction")
#undef CATEGORY

#define CATEGORY "Error Handling"
BOOLEAN(kDataSyncRetry, "data_sync_retry", kPostmaster, kLive, false,
        "keep running after a failed fsync")
BOOLEAN(kExitOnError, "exit_on_error", kUser, 0, false, "end the session on any error")
ENUM(kRecoveryInitSyncMethod, "recovery_init_sync_method", kSighup, kLive,
     SyncMethod, kSyncMethodOptions, "fsync", "how to sync files before crash recovery")
BOOLEAN(kRestartAfterCrash, "restart_after_crash", kSighup, kLive, true,
        "restart all after a backend crash")
#undef CATEGORY
