// What a session may set for itself, and compatibility switches.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Client Connection Defaults / Locale and Formatting"
STRING(kClientEncoding, "client_encoding", kUser, kReport | kLive, "SQL_ASCII",
       "character set of the client")
STRING(kDateStyle, "DateStyle", kUser, kListInput | kReport | kLive, "ISO, MDY",
       "output format and field order for dates")
STRING(kDefaultTextSearchConfig, "default_text_search_config", kUser, 0, "pg_catalog.simple",
       "default text-search configuration")
INTEGER(kExtraFloatDigits, "extra_float_digits", kUser, kLive, kNoUnit, 1, -15, 3,
        "digits added to or removed from float output")
ENUM(kIntervalStyle, "IntervalStyle", kUser, kReport | kLive,
     IntervalStyle, kIntervalStyleOptions, "postgres", "output format for intervals")
STRING(kLcMessages, "lc_messages", kSuperuser, 0, "", "language of messages")
STRING(kLcMonetary, "lc_monetary", kUser, 0, "C", "locale for money format")
STRING(kLcNumeric, "lc_numeric", kUser, 0, "C", "locale for number format")
STRING(kLcTime, "lc_time", kUser, 0, "C", "locale for day and month names")
STRING(kTimeZone, "TimeZone", kUser, kReport | kLive, "GMT", "session time zone")
STRING(kTimezoneAbbreviations, "timezone_abbreviations", kUser, 0, nullptr,
       "set of zone abbreviations")
#undef CATEGORY

#define CATEGORY "Client Connection Defaults / Other Defaults"
STRING(kDynamicLibraryPath, "dynamic_library_path", kSuperuser, kSuperuserOnly, "$libdir",
       "search path for loadable modules")
INTEGER(kGinFuzzySearchLimit, "gin_fuzzy_search_limit", kUser, 0, kNoUnit, 0, 0, kMaxInt,
        "soft cap on GIN search results")
#undef CATEGORY

#define CATEGORY "Client Connection Defaults / Shared Library Preloading"
STRING(kJitProvider, "jit_provider", kPostmaster, kSuperuserOnly, "llvmjit", "JIT library")
STRING(kLocalPreloadLibraries, "local_preload_libraries", kUser, kListInput | kListQuote, "",
       "libraries any user may preload per session")
STRING(kSessionPreloadLibraries, "session_preload_libraries", kSuperuser,
       kSuperuserOnly | kListInput | kListQuote, "", "libraries to preload per session")
STRING(kSharedPreloadLibraries, "shared_preload_libraries", kPostmaster,
       kSuperuserOnly | kListInput | kListQuote, "", "libraries to preload at start")
#undef CATEGORY

#define CATEGORY "Client Connection Defaults / Statement Behavior"
ENUM(kByteaOutput, "bytea_output", kUser, kLive, ByteaOutput, kByteaOutputOptions, "hex",
     "text format for bytea output")
BOOLEAN(kCheckFunctionBodies, "check_function_bodies", kUser, 0, true,
        "check function bodies at CREATE")
ENUM(kClientMinMessages, "client_min_messages", kUser, kLive, Severity, kClientMessageOptions,
     "notice",
     "lowest message level sent to the client")
STRING(kDefaultTableAccessMethod, "default_table_access_method", kUser, kIsName, "heap",
       "default table access method")
STRING(kDefaultTablespace, "default_tablespace", kUser, kIsName, "",
       "default tablespace for new objects")
ENUM(kDefaultToastCompression, "default_toast_compression", kUser, 0,
     ToastCompression, kToastCompressionOptions, "pglz", "default TOAST compression method")
BOOLEAN(kDefaultTransactionDeferrable, "default_transaction_deferrable", kUser, kLive, false,
        "new transactions deferrable by default")
ENUM(kDefaultTransactionIsolation, "default_transaction_isolation", kUser, kLive,
     IsolationLevel, kIsolationLevelOptions, "read committed",
     "isolation level for new transactions")
BOOLEAN(kDefaultTransactionReadOnly, "default_transaction_read_only", kUser, kReport | kLive, false,
        "new transactions read-only by default")
INTEGER(kGinPendingListLimit, "gin_pending_list_limit", kUser, 0, kKilobytes, 4096, 64, kMaxInt,
        "cap on a GIN pending list")
INTEGER(kIdleInTransactionSessionTimeout, "idle_in_transaction_session_timeout", kUser, kLive,
        kMilliseconds, 0, 0, kMaxInt, "kill a session idle inside a transaction after this")
INTEGER(kIdleSessionTimeout, "idle_session_timeout", kUser, kLive, kMilliseconds, 0, 0, kMaxInt,
        "kill an idle session after this")
INTEGER(kLockTimeout, "lock_timeout", kUser, kLive, kMilliseconds, 0, 0, kMaxInt,
        "give up waiting for a lock after this")
STRING(kRestrictNonsystemRelationKind, "restrict_nonsystem_relation_kind", kUser,
       kNotInSample | kListInput, "", "forbid some access to non-system relation kinds")
BOOLEAN(kRowSecurity, "row_security", kUser, 0, true, "apply row-level security")
STRING(kSearchPath, "search_path", kUser, kExplain | kListInput | kListQuote | kLive,
       "\"$user\", public",
       "schemas to look names up in")
ENUM(kSessionReplicationRole, "session_replication_role", kSuperuser, 0,
     ReplicationRole, kReplicationRoleOptions, "origin",
     "how triggers and rules fire for replication")
INTEGER(kStatementTimeout, "statement_timeout", kUser, kLive, kMilliseconds, 0, 0, kMaxInt,
        "cancel a statement after this")
STRING(kTempTablespaces, "temp_tablespaces", kUser, kListInput | kListQuote, "",
       "tablespaces for temp objects")
BOOLEAN(kTransactionDeferrable, "transaction_deferrable", kUser,
        kNoResetAll | kNotInSample | kDisallowInFile | kLive, false, "this transaction deferrable")
ENUM(kTransactionIsolation, "transaction_isolation", kUser,
     kNoResetAll | kNotInSample | kDisallowInFile | kLive, IsolationLevel, kIsolationLevelOptions,
     "read committed",
     "isolation of this transaction")
BOOLEAN(kTransactionReadOnly, "transaction_read_only", kUser,
        kNoResetAll | kNotInSample | kDisallowInFile | kLive, false, "this transaction read-only")
INTEGER(kVacuumFailsafeAge, "vacuum_failsafe_age", kUser, kLive, kNoUnit, 1600000000, 0, 2100000000,
        "xid age that starts failsafe vacuum")
INTEGER(kVacuumFreezeMinAge, "vacuum_freeze_min_age", kUser, kLive, kNoUnit, 50000000, 0,
        1000000000, "least xid age to freeze a row")
INTEGER(kVacuumFreezeTableAge, "vacuum_freeze_table_age", kUser, kLive,
        kNoUnit, 150000000, 0, 2000000000, "xid age for a whole-table freeze scan")
INTEGER(kVacuumMultixactFailsafeAge, "vacuum_multixact_failsafe_age", kUser, kLive,
        kNoUnit, 1600000000, 0, 2100000000, "multixact age that starts failsafe vacuum")
INTEGER(kVacuumMultixactFreezeMinAge, "vacuum_multixact_freeze_min_age", kUser, kLive,
        kNoUnit, 5000000, 0, 1000000000, "least multixact age to freeze")
INTEGER(kVacuumMultixactFreezeTableAge, "vacuum_multixact_freeze_table_age", kUser, kLive,
        kNoUnit, 150000000, 0, 2000000000, "multixact age for a whole-table scan")
ENUM(kXmlbinary, "xmlbinary", kUser, 0, XmlBinary, kXmlBinaryOptions, "base64",
     "bytea form inside XML")
ENUM(kXmloption, "xmloption", kUser, 0, XmlOption, kXmlOptionOptions, "content", "default XML kind")
#undef CATEGORY

#define CATEGORY "Version and Platform Compatibility / Other Platforms and Clients"
BOOLEAN(kTransformNullEquals, "transform_null_equals", kUser, 0, false,
        "treat x = NULL as x IS NULL")
#undef CATEGORY

#define CATEGORY "Version and Platform Compatibility / Previous PostgreSQL Versions"
BOOLEAN(kArrayNulls, "array_nulls", kUser, 0, true, "unquoted NULL in array input means null")
ENUM(kBackslashQuote, "backslash_quote", kUser, 0,
     BackslashQuote, kBackslashQuoteOptions, "safe_encoding",
     "whether \\' is allowed in string literals")
BOOLEAN(kEscapeStringWarning, "escape_string_warning", kUser, 0, true,
        "warn about backslashes in plain strings")
BOOLEAN(kLoCompatPrivileges, "lo_compat_privileges", kSuperuser, 0, false,
        "old large-object permission rules")
BOOLEAN(kQuoteAllIdentifiers, "quote_all_identifiers", kUser, 0, false,
        "quote all identifiers in generated SQL")
BOOLEAN(kStandardConformingStrings, "standard_conforming_strings", kUser, kReport, true,
        "backslashes are plain in '...' strings")
BOOLEAN(kSynchronizeSeqscans, "synchronize_seqscans", kUser, 0, true,
        "concurrent seq scans share position")
#undef CATEGORY
