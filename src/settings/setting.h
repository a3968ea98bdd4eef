// What settings exist: their ids, types and properties (as guc_tables.c of PostgreSQL).
//
// A setting is named in code by a constant that knows the type of its value:
//
//   int kilobytes = settings().get(setting::kWorkMem);
//   if (settings().get(setting::kSynchronousCommit) == setting::SynchronousCommit::kOff) …
//
// The list itself is settings/setting_list.h and the files of settings/table/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "support/error.h"

namespace cofork {

enum class SettingType : uint8_t { kBool, kInteger, kReal, kString, kEnum };

/// When a setting can change (GucContext): the order means "from never to by anybody".
enum class SettingContext : uint8_t {
  kInternal,          ///< shown only
  kPostmaster,        ///< at server start
  kSighup,            ///< in the files, followed by a reload
  kSuperuserBackend,  ///< at connection start, by a superuser
  kBackend,           ///< at connection start
  kSuperuser,         ///< by a superuser at any time
  kUser,              ///< by anybody at any time
};

/// Where a value came from (GucSource): a later one wins over an earlier one.
enum class SettingSource : uint8_t {
  kDefault,
  kDynamicDefault,  ///< a default computed at start; shown as "default"
  kEnvironment,
  kFile,
  kCommandLine,
  kGlobal,
  kDatabase,
  kUser,
  kDatabaseUser,
  kClient,    ///< startup packet
  kOverride,  ///< forced by the server itself
  kInteractive,
  kTest,
  kSession,  ///< SET
};

enum class SettingUnit : uint8_t {
  kNoUnit,
  kBytes,
  kKilobytes,
  kBlocks,     ///< of 8 kB
  kWalBlocks,  ///< of 8 kB
  kMegabytes,
  kMilliseconds,
  kSeconds,
  kMinutes,
};

/// Bits of SettingInfo::flags (the GUC_ flags of guc.h).
namespace setting_flag {
enum Flag : uint32_t {
  kExplain = 1u << 0,
  kNoShowAll = 1u << 1,
  kNoResetAll = 1u << 2,
  kNotInSample = 1u << 3,
  kRuntimeComputed = 1u << 4,
  kSuperuserOnly = 1u << 5,        ///< only superusers and pg_read_all_settings see the value
  kListInput = 1u << 6,            ///< SET takes a list
  kListQuote = 1u << 7,            ///< … whose elements are quoted as identifiers
  kReport = 1u << 8,               ///< told to the client by ParameterStatus
  kIsName = 1u << 9,               ///< cut to 63 bytes
  kDisallowInFile = 1u << 10,      ///< not in postgresql.conf
  kDisallowInAutoFile = 1u << 11,  ///< not in postgresql.auto.conf
  kLive = 1u << 12,                ///< something in this server looks at it
};
}  // namespace setting_flag

struct EnumOption {
  const char* name;
  int value;
  bool hidden = false;  ///< accepted, not listed
};

/// Everything about a setting but its value.
struct SettingInfo {
  const char* name;
  SettingType type;
  SettingContext context;
  SettingUnit unit;
  uint32_t flags;
  const char* category;
  const char* description;
  double boot_number;  ///< kBool (0, 1), kInteger, kReal, kEnum (the option's value)
  double minimum;      ///< kInteger, kReal
  double maximum;
  const char* boot_text;  ///< kString; null is shown as NULL and reads as ""
  std::span<const EnumOption> options;

  bool has(setting_flag::Flag flag) const { return (flags & flag) != 0; }
  /// Does anything depend on it? A fact that is only shown is what it says.
  bool is_live() const { return has(setting_flag::kLive) || context == SettingContext::kInternal; }
};

/// Position of a setting in the list.
enum class SettingIndex : uint16_t {
#define BOOLEAN(symbol, ...) symbol,
#define INTEGER(symbol, ...) symbol,
#define REAL(symbol, ...) symbol,
#define STRING(symbol, ...) symbol,
#define ENUM(symbol, ...) symbol,
#include "settings/setting_list.h"
  kCount
};
inline constexpr int kSettingCount = static_cast<int>(SettingIndex::kCount);

template <typename T>
struct SettingId {
  SettingIndex index;
};
using BoolSetting = SettingId<bool>;
using IntegerSetting = SettingId<int>;
using RealSetting = SettingId<double>;
using StringSetting = SettingId<std::string_view>;

/// The ids, and the values of settings of enumerated type.
namespace setting {

enum class ArchiveMode : uint8_t { kOff, kOn, kAlways };
enum class BackslashQuote : uint8_t { kOff, kOn, kSafeEncoding };
enum class ByteaOutput : uint8_t { kEscape, kHex };
enum class ComputeQueryId : uint8_t { kOff, kOn, kAuto, kRegress };
enum class ConstraintExclusion : uint8_t { kOff, kOn, kPartition };
enum class CoroutineFault : uint8_t { kReexec, kAbort };
enum class DynamicSharedMemoryType : uint8_t { kPosix, kSysv, kMmap };
enum class ErrorVerbosity : uint8_t { kTerse, kDefault, kVerbose };
enum class ExecutionMode : uint8_t { kFork, kCoroutine };
enum class FetchConsistency : uint8_t { kNone, kCache, kSnapshot };
enum class ForceParallelMode : uint8_t { kOff, kOn, kRegress };
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
enum class IoMethod : uint8_t { kSync, kWorker, kIoUring };
enum class IsolationLevel : uint8_t {
  kReadUncommitted,
  kReadCommitted,
  kRepeatableRead,
  kSerializable
};
enum class LogStatement : uint8_t { kNone, kDdl, kMod, kAll };
enum class OffOnTry : uint8_t { kOff, kOn, kTry };
enum class PasswordEncryption : uint8_t { kMd5, kScramSha256 };
enum class PlanCacheMode : uint8_t { kAuto, kForceGenericPlan, kForceCustomPlan };
enum class RecoveryTargetAction : uint8_t { kPause, kPromote, kShutdown };
enum class ReplicationRole : uint8_t { kOrigin, kReplica, kLocal };
enum class SharedMemoryType : uint8_t { kSysv, kMmap };
enum class SslProtocol : uint8_t { kAny, kTls1, kTls11, kTls12, kTls13 };
enum class SyncMethod : uint8_t { kFsync, kSyncfs };
enum class SynchronousCommit : uint8_t { kOff, kLocal, kRemoteWrite, kOn, kRemoteApply };
enum class SyslogFacility : uint8_t {
  kLocal0,
  kLocal1,
  kLocal2,
  kLocal3,
  kLocal4,
  kLocal5,
  kLocal6,
  kLocal7
};
enum class ToastCompression : uint8_t { kPglz, kLz4 };
enum class TrackFunctions : uint8_t { kNone, kPl, kAll };
enum class WalCompression : uint8_t { kOff, kPglz, kLz4, kZstd };
enum class WalLevel : uint8_t { kMinimal, kReplica, kLogical };
enum class WalSyncMethod : uint8_t { kFsync, kFdatasync, kOpenSync, kOpenDatasync };
enum class XmlBinary : uint8_t { kBase64, kHex };
enum class XmlOption : uint8_t { kContent, kDocument };

#define BOOLEAN(symbol, ...) inline constexpr BoolSetting symbol{SettingIndex::symbol};
#define INTEGER(symbol, ...) inline constexpr IntegerSetting symbol{SettingIndex::symbol};
#define REAL(symbol, ...) inline constexpr RealSetting symbol{SettingIndex::symbol};
#define STRING(symbol, ...) inline constexpr StringSetting symbol{SettingIndex::symbol};
#define ENUM(symbol, name, context, flags, Type, ...) \
  inline constexpr SettingId<Type> symbol{SettingIndex::symbol};
#include "settings/setting_list.h"

}  // namespace setting

/// All settings in list order; index with static_cast<int>(SettingIndex).
std::span<const SettingInfo, kSettingCount> all_settings();
inline const SettingInfo& setting_info(SettingIndex index) {
  return all_settings()[static_cast<size_t>(index)];
}
/// By name, in any case; also the two old names PostgreSQL still knows ("sort_mem",
/// "vacuum_mem"). kCount when there is none.
SettingIndex find_setting(std::string_view name);
/// Indexes in the order of names without case, as pg_settings shows them.
std::span<const SettingIndex> settings_by_name();
/// As guc_name_compare(): <0, 0, >0, without case of ASCII letters.
int compare_setting_names(std::string_view a, std::string_view b);

const char* type_name(SettingType type);           ///< "integer"
const char* context_name(SettingContext context);  ///< "superuser-backend"
const char* source_name(SettingSource source);     ///< "configuration file"
const char* unit_name(SettingUnit unit);           ///< "8kB"; nullptr for none

}  // namespace cofork
