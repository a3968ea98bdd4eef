// What PostgreSQL does not have: the two execution models and what comes with them.
// And, below, the settings it hides from SHOW ALL and pg_settings.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Execution Model"
ENUM(kCoforkCoroutineFault, "cofork.coroutine_fault", kPostmaster, kLive, CoroutineFault,
     kCoroutineFaultOptions, "reexec",
     "after a task's SIGSEGV: start the process over, or dump core")
INTEGER(kCoforkEmulateVersion, "cofork.emulate_version", kPostmaster, 0, kNoUnit, 15, 13, 17,
        "major release whose roster of processes and statistics views to show")
ENUM(kCoforkExecutionMode, "cofork.execution_mode", kPostmaster, kLive, ExecutionMode,
     kExecutionModeOptions, "fork", "what a child of the postmaster is: a process or a coroutine")
ENUM(kCoforkIoMethod, "cofork.io_method", kPostmaster, kLive, IoMethod, kIoMethodOptions, "worker",
     "who does the blocking file calls of coroutines")
INTEGER(kCoforkIoWorkers, "cofork.io_workers", kPostmaster, kLive, kNoUnit, 4, 1, 64,
        "threads for blocking calls in the coroutine model")
INTEGER(kCoforkSchedulerThreads, "cofork.scheduler_threads", kPostmaster, kLive, kNoUnit, 0, 0,
        1024,
        "threads that run coroutines; 0 takes the CPUs this process may use")
INTEGER(kCoforkWaitSamplingInterval, "cofork.wait_sampling_interval", kPostmaster, kLive,
        kMilliseconds, 0, 0, 60000,
        "pace of the worker that fills cofork_wait_profile; 0 runs none")
#undef CATEGORY

#define CATEGORY "Ungrouped"
BOOLEAN(kDefaultWithOids, "default_with_oids", kUser, kNoShowAll | kNotInSample, false,
        "tables with a hidden oid column (gone since 12)")
BOOLEAN(kIsSuperuser, "is_superuser", kInternal,
        kReport | kNoShowAll | kNoResetAll | kNotInSample | kDisallowInFile, false,
        "whether the current user is a superuser")
STRING(kRole, "role", kUser,
       kIsName | kNoShowAll | kNoResetAll | kNotInSample | kDisallowInFile | kLive, "none",
       "current role")
REAL(kSeed, "seed", kUser, kNoShowAll | kNoResetAll | kNotInSample | kDisallowInFile,
     kNoUnit, 0, -1, 1, "seed of random()")
STRING(kSessionAuthorization, "session_authorization", kUser,
       kIsName | kReport | kNoShowAll | kNoResetAll | kNotInSample | kDisallowInFile | kLive,
       nullptr,
       "session user")
INTEGER(kSslRenegotiationLimit, "ssl_renegotiation_limit", kUser,
        kNoShowAll | kNotInSample | kDisallowInFile, kKilobytes, 0, 0, 0,
        "TLS key renegotiation (gone since 9.5)")
#undef CATEGORY
