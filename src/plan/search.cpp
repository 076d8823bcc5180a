#include "plan/search.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/hash.h"

namespace cleave::plan {

using graph::NodeId;

namespace {

// Price of memory: holding one more byte per rank costs 1/1000 of the time to read it, per token. So a split that only
// saves memory is made where its exchange costs less than that.
constexpr double kTokensPerResidentByte = 1000;
// Under Policy::Split an exchange is worth this many bytes, and those that it moves: only to choose between splits of
// like size.
constexpr double kBytesPerCollective = 1024;

/// Axes that are split together or not at all.
struct AxisClass {
  std::vector<AxisId> axes;
  std::vector<size_t> excludes;  // classes that share a weight with it
  bool awkward = false;          // somewhere it must be whole, or costs a statistic
};

// How an axis occurs: ops, roles and shapes in the graph's order, and what is forced on its nodes.
std::vector<uint64_t> signatures(const Problem& problem, const std::vector<std::optional<AxisId>>& forced) {
  std::vector<Hash> hashes(problem.axes.size());
  for (size_t i = 0; i < problem.nodes.size(); ++i) {
    for (const Use& use : problem.nodes[i].uses) {
      Hash& hash = hashes[static_cast<size_t>(use.axis)];
      const graph::Node& node = problem.graph.node(static_cast<NodeId>(i));
      hash.add(node.op);
      hash.add(use.role);
      hash.add(problem.nodes[i].width);
      for (const NodeId input : node.inputs) hash.add(problem.facts(input).width);
      if (forced[i]) hash.add(*forced[i] == use.axis ? 2 : 1);
    }
  }
  std::vector<uint64_t> values;
  for (size_t a = 0; a < hashes.size(); ++a) {
    hashes[a].add(problem.axes[static_cast<AxisId>(a)].extent);
    hashes[a].add(problem.axes[static_cast<AxisId>(a)].unit);
    values.push_back(hashes[a].value());
  }
  return values;
}

// Axes that share a weight with another one, as pairs.
template <class Visit>
void for_each_shared_weight(const Problem& problem, Visit visit) {
  for (const NodeFacts& facts : problem.nodes) {
    if (facts.work || facts.users.empty()) continue;
    for (const AxisId a : facts.axes)
      for (const AxisId b : facts.axes)
        if (a != b) visit(static_cast<size_t>(a), static_cast<size_t>(b));
  }
}

std::vector<AxisClass> classes_of(const Problem& problem, const std::vector<std::optional<AxisId>>& forced,
                                  const AxisRules& rules) {
  std::vector<bool> fixed(problem.axes.size());
  for (size_t a = 0; a < fixed.size(); ++a) fixed[a] = rules.required[a] || rules.forbidden[a];
  for_each_shared_weight(
      problem, [&](size_t a, size_t b) { fixed[b] = fixed[b] || (rules.required[a] && !rules.forbidden[a]); });
  std::vector<bool> useful(problem.axes.size(), false);  // part of a weight, and passed or summed somewhere
  std::vector<bool> awkward(problem.axes.size(), false);
  for (const NodeFacts& facts : problem.nodes)
    for (const Use& use : facts.uses)
      if (use.role == Role::Whole || use.role == Role::Statistic) awkward[static_cast<size_t>(use.axis)] = true;
  for (size_t i = 0; i < problem.nodes.size(); ++i)
    for (const Use& use : problem.nodes[i].uses)
      for (const NodeId input : problem.graph.node(static_cast<NodeId>(i)).inputs)
        if (use.role != Role::Whole && !problem.facts(input).work && problem.facts(input).has(use.axis))
          useful[static_cast<size_t>(use.axis)] = true;
  const std::vector<uint64_t> signature = signatures(problem, forced);
  std::map<uint64_t, size_t> known;
  std::vector<AxisClass> classes;
  std::vector<size_t> class_of(problem.axes.size(), SIZE_MAX);
  for (size_t a = 0; a < problem.axes.size(); ++a) {
    if (!useful[a] || fixed[a] || !problem.axes[static_cast<AxisId>(a)].can_split) continue;
    const auto [found, fresh] = known.emplace(signature[a], classes.size());
    if (fresh) classes.emplace_back();
    classes[found->second].axes.push_back(static_cast<AxisId>(a));
    classes[found->second].awkward = classes[found->second].awkward || awkward[a];
    class_of[a] = found->second;
  }
  for_each_shared_weight(problem, [&](size_t a, size_t b) {
    const size_t ca = class_of[a], cb = class_of[b];
    if (ca == SIZE_MAX || cb == SIZE_MAX || ca == cb) return;
    if (std::ranges::count(classes[ca].excludes, cb) == 0) classes[ca].excludes.push_back(cb);
  });
  return classes;
}

class Descent {
 public:
  Descent(const Problem& problem, const NodeCosts& costs, Policy policy, std::vector<AxisClass> classes,
          std::vector<std::optional<AxisId>> forced, const AxisRules& rules)
      : problem_(problem), costs_(costs), policy_(policy), classes_(std::move(classes)) {
    for (size_t a = 0; a < problem.axes.size(); ++a)
      decisions_.split.push_back(rules.required[a] && !rules.forbidden[a] && problem.ranks > 1);
    decisions_.forced = std::move(forced);
  }

  // From nothing split, and from as much split as goes together; the better end counts.
  Decisions run() {
    std::vector<bool> none(classes_.size(), false), most = none;
    std::vector<size_t> order(classes_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    // Heads and columns before the sizes of heads and the width of the residual stream, which split the same weights
    // worse.
    std::ranges::stable_sort(order, {},
                             [&](size_t c) { return std::pair(classes_[c].awkward, classes_[c].excludes.size()); });
    for (const size_t c : order)
      if (std::ranges::none_of(classes_[c].excludes, [&](size_t other) { return most[other]; })) most[c] = true;
    const auto [from_none, value_none] = descend(none);
    const auto [from_most, value_most] = descend(most);
    apply(value_most < value_none ? from_most : from_none);
    return std::move(decisions_);
  }

 private:
  void apply(const std::vector<bool>& on) {
    for (size_t c = 0; c < classes_.size(); ++c)
      for (const AxisId axis : classes_[c].axes) decisions_.split[static_cast<size_t>(axis)] = on[c];
  }

  double value(const std::vector<bool>& on) {
    apply(on);
    place(problem_, decisions_, placed_);
    const Cost cost = costs_.of(placed_);
    const auto resident = static_cast<double>(cost.resident);
    if (policy_ == Policy::Split)
      return resident + kBytesPerCollective * static_cast<double>(cost.collectives) + cost.collective_bytes;
    return cost.decode_seconds + cost.prefill_seconds / costs_.prompt_tokens() +
           resident * costs_.seconds_per_byte() / kTokensPerResidentByte;
  }

  std::pair<std::vector<bool>, double> descend(std::vector<bool> on) {
    double best = value(on);
    for (bool improved = true; improved;) {
      improved = false;
      std::vector<bool> next = on;
      for (size_t c = 0; c < classes_.size(); ++c) {
        std::vector<bool> tried = on;
        tried[c] = !tried[c];
        if (tried[c])
          for (const size_t other : classes_[c].excludes) tried[other] = false;
        const double v = value(tried);
        if (v >= best * (1 - 1e-9)) continue;
        best = v;
        next = tried;
        improved = true;
      }
      on = next;
    }
    return {on, best};
  }

  const Problem& problem_;
  const NodeCosts& costs_;
  Policy policy_;
  std::vector<AxisClass> classes_;
  Decisions decisions_;
  Placed placed_;
};

}  // namespace

Decisions search(const Problem& problem, const NodeCosts& costs, Policy policy,
                 std::vector<std::optional<AxisId>> forced, const AxisRules& rules) {
  std::vector<AxisClass> classes = classes_of(problem, forced, rules);
  if (problem.ranks == 1) classes.clear();
  return Descent(problem, costs, policy, std::move(classes), std::move(forced), rules).run();
}

}  // namespace cleave::plan
