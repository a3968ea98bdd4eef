// ErrorResponse and NoticeResponse: an ErrorData as the client gets it (as
// send_message_to_frontend in elog.c, 15).
#pragma once

#include <string_view>

#include "support/error.h"
#include "wire/output_buffer.h"

namespace cofork {

/// ERROR and above become ErrorResponse, everything below NoticeResponse. Fields stand in
/// PostgreSQL's order: S V C M D H P p q W s t c d n F L R; empty ones are left out.
void append_report(OutputBuffer& out, const ErrorData& data);

/// What a client of protocol 1 or 2 understands: one line.
void append_version2_error(OutputBuffer& out, const ErrorData& data);

}  // namespace cofork
