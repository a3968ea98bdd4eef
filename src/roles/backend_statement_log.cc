// What a backend writes about statements: log_statement, log_duration, log_min_duration_statement
// and the samples of statements and transactions (as check_log_statement and check_log_duration in
// postgres.c, 15).
#include <fmt/core.h>

#include "roles/client_backend.h"

namespace cofork {

bool ClientBackend::log_statement_wants(StatementClass statement_class) const {
  switch (settings_.get(setting::kLogStatement)) {
    case setting::LogStatement::kNone:
      return false;
    case setting::LogStatement::kDdl:
      return statement_class == StatementClass::kDefinition;
    case setting::LogStatement::kMod:
      return statement_class >= StatementClass::kModification;
    case setting::LogStatement::kAll:
      return true;
  }
  return false;
}

void ClientBackend::log_statement_text(std::string message, std::string detail) {
  ErrorData data;
  data.severity = Severity::kLog;
  data.sqlstate = sqlstate::kSuccessfulCompletion;
  data.message = std::move(message);
  data.detail = std::move(detail);
  data.hide_statement = true;
  report(data);
}

/// Decides for the transaction that the next statement begins (StartTransaction).
void ClientBackend::sample_transaction() {
  double rate = settings_.get(setting::kLogTransactionSampleRate);
  transaction_is_sampled_ = rate > 0 && is_drawn(rate);
}

bool ClientBackend::is_drawn(double rate) const {
  if (rate >= 1) return true;
  uint32_t random;
  task_.os().entropy.fill(&random, sizeof random);
  return random <= rate * UINT32_MAX;
}

bool ClientBackend::duration_is_wanted() const {
  return transaction_is_sampled_ || settings_.get(setting::kLogDuration) ||
         settings_.get(setting::kLogMinDurationStatement) >= 0 ||
         settings_.get(setting::kLogMinDurationSample) >= 0;
}

bool ClientBackend::is_in_sample(int64_t duration_us) {
  int least_ms = settings_.get(setting::kLogMinDurationSample);
  if (least_ms < 0 || duration_us < int64_t{least_ms} * 1000) return false;
  double rate = settings_.get(setting::kLogStatementSampleRate);
  return rate > 0 && is_drawn(rate);
}

void ClientBackend::log_duration(std::string_view what, std::string_view text,
                                 const std::string& detail) {
  int64_t duration_us = now_timestamp() - session_.statement_start_us;
  int least_ms = settings_.get(setting::kLogMinDurationStatement);
  bool is_long = least_ms >= 0 && duration_us >= int64_t{least_ms} * 1000;
  bool tells_text =
      (is_long || is_in_sample(duration_us) || transaction_is_sampled_) && !statement_was_logged_;
  if (!tells_text && !is_long && !transaction_is_sampled_ &&
      !settings_.get(setting::kLogDuration)) {
    return;
  }
  std::string message =
      fmt::format("duration: {}.{:03} ms", duration_us / 1000, duration_us % 1000);
  if (tells_text) {
    log_statement_text(fmt::format("{}  {}: {}", message, what, text), detail);
  } else {
    log_statement_text(std::move(message), {});
  }
}

}  // namespace cofork
