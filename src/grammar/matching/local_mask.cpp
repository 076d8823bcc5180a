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
uint32_t free_characters(Machine& machine, const LocalView& view) {
  uint32_t most = 0;
  for (const Config& config : view.configs)
    for (const Frame& frame : machine.stacks().frames(config.stack)) {
      if (frame.call >= Machine::kEscape) continue;
      const Call& call = machine.program().calls[frame.call];
      if (!call.character || call.start != config.node) continue;
      most = std::max(most, call.max == kUnbounded ? kUnbounded : call.max - frame.count);
    }
  return most;
}

}  // namespace

LocalView local_view(Machine& machine, Machine::State state, size_t longest) {
  ViewMaker maker(machine, longest);
  for (const Config& config : std::vector<Config>(machine.configs(state).begin(), machine.configs(state).end()))
    maker.add(config);
  return maker.take();
}

LocalMask local_mask(Machine& machine, const LocalView& view, const Vocabulary& vocabulary, Walk& walk) {
  LocalMask mask;
  mask.allowed.resize(vocabulary.words());
  const uint32_t characters = free_characters(machine, view);
  uint8_t outside = 0;
  for (size_t k = 0; k < Vocabulary::kSlices; ++k) {
    const Vocabulary::Slice& slice = vocabulary.slices()[k];
    if (characters < std::min<size_t>(slice.characters, vocabulary.longest())) continue;
    mask.allowed = slice.mask;
    outside = static_cast<uint8_t>(1u << k);
  }
  const auto visit = [&](const Vocabulary::Node& node, uint32_t index, Machine::State state) {
    bool stays = false;
    for (const Config& config : machine.configs(state)) {
      if (config.node >= Machine::kEscape)
        mask.escapes.push_back({index, config.node - Machine::kEscape});
      else
        stays = true;
    }
    if (stays) vocabulary.set_tokens(node, mask.allowed);
  };
  const auto last = static_cast<uint32_t>(vocabulary.nodes().size());
  walk.below(0, last, 0, machine.state_of(view.configs), outside, visit);
  return mask;
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
