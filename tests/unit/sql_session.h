// A session without a server: statements in, rows as text out.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "in_model.h"
#include "os/real_os.h"
#include "settings/server_settings.h"
#include "sql/engine.h"

namespace cofork {

class TextReceiver final : public RowReceiver {
 public:
  void begin_rows(std::span<const ResultColumn> columns, std::span<const int16_t>) override {
    columns_.assign(columns.begin(), columns.end());
  }
  void row(EvalContext& context, const Datum* values, const bool* nulls) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += '|';
      if (!nulls[i]) columns_[i].type->to_text(context, values[i], text);
    }
    text += '\n';
  }
  void complete(std::string_view tag) override { text += fmt::format("{}\n", tag); }
  void empty_query() override { text += "(empty)\n"; }

  std::string text;

 private:
  std::vector<ResultColumn> columns_;
};

class TestSession {
 public:
  explicit TestSession(Task& task) : server_(task.os().files), view_(server_), session_(task) {
    task.set_slot(&view_);
    task.set_slot(&session_);
    engine_.emplace(session_);
  }

  /// Rows as "a|b" lines and tags; an error as "SQLSTATE position: message".
  std::string run(std::string_view sql) {
    TextReceiver receiver;
    std::optional<ErrorData> error;
    try {
      engine_->simple_query(sql, receiver);
    } catch (const Error& e) {
      error = e.data();
    }
    if (!error) return receiver.text;
    engine_->failed();
    return receiver.text +
           fmt::format("{} {}: {}\n", error->sqlstate.text(), error->position, error->message);
  }
  Engine& engine() { return *engine_; }

 private:
  ServerSettings server_;
  SettingsView view_;
  Session session_;
  std::optional<Engine> engine_;
};

/// Runs `body` in a session, in a process of its own; failures come out as the status.
inline void in_session(const std::function<void(TestSession&)>& body) {
  int status = run_in_model(TestedModel::kFork, [&](Task& task) {
    TestSession session(task);
    body(session);
    if (testing::Test::HasFailure()) throw TaskExit{1};
  });
  EXPECT_EQ(status, 0);
}

}  // namespace cofork
