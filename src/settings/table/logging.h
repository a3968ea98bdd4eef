// The server log, process titles and statistics.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Reporting and Logging / Process Title"
STRING(kClusterName, "cluster_name", kPostmaster, kLive, "", "name put in process titles")
BOOLEAN(kUpdateProcessTitle, "update_process_title", kSuperuser, kLive, true,
        "show activity in process title")
#undef CATEGORY

#define CATEGORY "Reporting and Logging / What to Log"
STRING(kApplicationName, "application_name", kUser, kIsName | kNotInSample | kReport | kLive, "",
       "client-chosen name shown in logs and stats")
BOOLEAN(kDebugPrettyPrint, "debug_pretty_print", kUser, 0, true, "indent debug tree output")
BOOLEAN(kDebugPrintParse, "debug_print_parse", kUser, 0, false, "log parse trees")
BOOLEAN(kDebugPrintPlan, "debug_print_plan", kUser, 0, false, "log execution plans")
BOOLEAN(kDebugPrintRewritten, "debug_print_rewritten", kUser, 0, false, "log rewritten trees")
INTEGER(kLogAutovacuumMinDuration, "log_autovacuum_min_duration", kSighup, 0,
        kMilliseconds, 600000, -1, kMaxInt, "log autovacuum runs longer than this")
BOOLEAN(kLogCheckpoints, "log_checkpoints", kSighup, kLive, true, "log each checkpoint")
BOOLEAN(kLogConnections, "log_connections", kSuperuserBackend, kLive, false,
        "log each accepted connection")
BOOLEAN(kLogDisconnections, "log_disconnections", kSuperuserBackend, kLive, false,
        "log end of each session")
BOOLEAN(kLogDuration, "log_duration", kSuperuser, kLive, false, "log duration of each statement")
ENUM(kLogErrorVerbosity, "log_error_verbosity", kSuperuser, kLive,
     ErrorVerbosity, kErrorVerbosityOptions, "default", "detail of log messages")
BOOLEAN(kLogHostname, "log_hostname", kSighup, kLive, false, "log client host names")
STRING(kLogLinePrefix, "log_line_prefix", kSighup, kLive, "%m [%p] ", "text before each log line")
BOOLEAN(kLogLockWaits, "log_lock_waits", kSuperuser, kLive, false, "log long lock waits")
INTEGER(kLogParameterMaxLength, "log_parameter_max_length", kSuperuser, 0,
        kBytes, -1, -1, kMaxInt / 2, "cap on logged parameter values")
INTEGER(kLogParameterMaxLengthOnError, "log_parameter_max_length_on_error", kUser, 0,
        kBytes, 0, -1, kMaxInt / 2, "cap on parameter values logged with errors")
BOOLEAN(kLogRecoveryConflictWaits, "log_recovery_conflict_waits", kSighup, 0, false,
        "log long recovery-conflict waits")
BOOLEAN(kLogReplicationCommands, "log_replication_commands", kSuperuser, 0, false,
        "log replication commands")
ENUM(kLogStatement, "log_statement", kSuperuser, kLive, LogStatement, kLogStatementOptions, "none",
     "which statements to log")
INTEGER(kLogTempFiles, "log_temp_files", kSuperuser, 0, kKilobytes, -1, -1, kMaxInt,
        "log temp files of this size and up")
STRING(kLogTimezone, "log_timezone", kSighup, kLive, "GMT", "time zone of log timestamps")
#undef CATEGORY

#define CATEGORY "Reporting and Logging / When to Log"
INTEGER(kLogMinDurationSample, "log_min_duration_sample", kSuperuser, kLive,
        kMilliseconds, -1, -1, kMaxInt, "sample statements longer than this")
INTEGER(kLogMinDurationStatement, "log_min_duration_statement", kSuperuser, kLive,
        kMilliseconds, -1, -1, kMaxInt, "log statements longer than this")
ENUM(kLogMinErrorStatement, "log_min_error_statement", kSuperuser, kLive,
     Severity, kServerMessageOptions, "error", "log the statement for errors at this level and up")
ENUM(kLogMinMessages, "log_min_messages", kSuperuser, kLive, Severity, kServerMessageOptions,
     "warning",
     "lowest level written to the log")
INTEGER(kLogStartupProgressInterval, "log_startup_progress_interval", kSighup, kLive,
        kMilliseconds, 10000, 0, kMaxInt, "report long startup steps this often")
REAL(kLogStatementSampleRate, "log_statement_sample_rate", kSuperuser, kLive, kNoUnit, 1, 0, 1,
     "share of sampled statements to log")
REAL(kLogTransactionSampleRate, "log_transaction_sample_rate", kSuperuser, kLive, kNoUnit, 0, 0, 1,
     "share of transactions to log whole")
#undef CATEGORY

#define CATEGORY "Reporting and Logging / Where to Log"
STRING(kEventSource, "event_source", kPostmaster, 0, "PostgreSQL",
       "event source name (Windows log)")
STRING(kLogDestination, "log_destination", kSighup, kListInput | kLive, "stderr", "where logs go")
STRING(kLogDirectory, "log_directory", kSighup, kSuperuserOnly | kLive, "log",
       "folder for log files")
INTEGER(kLogFileMode, "log_file_mode", kSighup, kLive, kNoUnit, 0600, 0, 0777,
        "mode bits of log files")
STRING(kLogFilename, "log_filename", kSighup, kSuperuserOnly | kLive,
       "postgresql-%Y-%m-%d_%H%M%S.log",
       "log file name pattern")
INTEGER(kLogRotationAge, "log_rotation_age", kSighup, kLive, kMinutes, 1440, 0, 35791394,
        "rotate the log file after this time")
INTEGER(kLogRotationSize, "log_rotation_size", kSighup, kLive, kKilobytes, 10240, 0, 2097151,
        "rotate the log file after this size")
BOOLEAN(kLogTruncateOnRotation, "log_truncate_on_rotation", kSighup, kLive, false,
        "empty old log file on time rotation")
BOOLEAN(kLoggingCollector, "logging_collector", kPostmaster, kLive, false,
        "collect stderr into log files")
ENUM(kSyslogFacility, "syslog_facility", kSighup, 0,
     SyslogFacility, kSyslogFacilityOptions, "local0", "syslog facility")
STRING(kSyslogIdent, "syslog_ident", kSighup, 0, "postgres", "syslog program name")
BOOLEAN(kSyslogSequenceNumbers, "syslog_sequence_numbers", kSighup, 0, true,
        "number syslog messages")
BOOLEAN(kSyslogSplitMessages, "syslog_split_messages", kSighup, 0, true,
        "split long syslog messages")
#undef CATEGORY

#define CATEGORY "Statistics / Cumulative Query and Index Statistics"
ENUM(kStatsFetchConsistency, "stats_fetch_consistency", kUser, 0,
     FetchConsistency, kFetchConsistencyOptions, "cache", "how stats reads are kept consistent")
BOOLEAN(kTrackActivities, "track_activities", kSuperuser, kLive, true,
        "collect current-command info")
INTEGER(kTrackActivityQuerySize, "track_activity_query_size", kPostmaster, kLive,
        kBytes, 1024, 100, 1048576, "bytes kept of each running query")
BOOLEAN(kTrackCounts, "track_counts", kSuperuser, 0, true, "collect table and index counters")
ENUM(kTrackFunctions, "track_functions", kSuperuser, 0,
     TrackFunctions, kTrackFunctionsOptions, "none", "collect function statistics")
BOOLEAN(kTrackIoTiming, "track_io_timing", kSuperuser, 0, false, "time I/O calls")
BOOLEAN(kTrackWalIoTiming, "track_wal_io_timing", kSuperuser, kLive, false, "time WAL I/O calls")
#undef CATEGORY

#define CATEGORY "Statistics / Monitoring"
ENUM(kComputeQueryId, "compute_query_id", kSuperuser, 0,
     ComputeQueryId, kComputeQueryIdOptions, "auto", "compute in-core query ids")
BOOLEAN(kLogExecutorStats, "log_executor_stats", kSuperuser, 0, false, "log executor statistics")
BOOLEAN(kLogParserStats, "log_parser_stats", kSuperuser, 0, false, "log parser statistics")
BOOLEAN(kLogPlannerStats, "log_planner_stats", kSuperuser, 0, false, "log planner statistics")
BOOLEAN(kLogStatementStats, "log_statement_stats", kSuperuser, 0, false,
        "log total statement statistics")
#undef CATEGORY
