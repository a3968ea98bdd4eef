// See combo_command.h.
#include "access/combo_command.h"

#include <memory>
#include <unordered_map>
#include <vector>

#include "model/task.h"
#include "txn/transaction.h"

namespace cofork {

namespace {

struct ComboCommands {
  static constexpr TaskSlot kTaskSlot = TaskSlot::kComboCommands;

  struct Pair {
    CommandId cmin;
    CommandId cmax;
  };
  uint64_t transaction = 0;  ///< whose they are, as a full xid
  std::vector<Pair> pairs;
  std::unordered_map<uint64_t, CommandId> numbers;
};

/// The running transaction's: what an earlier one left is forgotten here.
ComboCommands& combo_commands() {
  Task& task = this_task();
  auto* mine = task.slot<ComboCommands>();
  if (mine == nullptr) {
    mine = std::make_unique<ComboCommands>().release();
    task.set_slot(mine);
    task.on_proc_exit([mine](Task& ending, int) {
      ending.set_slot<ComboCommands>(nullptr);
      delete mine;
    });
  }
  uint64_t transaction = my_transaction().top_full_xid_if_any().value;
  if (mine->transaction != transaction) {
    mine->transaction = transaction;
    mine->pairs.clear();
    mine->numbers.clear();
  }
  return *mine;
}

CommandId combo_number(CommandId cmin, CommandId cmax) {
  ComboCommands& mine = combo_commands();
  uint64_t key = (uint64_t{cmin} << 32) | cmax;
  auto [found, is_new] = mine.numbers.try_emplace(key, static_cast<CommandId>(mine.pairs.size()));
  if (is_new) mine.pairs.push_back({cmin, cmax});
  return found->second;
}

bool is_combo(const HeapTupleHeader& header) {
  return (header.infomask & kTupleComboCommand) != 0;
}

}  // namespace

CommandId tuple_cmin(const HeapTupleHeader& header) {
  return is_combo(header) ? combo_commands().pairs[header.command].cmin : header.command.load();
}

CommandId tuple_cmax(const HeapTupleHeader& header) {
  return is_combo(header) ? combo_commands().pairs[header.command].cmax : header.command.load();
}

StoredCommand command_for_cmax(const HeapTupleHeader& header, CommandId cmax) {
  // A committed inserter is not this transaction: nobody will ask for cmin again.
  if (header.xmin_is_committed() || !my_transaction().is_current_xid(header.xmin)) {
    return {cmax, false};
  }
  return {combo_number(tuple_cmin(header), cmax), true};
}

}  // namespace cofork
