// Command tags of raw statements, as CreateCommandTag in utility.c: shown by psql, %i of the log,
// and the tag of statements that return no row count.
#include <algorithm>
#include <array>

#include "sql/parser.h"

namespace cofork {
namespace {

struct TagRow {
  std::string_view kind;
  std::string_view tag;
};

// Sorted by kind.
constexpr std::array kTags = {
    TagRow{"AlterDatabaseSetStmt", "ALTER DATABASE"},
    TagRow{"AlterDatabaseStmt", "ALTER DATABASE"},
    TagRow{"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES"},
    TagRow{"AlterFunctionStmt", "ALTER FUNCTION"},
    TagRow{"AlterObjectSchemaStmt", "ALTER TABLE"},
    TagRow{"AlterOwnerStmt", "ALTER TABLE"},
    TagRow{"AlterRoleSetStmt", "ALTER ROLE"},
    TagRow{"AlterRoleStmt", "ALTER ROLE"},
    TagRow{"AlterSeqStmt", "ALTER SEQUENCE"},
    TagRow{"AlterSystemStmt", "ALTER SYSTEM"},
    TagRow{"AlterTableStmt", "ALTER TABLE"},
    TagRow{"CallStmt", "CALL"},
    TagRow{"CheckPointStmt", "CHECKPOINT"},
    TagRow{"ClosePortalStmt", "CLOSE CURSOR"},
    TagRow{"ClusterStmt", "CLUSTER"},
    TagRow{"CommentStmt", "COMMENT"},
    TagRow{"CompositeTypeStmt", "CREATE TYPE"},
    TagRow{"ConstraintsSetStmt", "SET CONSTRAINTS"},
    TagRow{"CopyStmt", "COPY"},
    TagRow{"CreateCastStmt", "CREATE CAST"},
    TagRow{"CreateDomainStmt", "CREATE DOMAIN"},
    TagRow{"CreateEnumStmt", "CREATE TYPE"},
    TagRow{"CreateExtensionStmt", "CREATE EXTENSION"},
    TagRow{"CreateFunctionStmt", "CREATE FUNCTION"},
    TagRow{"CreatePolicyStmt", "CREATE POLICY"},
    TagRow{"CreatePublicationStmt", "CREATE PUBLICATION"},
    TagRow{"CreateRangeStmt", "CREATE TYPE"},
    TagRow{"CreateRoleStmt", "CREATE ROLE"},
    TagRow{"CreateSchemaStmt", "CREATE SCHEMA"},
    TagRow{"CreateSeqStmt", "CREATE SEQUENCE"},
    TagRow{"CreateStatsStmt", "CREATE STATISTICS"},
    TagRow{"CreateStmt", "CREATE TABLE"},
    TagRow{"CreateSubscriptionStmt", "CREATE SUBSCRIPTION"},
    TagRow{"CreateTableAsStmt", "CREATE TABLE AS"},
    TagRow{"CreateTableSpaceStmt", "CREATE TABLESPACE"},
    TagRow{"CreateTrigStmt", "CREATE TRIGGER"},
    TagRow{"CreatedbStmt", "CREATE DATABASE"},
    TagRow{"DeallocateStmt", "DEALLOCATE"},
    TagRow{"DeclareCursorStmt", "DECLARE CURSOR"},
    TagRow{"DeleteStmt", "DELETE"},
    TagRow{"DiscardStmt", "DISCARD"},
    TagRow{"DoStmt", "DO"},
    TagRow{"DropOwnedStmt", "DROP OWNED"},
    TagRow{"DropRoleStmt", "DROP ROLE"},
    TagRow{"DropStmt", "DROP TABLE"},
    TagRow{"DropSubscriptionStmt", "DROP SUBSCRIPTION"},
    TagRow{"DropTableSpaceStmt", "DROP TABLESPACE"},
    TagRow{"DropdbStmt", "DROP DATABASE"},
    TagRow{"ExecuteStmt", "EXECUTE"},
    TagRow{"ExplainStmt", "EXPLAIN"},
    TagRow{"FetchStmt", "FETCH"},
    TagRow{"GrantRoleStmt", "GRANT ROLE"},
    TagRow{"GrantStmt", "GRANT"},
    TagRow{"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA"},
    TagRow{"IndexStmt", "CREATE INDEX"},
    TagRow{"InsertStmt", "INSERT"},
    TagRow{"ListenStmt", "LISTEN"},
    TagRow{"LoadStmt", "LOAD"},
    TagRow{"LockStmt", "LOCK TABLE"},
    TagRow{"MergeStmt", "MERGE"},
    TagRow{"NotifyStmt", "NOTIFY"},
    TagRow{"PrepareStmt", "PREPARE"},
    TagRow{"ReassignOwnedStmt", "REASSIGN OWNED"},
    TagRow{"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
    TagRow{"ReindexStmt", "REINDEX"},
    TagRow{"RenameStmt", "ALTER TABLE"},
    TagRow{"RuleStmt", "CREATE RULE"},
    TagRow{"SecLabelStmt", "SECURITY LABEL"},
    TagRow{"SelectStmt", "SELECT"},
    TagRow{"TruncateStmt", "TRUNCATE TABLE"},
    TagRow{"UnlistenStmt", "UNLISTEN"},
    TagRow{"UpdateStmt", "UPDATE"},
    TagRow{"VacuumStmt", "VACUUM"},
    TagRow{"VariableShowStmt", "SHOW"},
    TagRow{"ViewStmt", "CREATE VIEW"},
};
static_assert(std::ranges::is_sorted(kTags, {}, &TagRow::kind));

constexpr TagRow kTransactionTags[] = {
    {"TRANS_STMT_BEGIN", "BEGIN"},
    {"TRANS_STMT_START", "START TRANSACTION"},
    {"TRANS_STMT_COMMIT", "COMMIT"},
    {"TRANS_STMT_ROLLBACK", "ROLLBACK"},
    {"TRANS_STMT_SAVEPOINT", "SAVEPOINT"},
    {"TRANS_STMT_RELEASE", "RELEASE"},
    {"TRANS_STMT_ROLLBACK_TO", "ROLLBACK"},
    {"TRANS_STMT_PREPARE", "PREPARE TRANSACTION"},
    {"TRANS_STMT_COMMIT_PREPARED", "COMMIT PREPARED"},
    {"TRANS_STMT_ROLLBACK_PREPARED", "ROLLBACK PREPARED"},
};

constexpr TagRow kDiscardTags[] = {
    {"DISCARD_ALL", "DISCARD ALL"},
    {"DISCARD_PLANS", "DISCARD PLANS"},
    {"DISCARD_SEQUENCES", "DISCARD SEQUENCES"},
    {"DISCARD_TEMP", "DISCARD TEMP"},
};

std::string_view look_up(std::span<const TagRow> rows, std::string_view kind) {
  for (const TagRow& row : rows) {
    if (row.kind == kind) return row.tag;
  }
  return {};
}

}  // namespace

std::string_view command_tag_of(const Node& statement) {
  switch (statement.kind) {
    case NodeKind::kTransactionStmt:
      return look_up(kTransactionTags, statement.string("kind"));
    case NodeKind::kVariableSetStmt:
      return statement.string("kind").starts_with("VAR_RESET") ? "RESET" : "SET";
    case NodeKind::kDiscardStmt:
      return look_up(kDiscardTags, statement.string("target"));
    case NodeKind::kDeallocateStmt:
      return statement.string("name").empty() ? "DEALLOCATE ALL" : "DEALLOCATE";
    case NodeKind::kClosePortalStmt:
      return statement.string("portalname").empty() ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
    case NodeKind::kFetchStmt:
      return statement.flag("ismove") ? "MOVE" : "FETCH";
    default:
      break;
  }
  if (statement.kind_name == "GrantStmt" && !statement.flag("is_grant")) return "REVOKE";
  if (statement.kind_name == "GrantRoleStmt" && !statement.flag("is_grant")) return "REVOKE ROLE";
  if (statement.kind_name == "VacuumStmt" && !statement.flag("is_vacuumcmd")) return "ANALYZE";
  auto found = std::ranges::lower_bound(kTags, statement.kind_name, {}, &TagRow::kind);
  if (found == kTags.end() || found->kind != statement.kind_name) return "???";
  return found->tag;
}

}  // namespace cofork
