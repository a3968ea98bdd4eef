// What the options of `init` may be: locale, encoding and authentication methods (init_cluster.h).
#include <algorithm>
#include <array>
#include <cctype>

#include "recovery/init_cluster.h"
#include "support/error.h"

namespace cofork {

namespace {

constexpr int32_t kUtf8 = 6;
constexpr int32_t kSqlAscii = 0;

/// Letters and digits only, in lower case: how encodings are compared (clean_encoding_name).
std::string cleaned(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

/// The locale by the name we keep for it, or "" when we do not have it.
std::string known_locale(std::string_view name) {
  if (name == "C" || name == "POSIX") return std::string(name);
  std::string clean = cleaned(name);
  if (clean == "cutf8") return "C.UTF-8";
  return "";
}

int32_t known_encoding(std::string_view name) {
  std::string clean = cleaned(name);
  if (clean == "utf8" || clean == "unicode") return kUtf8;
  if (clean == "sqlascii") return kSqlAscii;
  // PostgreSQL knows it, but nothing here converts to or compares in it.
  static constexpr std::array<std::string_view, 35> kOtherEncodings = {
      "eucjp",   "euccn",   "euckr",    "euctw",    "eucjis2004",   "latin1",   "latin2",
      "latin3",  "latin4",  "latin5",   "latin6",   "latin7",       "latin8",   "latin9",
      "latin10", "win1256", "win1258",  "win866",   "win874",       "koi8r",    "koi8u",
      "win1251", "win1252", "iso88595", "iso88596", "iso88597",     "iso88598", "win1250",
      "win1253", "win1254", "win1255",  "win1257",  "muleinternal", "iso88591", "windows1252"};
  if (std::find(kOtherEncodings.begin(), kOtherEncodings.end(), clean) != kOtherEncodings.end()) {
    throw Error(sqlstate::kFeatureNotSupported, "encoding \"{}\" is not supported", name)
        .hint("Use UTF8 or SQL_ASCII.");
  }
  throw Error(sqlstate::kInvalidParameterValue, "\"{}\" is not a valid server encoding name", name);
}

}  // namespace

LocaleChoice choose_locale(std::string_view locale_option, std::string_view encoding_option,
                           std::string_view environment) {
  LocaleChoice choice;
  if (!locale_option.empty()) {
    choice.collate = known_locale(locale_option);
    if (choice.collate.empty()) {
      throw Error(sqlstate::kInvalidParameterValue, "invalid locale name \"{}\"", locale_option)
          .hint("The locales there are: C, POSIX and C.UTF-8.");
    }
  } else if (environment.empty()) {
    choice.collate = "C";
  } else {
    choice.collate = known_locale(environment);
    if (choice.collate.empty()) {
      choice.collate = "C.UTF-8";
      choice.notice = fmt::format(
          "The locale \"{}\" of the environment is not supported; \"C.UTF-8\" is used instead.",
          environment);
    }
  }
  choice.ctype = choice.collate;
  bool utf8_locale = choice.collate == "C.UTF-8";
  if (encoding_option.empty()) {
    choice.encoding = utf8_locale ? kUtf8 : kSqlAscii;
    return choice;
  }
  choice.encoding = known_encoding(encoding_option);
  return choice;
}

void check_authentication_method(std::string_view method, std::string_view connections) {
  static constexpr std::array<std::string_view, 2> kServed = {"trust", "reject"};
  static constexpr std::array<std::string_view, 12> kPostgresqls = {
      "md5", "scram-sha-256", "password", "ident", "peer", "pam",
      "bsd", "ldap",          "radius",   "cert",  "gss",  "sspi"};
  if (std::find(kServed.begin(), kServed.end(), method) != kServed.end()) return;
  if (std::find(kPostgresqls.begin(), kPostgresqls.end(), method) != kPostgresqls.end()) {
    throw Error(sqlstate::kFeatureNotSupported,
                "authentication method \"{}\" is not supported by this server yet", method)
        .hint("Use \"trust\" or \"reject\".");
  }
  throw Error(sqlstate::kInvalidParameterValue,
              "invalid authentication method \"{}\" for \"{}\" connections", method, connections);
}

std::string initial_hba_conf(std::string_view local_method, std::string_view host_method) {
  auto line = [](const char* type, const char* database, const char* address,
                 std::string_view method) {
    return fmt::format("{:<7} {:<15} {:<15} {:<23} {}\n", type, database, "all", address, method);
  };
  std::string text =
      "# Who may connect, from where, to which database, and how they prove who they are.\n"
      "# The first line that fits a connection decides; if none fits, it is refused.\n"
      "# Methods served so far: trust (no questions asked) and reject.\n"
      "# A change takes effect at the next reload.\n"
      "#\n"
      "# TYPE  DATABASE        USER            ADDRESS                 METHOD\n\n";
  text += "# Unix-domain sockets\n" + line("local", "all", "", local_method);
  text += "# TCP from this machine, IPv4 and IPv6\n" +
          line("host", "all", "127.0.0.1/32", host_method) +
          line("host", "all", "::1/128", host_method);
  text += "# Replication connections\n" + line("local", "replication", "", local_method) +
          line("host", "replication", "127.0.0.1/32", host_method) +
          line("host", "replication", "::1/128", host_method);
  return text;
}

}  // namespace cofork
