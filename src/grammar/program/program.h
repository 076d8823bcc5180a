#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cleave::grammar {

/// No upper limit of a repetition.
constexpr uint32_t kUnbounded = UINT32_MAX;

/// From a node to another by one byte of a range.
struct ByteEdge {
  uint8_t low, high;  // both inclusive
  uint32_t target;
};

/// From a node to another by between `min` and `max` matches of a rule, one behind the other.
struct Call {
  uint32_t start;   // the rule's first node
  uint32_t target;  // where it goes on after the last match
  uint32_t min, max;
  bool leaf;       // the rule takes a byte at least and calls no other rule
  bool character;  // the rule is one character of a JSON string, in any spelling
};

/// A compiled grammar: a recursive transition network over bytes (Woods, 1970), that is, one nondeterministic finite
/// automaton per rule, whose edges are bytes, calls of rules, or empty. Every node can reach the end of its rule, and
/// no rule calls itself before it has taken a byte. Immutable and thread-safe.
struct Program {
  struct Node {
    uint32_t first_edge, first_call, first_empty;  // the next node's are the ends
    bool accepts;                                  // a rule may end here
    bool json;                                     // part of a JSON text
  };

  uint32_t start = 0;
  bool unique_keys = false;          // there are objects whose keys only a list of those used keeps apart
  std::vector<Node> nodes;           // [nodes + 1], by id; the last one only ends ranges
  std::vector<ByteEdge> edges;       // by node
  std::vector<Call> calls;           // by node
  std::vector<uint32_t> empty;       // targets of empty edges, by node
  std::array<uint8_t, 256> classes;  // of bytes that no edge tells apart, by byte
  uint32_t num_classes = 0;

  std::span<const ByteEdge> edges_of(uint32_t node) const {
    return std::span(edges).subspan(nodes[node].first_edge, nodes[node + 1].first_edge - nodes[node].first_edge);
  }
  /// Index of the first call, and one behind the last.
  std::pair<uint32_t, uint32_t> calls_of(uint32_t node) const {
    return {nodes[node].first_call, nodes[node + 1].first_call};
  }
  std::span<const uint32_t> empty_of(uint32_t node) const {
    return std::span(empty).subspan(nodes[node].first_empty, nodes[node + 1].first_empty - nodes[node].first_empty);
  }
  /// Whether a rule ends at this node in any case, so that who was called last need not be remembered.
  bool only_accepts(uint32_t node) const {
    const Node &own = nodes[node], &next = nodes[node + 1];
    return own.accepts && own.first_edge == next.first_edge && own.first_call == next.first_call &&
           own.first_empty == next.first_empty;
  }
};

}  // namespace cleave::grammar
