// See row_sender.h.
#include "roles/row_sender.h"

namespace cofork {

void send_row_description(OutputBuffer& out, std::span<const ResultColumn> columns,
                          std::span<const int16_t> formats) {
  out.begin(ServerMessage::kRowDescription);
  out.add_int16(static_cast<int>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    const ResultColumn& column = columns[i];
    out.add_string(column.name);
    out.add_int32(column.table);
    out.add_int16(column.number);
    out.add_int32(column.type->oid);
    out.add_int16(column.type->length);
    out.add_int32(static_cast<uint32_t>(column.typmod));
    out.add_int16(formats.empty() ? 0 : formats[i]);
  }
  out.end();
}

void RowSender::begin_rows(std::span<const ResultColumn> columns,
                           std::span<const int16_t> formats) {
  columns_ = columns;
  formats_ = formats;
  if (describe_) send_row_description(connection_.out(), columns, formats);
}

void RowSender::row(EvalContext& context, const Datum* values, const bool* nulls) {
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kDataRow);
  out.add_int16(static_cast<int>(columns_.size()));
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (nulls[i]) {
      out.add_int32(static_cast<uint32_t>(-1));
      continue;
    }
    size_t mark = out.open_value();
    if (formats_.empty() || formats_[i] == 0) {
      columns_[i].type->to_text(context, values[i], out.text());
      out.convert_from(mark);
    } else {
      columns_[i].type->to_binary(context, values[i], out.text());
      if (columns_[i].type->category == 'S') out.convert_from(mark);  // textsend
    }
    out.close_value(mark);
  }
  out.end();
  connection_.flush_if_full();
}

void RowSender::complete(std::string_view tag) {
  OutputBuffer& out = connection_.out();
  out.begin(ServerMessage::kCommandComplete);
  out.add_string(tag);
  out.end();
  connection_.flush_if_full();
}

void RowSender::empty_query() {
  connection_.out().add_empty(ServerMessage::kEmptyQueryResponse);
}

}  // namespace cofork
