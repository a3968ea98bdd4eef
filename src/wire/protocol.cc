// See protocol.h.
#include "wire/protocol.h"

namespace cofork {

uint32_t client_message_limit(char type) {
  switch (static_cast<ClientMessage>(type)) {
    case ClientMessage::kQuery:
    case ClientMessage::kParse:
    case ClientMessage::kBind:
    case ClientMessage::kFunctionCall:
    case ClientMessage::kCopyData:
      return kLargeMessageLimit;
    case ClientMessage::kClose:
    case ClientMessage::kCopyDone:
    case ClientMessage::kCopyFail:
    case ClientMessage::kDescribe:
    case ClientMessage::kExecute:
    case ClientMessage::kFlush:
    case ClientMessage::kSync:
    case ClientMessage::kTerminate:
      return kSmallMessageLimit;
  }
  return 0;
}

}  // namespace cofork
