// See session_settings.h.
#include "sql/session_settings.h"

#include "catalog/names.h"
#include "catalog/shared_objects.h"
#include "support/error.h"

namespace cofork {

void SessionSettings::check(SettingIndex index, SettingValue& value, SettingSource source) {
  bool is_role = index == setting::kRole.index;
  if ((!is_role && index != setting::kSessionAuthorization.index) ||
      source != SettingSource::kSession) {
    return;
  }
  std::string_view name = value.string->text;
  if (name.empty() || (is_role && name == "none")) return;
  std::optional<RoleDesc> role = find_role(name);
  if (!role) {
    throw Error(sqlstate::kInvalidParameterValue, "role \"{}\" does not exist", name);
  }
  std::optional<RoleDesc> login = find_role(session_.session_user_oid);
  bool may = role->oid == session_.session_user_oid || (login && login->superuser);
  if (!may && is_role) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to set role \"{}\"", name);
  }
  if (!may) {
    throw Error(sqlstate::kInsufficientPrivilege, "permission denied to set session authorization");
  }
  known_.insert_or_assign(std::string(name), Role{role->oid, role->superuser});
}

void SessionSettings::changed(SettingIndex index) {
  if (index != setting::kRole.index && index != setting::kSessionAuthorization.index) return;
  std::string role(settings().get(setting::kRole));
  if (role.empty() || role == "none") {
    std::string_view authorization = settings().get(setting::kSessionAuthorization);
    become(authorization.empty() ? session_.session_user : std::string(authorization));
  } else {
    become(role);
  }
}

void SessionSettings::become(const std::string& name) {
  auto role = known_.find(name);
  if (role != known_.end()) {
    session_.current_user = name;
    session_.current_user_oid = role->second.oid;
    session_.is_superuser = role->second.superuser;
  } else if (name == session_.session_user) {
    session_.current_user = name;
    session_.current_user_oid = session_.session_user_oid;
    session_.is_superuser = session_.login_is_superuser;
  }
  set_catalog_user({session_.current_user_oid, session_.current_user, session_.is_superuser});
}

}  // namespace cofork
