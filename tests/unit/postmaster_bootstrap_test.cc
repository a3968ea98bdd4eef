// A cluster as `init` leaves it, and what the catalog floor does with it: under either model a
// startup task, a checkpointer and sessions that create, look up, fill and drop.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "access/btree_heap.h"
#include "access/heap.h"
#include "access/heap_scan.h"
#include "catalog/catalog_table.h"
#include "catalog/ddl.h"
#include "catalog/definitions.h"
#include "catalog/invalidation.h"
#include "catalog/names.h"
#include "catalog/sequence.h"
#include "catalog/shared_objects.h"
#include "catalog/system/pg_class.h"
#include "in_server.h"
#include "log/log.h"
#include "postmaster/bootstrap.h"
#include "postmaster/shared_memory.h"
#include "recovery/init_cluster.h"
#include "roles/checkpointer.h"
#include "roles/startup.h"
#include "settings/server_settings.h"
#include "test_data.h"
#include "txn/transaction.h"

namespace cofork {
namespace {

namespace fs = std::filesystem;
using testing_support::output_of;

constexpr const char* kTools = "/usr/lib/postgresql/15/bin/";

/// One cluster for all tests; each works on a copy.
const std::string& template_cluster() {
  static const std::string directory = [] {
    std::string pattern = testing::TempDir() + "cofork_template_XXXXXX";
    std::string top = mkdtemp(pattern.data());
    InitOptions options;
    options.directory = top + "/data";
    options.superuser = "we\"ird";
    options.locale = choose_locale("", "", "C.UTF-8");
    options.sync = false;
    options.wal_segment_bytes = 1u << 20;
    options.make_catalogs = [](const InitOptions& made, mode_t mode) {
      bootstrap_cluster(
          made.directory,
          {made.superuser, made.locale.encoding, made.locale.collate, made.locale.ctype}, mode);
    };
    InitProgress progress{[](std::string_view) {}, [](std::string_view) {}};
    ClusterInit(options, progress).run();
    return options.directory;
  }();
  return directory;
}

class Catalog : public testing::TestWithParam<TestedModel> {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cofork_catalog_XXXXXX";
    top_ = mkdtemp(pattern.data());
    data_ = top_ + "/data";
    fs::copy(template_cluster(), data_, fs::copy_options::recursive);
  }
  void TearDown() override { fs::remove_all(top_); }

  using Session = std::function<void()>;
  /// One life of a server: the sessions run one after another, each in a transaction of its own.
  int live(const std::vector<Session>& sessions, bool crash = false) {
    return run_in_model(GetParam(), [&](Task& postmaster) {
      EXPECT_IN_MODEL(postmaster.os().files.change_directory(data_) == 0);
      ServerSettings settings(postmaster.os().files);
      for (const auto& [name, value] : {std::pair{"fsync", "off"},
                                        {"log_min_messages", "fatal"},
                                        {"shared_buffers", "4MB"},
                                        {"max_connections", "10"}}) {
        settings.set(name, value, SettingSource::kCommandLine);
      }
      settings.choose_computed_defaults();
      SettingsView view(settings);
      LogIdentity identity;
      postmaster.set_slot(&view);
      postmaster.set_slot(&identity);
      TestServer server(postmaster, limits_from(view), all_areas());
      Pid checkpointer = server.spawn_role(checkpointer_main);
      Pid startup = server.spawn_role(startup_main);
      Death death = server.wait_for_one();
      EXPECT_IN_MODEL(death.pid == startup && death.status.is_exit(0));
      for (const Session& session : sessions) {
        server.spawn([&session](Task& task) { run_session(task, session); });
        EXPECT_IN_MODEL(server.wait_for_one().status.is_exit(0));
      }
      int signo = crash ? SIGKILL : SIGUSR2;
      postmaster.model().kill(checkpointer, signo);
      Death last = server.wait_for_one();
      EXPECT_IN_MODEL(crash || last.status.is_exit(0));
    });
  }

  std::string top_, data_;

 private:
  static void run_session(Task& task, const Session& session) {
    ChildContext context(task, "client backend");
    proc_array_join();
    my_proc().database_id.store(kPostgresOid);
    set_catalog_user({kBootstrapSuperuserOid, "we\"ird", true});
    my_transaction().begin({});
    session();
    my_transaction().commit();
  }
};

ColumnDefinition column(const char* name, Oid type, bool not_null = false) {
  ColumnDefinition made;
  made.name = name;
  made.type = type;
  made.not_null = not_null;
  return made;
}

TableDefinition accounts() {
  TableDefinition table;
  table.name = "accounts";
  table.columns = {column("id", type_oid::kInt4), column("owner", type_oid::kText)};
  table.options = {{"fillfactor", "70"}};
  ConstraintDefinition key;
  key.type = 'p';
  key.columns = {"id"};
  table.constraints.push_back(key);
  return table;
}

void insert_row(RelationDesc& table, int32_t id, std::string_view owner) {
  Arena arena;
  Datum values[] = {datum_from_int32(id), varlena_from(arena, owner)};
  bool nulls[] = {false, false};
  HeapTuple tuple = form_tuple(table.shape, values, nulls, arena);
  heap_insert(table.access, tuple, my_transaction().current_command(true));
  HeapBehindIndex heap(table.access);
  for (const auto& index : table.indexes) {
    EXPECT_IN_MODEL(
        btree_insert(index->btree, values, nulls, tuple.self, UniqueCheck::kYes, heap).is_unique);
  }
}

int count_rows(RelationDesc& table) {
  RegisteredSnapshot snapshot = register_snapshot(take_snapshot());
  HeapScan scan(table.access, *snapshot);
  int count = 0;
  while (scan.next()) ++count;
  return count;
}

/// The error's text, what was done undone; "" when nothing is thrown.
template <typename Call>
std::string error_of(Call&& call) {
  Transaction& transaction = my_transaction();
  int level = transaction.nesting_level();
  transaction.begin_subtransaction();
  std::string message;
  try {
    call();
  } catch (const Error& error) {
    message = error.data().message;
  }
  transaction.rollback_to(level);
  return message;
}

TEST_P(Catalog, InitLeavesRolesDatabasesAndCatalogs) {
  EXPECT_EQ(live({[] {
              auto superuser = find_role("we\"ird");
              EXPECT_IN_MODEL(superuser && superuser->oid == 10 && superuser->superuser);
              EXPECT_IN_MODEL(!find_role("pg_monitor")->login);
              EXPECT_IN_MODEL(!find_role("nobody"));
              EXPECT_IN_MODEL(find_database("template0")->oid == kTemplate0Oid);
              EXPECT_IN_MODEL(!find_database("template0")->allow_connections);
              EXPECT_IN_MODEL(find_database(kPostgresOid)->ctype == "C.UTF-8");
              EXPECT_IN_MODEL(all_databases().size() == 3);
              RelationDesc& pg_class = open_relation(1259, LockMode::kAccessShare);
              EXPECT_IN_MODEL(pg_class.name == "pg_class" && pg_class.columns.size() == 33);
              EXPECT_IN_MODEL(pg_class.indexes.size() == 3 && pg_class.tuples > 50);
              EXPECT_IN_MODEL(*pg_class.indexes[1]->shape.keys.data()->compare != nullptr);
              EXPECT_IN_MODEL(find_relation("", "pg_attribute").oid == 1249);
              EXPECT_IN_MODEL(find_relation("", "pg_stat_activity").view != nullptr);
              EXPECT_IN_MODEL(!find_relation("", "nothing"));
            }}),
            0);
}

TEST_P(Catalog, ATableLivesOnInOtherSessionsAndAfterACrash) {
  ASSERT_EQ(live({[] {
                    Oid table = create_table(accounts());
                    RelationDesc& made = open_relation(table, LockMode::kNone);
                    EXPECT_IN_MODEL(made.access.fillfactor == 70 && made.columns[0].not_null);
                    for (int i = 1; i <= 1000; ++i) insert_row(made, i, "somebody");
                  },
                  [] {
                    Oid table = find_relation("", "accounts").oid;
                    RelationDesc& found = open_relation(table, LockMode::kAccessShare);
                    EXPECT_IN_MODEL(count_rows(found) == 1000);
                    EXPECT_IN_MODEL(found.primary_key()->name == "accounts_pkey");
                    EXPECT_IN_MODEL(index_definition(found.primary_key()->oid, 0, false) ==
                                    "CREATE UNIQUE INDEX accounts_pkey ON public.accounts USING "
                                    "btree (id)");
                    EXPECT_IN_MODEL(error_of([] { create_table(accounts()); }) ==
                                    "relation \"accounts\" already exists");
                  }},
                 true),
            0);
  EXPECT_EQ(live({[] {
              Oid table = find_relation("", "accounts").oid;
              EXPECT_IN_MODEL(count_rows(open_relation(table, LockMode::kAccessShare)) == 1000);
            }}),
            0);
}

TEST_P(Catalog, WhatIsRolledBackIsGone) {
  EXPECT_EQ(live({[] {
                    Transaction& transaction = my_transaction();
                    transaction.begin_subtransaction();
                    create_table(accounts());
                    EXPECT_IN_MODEL(find_relation("", "accounts").oid != kInvalidOid);
                    transaction.rollback_to(1);
                    EXPECT_IN_MODEL(!find_relation("", "accounts"));
                    create_table(accounts());
                  },
                  [] {
                    QualifiedName name{"", "accounts"};
                    drop_relations('r', {&name, 1}, DropBehavior::kRestrict, false);
                    EXPECT_IN_MODEL(!find_relation("", "accounts"));
                    EXPECT_IN_MODEL(!find_relation("", "accounts_pkey"));
                  }}),
            0);
}

TEST_P(Catalog, DependentsStopADropOrGoAlong) {
  EXPECT_EQ(
      live({[] {
        Oid table = create_table(accounts());
        TableDefinition child;
        child.name = "child";
        child.columns = {column("account", type_oid::kInt4)};
        ConstraintDefinition key;
        key.type = 'f';
        key.columns = {"account"};
        key.referenced = table;
        child.constraints.push_back(key);
        Oid child_oid = create_table(child);
        RelationDesc& referenced = open_relation(table, LockMode::kNone);
        EXPECT_IN_MODEL(referenced.referencing.size() == 1);
        EXPECT_IN_MODEL(constraint_definition(referenced.referencing[0].oid, true) ==
                        "FOREIGN KEY (account) REFERENCES accounts(id)");
        QualifiedName name{"", "accounts"};
        EXPECT_IN_MODEL(error_of([&] {
                          drop_relations('r', {&name, 1}, DropBehavior::kRestrict, false);
                        }) == "cannot drop table accounts because other objects depend on it");
        EXPECT_IN_MODEL(error_of([&] {
                          drop_relations('v', {&name, 1}, DropBehavior::kRestrict, false);
                        }) == "\"accounts\" is not a view");
        drop_relations('r', {&name, 1}, DropBehavior::kCascade, false);
        EXPECT_IN_MODEL(open_relation(child_oid, LockMode::kNone).constraints.empty());
      }}),
      0);
}

TEST_P(Catalog, AnIndexIsBuiltAndDuplicatesRefused) {
  EXPECT_EQ(live({[] {
              Oid table = create_table(accounts());
              RelationDesc& made = open_relation(table, LockMode::kNone);
              for (int i = 1; i <= 500; ++i) insert_row(made, i, i % 2 == 0 ? "even" : "odd");
              my_transaction().command_counter_increment();
              IndexDefinition index;
              index.table = table;
              index.keys.resize(1);
              index.keys[0].column = "owner";
              index.keys[0].descending = true;
              Oid oid = create_index(index);
              EXPECT_IN_MODEL(index_definition(oid, 0, true) ==
                              "CREATE INDEX accounts_owner_idx ON accounts USING btree (owner "
                              "DESC)");
              RelationDesc& with_index = open_relation(table, LockMode::kNone);
              EXPECT_IN_MODEL(with_index.find_index(oid)->tuples == 500);
              index.unique = true;
              EXPECT_IN_MODEL(error_of([&] { create_index(index); }) ==
                              "could not create unique index \"accounts_owner_idx1\"");
            }}),
            0);
}

TEST_P(Catalog, TruncateGivesNewFilesAndKeepsTheOldUntilCommit) {
  EXPECT_EQ(live({[] {
                    Oid table = create_table(accounts());
                    insert_row(open_relation(table, LockMode::kNone), 1, "x");
                  },
                  [] {
                    Oid table = find_relation("", "accounts").oid;
                    Oid before = open_relation(table, LockMode::kAccessShare).access.file.number;
                    my_transaction().begin_subtransaction();
                    truncate_tables({&table, 1}, false);
                    RelationDesc& empty = open_relation(table, LockMode::kNone);
                    EXPECT_IN_MODEL(empty.access.file.number != before && count_rows(empty) == 0);
                    my_transaction().rollback_to(1);
                    RelationDesc& again = open_relation(table, LockMode::kNone);
                    EXPECT_IN_MODEL(again.access.file.number == before && count_rows(again) == 1);
                  }}),
            0);
}

TEST_P(Catalog, SequencesGoOnAndDoNotRollBack) {
  EXPECT_EQ(live({[] {
                    SequenceDefinition definition;
                    definition.name = "s";
                    definition.sequence.type = type_oid::kInt8;
                    Oid sequence = create_sequence(definition);
                    EXPECT_IN_MODEL(sequence_next(sequence) == 1 && sequence_next(sequence) == 2);
                    EXPECT_IN_MODEL(read_sequence(sequence).log_count == 31);
                  },
                  [] {
                    Oid sequence = find_relation("", "s").oid;
                    EXPECT_IN_MODEL(error_of([&] { sequence_current(sequence); }) ==
                                    "currval of sequence \"s\" is not yet defined in this session");
                    EXPECT_IN_MODEL(sequence_next(sequence) == 3);
                  }}),
            0);
}

INSTANTIATE_TEST_SUITE_P(Models, Catalog,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine), model_name);

TEST(Bootstrap, PostgresToolsLikeTheDirectory) {
  if (access((std::string(kTools) + "pg_checksums").c_str(), X_OK) != 0) {
    GTEST_SKIP() << "PostgreSQL 15 is not installed";
  }
  int status = -1;
  std::string text = output_of(
      std::string(kTools) + "pg_checksums --check -D " + template_cluster() + " 2>&1", &status);
  EXPECT_EQ(status, 0) << text;
  EXPECT_NE(text.find("Bad checksums:  0"), std::string::npos) << text;
  text = output_of(std::string(kTools) + "pg_controldata " + template_cluster() + " 2>&1");
  EXPECT_NE(text.find("Database cluster state:               shut down\n"), std::string::npos);
}

}  // namespace
}  // namespace cofork
