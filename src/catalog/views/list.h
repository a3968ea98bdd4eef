// The built-in views, one constant a file; views.cc makes the list of them.
#pragma once

#include "catalog/views/view.h"

namespace cofork {

extern const BuiltinView kCoforkWaitProfile;
extern const BuiltinView kPgBuffercache;
extern const BuiltinView kPgLocks;
extern const BuiltinView kPgRoles;
extern const BuiltinView kPgSettings;
extern const BuiltinView kPgShmemAllocations;
extern const BuiltinView kPgStatActivity;
extern const BuiltinView kPgStatBgwriter;
extern const BuiltinView kPgStatDatabase;
extern const BuiltinView kPgStatWal;
extern const BuiltinView kPgStats;
extern const BuiltinView kPgUser;

// Several in one file.
extern const std::span<const BuiltinView> kBinaryCatalogs;
extern const std::span<const BuiltinView> kCatalogViews;
extern const std::span<const BuiltinView> kEmptyCatalogs;

}  // namespace cofork
