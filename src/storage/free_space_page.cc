// See free_space_page.h.
#include "storage/free_space_page.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace cofork {

namespace {

constexpr int kInner = static_cast<int>(kPageBytes / 2) - 1;

struct Tree {
  int32_t next_slot;
  uint8_t nodes[kPageBytes - kPageHeaderBytes - sizeof(int32_t)];
};
static_assert(sizeof(Tree) == kPageBytes - kPageHeaderBytes);
constexpr int kNodes = static_cast<int>(sizeof Tree::nodes);
static_assert(kNodes - kInner == kFsmSlots);

Tree& tree_of(Page page) {
  return *reinterpret_cast<Tree*>(page + kPageHeaderBytes);
}
const Tree& tree_of(ConstPage page) {
  return *reinterpret_cast<const Tree*>(page + kPageHeaderBytes);
}

constexpr int left_child(int node) {
  return 2 * node + 1;
}
constexpr int parent_of(int node) {
  return (node - 1) / 2;
}
/// The next node of the same level, the first after the last.
constexpr int right_neighbor(int node) {
  ++node;
  // The first node of a level has a number of the form 2^n - 1.
  return ((node + 1) & node) == 0 ? parent_of(node) : node;
}

/// What an inner node has to be. The last ones lack a child or both.
uint8_t larger_child(const Tree& tree, int node) {
  int left = left_child(node);
  uint8_t value = left < kNodes ? tree.nodes[left] : uint8_t{0};
  return left + 1 < kNodes ? std::max(value, tree.nodes[left + 1]) : value;
}

}  // namespace

uint8_t fsm_value(ConstPage page, int slot) {
  return tree_of(page).nodes[kInner + slot];
}

uint8_t fsm_largest(ConstPage page) {
  return tree_of(page).nodes[0];
}

bool fsm_set(Page page, int slot, uint8_t value) {
  Tree& tree = tree_of(page);
  int node = kInner + slot;
  if (tree.nodes[node] == value && value <= tree.nodes[0]) return false;
  tree.nodes[node] = value;
  while (node > 0) {
    node = parent_of(node);
    uint8_t wanted = larger_child(tree, node);
    if (tree.nodes[node] == wanted) break;
    tree.nodes[node] = wanted;
  }
  // The way up ended at a node that was right: unless something above it is not.
  if (value > tree.nodes[0]) fsm_rebuild(page);
  return true;
}

int fsm_search_page(Page page, uint8_t wanted, bool advance, bool& damaged) {
  Tree& tree = tree_of(page);
  damaged = false;
  if (tree.nodes[0] < wanted) return kFsmNoSlot;
  std::atomic_ref<int32_t> next_slot(tree.next_slot);
  int32_t first = next_slot.load(std::memory_order_relaxed);
  if (first < 0 || first >= kFsmSlots) first = 0;
  // Up, and to the right with every step: the subtrees looked at double in size, and those
  // passed over lie to the left of where the search began.
  int node = kInner + first;
  while (node > 0 && tree.nodes[node] < wanted) node = parent_of(right_neighbor(node));
  // And down again to the leftmost slot that has enough.
  while (node < kInner) {
    int child = left_child(node);
    if (child < kNodes && tree.nodes[child] >= wanted) {
      node = child;
    } else if (child + 1 < kNodes && tree.nodes[child + 1] >= wanted) {
      node = child + 1;
    } else {
      damaged = true;
      return kFsmNoSlot;
    }
  }
  int slot = node - kInner;
  next_slot.store(slot + (advance ? 1 : 0), std::memory_order_relaxed);
  return slot;
}

bool fsm_cut(Page page, int slots) {
  Tree& tree = tree_of(page);
  uint8_t* first = tree.nodes + kInner + slots;
  uint8_t* end = tree.nodes + kNodes;
  bool some = std::any_of(first, end, [](uint8_t value) { return value != 0; });
  std::fill(first, end, uint8_t{0});
  if (some) fsm_rebuild(page);
  return some;
}

bool fsm_rebuild(Page page) {
  Tree& tree = tree_of(page);
  bool changed = false;
  for (int node = kInner; node-- > 0;) {
    uint8_t wanted = larger_child(tree, node);
    if (tree.nodes[node] == wanted) continue;
    tree.nodes[node] = wanted;
    changed = true;
  }
  return changed;
}

void fsm_begin_at_start(Page page) {
  std::atomic_ref<int32_t>(tree_of(page).next_slot).store(0, std::memory_order_relaxed);
}

}  // namespace cofork
