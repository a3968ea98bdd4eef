// See hba.h.
#include "wire/hba.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "wire/hba_options.h"
#include "wire/network.h"

namespace cofork {

namespace {

struct MethodName {
  const char* name;
  AuthMethod method;
};
constexpr MethodName kMethods[] = {
    {"trust", AuthMethod::kTrust},
    {"ident", AuthMethod::kIdent},
    {"peer", AuthMethod::kPeer},
    {"password", AuthMethod::kPassword},
    {"gss", AuthMethod::kGss},
    {"sspi", AuthMethod::kSspi},
    {"reject", AuthMethod::kReject},
    {"md5", AuthMethod::kMd5},
    {"scram-sha-256", AuthMethod::kScramSha256},
    {"pam", AuthMethod::kPam},
    {"bsd", AuthMethod::kBsd},
    {"ldap", AuthMethod::kLdap},
    {"cert", AuthMethod::kCert},
    {"radius", AuthMethod::kRadius},
};

/// What PostgreSQL says of a method that was left out at compile time.
bool needs_a_library(AuthMethod method) {
  return method == AuthMethod::kGss || method == AuthMethod::kSspi || method == AuthMethod::kPam ||
         method == AuthMethod::kBsd || method == AuthMethod::kLdap || method == AuthMethod::kCert;
}

/// Takes one line apart. A mistake is an Error with message and hint, which the caller turns into
/// a report; remarks that do not make the line invalid are reported here.
class LineParser {
 public:
  LineParser(const ConfigLine& source, const std::string& file_name,
             std::vector<ErrorData>& reports)
      : source_(source), file_name_(file_name), reports_(reports) {}

  HbaLine run() {
    line_.number = source_.number;
    read_connection();
    line_.databases = next("end-of-line before database specification");
    line_.roles = next("end-of-line before role specification");
    if (line_.connection != HbaConnection::kLocal) read_address();
    read_method();
    while (position_ < source_.fields.size()) {
      for (const ConfigToken& token : source_.fields[position_]) read_option(token.text);
      ++position_;
    }
    check_required_options(line_);
    return std::move(line_);
  }

 private:
  template <typename... Args>
  static Error mistake(fmt::format_string<Args...> format, Args&&... args) {
    return Error(sqlstate::kConfigFileError, format, std::forward<Args>(args)...);
  }

  const ConfigField& next(const char* message_when_missing) {
    if (position_ >= source_.fields.size()) throw mistake("{}", message_when_missing);
    return source_.fields[position_++];
  }

  void remark(std::string message, std::string hint) {
    ErrorData data = config_file_report(std::move(message), source_.number, file_name_);
    data.hint = std::move(hint);
    reports_.push_back(std::move(data));
  }

  void read_connection() {
    const ConfigField& field = source_.fields[position_++];
    if (field.size() > 1) {
      throw mistake("multiple values specified for connection type")
          .hint("Specify exactly one connection type per line.");
    }
    const std::string& word = field[0].text;
    if (word == "local") {
      line_.connection = HbaConnection::kLocal;
    } else if (word == "host") {
      line_.connection = HbaConnection::kHost;
    } else if (word == "hostssl") {
      line_.connection = HbaConnection::kHostSsl;
      remark("hostssl record cannot match because SSL is not supported by this build", "");
    } else if (word == "hostnossl") {
      line_.connection = HbaConnection::kHostNoSsl;
    } else if (word == "hostgssenc") {
      line_.connection = HbaConnection::kHostGss;
      remark("hostgssenc record cannot match because GSSAPI is not supported by this build", "");
    } else if (word == "hostnogssenc") {
      line_.connection = HbaConnection::kHostNoGss;
    } else {
      throw mistake("invalid connection type \"{}\"", word);
    }
  }

  void read_address() {
    const ConfigField& field = next("end-of-line before IP address specification");
    if (field.size() > 1) {
      throw mistake("multiple values specified for host address")
          .hint("Specify one address range per line.");
    }
    const ConfigToken& token = field[0];
    if (token.is_keyword("all")) {
      line_.address = HbaAddress::kAll;
    } else if (token.is_keyword("samehost")) {
      line_.address = HbaAddress::kSameHost;
    } else if (token.is_keyword("samenet")) {
      line_.address = HbaAddress::kSameNet;
    } else {
      read_network_or_name(token.text);
    }
  }

  void read_network_or_name(const std::string& text) {
    size_t slash = text.find('/');
    std::string address = text.substr(0, slash);
    if (!parse_address(address, line_.network)) {
      if (slash != std::string::npos) {
        throw mistake("specifying both host name and CIDR mask is invalid: \"{}\"", text);
      }
      line_.address = HbaAddress::kHostName;
      line_.host_name = text;
      return;
    }
    line_.address = HbaAddress::kNetwork;
    if (slash == std::string::npos) {
      read_separate_mask();
    } else if (!set_mask_bits(text.substr(slash + 1), line_.network)) {
      throw mistake("invalid CIDR mask in address \"{}\"", text);
    }
  }

  void read_separate_mask() {
    if (position_ >= source_.fields.size()) {
      throw mistake("end-of-line before netmask specification")
          .hint("Specify an address range in CIDR notation, or provide a separate netmask.");
    }
    const ConfigField& field = source_.fields[position_++];
    if (field.size() > 1) throw mistake("multiple values specified for netmask");
    HbaNetwork mask;
    if (!parse_address(field[0].text, mask)) {
      throw mistake("invalid IP mask \"{}\": Name or service not known", field[0].text);
    }
    if (mask.family != line_.network.family) throw mistake("IP address and mask do not match");
    line_.network.mask = mask.address;
  }

  void read_method() {
    const ConfigField& field = next("end-of-line before authentication method");
    if (field.size() > 1) {
      throw mistake("multiple values specified for authentication type")
          .hint("Specify exactly one authentication type per line.");
    }
    const std::string& word = field[0].text;
    auto* known = std::find_if(std::begin(kMethods), std::end(kMethods),
                               [&](const MethodName& m) { return word == m.name; });
    if (known == std::end(kMethods)) throw mistake("invalid authentication method \"{}\"", word);
    if (needs_a_library(known->method)) {
      throw mistake("invalid authentication method \"{}\": not supported by this build", word);
    }
    line_.method = known->method;
    // On a socket of this machine, ident can only mean asking the kernel.
    if (line_.connection == HbaConnection::kLocal && line_.method == AuthMethod::kIdent) {
      line_.method = AuthMethod::kPeer;
    }
    if (line_.connection != HbaConnection::kLocal && line_.method == AuthMethod::kPeer) {
      throw mistake("peer authentication is only supported on local sockets");
    }
  }

  void read_option(const std::string& text) {
    size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw mistake("authentication option not in name=value format: {}", text);
    }
    std::string name = text.substr(0, equals);
    check_option(line_, name, text.substr(equals + 1));
    line_.options.emplace_back(std::move(name), text.substr(equals + 1));
  }

  const ConfigLine& source_;
  const std::string& file_name_;
  std::vector<ErrorData>& reports_;
  size_t position_ = 0;
  HbaLine line_;
};

}  // namespace

const char* auth_method_name(AuthMethod method) {
  for (const MethodName& m : kMethods) {
    if (m.method == method) return m.name;
  }
  return "?";
}

std::shared_ptr<const HbaConfig> parse_hba(std::string_view text, const std::string& file_name,
                                           const FileReader& read_included,
                                           std::vector<ErrorData>& reports) {
  auto config = std::make_shared<HbaConfig>();
  config->file_name = file_name;
  size_t reports_before = reports.size();
  std::vector<ConfigLine> lines = tokenize_config(text, file_name, read_included, reports);
  bool is_good = reports.size() == reports_before;
  for (const ConfigLine& line : lines) {
    try {
      config->lines.push_back(LineParser(line, file_name, reports).run());
    } catch (const Error& error) {
      ErrorData data = config_file_report(error.data().message, line.number, file_name);
      data.hint = error.data().hint;
      reports.push_back(std::move(data));
      is_good = false;
    }
  }
  if (is_good && config->lines.empty()) {
    ErrorData data;
    data.severity = Severity::kLog;
    data.sqlstate = sqlstate::kConfigFileError;
    data.message = fmt::format("configuration file \"{}\" contains no entries", file_name);
    reports.push_back(std::move(data));
    is_good = false;
  }
  if (!is_good) return nullptr;
  return config;
}

std::shared_ptr<const HbaConfig> load_hba(FileSystem& files, const std::string& file_name,
                                          std::vector<ErrorData>& reports) {
  FileReader read = file_reader(files);
  std::optional<std::string> text = read_config_file(read, file_name, reports);
  return text ? parse_hba(*text, file_name, read, reports) : nullptr;
}

}  // namespace cofork
