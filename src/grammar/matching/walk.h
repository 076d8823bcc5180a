#pragma once

#include <cstdint>
#include <vector>

#include "grammar/matching/machine.h"
#include "grammar/matching/vocabulary.h"

namespace cleave::grammar {

/// Walks over a vocabulary's trie along a machine's steps. Keeps its working memory. Not thread-safe.
class Walk {
 public:
  Walk(Machine& machine, const Vocabulary& vocabulary)
      : machine_(&machine), nodes_(vocabulary.nodes()), states_(vocabulary.longest() + 1) {}

  /// Calls visit(node, index, state) for every node from `first` to `last` that steps from `state` lead to. Leaves out
  /// nodes with no bit of `outside`. REQUIRES: `first` is the first node below one of `depth` bytes, in which the
  /// machine is in `state`, and `last` is that one's end.
  template <class Visit>
  void below(uint32_t first, uint32_t last, size_t depth, Machine::State state, uint8_t outside, Visit visit) {
    states_[depth] = state;
    for (uint32_t i = first; i < last;) {
      const Vocabulary::Node& node = nodes_[i];
      const bool wanted = (node.outside & outside) == outside;
      const Machine::State next = wanted ? machine_->step(states_[node.depth - 1], node.byte) : Machine::kDead;
      if (next == Machine::kDead) {
        i = node.end;
        continue;
      }
      states_[node.depth] = next;
      visit(node, i, next);
      ++i;
    }
  }

 private:
  Machine* machine_;
  std::span<const Vocabulary::Node> nodes_;
  std::vector<Machine::State> states_;  // by depth
};

}  // namespace cleave::grammar
