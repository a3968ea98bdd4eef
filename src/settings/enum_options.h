// The words of the settings of enumerated type. Order: as pg_settings.enumvals lists them; a value
// that has two words is shown by the first.
#pragma once

#include "settings/setting.h"

namespace cofork {

#define COFORK_OPTION(Type, word, value)         \
  EnumOption {                                   \
    word, static_cast<int>(setting::Type::value) \
  }
#define COFORK_HIDDEN(Type, word, value)               \
  EnumOption {                                         \
    word, static_cast<int>(setting::Type::value), true \
  }
/// Booleans by their other names, for settings that were boolean once.
#define COFORK_HIDDEN_BOOLEANS(Type, off, on)                         \
  COFORK_HIDDEN(Type, "true", on), COFORK_HIDDEN(Type, "false", off), \
      COFORK_HIDDEN(Type, "yes", on), COFORK_HIDDEN(Type, "no", off), \
      COFORK_HIDDEN(Type, "1", on), COFORK_HIDDEN(Type, "0", off)
#define COFORK_LEVEL(word, value)           \
  EnumOption {                              \
    word, static_cast<int>(Severity::value) \
  }
#define COFORK_HIDDEN_LEVEL(word, value)          \
  EnumOption {                                    \
    word, static_cast<int>(Severity::value), true \
  }

inline constexpr EnumOption kArchiveModeOptions[] = {
    COFORK_OPTION(ArchiveMode, "always", kAlways), COFORK_OPTION(ArchiveMode, "on", kOn),
    COFORK_OPTION(ArchiveMode, "off", kOff), COFORK_HIDDEN_BOOLEANS(ArchiveMode, kOff, kOn)};
inline constexpr EnumOption kBackslashQuoteOptions[] = {
    COFORK_OPTION(BackslashQuote, "safe_encoding", kSafeEncoding),
    COFORK_OPTION(BackslashQuote, "on", kOn), COFORK_OPTION(BackslashQuote, "off", kOff),
    COFORK_HIDDEN_BOOLEANS(BackslashQuote, kOff, kOn)};
inline constexpr EnumOption kByteaOutputOptions[] = {COFORK_OPTION(ByteaOutput, "escape", kEscape),
                                                     COFORK_OPTION(ByteaOutput, "hex", kHex)};
inline constexpr EnumOption kClientMessageOptions[] = {
    COFORK_LEVEL("debug5", kDebug5),   COFORK_LEVEL("debug4", kDebug4),
    COFORK_LEVEL("debug3", kDebug3),   COFORK_LEVEL("debug2", kDebug2),
    COFORK_LEVEL("debug1", kDebug1),   COFORK_LEVEL("log", kLog),
    COFORK_LEVEL("notice", kNotice),   COFORK_LEVEL("warning", kWarning),
    COFORK_LEVEL("error", kError),     COFORK_HIDDEN_LEVEL("debug", kDebug2),
    COFORK_HIDDEN_LEVEL("info", kInfo)};
inline constexpr EnumOption kServerMessageOptions[] = {
    COFORK_LEVEL("debug5", kDebug5),      COFORK_LEVEL("debug4", kDebug4),
    COFORK_LEVEL("debug3", kDebug3),      COFORK_LEVEL("debug2", kDebug2),
    COFORK_LEVEL("debug1", kDebug1),      COFORK_LEVEL("info", kInfo),
    COFORK_LEVEL("notice", kNotice),      COFORK_LEVEL("warning", kWarning),
    COFORK_LEVEL("error", kError),        COFORK_LEVEL("log", kLog),
    COFORK_LEVEL("fatal", kFatal),        COFORK_LEVEL("panic", kPanic),
    COFORK_HIDDEN_LEVEL("debug", kDebug2)};
inline constexpr EnumOption kComputeQueryIdOptions[] = {
    COFORK_OPTION(ComputeQueryId, "auto", kAuto),
    COFORK_OPTION(ComputeQueryId, "regress", kRegress), COFORK_OPTION(ComputeQueryId, "on", kOn),
    COFORK_OPTION(ComputeQueryId, "off", kOff), COFORK_HIDDEN_BOOLEANS(ComputeQueryId, kOff, kOn)};
inline constexpr EnumOption kConstraintExclusionOptions[] = {
    COFORK_OPTION(ConstraintExclusion, "partition", kPartition),
    COFORK_OPTION(ConstraintExclusion, "on", kOn), COFORK_OPTION(ConstraintExclusion, "off", kOff),
    COFORK_HIDDEN_BOOLEANS(ConstraintExclusion, kOff, kOn)};
inline constexpr EnumOption kCoroutineFaultOptions[] = {
    COFORK_OPTION(CoroutineFault, "reexec", kReexec),
    COFORK_OPTION(CoroutineFault, "abort", kAbort)};
inline constexpr EnumOption kDynamicSharedMemoryTypeOptions[] = {
    COFORK_OPTION(DynamicSharedMemoryType, "posix", kPosix),
    COFORK_OPTION(DynamicSharedMemoryType, "sysv", kSysv),
    COFORK_OPTION(DynamicSharedMemoryType, "mmap", kMmap)};
inline constexpr EnumOption kErrorVerbosityOptions[] = {
    COFORK_OPTION(ErrorVerbosity, "terse", kTerse),
    COFORK_OPTION(ErrorVerbosity, "default", kDefault),
    COFORK_OPTION(ErrorVerbosity, "verbose", kVerbose)};
inline constexpr EnumOption kExecutionModeOptions[] = {
    COFORK_OPTION(ExecutionMode, "fork", kFork),
    COFORK_OPTION(ExecutionMode, "coroutine", kCoroutine)};
inline constexpr EnumOption kFetchConsistencyOptions[] = {
    COFORK_OPTION(FetchConsistency, "none", kNone),
    COFORK_OPTION(FetchConsistency, "cache", kCache),
    COFORK_OPTION(FetchConsistency, "snapshot", kSnapshot)};
inline constexpr EnumOption kForceParallelModeOptions[] = {
    COFORK_OPTION(ForceParallelMode, "off", kOff), COFORK_OPTION(ForceParallelMode, "on", kOn),
    COFORK_OPTION(ForceParallelMode, "regress", kRegress),
    COFORK_HIDDEN_BOOLEANS(ForceParallelMode, kOff, kOn)};
inline constexpr EnumOption kIntervalStyleOptions[] = {
    COFORK_OPTION(IntervalStyle, "postgres", kPostgres),
    COFORK_OPTION(IntervalStyle, "postgres_verbose", kPostgresVerbose),
    COFORK_OPTION(IntervalStyle, "sql_standard", kSqlStandard),
    COFORK_OPTION(IntervalStyle, "iso_8601", kIso8601)};
inline constexpr EnumOption kIoMethodOptions[] = {COFORK_OPTION(IoMethod, "sync", kSync),
                                                  COFORK_OPTION(IoMethod, "worker", kWorker),
                                                  COFORK_OPTION(IoMethod, "io_uring", kIoUring)};
inline constexpr EnumOption kIsolationLevelOptions[] = {
    COFORK_OPTION(IsolationLevel, "serializable", kSerializable),
    COFORK_OPTION(IsolationLevel, "repeatable read", kRepeatableRead),
    COFORK_OPTION(IsolationLevel, "read committed", kReadCommitted),
    COFORK_OPTION(IsolationLevel, "read uncommitted", kReadUncommitted)};
inline constexpr EnumOption kLogStatementOptions[] = {
    COFORK_OPTION(LogStatement, "none", kNone), COFORK_OPTION(LogStatement, "ddl", kDdl),
    COFORK_OPTION(LogStatement, "mod", kMod), COFORK_OPTION(LogStatement, "all", kAll)};
inline constexpr EnumOption kOffOnTryOptions[] = {
    COFORK_OPTION(OffOnTry, "off", kOff), COFORK_OPTION(OffOnTry, "on", kOn),
    COFORK_OPTION(OffOnTry, "try", kTry), COFORK_HIDDEN_BOOLEANS(OffOnTry, kOff, kOn)};
inline constexpr EnumOption kPasswordEncryptionOptions[] = {
    COFORK_OPTION(PasswordEncryption, "md5", kMd5),
    COFORK_OPTION(PasswordEncryption, "scram-sha-256", kScramSha256)};
inline constexpr EnumOption kPlanCacheModeOptions[] = {
    COFORK_OPTION(PlanCacheMode, "auto", kAuto),
    COFORK_OPTION(PlanCacheMode, "force_generic_plan", kForceGenericPlan),
    COFORK_OPTION(PlanCacheMode, "force_custom_plan", kForceCustomPlan)};
inline constexpr EnumOption kRecoveryTargetActionOptions[] = {
    COFORK_OPTION(RecoveryTargetAction, "pause", kPause),
    COFORK_OPTION(RecoveryTargetAction, "promote", kPromote),
    COFORK_OPTION(RecoveryTargetAction, "shutdown", kShutdown)};
inline constexpr EnumOption kReplicationRoleOptions[] = {
    COFORK_OPTION(ReplicationRole, "origin", kOrigin),
    COFORK_OPTION(ReplicationRole, "replica", kReplica),
    COFORK_OPTION(ReplicationRole, "local", kLocal)};
inline constexpr EnumOption kSharedMemoryTypeOptions[] = {
    COFORK_OPTION(SharedMemoryType, "sysv", kSysv), COFORK_OPTION(SharedMemoryType, "mmap", kMmap)};
inline constexpr EnumOption kSslMaxProtocolOptions[] = {
    COFORK_OPTION(SslProtocol, "", kAny), COFORK_OPTION(SslProtocol, "TLSv1", kTls1),
    COFORK_OPTION(SslProtocol, "TLSv1.1", kTls11), COFORK_OPTION(SslProtocol, "TLSv1.2", kTls12),
    COFORK_OPTION(SslProtocol, "TLSv1.3", kTls13)};
inline constexpr EnumOption kSslProtocolOptions[] = {
    COFORK_OPTION(SslProtocol, "TLSv1", kTls1), COFORK_OPTION(SslProtocol, "TLSv1.1", kTls11),
    COFORK_OPTION(SslProtocol, "TLSv1.2", kTls12), COFORK_OPTION(SslProtocol, "TLSv1.3", kTls13)};
inline constexpr EnumOption kSyncMethodOptions[] = {COFORK_OPTION(SyncMethod, "fsync", kFsync),
                                                    COFORK_OPTION(SyncMethod, "syncfs", kSyncfs)};
inline constexpr EnumOption kSynchronousCommitOptions[] = {
    COFORK_OPTION(SynchronousCommit, "local", kLocal),
    COFORK_OPTION(SynchronousCommit, "remote_write", kRemoteWrite),
    COFORK_OPTION(SynchronousCommit, "remote_apply", kRemoteApply),
    COFORK_OPTION(SynchronousCommit, "on", kOn),
    COFORK_OPTION(SynchronousCommit, "off", kOff),
    COFORK_HIDDEN_BOOLEANS(SynchronousCommit, kOff, kOn)};
inline constexpr EnumOption kSyslogFacilityOptions[] = {
    COFORK_OPTION(SyslogFacility, "local0", kLocal0),
    COFORK_OPTION(SyslogFacility, "local1", kLocal1),
    COFORK_OPTION(SyslogFacility, "local2", kLocal2),
    COFORK_OPTION(SyslogFacility, "local3", kLocal3),
    COFORK_OPTION(SyslogFacility, "local4", kLocal4),
    COFORK_OPTION(SyslogFacility, "local5", kLocal5),
    COFORK_OPTION(SyslogFacility, "local6", kLocal6),
    COFORK_OPTION(SyslogFacility, "local7", kLocal7)};
inline constexpr EnumOption kToastCompressionOptions[] = {
    COFORK_OPTION(ToastCompression, "pglz", kPglz), COFORK_OPTION(ToastCompression, "lz4", kLz4)};
inline constexpr EnumOption kTrackFunctionsOptions[] = {
    COFORK_OPTION(TrackFunctions, "none", kNone), COFORK_OPTION(TrackFunctions, "pl", kPl),
    COFORK_OPTION(TrackFunctions, "all", kAll)};
inline constexpr EnumOption kWalCompressionOptions[] = {
    COFORK_OPTION(WalCompression, "pglz", kPglz),
    COFORK_OPTION(WalCompression, "lz4", kLz4),
    COFORK_OPTION(WalCompression, "zstd", kZstd),
    COFORK_OPTION(WalCompression, "on", kPglz),
    COFORK_OPTION(WalCompression, "off", kOff),
    COFORK_HIDDEN_BOOLEANS(WalCompression, kOff, kPglz)};
inline constexpr EnumOption kWalLevelOptions[] = {
    COFORK_OPTION(WalLevel, "minimal", kMinimal), COFORK_OPTION(WalLevel, "replica", kReplica),
    COFORK_OPTION(WalLevel, "logical", kLogical), COFORK_HIDDEN(WalLevel, "archive", kReplica),
    COFORK_HIDDEN(WalLevel, "hot_standby", kReplica)};
inline constexpr EnumOption kWalSyncMethodOptions[] = {
    COFORK_OPTION(WalSyncMethod, "fsync", kFsync),
    COFORK_OPTION(WalSyncMethod, "fdatasync", kFdatasync),
    COFORK_OPTION(WalSyncMethod, "open_sync", kOpenSync),
    COFORK_OPTION(WalSyncMethod, "open_datasync", kOpenDatasync)};
inline constexpr EnumOption kXmlBinaryOptions[] = {COFORK_OPTION(XmlBinary, "base64", kBase64),
                                                   COFORK_OPTION(XmlBinary, "hex", kHex)};
inline constexpr EnumOption kXmlOptionOptions[] = {COFORK_OPTION(XmlOption, "content", kContent),
                                                   COFORK_OPTION(XmlOption, "document", kDocument)};

#undef COFORK_OPTION
#undef COFORK_HIDDEN
#undef COFORK_HIDDEN_BOOLEANS
#undef COFORK_LEVEL
#undef COFORK_HIDDEN_LEVEL

}  // namespace cofork
