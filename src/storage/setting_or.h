// A setting's value where there are settings, else a default: in tests and tools there are none.
// Inside storage/ only.
#pragma once

#include <utility>

#include "settings/settings.h"

namespace cofork {

template <typename Key>
auto setting_or(const Key& key, decltype(std::declval<SettingsView&>().get(key)) otherwise) {
  auto* view = this_task().slot<SettingsView>();
  return view == nullptr ? otherwise : view->get(key);
}

}  // namespace cofork
