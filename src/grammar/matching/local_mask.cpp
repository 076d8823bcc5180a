#include "grammar/matching/local_mask.h"

#include <algorithm>

namespace cleave::grammar {
namespace {

// In a key, what a node is followed by: its stacks are below, or as many frames.
constexpr uint32_t kAllBelow = UINT32_MAX;

bool is_leaf_call(const Program& program, const Frame& frame) {
  return frame.call < Machine::kEscape && program.calls[frame.call].leaf;
}

// The same count for all of which no token of `longest` bytes can see a difference: every match takes a byte at least.
uint32_t visible_count(const Call& call, uint32_t count, size_t longest) {
  const bool far_from_max = call.max == kUnbounded || call.max - count > longest;
  if (count >= call.min) return far_from_max ? call.min : count;
  return call.min - count > longest ? 0 : count;
}

class ViewMaker {
 public:
  ViewMaker(Machine& machine, size_t longest) : machine_(machine), longest_(longest) {}

  void add(const Config& config) {
    const auto frames = machine_.stacks().frames(config.stack);
    const Program& program = machine_.program();
    const bool is_leaf =
        std::all_of(frames.begin(), frames.end(), [&](const Frame& frame) { return is_leaf_call(program, frame); });
    view_.key.push_back(config.node);
    if (!is_leaf) {
      view_.key.push_back(kAllBelow);
      view_.configs.push_back({config.node, escape(config.stack)});
    } else {
      view_.configs.push_back({config.node, leaf_stack({frames.begin(), frames.end()})});
    }
  }
  LocalView take() { return std::move(view_); }

 private:
  // Frames of leaf calls with escapes below. Frames that cannot be told apart become one.
  uint32_t leaf_stack(std::vector<Frame> frames) {
    for (Frame& frame : frames)
      frame.count = visible_count(machine_.program().calls[frame.call], frame.count, longest_);
    std::sort(frames.begin(), frames.end());
    std::vector<Frame> merged;
    for (const Frame& frame : frames) {
      if (!merged.empty() && merged.back().call == frame.call && merged.back().count == frame.count)
        merged.back().parent = machine_.stacks().unite(merged.back().parent, frame.parent);
      else
        merged.push_back(frame);
    }
    view_.key.push_back(static_cast<uint32_t>(merged.size()));
    for (Frame& frame : merged) {
      view_.key.insert(view_.key.end(), {frame.call, frame.count});
      frame.parent = escape(frame.parent);
    }
    return machine_.stacks().intern(std::move(merged));
  }

  uint32_t escape(uint32_t stack) {
    view_.returns.push_back(stack);
    const auto number = static_cast<uint32_t>(view_.returns.size() - 1);
    return machine_.stacks().intern({{Machine::kEscape + number, 0, Stacks::kNone}});
  }

  Machine& machine_;
  size_t longest_;
  LocalView view_;
};

// How many characters of a JSON string may follow in any case.
uint32_t free_characters(Machine& machine, Machine::State state) {
  uint32_t most = 0;
  for (const Config& config : machine.configs(state)) {
    if (config.node >= Machine::kEscape) continue;
    for (const Frame& frame : machine.stacks().frames(config.stack)) {
      if (frame.call >= Machine::kEscape) continue;
      const Call& call = machine.program().calls[frame.call];
      if (!call.character || call.start != config.node) continue;
      most = std::max(most, call.max == kUnbounded ? kUnbounded : call.max - frame.count);
    }
  }
  return most;
}

// Makes a local mask by one walk over the trie.
class LocalWalk {
 public:
  LocalWalk(Machine& machine, const Vocabulary& vocabulary, Walk& walk)
      : machine_(machine), vocabulary_(vocabulary), walk_(walk) {
    mask_.allowed.resize(vocabulary.words());
  }

  LocalMask from(Machine::State state) {
    const auto last = static_cast<uint32_t>(vocabulary_.nodes().size());
    const uint32_t characters = free_characters(machine_, state);
    uint8_t outside = 0;
    for (size_t k = 0; k < Vocabulary::kSlices; ++k) {
      const Vocabulary::Slice& slice = vocabulary_.slices()[k];
      if (characters < std::min<size_t>(slice.characters, vocabulary_.longest())) continue;
      mask_.allowed = slice.mask;
      outside = static_cast<uint8_t>(1u << k);
    }
    if (outside == 0 && mostly_free(state)) return from_plain(state);
    walk_.below(0, last, 0, state, outside, [&](const Vocabulary::Node& node, uint32_t index, Machine::State next) {
      if (add_escapes(index, next)) vocabulary_.set_tokens(node, mask_.allowed);
    });
    return std::move(mask_);
  }

 private:
  bool is_free(Machine::State state) {
    if (state >= free_.size()) free_.resize(std::max<size_t>(machine_.size(), state + 1), kUnknown);
    if (free_[state] == kUnknown)
      free_[state] = free_characters(machine_, state) >= vocabulary_.longest() ? kFree : kNot;
    return free_[state] == kFree;
  }

  // Whether most tokens begin with a byte behind which all plain ones are allowed.
  bool mostly_free(Machine::State state) {
    const auto nodes = vocabulary_.nodes();
    size_t free = 0;
    for (uint32_t i = 0; i < nodes.size(); i = nodes[i].end) {
      const Machine::State next = machine_.step(state, nodes[i].byte);
      if (next != Machine::kDead && is_free(next)) free += nodes[i].end - i;
    }
    return 2 * free > nodes.size();
  }

  // The walk that begins with all plain tokens allowed: it takes those back that it does not reach, and looks at no
  // others where all are allowed.
  LocalMask from_plain(Machine::State start) {
    const Vocabulary::Slice& plain = vocabulary_.slices().back();
    constexpr uint8_t kOutside = 1u << (Vocabulary::kSlices - 1);
    mask_.allowed = plain.mask;
    const auto nodes = vocabulary_.nodes();
    std::vector<Machine::State> states(vocabulary_.longest() + 1);  // by depth
    states[0] = start;
    uint32_t free_end = 0;  // of the nodes below which all plain tokens are allowed
    for (uint32_t i = 0; i < nodes.size();) {
      const Vocabulary::Node& node = nodes[i];
      const bool in_free = i < free_end;
      const bool wanted = !in_free || (node.outside & kOutside) != 0;
      const Machine::State next = wanted ? machine_.step(states[node.depth - 1], node.byte) : Machine::kDead;
      if (next == Machine::kDead) {
        for (uint32_t below = i; !in_free && below < node.end; ++below) clear_tokens(nodes[below]);
        i = node.end;
        continue;
      }
      states[node.depth] = next;
      if (add_escapes(i, next))
        vocabulary_.set_tokens(node, mask_.allowed);
      else
        clear_tokens(node);
      if (!in_free && is_free(next)) free_end = node.end;
      ++i;
    }
    return std::move(mask_);
  }

  void clear_tokens(const Vocabulary::Node& node) {
    for (int32_t token = node.token; token >= 0; token = vocabulary_.next_same(token))
      mask_.allowed[token / 32] &= ~(1u << (token % 32));
  }

  // Notes escapes of a state; says whether it is more than those.
  bool add_escapes(uint32_t index, Machine::State state) {
    bool stays = false;
    for (const Config& config : machine_.configs(state)) {
      if (config.node >= Machine::kEscape)
        mask_.escapes.push_back({index, config.node - Machine::kEscape});
      else
        stays = true;
    }
    return stays;
  }

  enum Free : uint8_t { kUnknown, kFree, kNot };

  Machine& machine_;
  const Vocabulary& vocabulary_;
  Walk& walk_;
  LocalMask mask_;
  std::vector<Free> free_;  // by state
};

}  // namespace

LocalView local_view(Machine& machine, Machine::State state, size_t longest) {
  ViewMaker maker(machine, longest);
  for (const Config& config : std::vector<Config>(machine.configs(state).begin(), machine.configs(state).end()))
    maker.add(config);
  return maker.take();
}

LocalMask local_mask(Machine& machine, const LocalView& view, const Vocabulary& vocabulary, Walk& walk) {
  return LocalWalk(machine, vocabulary, walk).from(machine.state_of(view.configs));
}

std::shared_ptr<const LocalMask> LocalMasks::find(const std::vector<uint32_t>& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->mask;
}

void LocalMasks::add(const std::vector<uint32_t>& key, std::shared_ptr<const LocalMask> mask) {
  const std::lock_guard lock(mutex_);
  if (by_key_.count(key) > 0) return;
  const size_t bytes =
      4 * (2 * key.size() + mask->allowed.size()) + sizeof(LocalMask::Escape) * mask->escapes.size() + sizeof(Entry);
  while (bytes_left_ < bytes && !entries_.empty()) {
    bytes_left_ += entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  if (bytes_left_ < bytes) return;
  bytes_left_ -= bytes;
  entries_.push_front({key, std::move(mask), bytes});
  by_key_[key] = entries_.begin();
}

}  // namespace cleave::grammar
