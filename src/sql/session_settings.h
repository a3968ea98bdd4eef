// What a session adds to the settings it owns: SET ROLE and SET SESSION AUTHORIZATION must name a
// role, and change who the session is (check_role, assign_role … in variable.c).
#pragma once

#include <map>
#include <string>

#include "settings/settings.h"
#include "sql/session.h"

namespace cofork {

class SessionSettings final : public SettingsHost {
 public:
  explicit SessionSettings(Session& session) : session_(session) {}
  void check(SettingIndex index, SettingValue& value, SettingSource source) override;
  void changed(SettingIndex index) override;
  bool may_see_all() const override { return session_.is_superuser; }

 private:
  struct Role {
    Oid oid;
    bool superuser;
  };
  void become(const std::string& name);

  Session& session_;
  /// Roles that check() has found: changed() must neither wait nor fail.
  std::map<std::string, Role, std::less<>> known_;
};

}  // namespace cofork
