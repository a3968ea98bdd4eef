// Conversations on the wire, replayed byte by byte: what PostgreSQL 15 answered is in
// tests/data/protocol, and every flavour has to answer the same (the reference too, so that the
// files stay true).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "client.h"
#include "server.h"

namespace cofork::test {
namespace {

/// One line of a scenario: what to do, and with which bytes.
struct Step {
  std::string verb;  ///< ">", "<", "=", "login", "shut", "closed", "open"
  char type = 0;     ///< of a message
  std::string bytes;
};

struct Scenario {
  std::string name;
  std::vector<Step> steps;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<Scenario> read_scenarios(const std::string& name) {
  std::vector<Scenario> scenarios;
  std::istringstream text(read_file(std::string(PROTOCOL_DATA) + "/" + name));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line[0] == ';') continue;
    if (line[0] == '#') {
      scenarios.push_back({line.substr(2), {}});
      continue;
    }
    std::istringstream words(line);
    Step step;
    std::string hex;
    words >> step.verb;
    if (step.verb == "<") words >> step.type;
    words >> hex;
    step.bytes = from_hex(hex);
    scenarios.back().steps.push_back(step);
  }
  return scenarios;
}

/// What differs from server to server is taken out: key, version, source positions.
std::string masked(const Message& message) {
  if (message.type == 'K') return "";
  if (message.type == 'S' && message.body.starts_with(std::string("server_version\0", 15))) {
    return message.body.substr(0, 15);
  }
  if (message.type != 'E' && message.type != 'N') return message.body;
  std::string kept;
  std::istringstream fields(message.body);
  for (std::string field; std::getline(fields, field, '\0');) {
    if (!field.empty() && std::string("FLR").find(field[0]) == std::string::npos) {
      kept += field + '\0';
    }
  }
  return kept + '\0';
}

/// Readable in a failure: what is no printable character is shown as a dot.
std::string shown(char type, std::string bytes) {
  std::replace_if(
      bytes.begin(), bytes.end(), [](char c) { return c < 32 || c > 126; }, '.');
  return std::string(1, type) + " " + bytes;
}

class ProtocolTest : public ServerTest {
 protected:
  void SetUp() override {
    server.configure("timezone = 'UTC'\n");
    server.start();
  }

  void replay(const std::string& file) {
    std::vector<Scenario> scenarios = read_scenarios(file);
    ASSERT_FALSE(scenarios.empty()) << file;
    for (const Scenario& scenario : scenarios) {
      SCOPED_TRACE(file + ": " + scenario.name);
      RawClient client(server);
      ASSERT_TRUE(client.connected());
      for (const Step& step : scenario.steps) {
        if (!take(client, step)) break;
      }
    }
  }

  /// False when the rest of the scenario makes no sense any more.
  bool take(RawClient& client, const Step& step) {
    if (step.verb == "login") {
      std::vector<Message> greeting = client.log_in();
      EXPECT_FALSE(greeting.empty());
      return !greeting.empty() && greeting.back().type == 'Z';
    }
    if (step.verb == ">") return client.send(step.bytes) || true;  // it may have closed already
    if (step.verb == "shut") client.shut_down_writing();
    if (step.verb == "closed") {
      EXPECT_EQ(client.receive_bytes(), "");
    }
    if (step.verb == "=") {
      std::string got = client.receive_exactly(step.bytes.size());
      EXPECT_EQ(got, step.bytes);
      return got == step.bytes;
    }
    if (step.verb == "<") {
      std::optional<Message> message = client.receive();
      EXPECT_TRUE(message) << "nothing came for " << shown(step.type, step.bytes);
      if (!message) return false;
      bool same = message->type == step.type && masked(*message) == step.bytes;
      EXPECT_TRUE(same) << "want " << shown(step.type, step.bytes) << "\ngot  "
                        << shown(message->type, masked(*message));
      return same;
    }
    return true;
  }
};

TEST_P(ProtocolTest, Startup) {
  replay("startup.txt");
}
TEST_P(ProtocolTest, SimpleQuery) {
  replay("simple.txt");
}
TEST_P(ProtocolTest, ExtendedQuery) {
  replay("extended.txt");
}
TEST_P(ProtocolTest, Violations) {
  replay("violations.txt");
}

// A client that pipelines hundreds of commands gets every answer, in order.
TEST_P(ProtocolTest, PipelinedQueriesAreAnsweredInOrder) {
  RawClient client(server);
  ASSERT_FALSE(client.log_in().empty());
  constexpr int kCount = 500;
  std::string all;
  for (int i = 0; i < kCount; ++i) {
    all += protocol_message('Q', "select " + std::to_string(i) + std::string(1, '\0'));
  }
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < kCount; ++i) {
    std::string value;
    std::optional<Message> message;
    while ((message = client.receive()) && message->type != 'Z') {
      if (message->type == 'D') value = message->body.substr(6);
    }
    ASSERT_TRUE(message);
    ASSERT_EQ(value, std::to_string(i));
  }
}

INSTANTIATE_FOR_ALL_FLAVORS(ProtocolTest);

}  // namespace
}  // namespace cofork::test
