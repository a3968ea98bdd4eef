// Unlogged relations after a crash (reinit.c, 15).
//
// What they held may be half written and is not in WAL, so it goes: before redo everything but
// their init fork is removed, after redo the init fork becomes the main fork again. A clean start
// leaves them alone.
#pragma once

namespace cofork {

/// Before redo (UNLOGGED_RELATION_CLEANUP). May wait.
void remove_unlogged_contents();
/// After redo (UNLOGGED_RELATION_INIT): an empty table, an empty index. On disk when it returns.
void recreate_unlogged_relations();

}  // namespace cofork
