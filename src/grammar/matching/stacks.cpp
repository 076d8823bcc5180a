#include "grammar/matching/stacks.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace cleave::grammar {

size_t Stacks::Hash::operator()(const std::vector<Frame>& frames) const {
  cleave::Hash hash;
  for (const Frame& frame : frames) {
    hash.add(frame.call);
    hash.add(frame.count);
    hash.add(frame.parent);
  }
  return hash.value();
}

Stacks::Stacks() {
  intern({});
}

uint32_t Stacks::intern(std::vector<Frame> frames) {
  const auto [found, is_new] = ids_.try_emplace(std::move(frames), static_cast<uint32_t>(entries_.size()));
  if (is_new) {
    uint32_t below = 0;
    for (const Frame& frame : found->first) below = std::max(below, entries_[frame.parent].depth);
    entries_.push_back({&found->first, below + 1});
  }
  return found->second;
}

uint32_t Stacks::unite(uint32_t a, uint32_t b) {
  if (a == b || b == kNone) return a;
  if (a == kNone) return b;
  const uint64_t key = uint64_t{std::min(a, b)} << 32 | std::max(a, b);
  if (const auto known = united_.find(key); known != united_.end()) return known->second;
  std::vector<Frame> both;
  std::merge(frames(a).begin(), frames(a).end(), frames(b).begin(), frames(b).end(), std::back_inserter(both));
  std::vector<Frame> merged;
  for (const Frame& frame : both) {
    if (!merged.empty() && merged.back().call == frame.call && merged.back().count == frame.count)
      merged.back().parent = unite(merged.back().parent, frame.parent);
    else
      merged.push_back(frame);
  }
  const uint32_t united = intern(std::move(merged));
  united_[key] = united;
  return united;
}

}  // namespace cleave::grammar
