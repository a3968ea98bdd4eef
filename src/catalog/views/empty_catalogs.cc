// Catalogs of what this server does not have: policies, publications, foreign tables … Clients ask
// them all the same (\d does), and an empty answer is the true one.
#include "catalog/views/list.h"

namespace cofork {
namespace {

using namespace type_oid;

constexpr ViewColumn kPolicyColumns[] = {{"oid", kOid},
                                         {"polname", kName},
                                         {"polrelid", kOid},
                                         {"polcmd", kChar},
                                         {"polpermissive", kBool},
                                         {"polroles", kOidArray},
                                         {"polqual", kPgNodeTree},
                                         {"polwithcheck", kPgNodeTree}};
constexpr ViewColumn kPublicationColumns[] = {
    {"oid", kOid},           {"pubname", kName},     {"pubowner", kOid},
    {"puballtables", kBool}, {"pubinsert", kBool},   {"pubupdate", kBool},
    {"pubdelete", kBool},    {"pubtruncate", kBool}, {"pubviaroot", kBool}};
constexpr ViewColumn kPublicationRelColumns[] = {{"oid", kOid},
                                                 {"prpubid", kOid},
                                                 {"prrelid", kOid},
                                                 {"prqual", kPgNodeTree},
                                                 {"prattrs", kInt2Vector}};
constexpr ViewColumn kPublicationNamespaceColumns[] = {
    {"oid", kOid}, {"pnpubid", kOid}, {"pnnspid", kOid}};
constexpr ViewColumn kSubscriptionColumns[] = {{"oid", kOid},
                                               {"subdbid", kOid},
                                               {"subskiplsn", kPgLsn},
                                               {"subname", kName},
                                               {"subowner", kOid},
                                               {"subenabled", kBool},
                                               {"subbinary", kBool},
                                               {"substream", kBool},
                                               {"subtwophasestate", kChar},
                                               {"subdisableonerr", kBool},
                                               {"subconninfo", kText},
                                               {"subslotname", kName},
                                               {"subsynccommit", kText},
                                               {"subpublications", kTextArray}};
constexpr ViewColumn kSubscriptionRelColumns[] = {
    {"srsubid", kOid}, {"srrelid", kOid}, {"srsubstate", kChar}, {"srsublsn", kPgLsn}};
constexpr ViewColumn kStatisticExtColumns[] = {{"oid", kOid},
                                               {"stxrelid", kOid},
                                               {"stxname", kName},
                                               {"stxnamespace", kOid},
                                               {"stxowner", kOid},
                                               {"stxstattarget", kInt4},
                                               {"stxkeys", kInt2Vector},
                                               {"stxkind", kCharArray},
                                               {"stxexprs", kPgNodeTree}};
constexpr ViewColumn kForeignTableColumns[] = {
    {"ftrelid", kOid}, {"ftserver", kOid}, {"ftoptions", kTextArray}};
constexpr ViewColumn kForeignServerColumns[] = {{"oid", kOid},
                                                {"srvname", kName},
                                                {"srvowner", kOid},
                                                {"srvfdw", kOid},
                                                {"srvtype", kText},
                                                {"srvversion", kText},
                                                {"srvacl", kAclitemArray},
                                                {"srvoptions", kTextArray}};
constexpr ViewColumn kForeignDataWrapperColumns[] = {{"oid", kOid},
                                                     {"fdwname", kName},
                                                     {"fdwowner", kOid},
                                                     {"fdwhandler", kOid},
                                                     {"fdwvalidator", kOid},
                                                     {"fdwacl", kAclitemArray},
                                                     {"fdwoptions", kTextArray}};
constexpr ViewColumn kUserMappingColumns[] = {
    {"oid", kOid}, {"umuser", kOid}, {"umserver", kOid}, {"umoptions", kTextArray}};
constexpr ViewColumn kEventTriggerColumns[] = {
    {"oid", kOid},     {"evtname", kName},    {"evtevent", kName},    {"evtowner", kOid},
    {"evtfoid", kOid}, {"evtenabled", kChar}, {"evttags", kTextArray}};
constexpr ViewColumn kPartitionedTableColumns[] = {
    {"partrelid", kOid},           {"partstrat", kChar},       {"partnatts", kInt2},
    {"partdefid", kOid},           {"partattrs", kInt2Vector}, {"partclass", kOidVector},
    {"partcollation", kOidVector}, {"partexprs", kPgNodeTree}};
constexpr ViewColumn kRangeColumns[] = {{"rngtypid", kOid},      {"rngsubtype", kOid},
                                        {"rngmultitypid", kOid}, {"rngcollation", kOid},
                                        {"rngsubopc", kOid},     {"rngcanonical", kRegproc},
                                        {"rngsubdiff", kRegproc}};
constexpr ViewColumn kEnumColumns[] = {
    {"oid", kOid}, {"enumtypid", kOid}, {"enumsortorder", kFloat4}, {"enumlabel", kName}};
constexpr ViewColumn kDefaultAclColumns[] = {{"oid", kOid},
                                             {"defaclrole", kOid},
                                             {"defaclnamespace", kOid},
                                             {"defaclobjtype", kChar},
                                             {"defaclacl", kAclitemArray}};
constexpr ViewColumn kLargeobjectMetadataColumns[] = {
    {"oid", kOid}, {"lomowner", kOid}, {"lomacl", kAclitemArray}};
constexpr ViewColumn kSeclabelColumns[] = {{"objoid", kOid},
                                           {"classoid", kOid},
                                           {"objsubid", kInt4},
                                           {"provider", kText},
                                           {"label", kText}};
constexpr ViewColumn kShseclabelColumns[] = {
    {"objoid", kOid}, {"classoid", kOid}, {"provider", kText}, {"label", kText}};
constexpr ViewColumn kTransformColumns[] = {{"oid", kOid},
                                            {"trftype", kOid},
                                            {"trflang", kOid},
                                            {"trffromsql", kRegproc},
                                            {"trftosql", kRegproc}};
constexpr ViewColumn kInitPrivsColumns[] = {{"objoid", kOid},
                                            {"classoid", kOid},
                                            {"objsubid", kInt4},
                                            {"privtype", kChar},
                                            {"initprivs", kAclitemArray}};

// What is not there has no rows to show: standbys, slots, prepared transactions, functions of
// users.
constexpr ViewColumn kStatReplicationColumns[] = {{"pid", kInt4},
                                                  {"usesysid", kOid},
                                                  {"usename", kName},
                                                  {"application_name", kText},
                                                  {"client_addr", kInet},
                                                  {"client_hostname", kText},
                                                  {"client_port", kInt4},
                                                  {"backend_start", kTimestampTz},
                                                  {"backend_xmin", kXid},
                                                  {"state", kText},
                                                  {"sent_lsn", kPgLsn},
                                                  {"write_lsn", kPgLsn},
                                                  {"flush_lsn", kPgLsn},
                                                  {"replay_lsn", kPgLsn},
                                                  {"write_lag", kInterval},
                                                  {"flush_lag", kInterval},
                                                  {"replay_lag", kInterval},
                                                  {"sync_priority", kInt4},
                                                  {"sync_state", kText},
                                                  {"reply_time", kTimestampTz}};
constexpr ViewColumn kReplicationSlotsColumns[] = {
    {"slot_name", kName},   {"plugin", kName},        {"slot_type", kText},
    {"datoid", kOid},       {"database", kName},      {"temporary", kBool},
    {"active", kBool},      {"active_pid", kInt4},    {"xmin", kXid},
    {"catalog_xmin", kXid}, {"restart_lsn", kPgLsn},  {"confirmed_flush_lsn", kPgLsn},
    {"wal_status", kText},  {"safe_wal_size", kInt8}, {"two_phase", kBool}};
constexpr ViewColumn kStatUserFunctionsColumns[] = {
    {"funcid", kOid}, {"schemaname", kName},   {"funcname", kName},
    {"calls", kInt8}, {"total_time", kFloat8}, {"self_time", kFloat8}};
constexpr ViewColumn kPreparedXactsColumns[] = {{"transaction", kXid},
                                                {"gid", kText},
                                                {"prepared", kTimestampTz},
                                                {"owner", kName},
                                                {"database", kName}};

void emit_nothing(EvalContext&, const Viewer&, ViewSink&) {}

constexpr BuiltinView kRows[] = {
    {3256, "pg_policy", kPolicyColumns, emit_nothing},
    {6104, "pg_publication", kPublicationColumns, emit_nothing},
    {6106, "pg_publication_rel", kPublicationRelColumns, emit_nothing},
    {6237, "pg_publication_namespace", kPublicationNamespaceColumns, emit_nothing},
    {6100, "pg_subscription", kSubscriptionColumns, emit_nothing},
    {6102, "pg_subscription_rel", kSubscriptionRelColumns, emit_nothing},
    {3381, "pg_statistic_ext", kStatisticExtColumns, emit_nothing},
    {3118, "pg_foreign_table", kForeignTableColumns, emit_nothing},
    {1417, "pg_foreign_server", kForeignServerColumns, emit_nothing},
    {2328, "pg_foreign_data_wrapper", kForeignDataWrapperColumns, emit_nothing},
    {1418, "pg_user_mapping", kUserMappingColumns, emit_nothing},
    {3466, "pg_event_trigger", kEventTriggerColumns, emit_nothing},
    {3350, "pg_partitioned_table", kPartitionedTableColumns, emit_nothing},
    {3541, "pg_range", kRangeColumns, emit_nothing},
    {3501, "pg_enum", kEnumColumns, emit_nothing},
    {826, "pg_default_acl", kDefaultAclColumns, emit_nothing},
    {12227, "pg_stat_replication", kStatReplicationColumns, emit_nothing},
    {12257, "pg_replication_slots", kReplicationSlotsColumns, emit_nothing},
    {12275, "pg_stat_user_functions", kStatUserFunctionsColumns, emit_nothing},
    {12090, "pg_prepared_xacts", kPreparedXactsColumns, emit_nothing},
    {2995, "pg_largeobject_metadata", kLargeobjectMetadataColumns, emit_nothing},
    {3596, "pg_seclabel", kSeclabelColumns, emit_nothing},
    {3592, "pg_shseclabel", kShseclabelColumns, emit_nothing},
    {3576, "pg_transform", kTransformColumns, emit_nothing},
    {3394, "pg_init_privs", kInitPrivsColumns, emit_nothing},
};

}  // namespace

constinit const std::span<const BuiltinView> kEmptyCatalogs = kRows;

}  // namespace cofork
