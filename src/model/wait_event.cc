// See wait_event.h.
#include "model/wait_event.h"

namespace cofork {

const char* wait_class_name(uint32_t word) {
  switch (static_cast<WaitClass>(word >> 24)) {
    case WaitClass::kNone:
      return nullptr;
    case WaitClass::kLWLock:
      return "LWLock";
    case WaitClass::kLock:
      return "Lock";
    case WaitClass::kBufferPin:
      return "BufferPin";
    case WaitClass::kActivity:
      return "Activity";
    case WaitClass::kClient:
      return "Client";
    case WaitClass::kExtension:
      return "Extension";
    case WaitClass::kIpc:
      return "IPC";
    case WaitClass::kTimeout:
      return "Timeout";
    case WaitClass::kIo:
      return "IO";
  }
  return nullptr;
}

const char* wait_event_name(uint32_t word) {
  switch (static_cast<WaitEventId>(word)) {
    case WaitEventId::kNone:
      return nullptr;
#define COFORK_WAIT_EVENT(symbol, klass, number, name) \
  case WaitEventId::symbol:                            \
    return name;
#include "model/wait_event_list.h"
#undef COFORK_WAIT_EVENT
  }
  return nullptr;
}

}  // namespace cofork
