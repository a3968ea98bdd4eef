// pg_hba.conf and pg_ident.conf: grammar, mistakes, and which line decides.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "wire/hba.h"
#include "wire/ident.h"
#include "wire/network.h"

namespace cofork {
namespace {

const std::string kFile = "/data/pg_hba.conf";

std::optional<std::string> read_nothing(const std::string&, int& error_number) {
  error_number = ENOENT;
  return std::nullopt;
}

/// The first report for a file of one line, as "message" or "message (hint)".
std::string mistake_in(std::string_view line) {
  std::vector<ErrorData> reports;
  auto config = parse_hba(line, kFile, read_nothing, reports);
  if (config) return reports.empty() ? "good" : "good: " + reports[0].message;
  if (reports.empty()) return "refused without a word";
  const ErrorData& first = reports[0];
  return first.hint.empty() ? first.message : first.message + " (" + first.hint + ")";
}

PeerAddress peer(const std::string& address) {
  PeerAddress result;
  if (address.empty()) return result;
  HbaNetwork network;
  EXPECT_TRUE(parse_address(address, network));
  result.family = network.family;
  std::memcpy(result.bytes, network.address.data(), sizeof result.bytes);
  return result;
}

/// Number of the line that decides, 0 for none.
int line_for(std::string_view file, const std::string& address, std::string_view database,
             std::string_view user) {
  std::vector<ErrorData> reports;
  auto config = parse_hba(file, kFile, read_nothing, reports);
  EXPECT_TRUE(config) << (reports.empty() ? "" : reports[0].message);
  HbaRequest request;
  request.peer = peer(address);
  request.database = database;
  request.user = user;
  request.is_member = [&](std::string_view role) { return user == "anna" && role == "staff"; };
  request.interfaces = [] {
    HbaNetwork here;
    EXPECT_TRUE(parse_address("10.1.2.3", here));
    EXPECT_TRUE(set_mask_bits("16", here));
    return std::vector<HbaNetwork>{here};
  };
  request.has_host_name = [](const std::string& name) { return name == "db.example"; };
  const HbaLine* line = find_hba_line(*config, request);
  return line ? line->number : 0;
}

TEST(HbaTokens, QuotesCommasCommentsAndContinuation) {
  std::vector<ErrorData> reports;
  auto lines =
      tokenize_config("# nothing\n\nlocal a,\"b c\", d \"all\" trust # rest\nhost \\\n x\n", kFile,
                      read_nothing, reports);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].number, 3);
  ASSERT_EQ(lines[0].fields.size(), 4u);
  ASSERT_EQ(lines[0].fields[1].size(), 3u);
  EXPECT_EQ(lines[0].fields[1][1].text, "b c");
  EXPECT_EQ(lines[0].fields[1][2].text, "d");
  EXPECT_FALSE(lines[0].fields[2][0].is_keyword("all")) << "it was quoted";
  EXPECT_EQ(lines[1].number, 4);
  ASSERT_EQ(lines[1].fields.size(), 2u);
  EXPECT_TRUE(reports.empty());
}

TEST(HbaTokens, IncludesFiles) {
  std::map<std::string, std::string> files = {{"/data/admins", "anna\nbob, carl # the team\n"}};
  FileReader read = [&](const std::string& path, int& error_number) -> std::optional<std::string> {
    auto found = files.find(path);
    if (found != files.end()) return found->second;
    error_number = ENOENT;
    return std::nullopt;
  };
  std::vector<ErrorData> reports;
  auto lines = tokenize_config("local all @admins trust\n", kFile, read, reports);
  ASSERT_EQ(lines.size(), 1u);
  ASSERT_EQ(lines[0].fields[2].size(), 3u);
  EXPECT_EQ(lines[0].fields[2][2].text, "carl");

  tokenize_config("local all @nobody trust\n", kFile, read, reports);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].message,
            "could not open secondary authentication file \"@nobody\" as \"/data/nobody\": No such "
            "file or directory");

  files["/data/loop"] = "@loop";
  reports.clear();
  tokenize_config("local all @loop trust\n", kFile, read, reports);
  EXPECT_EQ(reports.size(), 1u) << "an endless inclusion ends";
}

TEST(Hba, TellsMistakesAsPostgresDoes) {
  EXPECT_EQ(mistake_in("garbage"), "invalid connection type \"garbage\"");
  EXPECT_EQ(
      mistake_in("local,host all all trust"),
      "multiple values specified for connection type (Specify exactly one connection type per "
      "line.)");
  EXPECT_EQ(mistake_in("local"), "end-of-line before database specification");
  EXPECT_EQ(mistake_in("local all"), "end-of-line before role specification");
  EXPECT_EQ(mistake_in("local all all"), "end-of-line before authentication method");
  EXPECT_EQ(mistake_in("host all all"), "end-of-line before IP address specification");
  EXPECT_EQ(
      mistake_in("host all all 1.2.3.4"),
      "end-of-line before netmask specification (Specify an address range in CIDR notation, or "
      "provide a separate netmask.)");
  EXPECT_EQ(mistake_in("host all all 1.2.3.4/33 trust"),
            "invalid CIDR mask in address \"1.2.3.4/33\"");
  EXPECT_EQ(mistake_in("host all all a.example/8 trust"),
            "specifying both host name and CIDR mask is invalid: \"a.example/8\"");
  EXPECT_EQ(mistake_in("host all all 1.2.3.4 ffff:: trust"), "IP address and mask do not match");
  EXPECT_EQ(mistake_in("host all all 1.2.3.4,1.2.3.5 trust"),
            "multiple values specified for host address (Specify one address range per line.)");
  EXPECT_EQ(mistake_in("local all all magic"), "invalid authentication method \"magic\"");
  EXPECT_EQ(mistake_in("local all all ldap"),
            "invalid authentication method \"ldap\": not supported by this build");
  EXPECT_EQ(mistake_in("host all all all peer"),
            "peer authentication is only supported on local sockets");
  EXPECT_EQ(mistake_in("local all all trust map"),
            "authentication option not in name=value format: map");
  EXPECT_EQ(mistake_in("local all all trust a=b"),
            "unrecognized authentication option name: \"a\"");
  EXPECT_EQ(mistake_in("local all all trust map=x"),
            "authentication option \"map\" is only valid for authentication methods ident, peer, "
            "gssapi, sspi, and cert");
  EXPECT_EQ(mistake_in("host all all all radius"),
            "authentication method \"radius\" requires argument \"radiusservers\" to be set");
  EXPECT_EQ(mistake_in("# nothing"),
            "configuration file \"/data/pg_hba.conf\" contains no entries");
  EXPECT_EQ(mistake_in("local all all peer map=m"), "good");
  EXPECT_EQ(mistake_in("hostssl all all all trust"),
            "good: hostssl record cannot match because SSL is not supported by this build");
}

TEST(Hba, OneMistakeRefusesTheFileAndAllAreTold) {
  std::vector<ErrorData> reports;
  auto config = parse_hba("local all all trust\nbad one\nworse\n", kFile, read_nothing, reports);
  EXPECT_FALSE(config);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].message, "invalid connection type \"worse\"");
  EXPECT_EQ(reports[1].context, "line 3 of configuration file \"/data/pg_hba.conf\"");
  EXPECT_EQ(reports[1].sqlstate, sqlstate::kConfigFileError);
  EXPECT_EQ(reports[1].severity, Severity::kLog);
}

TEST(Hba, FirstMatchingLineDecides) {
  const char* file =
      "host  all         px_reject all           reject\n"
      "local all         all                     trust\n"
      "host  shop        all       127.0.0.1/32  trust\n"
      "host  all         all       ::1/128       trust\n"
      "host  all         anna      192.168.0.0 255.255.0.0 md5\n";
  EXPECT_EQ(line_for(file, "127.0.0.1", "shop", "px_reject"), 1);
  EXPECT_EQ(line_for(file, "", "shop", "px_reject"), 2) << "host lines do not speak of sockets";
  EXPECT_EQ(line_for(file, "127.0.0.1", "shop", "bob"), 3);
  EXPECT_EQ(line_for(file, "127.0.0.1", "other", "bob"), 0);
  EXPECT_EQ(line_for(file, "::1", "other", "bob"), 4);
  EXPECT_EQ(line_for(file, "192.168.7.7", "other", "anna"), 5);
  EXPECT_EQ(line_for(file, "192.169.7.7", "other", "anna"), 0);
}

TEST(Hba, KeywordsAndNames) {
  EXPECT_EQ(line_for("local sameuser all trust", "", "bob", "bob"), 1);
  EXPECT_EQ(line_for("local sameuser all trust", "", "shop", "bob"), 0);
  EXPECT_EQ(line_for("local \"sameuser\" all trust", "", "bob", "bob"), 0);
  EXPECT_EQ(line_for("local samerole all trust", "", "staff", "anna"), 1);
  EXPECT_EQ(line_for("local all +staff trust", "", "x", "anna"), 1);
  EXPECT_EQ(line_for("local all +staff trust", "", "x", "bob"), 0);
  EXPECT_EQ(line_for("local all \"+staff\" trust", "", "x", "+staff"), 1);
  EXPECT_EQ(line_for("local replication all trust", "", "replication", "bob"), 0);
  EXPECT_EQ(line_for("local \"replication\" all trust", "", "replication", "bob"), 1);
  EXPECT_EQ(line_for("local a,b,c all trust", "", "c", "bob"), 1);
}

TEST(Hba, AddressKeywordsAndHostNames) {
  EXPECT_EQ(line_for("host all all samehost trust", "10.1.2.3", "x", "y"), 1);
  EXPECT_EQ(line_for("host all all samehost trust", "10.1.2.4", "x", "y"), 0);
  EXPECT_EQ(line_for("host all all samenet trust", "10.1.9.9", "x", "y"), 1);
  EXPECT_EQ(line_for("host all all samenet trust", "10.2.9.9", "x", "y"), 0);
  EXPECT_EQ(line_for("host all all db.example trust", "10.1.2.3", "x", "y"), 1);
  EXPECT_EQ(line_for("host all all no.example trust", "10.1.2.3", "x", "y"), 0);
  EXPECT_EQ(line_for("hostssl all all all trust", "10.1.2.3", "x", "y"), 0);
  EXPECT_EQ(line_for("hostnossl all all all trust", "10.1.2.3", "x", "y"), 1);
  EXPECT_EQ(line_for("host all all 0.0.0.0/0 trust", "::1", "x", "y"), 0) << "other family";
}

TEST(Ident, ReadsMapsAndTellsMistakes) {
  std::vector<ErrorData> reports;
  auto config = parse_ident("m  os_anna  anna\nm /^(.*)@x$ \\1\n", kFile, read_nothing, reports);
  ASSERT_TRUE(config);
  ASSERT_EQ(config->lines.size(), 2u);
  EXPECT_EQ(config->lines[1].system_user, "/^(.*)@x$");
  EXPECT_FALSE(parse_ident("m a\n", kFile, read_nothing, reports));
  EXPECT_FALSE(parse_ident("m /a(b c\n", kFile, read_nothing, reports));
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].message, "missing entry at end of line");
  EXPECT_TRUE(reports[1].message.starts_with("invalid regular expression \"a(b\": "));
  EXPECT_TRUE(parse_ident("", kFile, read_nothing, reports)) << "an empty map is one";
}

}  // namespace
}  // namespace cofork
