// bytea: bytes and bits of it, encode() and decode(), digests; uuid and pg_lsn while at it.
#include <algorithm>

#include "catalog/function_tables.h"
#include "catalog/functions/wrap.h"
#include "model/task.h"
#include "support/error.h"
#include "types/digest.h"
#include "types/numeric.h"
#include "types/scalar.h"

namespace cofork {

using namespace type_oid;

namespace {

void check_index(int64_t index, int64_t count) {
  if (index >= 0 && index < count) return;
  throw Error(sqlstate::kArraySubscriptError, "index {} out of valid range, 0..{}", index,
              count - 1);
}
int32_t get_byte(std::string_view bytes, int32_t index) {
  check_index(index, static_cast<int64_t>(bytes.size()));
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index)]);
}
std::string set_byte(std::string_view bytes, int32_t index, int32_t value) {
  check_index(index, static_cast<int64_t>(bytes.size()));
  std::string out(bytes);
  out[static_cast<size_t>(index)] = static_cast<char>(value);
  return out;
}
int32_t get_bit(std::string_view bytes, int64_t index) {
  check_index(index, static_cast<int64_t>(bytes.size()) * 8);
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index / 8)]) >> (index % 8) & 1;
}
std::string set_bit(std::string_view bytes, int64_t index, int32_t value) {
  check_index(index, static_cast<int64_t>(bytes.size()) * 8);
  if (value != 0 && value != 1)
    throw Error(sqlstate::kInvalidParameterValue, "new bit must be 0 or 1");
  std::string out(bytes);
  char& byte = out[static_cast<size_t>(index / 8)];
  byte = static_cast<char>(value != 0 ? byte | 1 << (index % 8) : byte & ~(1 << (index % 8)));
  return out;
}
int64_t bit_count(std::string_view bytes) {
  int64_t count = 0;
  for (char c : bytes) count += std::popcount(static_cast<uint8_t>(c));
  return count;
}

std::string_view substring(std::string_view bytes, int32_t start, int32_t length) {
  if (length < 0) throw Error(sqlstate::kSubstringError, "negative substring length not allowed");
  int64_t end = int64_t{start} + length, first = std::max(start, 1);
  auto size = static_cast<int64_t>(bytes.size());
  if (end <= first || first > size) return {};
  return bytes.substr(static_cast<size_t>(first - 1), static_cast<size_t>(end - first));
}
std::string_view substring_to_end(std::string_view bytes, int32_t start) {
  return bytes.substr(std::min(bytes.size(), static_cast<size_t>(std::max(start, 1) - 1)));
}
int32_t position_of(std::string_view bytes, std::string_view part) {
  size_t at = bytes.find(part);
  return at == std::string_view::npos ? 0 : static_cast<int32_t>(at) + 1;
}
std::string overlay(std::string_view bytes, std::string_view part, int32_t start, int32_t length) {
  if (start <= 0) throw Error(sqlstate::kSubstringError, "negative substring length not allowed");
  int64_t end = int64_t{start} + length;
  if (end != static_cast<int32_t>(end)) throw_out_of_range("integer");
  std::string out(bytes.substr(0, std::min(bytes.size(), static_cast<size_t>(start - 1))));
  out += part;
  return out.append(
      bytes.substr(std::min(bytes.size(), static_cast<size_t>(std::max<int64_t>(end - 1, 0)))));
}
std::string overlay_all(std::string_view bytes, std::string_view part, int32_t start) {
  return overlay(bytes, part, start, static_cast<int32_t>(part.size()));
}
std::string_view trim_front(std::string_view bytes, std::string_view set) {
  return bytes.substr(std::min(bytes.size(), bytes.find_first_not_of(set)));
}
std::string_view trim_back(std::string_view bytes, std::string_view set) {
  return bytes.substr(0, bytes.find_last_not_of(set) + 1);
}
std::string_view trim(std::string_view bytes, std::string_view set) {
  return trim_back(trim_front(bytes, set), set);
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  constexpr size_t kLine = 76;
  std::string out;
  size_t line = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    auto byte = [&](size_t k) {
      return i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u;
    };
    uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : kBase64[group >> (18 - 6 * k) & 63];
    line += 4;
    if (line == kLine && i + 3 < bytes.size()) {
      out += '\n';
      line = 0;
    }
  }
  return out;
}

std::string from_base64(std::string_view text) {
  std::string out;
  uint32_t group = 0;
  int count = 0, padding = 0;
  for (char c : text) {
    if (is_space(c)) continue;
    uint32_t value = 0;
    if (c == '=') {
      if (++padding > 2 || count < 2)
        throw Error(sqlstate::kInvalidParameterValue,
                    "unexpected \"=\" while decoding base64 sequence");
    } else {
      size_t at = kBase64.find(c);
      if (at == std::string_view::npos || padding > 0) {
        throw Error(sqlstate::kInvalidParameterValue,
                    "invalid symbol \"{}\" found while decoding base64 sequence", c);
      }
      value = static_cast<uint32_t>(at);
    }
    group = group << 6 | value;
    if (++count < 4) continue;
    for (int k = 0; k < 3 - padding; ++k) out += static_cast<char>(group >> (16 - 8 * k));
    group = 0;
    count = 0;
  }
  if (count != 0) {
    throw Error(sqlstate::kInvalidParameterValue, "invalid base64 end sequence")
        .hint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
  return out;
}

Error unknown_encoding(std::string_view name) {
  return Error(sqlstate::kInvalidParameterValue, "unrecognized encoding: \"{}\"", name);
}
std::string encode(std::string_view bytes, std::string_view format) {
  std::string out;
  if (equals_ignoring_case(format, "hex")) {
    append_bytea(out, bytes, true);
    return out.substr(2);
  }
  if (equals_ignoring_case(format, "base64")) return to_base64(bytes);
  if (!equals_ignoring_case(format, "escape")) throw unknown_encoding(format);
  for (char c : bytes) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\0' || (static_cast<uint8_t>(c) & 0x80)) {
      fmt::format_to(std::back_inserter(out), "\\{:03o}", static_cast<uint8_t>(c));
    } else {
      out += c;
    }
  }
  return out;
}
Datum decode(Arena& arena, std::string_view text, std::string_view format) {
  if (equals_ignoring_case(format, "hex")) return parse_bytea(arena, "\\x" + std::string(text));
  if (equals_ignoring_case(format, "base64")) return varlena_from(arena, from_base64(text));
  if (!equals_ignoring_case(format, "escape")) throw unknown_encoding(format);
  return parse_bytea(arena, text);
}

std::string md5(std::string_view bytes) {
  std::string hex;
  for (uint8_t byte : md5_digest(bytes)) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}
template <int kBits>
std::string sha(std::string_view bytes) {
  return sha2_digest(bytes, kBits);
}

bool is_utf8_name(std::string_view name) {
  return equals_ignoring_case(name, "utf8") || equals_ignoring_case(name, "utf-8") ||
         equals_ignoring_case(name, "unicode");
}
std::string_view convert_from(std::string_view bytes, Name encoding) {
  if (!is_utf8_name(encoding.text)) {
    throw Error(sqlstate::kFeatureNotSupported, "encoding \"{}\" is not supported", encoding.text);
  }
  if (const char* bad = utf8_find_invalid(bytes)) {
    throw Error(sqlstate::kCharacterNotInRepertoire,
                "invalid byte sequence for encoding \"UTF8\": 0x{:02x}",
                static_cast<uint8_t>(*bad));
  }
  return bytes;
}
std::string_view convert_to(std::string_view text, Name encoding) {
  return convert_from(text, encoding);
}

/// A random (version 4) uuid.
Datum random_uuid(Arena& arena) {
  auto* bytes = static_cast<uint8_t*>(arena.allocate(16, 1));
  this_task().os().entropy.fill(bytes, 16);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);
  return datum_from_pointer(bytes);
}

Datum lsn_minus(Arena& arena, Datum a, Datum b) {
  return numeric_from_int128(arena, Int128{a} - Int128{b});
}
Datum lsn_from(Int128 value) {
  if (value < 0 || value > UINT64_MAX)
    throw Error(sqlstate::kNumericValueOutOfRange, "pg_lsn out of range");
  return static_cast<Datum>(value);
}
Datum lsn_plus(Datum lsn, Datum bytes) {
  if (NumericView(bytes).is_nan())
    throw Error(sqlstate::kInvalidParameterValue, "cannot add NaN to pg_lsn");
  return lsn_from(Int128{lsn} + numeric_to_int64(bytes, INT64_MIN, INT64_MAX, "pg_lsn"));
}
Datum plus_lsn(Datum bytes, Datum lsn) {
  return lsn_plus(lsn, bytes);
}
Datum lsn_minus_bytes(Datum lsn, Datum bytes) {
  if (NumericView(bytes).is_nan())
    throw Error(sqlstate::kInvalidParameterValue, "cannot subtract NaN from pg_lsn");
  return lsn_from(Int128{lsn} - numeric_to_int64(bytes, INT64_MIN, INT64_MAX, "pg_lsn"));
}
uint32_t xid8_to_xid(Datum value) {
  return static_cast<uint32_t>(value);
}

constexpr BuiltinFunction kRows[] = {
    {721, "get_byte", kInt4, {kBytea, kInt4}, fn<get_byte>},
    {722, "set_byte", kBytea, {kBytea, kInt4, kInt4}, fn<set_byte>},
    {723, "get_bit", kInt4, {kBytea, kInt8}, fn<get_bit>},
    {724, "set_bit", kBytea, {kBytea, kInt8, kInt4}, fn<set_bit>},
    {6163, "bit_count", kInt8, {kBytea}, fn<bit_count>},
    {2012, "substring", kBytea, {kBytea, kInt4, kInt4}, fn<substring>},
    {2085, "substr", kBytea, {kBytea, kInt4, kInt4}, fn<substring>},
    {2013, "substring", kBytea, {kBytea, kInt4}, fn<substring_to_end>},
    {2086, "substr", kBytea, {kBytea, kInt4}, fn<substring_to_end>},
    {2014, "position", kInt4, {kBytea, kBytea}, fn<position_of>},
    {749, "overlay", kBytea, {kBytea, kBytea, kInt4, kInt4}, fn<overlay>},
    {752, "overlay", kBytea, {kBytea, kBytea, kInt4}, fn<overlay_all>},
    {6195, "ltrim", kBytea, {kBytea, kBytea}, fn<trim_front>},
    {6196, "rtrim", kBytea, {kBytea, kBytea}, fn<trim_back>},
    {2015, "btrim", kBytea, {kBytea, kBytea}, fn<trim>},
    {1946, "encode", kText, {kBytea, kText}, fn<encode>},
    {1947, "decode", kBytea, {kText, kText}, fn<decode>},
    {2311, "md5", kText, {kText}, fn<md5>},
    {2321, "md5", kText, {kBytea}, fn<md5>},
    {3419, "sha224", kBytea, {kBytea}, fn<sha<224>>},
    {3420, "sha256", kBytea, {kBytea}, fn<sha<256>>},
    {3421, "sha384", kBytea, {kBytea}, fn<sha<384>>},
    {3422, "sha512", kBytea, {kBytea}, fn<sha<512>>},
    BuiltinFunction{1714, "convert_from", kText, {kBytea, kName}, fn<convert_from>}.stable(),
    BuiltinFunction{1717, "convert_to", kBytea, {kText, kName}, fn<convert_to>}.stable(),
    BuiltinFunction{3432, "gen_random_uuid", kUuid, {}, fn<random_uuid>}.changing(),
    {3165, "pg_wal_lsn_diff", kNumeric, {kPgLsn, kPgLsn}, fn<lsn_minus>},
    {3237, "pg_lsn_mi", kNumeric, {kPgLsn, kPgLsn}, fn<lsn_minus>},
    {5022, "pg_lsn_pli", kPgLsn, {kPgLsn, kNumeric}, fn<lsn_plus>},
    {5023, "numeric_pl_pg_lsn", kPgLsn, {kNumeric, kPgLsn}, fn<plus_lsn>},
    {5024, "pg_lsn_mii", kPgLsn, {kPgLsn, kNumeric}, fn<lsn_minus_bytes>},
    {5071, "xid", kXid, {kXid8}, fn<xid8_to_xid>},
};

}  // namespace

constinit const std::span<const BuiltinFunction> kByteaFunctions = kRows;

}  // namespace cofork
