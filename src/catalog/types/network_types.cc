// inet and cidr.
#include "catalog/function_tables.h"
#include "types/hash.h"
#include "types/inet.h"

namespace cofork {

using namespace type_oid;

namespace {

template <bool kIsCidr>
struct Network {
  static Datum input(EvalContext& context, const BuiltinType&, std::string_view text, int32_t) {
    return inet_datum(*context.arena, parse_inet(text, kIsCidr));
  }
  static void output(EvalContext&, Datum value, std::string& text) {
    append_inet(text, inet_at(value), kIsCidr);
  }
  static Datum receive(EvalContext& context, const BuiltinType&, std::string_view bytes, int32_t) {
    return inet_datum(*context.arena, receive_inet(bytes, kIsCidr));
  }
  static void send(EvalContext&, Datum value, std::string& bytes) {
    send_inet(bytes, inet_at(value), kIsCidr);
  }
};
int compare(Datum a, Datum b) {
  return compare_inet(inet_at(a), inet_at(b));
}
uint64_t hash(Datum value) {
  return hash_bytes(varlena_view(value));
}

template <typename T>
constexpr BuiltinType row(Oid oid, const char* name, bool preferred, Oid array) {
  return {oid,   name, name,     -1,        false,      'i',     'I',     preferred,
          array, 0,    T::input, T::output, T::receive, T::send, compare, hash};
}

constexpr BuiltinType kRows[] = {
    row<Network<true>>(kCidr, "cidr", false, kCidrArray),
    row<Network<false>>(kInet, "inet", true, kInetArray),
};

}  // namespace

constinit const std::span<const BuiltinType> kNetworkTypes = kRows;

}  // namespace cofork
