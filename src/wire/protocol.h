// Numbers of the frontend/backend protocol, version 3 (as pqcomm.h and protocol.h).
#pragma once

#include <cstdint>

namespace cofork {

/// Codes that stand where a startup packet has its protocol version.
inline constexpr uint32_t kCancelRequestCode = 80877102;
inline constexpr uint32_t kSslRequestCode = 80877103;
inline constexpr uint32_t kGssEncRequestCode = 80877104;
inline constexpr uint32_t kProtocolVersion3 = 3u << 16;

constexpr uint32_t protocol_major(uint32_t version) {
  return version >> 16;
}
constexpr uint32_t protocol_minor(uint32_t version) {
  return version & 0xffff;
}

/// Largest startup packet, not counting its length word (MAX_STARTUP_PACKET_LENGTH).
inline constexpr uint32_t kMaxStartupPacketBytes = 10000;
/// Largest value of a message's length word: for messages that carry data, and for the others.
inline constexpr uint32_t kLargeMessageLimit = 0x3ffffffe;
inline constexpr uint32_t kSmallMessageLimit = 10000;

/// What a client may send. The value is the type byte.
enum class ClientMessage : char {
  kBind = 'B',
  kClose = 'C',
  kCopyData = 'd',
  kCopyDone = 'c',
  kCopyFail = 'f',
  kDescribe = 'D',
  kExecute = 'E',
  kFlush = 'H',
  kFunctionCall = 'F',
  kParse = 'P',
  kQuery = 'Q',
  kSync = 'S',
  kTerminate = 'X',
};

/// What a server sends. The value is the type byte.
enum class ServerMessage : char {
  kAuthentication = 'R',
  kBackendKeyData = 'K',
  kBindComplete = '2',
  kCloseComplete = '3',
  kCommandComplete = 'C',
  kCopyData = 'd',
  kCopyDone = 'c',
  kCopyInResponse = 'G',
  kCopyOutResponse = 'H',
  kDataRow = 'D',
  kEmptyQueryResponse = 'I',
  kErrorResponse = 'E',
  kFunctionCallResponse = 'V',
  kNegotiateProtocolVersion = 'v',
  kNoData = 'n',
  kNoticeResponse = 'N',
  kParameterDescription = 't',
  kParameterStatus = 'S',
  kParseComplete = '1',
  kPortalSuspended = 's',
  kReadyForQuery = 'Z',
  kRowDescription = 'T',
};

/// The limit of a message's length word, or 0 when no client may send this type after login.
uint32_t client_message_limit(char type);

}  // namespace cofork
