// Where clients come in: addresses, authentication, TLS.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "File Locations"
STRING(kConfigFile, "config_file", kPostmaster, kSuperuserOnly | kDisallowInFile, nullptr,
       "path of the main config file")
STRING(kDataDirectory, "data_directory", kPostmaster, kSuperuserOnly | kDisallowInAutoFile, nullptr,
       "path of the data directory")
STRING(kExtensionDestdir, "extension_destdir", kSuperuser, kSuperuserOnly, "",
       "extra prefix for extension files (Debian)")
STRING(kExternalPidFile, "external_pid_file", kPostmaster, kSuperuserOnly | kLive, nullptr,
       "extra file to write the postmaster pid to")
STRING(kHbaFile, "hba_file", kPostmaster, kSuperuserOnly | kLive, nullptr,
       "path of the auth rules file")
STRING(kIdentFile, "ident_file", kPostmaster, kSuperuserOnly | kLive, nullptr,
       "path of the user map file")
#undef CATEGORY

#define CATEGORY "Connections and Authentication / Authentication"
INTEGER(kAuthenticationTimeout, "authentication_timeout", kSighup, kLive, kSeconds, 60, 1, 600,
        "time allowed to finish authentication")
BOOLEAN(kDbUserNamespace, "db_user_namespace", kSighup, 0, false, "per-database user names")
BOOLEAN(kKrbCaseinsUsers, "krb_caseins_users", kSighup, 0, false, "Kerberos/GSS names ignore case")
STRING(kKrbServerKeyfile, "krb_server_keyfile", kSighup, kSuperuserOnly,
       "FILE:/etc/postgresql-common/krb5.keytab", "path of the Kerberos key file")
ENUM(kPasswordEncryption, "password_encryption", kUser, 0,
     PasswordEncryption, kPasswordEncryptionOptions, "scram-sha-256", "hash for new passwords")
#undef CATEGORY

#define CATEGORY "Connections and Authentication / Connection Settings"
BOOLEAN(kBonjour, "bonjour", kPostmaster, 0, false, "announce over Bonjour")
STRING(kBonjourName, "bonjour_name", kPostmaster, 0, "", "Bonjour service name")
INTEGER(kClientConnectionCheckInterval, "client_connection_check_interval", kUser, kLive,
        kMilliseconds, 0, 0, kMaxInt, "how often to check the client socket during queries")
STRING(kListenAddresses, "listen_addresses", kPostmaster, kListInput | kLive, "localhost",
       "addresses to listen on")
INTEGER(kMaxConnections, "max_connections", kPostmaster, kLive, kNoUnit, 100, 1, kMaxBackends,
        "most connections at once")
INTEGER(kPort, "port", kPostmaster, kLive, kNoUnit, 5432, 1, 65535, "TCP port")
INTEGER(kSuperuserReservedConnections, "superuser_reserved_connections", kPostmaster, kLive,
        kNoUnit, 3, 0, kMaxBackends, "connection slots kept for superusers")
INTEGER(kTcpKeepalivesCount, "tcp_keepalives_count", kUser, 0, kNoUnit, 0, 0, kMaxInt,
        "TCP keepalive probe count")
INTEGER(kTcpKeepalivesIdle, "tcp_keepalives_idle", kUser, 0, kSeconds, 0, 0, kMaxInt,
        "TCP keepalive idle time")
INTEGER(kTcpKeepalivesInterval, "tcp_keepalives_interval", kUser, 0, kSeconds, 0, 0, kMaxInt,
        "TCP keepalive probe spacing")
INTEGER(kTcpUserTimeout, "tcp_user_timeout", kUser, 0, kMilliseconds, 0, 0, kMaxInt,
        "TCP user timeout")
STRING(kUnixSocketDirectories, "unix_socket_directories", kPostmaster,
       kSuperuserOnly | kListInput | kListQuote | kLive, "/var/run/postgresql",
       "folders for unix sockets")
STRING(kUnixSocketGroup, "unix_socket_group", kPostmaster, kLive, "", "group of the unix socket")
INTEGER(kUnixSocketPermissions, "unix_socket_permissions", kPostmaster, kLive, kNoUnit, 0777, 0,
        0777,
        "mode bits of the unix socket")
#undef CATEGORY

#define CATEGORY "Connections and Authentication / SSL"
BOOLEAN(kSsl, "ssl", kSighup, 0, false, "allow TLS")
STRING(kSslCaFile, "ssl_ca_file", kSighup, 0, "", "TLS CA file")
STRING(kSslCertFile, "ssl_cert_file", kSighup, 0, "server.crt", "TLS certificate file")
STRING(kSslCiphers, "ssl_ciphers", kSighup, kSuperuserOnly, "HIGH:MEDIUM:+3DES:!aNULL",
       "TLS 1.2 cipher list")
STRING(kSslCrlDir, "ssl_crl_dir", kSighup, 0, "", "TLS revocation folder")
STRING(kSslCrlFile, "ssl_crl_file", kSighup, 0, "", "TLS revocation file")
STRING(kSslDhParamsFile, "ssl_dh_params_file", kSighup, kSuperuserOnly, "",
       "TLS DH parameters file")
STRING(kSslEcdhCurve, "ssl_ecdh_curve", kSighup, kSuperuserOnly, "prime256v1", "TLS ECDH curve")
STRING(kSslKeyFile, "ssl_key_file", kSighup, 0, "server.key", "TLS key file")
ENUM(kSslMaxProtocolVersion, "ssl_max_protocol_version", kSighup, kSuperuserOnly,
     SslProtocol, kSslMaxProtocolOptions, "", "highest TLS version")
ENUM(kSslMinProtocolVersion, "ssl_min_protocol_version", kSighup, kSuperuserOnly,
     SslProtocol, kSslProtocolOptions, "TLSv1.2", "lowest TLS version")
STRING(kSslPassphraseCommand, "ssl_passphrase_command", kSighup, kSuperuserOnly, "",
       "command giving the key passphrase")
BOOLEAN(kSslPassphraseCommandSupportsReload, "ssl_passphrase_command_supports_reload", kSighup, 0,
        false, "use that command on reload too")
BOOLEAN(kSslPreferServerCiphers, "ssl_prefer_server_ciphers", kSighup, 0, true,
        "prefer the server's cipher order")
#undef CATEGORY
