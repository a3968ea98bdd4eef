// Developer options, and facts of this build that can only be read.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Developer Options"
BOOLEAN(kAllowInPlaceTablespaces, "allow_in_place_tablespaces", kSuperuser, kNotInSample, false,
        "tablespaces may live inside pg_tblspc (testing)")
BOOLEAN(kAllowSystemTableMods, "allow_system_table_mods", kSuperuser, kNotInSample, false,
        "lets superusers change system catalogs")
STRING(kBacktraceFunctions, "backtrace_functions", kSuperuser, kNotInSample, "",
       "functions whose errors log a backtrace")
INTEGER(kDebugDiscardCaches, "debug_discard_caches", kSuperuser, kNotInSample, kNoUnit, 0, 0, 0,
        "aggressively drop caches (debug)")
ENUM(kForceParallelMode, "force_parallel_mode", kUser, kExplain | kNotInSample,
     ForceParallelMode, kForceParallelModeOptions, "off", "force parallel plans (testing)")
BOOLEAN(kIgnoreChecksumFailure, "ignore_checksum_failure", kSuperuser, kNotInSample | kLive, false,
        "go on after a checksum failure")
BOOLEAN(kIgnoreInvalidPages, "ignore_invalid_pages", kPostmaster, kNotInSample, false,
        "go on after invalid page references in recovery")
BOOLEAN(kIgnoreSystemIndexes, "ignore_system_indexes", kBackend, kNotInSample, false,
        "do not read system indexes")
BOOLEAN(kJitDebuggingSupport, "jit_debugging_support", kSuperuserBackend, kNotInSample, false,
        "register JIT code with a debugger")
BOOLEAN(kJitDumpBitcode, "jit_dump_bitcode", kSuperuser, kNotInSample, false,
        "write JIT bitcode files")
BOOLEAN(kJitExpressions, "jit_expressions", kUser, kNotInSample, true, "JIT expressions")
BOOLEAN(kJitProfilingSupport, "jit_profiling_support", kSuperuserBackend, kNotInSample, false,
        "register JIT code with perf")
BOOLEAN(kJitTupleDeforming, "jit_tuple_deforming", kUser, kNotInSample, true, "JIT tuple decoding")
INTEGER(kPostAuthDelay, "post_auth_delay", kBackend, kNotInSample, kSeconds, 0, 0, 2147,
        "sleep after authentication (debug)")
INTEGER(kPreAuthDelay, "pre_auth_delay", kSighup, kNotInSample, kSeconds, 0, 0, 60,
        "sleep before authentication (debug)")
BOOLEAN(kRemoveTempFilesAfterCrash, "remove_temp_files_after_crash", kSighup, kNotInSample, true,
        "delete temp files after a crash")
BOOLEAN(kTraceNotify, "trace_notify", kUser, kNotInSample, false, "debug output for LISTEN/NOTIFY")
ENUM(kTraceRecoveryMessages, "trace_recovery_messages", kSighup, kNotInSample,
     Severity, kClientMessageOptions, "log", "debug level for recovery")
BOOLEAN(kTraceSort, "trace_sort", kUser, kNotInSample, false, "debug output for sorts")
STRING(kWalConsistencyChecking, "wal_consistency_checking", kSuperuser, kNotInSample | kListInput,
       "", "check WAL replay of these resource managers")
BOOLEAN(kZeroDamagedPages, "zero_damaged_pages", kSuperuser, kNotInSample | kLive, false,
        "turn damaged pages into zeros")
#undef CATEGORY

#define CATEGORY "Preset Options"
INTEGER(kBlockSize, "block_size", kInternal, kNotInSample, kNoUnit, 8192, 8192, 8192,
        "size of a data page (fixed)")
BOOLEAN(kDataChecksums, "data_checksums", kInternal,
        kNotInSample | kRuntimeComputed | kDisallowInFile, false,
        "whether page checksums are on (fixed)")
INTEGER(kDataDirectoryMode, "data_directory_mode", kInternal,
        kNotInSample | kRuntimeComputed | kDisallowInFile, kNoUnit, 0700, 0, 0777,
        "permission bits of the data directory")
BOOLEAN(kDebugAssertions, "debug_assertions", kInternal, kNotInSample, false,
        "built with assertions (fixed)")
BOOLEAN(kInHotStandby, "in_hot_standby", kInternal, kNotInSample | kReport | kDisallowInFile, false,
        "whether recovery with queries is running (report only)")
BOOLEAN(kIntegerDatetimes, "integer_datetimes", kInternal, kNotInSample | kReport, true,
        "timestamps stored as integers (fixed)")
STRING(kLcCollate, "lc_collate", kInternal, kNotInSample, "C", "collation of this database")
STRING(kLcCtype, "lc_ctype", kInternal, kNotInSample, "C", "character classes of this database")
INTEGER(kMaxFunctionArgs, "max_function_args", kInternal, kNotInSample, kNoUnit, 100, 100, 100,
        "most function arguments (fixed)")
INTEGER(kMaxIdentifierLength, "max_identifier_length", kInternal, kNotInSample, kNoUnit, 63, 63, 63,
        "longest identifier (fixed)")
INTEGER(kMaxIndexKeys, "max_index_keys", kInternal, kNotInSample, kNoUnit, 32, 32, 32,
        "most index columns (fixed)")
INTEGER(kSegmentSize, "segment_size", kInternal, kNotInSample, kBlocks, 131072, 131072, 131072,
        "size of one relation file piece (fixed)")
STRING(kServerEncoding, "server_encoding", kInternal, kNotInSample | kReport, "SQL_ASCII",
       "character set of the database (fixed)")
STRING(kServerVersion, "server_version", kInternal, kNotInSample | kReport, kVersionText,
       "version string (fixed)")
INTEGER(kServerVersionNum, "server_version_num", kInternal, kNotInSample,
        kNoUnit, 150018, 150018, 150018, "version number (fixed)")
INTEGER(kSharedMemorySize, "shared_memory_size", kInternal, kNotInSample | kRuntimeComputed,
        kMegabytes, 0, 0, kMaxInt, "total main shared memory (computed)")
INTEGER(kSharedMemorySizeInHugePages, "shared_memory_size_in_huge_pages", kInternal,
        kNotInSample | kRuntimeComputed, kNoUnit, -1, -1, kMaxInt, "huge pages needed (computed)")
STRING(kSslLibrary, "ssl_library", kInternal, kNotInSample, "", "TLS library in use (fixed)")
INTEGER(kWalBlockSize, "wal_block_size", kInternal, kNotInSample, kNoUnit, 8192, 8192, 8192,
        "WAL page size (fixed)")
INTEGER(kWalSegmentSize, "wal_segment_size", kInternal, kNotInSample | kRuntimeComputed,
        kBytes, 16777216, 1048576, 1073741824, "WAL file size (fixed)")
#undef CATEGORY
