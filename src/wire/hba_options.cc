// See hba_options.h.
#include "wire/hba_options.h"

#include <algorithm>
#include <initializer_list>

namespace cofork {

namespace {

/// An option, the methods that take it, and how a message names those.
struct Option {
  const char* name;
  std::initializer_list<AuthMethod> methods;
  const char* methods_text;
};

const Option kOptions[] = {
    {"map",
     {AuthMethod::kIdent, AuthMethod::kPeer, AuthMethod::kGss, AuthMethod::kSspi,
      AuthMethod::kCert},
     "ident, peer, gssapi, sspi, and cert"},
    {"pamservice", {AuthMethod::kPam}, "pam"},
    {"pam_use_hostname", {AuthMethod::kPam}, "pam"},
    {"ldapurl", {AuthMethod::kLdap}, "ldap"},
    {"ldaptls", {AuthMethod::kLdap}, "ldap"},
    {"ldapscheme", {AuthMethod::kLdap}, "ldap"},
    {"ldapserver", {AuthMethod::kLdap}, "ldap"},
    {"ldapport", {AuthMethod::kLdap}, "ldap"},
    {"ldapbinddn", {AuthMethod::kLdap}, "ldap"},
    {"ldapbindpasswd", {AuthMethod::kLdap}, "ldap"},
    {"ldapsearchattribute", {AuthMethod::kLdap}, "ldap"},
    {"ldapsearchfilter", {AuthMethod::kLdap}, "ldap"},
    {"ldapbasedn", {AuthMethod::kLdap}, "ldap"},
    {"ldapprefix", {AuthMethod::kLdap}, "ldap"},
    {"ldapsuffix", {AuthMethod::kLdap}, "ldap"},
    {"krb_realm", {AuthMethod::kGss, AuthMethod::kSspi}, "gssapi and sspi"},
    {"include_realm", {AuthMethod::kGss, AuthMethod::kSspi}, "gssapi and sspi"},
    {"compat_realm", {AuthMethod::kSspi}, "sspi"},
    {"upn_username", {AuthMethod::kSspi}, "sspi"},
    {"radiusservers", {AuthMethod::kRadius}, "radius"},
    {"radiusports", {AuthMethod::kRadius}, "radius"},
    {"radiussecrets", {AuthMethod::kRadius}, "radius"},
    {"radiusidentifiers", {AuthMethod::kRadius}, "radius"},
};

void check_client_certificate(const HbaLine& line, const std::string& name,
                              const std::string& value) {
  if (line.connection != HbaConnection::kHostSsl) {
    throw Error(sqlstate::kConfigFileError, "{} can only be configured for \"hostssl\" rows", name);
  }
  if (name == "clientcert" && value != "verify-ca" && value != "verify-full") {
    throw Error(sqlstate::kConfigFileError, "invalid value for clientcert: \"{}\"", value);
  }
  if (name == "clientname" && value != "CN" && value != "DN") {
    throw Error(sqlstate::kConfigFileError, "invalid value for clientname: \"{}\"", value);
  }
}

bool has_option(const HbaLine& line, const char* name) {
  return std::any_of(line.options.begin(), line.options.end(),
                     [&](const auto& option) { return option.first == name; });
}

}  // namespace

void check_option(const HbaLine& line, const std::string& name, const std::string& value) {
  if (name == "clientcert" || name == "clientname") {
    check_client_certificate(line, name, value);
    return;
  }
  for (const Option& option : kOptions) {
    if (name != option.name) continue;
    if (std::find(option.methods.begin(), option.methods.end(), line.method) !=
        option.methods.end()) {
      return;
    }
    throw Error(sqlstate::kConfigFileError,
                "authentication option \"{}\" is only valid for authentication methods {}", name,
                option.methods_text);
  }
  throw Error(sqlstate::kConfigFileError, "unrecognized authentication option name: \"{}\"", name);
}

void check_required_options(const HbaLine& line) {
  if (line.method != AuthMethod::kRadius) return;
  for (const char* name : {"radiusservers", "radiussecrets"}) {
    if (has_option(line, name)) continue;
    throw Error(sqlstate::kConfigFileError,
                "authentication method \"{}\" requires argument \"{}\" to be set", "radius", name);
  }
}

}  // namespace cofork
