#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace cleave::grammar {

/// A call that has not ended: which (an index of Program::calls), how many of its matches are complete, and the stack
/// below it.
struct Frame {
  uint32_t call, count, parent;
  auto operator<=>(const Frame&) const = default;
};

/// Sets of stacks of calls, each set once and by a number. A set is the frames that are on top, at most one for each
/// call and count, each with the set of stacks below it: so that ambiguity, however many stacks it makes, costs little
/// (a graph-structured stack: Tomita, 1985). Not thread-safe.
class Stacks {
 public:
  Stacks();

  /// The set that has these frames on top. REQUIRES: sorted, no two of one call and count.
  uint32_t intern(std::vector<Frame> frames);
  /// Its frames, valid as long as this object.
  std::span<const Frame> frames(uint32_t stack) const { return *entries_[stack].frames; }
  /// The longest of its stacks.
  uint32_t depth(uint32_t stack) const { return entries_[stack].depth; }
  uint32_t unite(uint32_t a, uint32_t b);
  size_t size() const { return entries_.size(); }

  static constexpr uint32_t kNone = 0;  // no stack at all

 private:
  struct Hash {
    size_t operator()(const std::vector<Frame>& frames) const;
  };
  struct Entry {
    const std::vector<Frame>* frames;  // a key of ids_
    uint32_t depth;
  };

  std::unordered_map<std::vector<Frame>, uint32_t, Hash> ids_;
  std::vector<Entry> entries_;                     // by id
  std::unordered_map<uint64_t, uint32_t> united_;  // by the smaller id << 32 | the larger one
};

}  // namespace cleave::grammar
