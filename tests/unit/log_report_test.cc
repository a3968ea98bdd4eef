// Who gets to see a message: the server log and the client, by their levels, in both models.
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "in_model.h"
#include "log/chunk.h"
#include "log/log.h"
#include "settings/server_settings.h"

namespace cofork {
namespace {

class Client final : public ClientSink {
 public:
  void send_report(const ErrorData& data) override { messages.push_back(data.message); }
  std::vector<std::string> messages;
};

ErrorData message(Severity severity, const char* text) {
  ErrorData data;
  data.severity = severity;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = text;
  return data;
}

/// Standard error in the place of a pipe; what was written to it.
class CapturedStderr {
 public:
  CapturedStderr() {
    EXPECT_IN_MODEL(pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0);
    kept_ = dup(2);
    dup2(pipe_[1], 2);
  }
  ~CapturedStderr() { dup2(kept_, 2); }
  std::string take() {
    std::string text;
    char bytes[4096];  // a fiber's stack is small
    for (ssize_t n; (n = read(pipe_[0], bytes, sizeof bytes)) > 0;) text.append(bytes, n);
    return text;
  }
  int read_fd() const { return pipe_[0]; }

 private:
  int pipe_[2];
  int kept_;
};

class LogReportTest : public testing::TestWithParam<TestedModel> {};
INSTANTIATE_TEST_SUITE_P(Models, LogReportTest,
                         testing::Values(TestedModel::kFork, TestedModel::kCoroutine), model_name);

void with_context(Task& task, const std::function<void(SettingsView&, LogIdentity&)>& body) {
  ServerSettings server(task.os().files);
  SettingsView first(server);
  LogIdentity identity;
  task.set_slot(&first);
  task.set_slot(&identity);
  {
    ChildContext own(task, "tester");
    own.settings.set("log_line_prefix", "%b ", SettingContext::kPostmaster,
                     SettingSource::kSession);
    body(own.settings, own.log);
  }
  EXPECT_IN_MODEL(task.slot<SettingsView>() == &first && task.slot<LogIdentity>() == &identity);
}

TEST_P(LogReportTest, LevelsOfTheServerLogPutLogAboveError) {
  EXPECT_EQ(0, run_in_model(GetParam(), [](Task& task) {
              with_context(task, [](SettingsView& view, LogIdentity&) {
                CapturedStderr out;
                report(message(Severity::kNotice, "notice"));
                report(message(Severity::kWarning, "warning"));
                report(message(Severity::kLog, "log"));
                std::string text = out.take();
                EXPECT_IN_MODEL(text == "tester WARNING:  warning\ntester LOG:  log\n");
                view.set("log_min_messages", "fatal", SettingContext::kSuperuser,
                         SettingSource::kSession);
                EXPECT_IN_MODEL(!log_is_interested(Severity::kLog));
                report(message(Severity::kError, "error"));
                report(message(Severity::kLog, "log"));
                EXPECT_IN_MODEL(out.take() == "");
                view.set("log_min_messages", "log", SettingContext::kSuperuser,
                         SettingSource::kSession);
                report(message(Severity::kError, "error"));
                report(message(Severity::kLog, "log"));
                report(message(Severity::kFatal, "fatal"));
                text = out.take();
                EXPECT_IN_MODEL(text == "tester LOG:  log\ntester FATAL:  fatal\n");
              });
            }));
}

TEST_P(LogReportTest, ClientsHearWhatTheyAskedFor) {
  EXPECT_EQ(0, run_in_model(GetParam(), [](Task& task) {
              with_context(task, [](SettingsView& view, LogIdentity& identity) {
                CapturedStderr out;
                Client client;
                identity.client = &client;
                view.set("log_min_messages", "panic", SettingContext::kSuperuser,
                         SettingSource::kSession);
                report(message(Severity::kLog, "log"));
                report(message(Severity::kNotice, "notice"));
                ErrorData hidden = message(Severity::kError, "for the log only");
                hidden.log_only = true;
                report(hidden);
                view.set("client_min_messages", "error", SettingContext::kUser,
                         SettingSource::kSession);
                report(message(Severity::kWarning, "warning"));
                report(message(Severity::kInfo, "info"));
                report(message(Severity::kError, "error"));
                std::vector<std::string> expected{"notice", "info", "error"};
                EXPECT_IN_MODEL(client.messages == expected);
                EXPECT_IN_MODEL(out.take() == "");
              });
            }));
}

TEST_P(LogReportTest, StatementsStandBesideErrorsOnly) {
  EXPECT_EQ(0, run_in_model(GetParam(), [](Task& task) {
              with_context(task, [](SettingsView&, LogIdentity& identity) {
                CapturedStderr out;
                identity.statement = "select x";
                report(message(Severity::kWarning, "careful"));
                ErrorData data = message(Severity::kError, "no x");
                report(data);
                data.hide_statement = true;
                report(data);
                std::string text = out.take();
                EXPECT_IN_MODEL(text ==
                                "tester WARNING:  careful\n"
                                "tester ERROR:  no x\ntester STATEMENT:  select x\n"
                                "tester ERROR:  no x\n");
              });
            }));
}

TEST_P(LogReportTest, ARedirectedLogGoesInChunks) {
  EXPECT_EQ(0, run_in_model(GetParam(), [](Task& task) {
              with_context(task, [&](SettingsView& view, LogIdentity& identity) {
                CapturedStderr out;
                LogChannel channel;
                channel.redirected = true;
                identity.channel = &channel;
                view.set("log_destination", "stderr,csvlog", SettingContext::kPostmaster,
                         SettingSource::kSession);
                report(message(Severity::kLog, "both ways"));
                std::string text;
                std::string csv;
                ChunkAssembler assembler;
                assembler.take(out.take(), [&](LogDestination destination, std::string_view part) {
                  (destination == LogDestination::kCsv ? csv : text) += part;
                });
                EXPECT_IN_MODEL(text == "tester LOG:  both ways\n");
                EXPECT_IN_MODEL(csv.find(",LOG,00000,\"both ways\",") != std::string::npos);
              });
            }));
}

}  // namespace
}  // namespace cofork
