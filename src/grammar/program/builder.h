#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grammar/program/limits.h"
#include "grammar/program/program.h"

namespace cleave::grammar {

/// Puts a Program together, node by node. A rule is an automaton with a start node and an end node; it may be called
/// before it has any edges. Functions that take nodes REQUIRE ids that this builder has made. Not thread-safe.
class ProgramBuilder {
 public:
  /// `budget` must outlive the builder. Functions that add nodes throw what it throws.
  explicit ProgramBuilder(Budget& budget) : budget_(&budget) {}

  uint32_t add_node();
  /// A rule without edges. `name` is for messages.
  uint32_t add_rule(std::string name);
  uint32_t start(uint32_t rule) const { return rules_[rule].start; }
  uint32_t end(uint32_t rule) const { return rules_[rule].end; }

  void bytes(uint32_t from, uint8_t low, uint8_t high, uint32_t to);
  void empty(uint32_t from, uint32_t to);
  /// `min` to `max` matches of a rule; kUnbounded for no limit. Nothing at all where max < min.
  void call(uint32_t from, uint32_t rule, uint32_t min, uint32_t max, uint32_t to);
  /// A text as it stands. Nothing but an empty edge for an empty one.
  void literal(uint32_t from, std::string_view text, uint32_t to);

  /// Whether nodes that are added from now on belong to a JSON text. Returns what was said before.
  bool set_json(bool json) { return std::exchange(json_, json); }
  /// Says that the rule is a character of a JSON string.
  void set_character(uint32_t rule) { rules_[rule].character = true; }
  void set_unique_keys() { unique_keys_ = true; }

  Budget& budget() const { return *budget_; }

  /// Whether a rule has any text.
  bool has_text(uint32_t rule) const { return reach_end(Way::Any)[start(rule)]; }

  /// The program whose texts are those of a rule, without what can never be completed. Throws Error(InvalidArgument)
  /// where nothing is left, and Error(Unsupported) with the rule's name for one that calls itself before it has taken a
  /// byte (left recursion).
  Program finish(uint32_t rule);

 private:
  struct Rule {
    std::string name;
    uint32_t start, end;
    bool character = false;
  };
  struct Edge {
    uint32_t from;
    ByteEdge edge;
  };
  struct Empty {
    uint32_t from, target;
  };
  struct RuleCall {
    uint32_t from, rule, min, max, target;
  };

  enum class Way { Any, Empty };

  std::vector<bool> reach_end(Way way) const;
  void keep_live(const std::vector<bool>& live);
  void refuse_left_recursion() const;
  void refuse_counted_nothing();
  std::vector<std::vector<uint32_t>> first_calls() const;
  std::vector<bool> leaf_rules() const;
  void pack_nodes(Program& program) const;
  void pack_calls(Program& program) const;

  Budget* budget_;
  std::vector<bool> json_nodes_;  // [nodes]
  std::vector<Rule> rules_;
  std::vector<Edge> edges_;
  std::vector<Empty> empty_;
  std::vector<RuleCall> calls_;
  bool json_ = false;
  bool unique_keys_ = false;
};

}  // namespace cleave::grammar
