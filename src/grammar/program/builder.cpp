#include "grammar/program/builder.h"

#include <algorithm>

#include "base/check.h"
#include "base/untrusted_text.h"

namespace cleave::grammar {
namespace {

constexpr uint32_t kMaxEmptyMatches = 64;

}  // namespace

uint32_t ProgramBuilder::add_node() {
  json_nodes_.push_back(json_);
  budget_->nodes(json_nodes_.size());
  return static_cast<uint32_t>(json_nodes_.size() - 1);
}

uint32_t ProgramBuilder::add_rule(std::string name) {
  const uint32_t first = add_node();
  rules_.push_back({std::move(name), first, add_node()});
  return static_cast<uint32_t>(rules_.size() - 1);
}

void ProgramBuilder::bytes(uint32_t from, uint8_t low, uint8_t high, uint32_t to) {
  budget_->nodes(edges_.size() / 4);  // an edge takes a quarter of what a node does
  edges_.push_back({from, {low, high, to}});
}

void ProgramBuilder::empty(uint32_t from, uint32_t to) {
  budget_->nodes(empty_.size() / 4);
  if (from != to) empty_.push_back({from, to});
}

void ProgramBuilder::call(uint32_t from, uint32_t rule, uint32_t min, uint32_t max, uint32_t to) {
  budget_->nodes(calls_.size() / 2);
  if (max == 0) empty(from, to);
  if (max > 0 && min <= max) calls_.push_back({from, rule, min, max, to});
}

void ProgramBuilder::literal(uint32_t from, std::string_view text, uint32_t to) {
  if (text.empty()) return empty(from, to);
  for (size_t i = 0; i < text.size(); ++i) {
    const uint32_t next = i + 1 == text.size() ? to : add_node();
    bytes(from, static_cast<uint8_t>(text[i]), static_cast<uint8_t>(text[i]), next);
    from = next;
  }
}

Program ProgramBuilder::finish(uint32_t rule) {
  const std::vector<bool> live = reach_end(Way::Any);
  if (!live[start(rule)])
    fail(ErrorKind::InvalidArgument, "no text satisfies the grammar: its parts contradict each other or never end");
  keep_live(live);
  refuse_left_recursion();
  refuse_counted_nothing();
  Program program;
  program.start = start(rule);
  program.unique_keys = unique_keys_;
  pack_nodes(program);
  pack_calls(program);
  return program;
}

// Keeps what is live. A call of a rule that never ends is kept as an empty edge where it may be left out.
void ProgramBuilder::keep_live(const std::vector<bool>& live) {
  std::erase_if(edges_, [&](const Edge& edge) { return !live[edge.from] || !live[edge.edge.target]; });
  for (const RuleCall& call : calls_)
    if (call.min == 0 && !live[start(call.rule)]) empty(call.from, call.target);
  std::erase_if(
      calls_, [&](const RuleCall& call) { return !live[call.from] || !live[call.target] || !live[start(call.rule)]; });
  std::erase_if(empty_, [&](const Empty& edge) { return !live[edge.from] || !live[edge.target]; });
}

namespace {

// Targets or sources by node: those of node n are values[first[n]] to values[first[n + 1] - 1].
struct ByNode {
  std::vector<uint32_t> first, values;

  template <class List, class Node, class Value>
  ByNode(size_t nodes, const List& list, Node node, Value value) : first(nodes + 2), values(list.size()) {
    for (const auto& item : list) ++first[node(item) + 2];
    for (size_t i = 2; i < first.size(); ++i) first[i] += first[i - 1];
    for (const auto& item : list) values[first[node(item) + 1]++] = value(item);
  }
  std::span<const uint32_t> of(uint32_t node) const {
    return std::span(values).subspan(first[node], first[node + 1] - first[node]);
  }
};

// The positions of the items of a list, by a node of theirs.
template <class List, class Node>
ByNode indices_by(size_t nodes, const List& list, Node node) {
  return ByNode(nodes, list, node, [&](const auto& item) { return static_cast<uint32_t>(&item - list.data()); });
}

}  // namespace

// The nodes from which the end of their rule can be reached at all, or without a byte. Goes back from the ends; a call
// can be passed once its rule's start is known to be such a node.
std::vector<bool> ProgramBuilder::reach_end(Way way) const {
  const size_t count = json_nodes_.size();
  const auto from = [](const auto& item) { return item.from; };
  const ByNode by_byte(
      count, edges_, [](const Edge& edge) { return edge.edge.target; }, from);
  const ByNode by_empty(
      count, empty_, [](const Empty& edge) { return edge.target; }, from);
  const ByNode by_target = indices_by(count, calls_, [](const RuleCall& call) { return call.target; });
  const ByNode by_start = indices_by(count, calls_, [&](const RuleCall& call) { return start(call.rule); });
  std::vector<bool> reached(count);
  std::vector<uint32_t> pending;
  const auto reach = [&](uint32_t node) {
    if (!reached[node]) pending.push_back(node);
    reached[node] = true;
  };
  for (const Rule& rule : rules_) reach(rule.end);
  while (!pending.empty()) {
    const uint32_t node = pending.back();
    pending.pop_back();
    budget_->step();
    for (const uint32_t source : by_empty.of(node)) reach(source);
    if (way == Way::Any)
      for (const uint32_t source : by_byte.of(node)) reach(source);
    for (const auto* group : {&by_target, &by_start})
      for (const uint32_t index : group->of(node)) {
        const RuleCall& call = calls_[index];
        if (reached[call.target] && (call.min == 0 || reached[start(call.rule)])) reach(call.from);
      }
  }
  return reached;
}

// Matches that are empty would make all counts possible at once.
void ProgramBuilder::refuse_counted_nothing() {
  const std::vector<bool> nullable = reach_end(Way::Empty);
  for (RuleCall& call : calls_) {
    if (!nullable[start(call.rule)]) continue;
    call.min = 0;
    if (call.max != kUnbounded && call.max > kMaxEmptyMatches)
      fail(ErrorKind::Unsupported, "{}, which may be empty, is repeated up to {} times; at most {} are taken",
           rules_[call.rule].name, call.max, kMaxEmptyMatches);
  }
}

// Per rule, the rules that it may call before it has taken a byte.
std::vector<std::vector<uint32_t>> ProgramBuilder::first_calls() const {
  const size_t count = json_nodes_.size();
  const std::vector<bool> nullable = reach_end(Way::Empty);
  const auto from = [](const auto& item) { return item.from; };
  const ByNode by_empty(count, empty_, from, [](const Empty& edge) { return edge.target; });
  const ByNode by_call = indices_by(count, calls_, from);
  std::vector<std::vector<uint32_t>> found(rules_.size());
  std::vector<uint32_t> seen_by(count, UINT32_MAX);
  for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
    std::vector<uint32_t> pending{start(rule)};
    while (!pending.empty()) {
      const uint32_t node = pending.back();
      pending.pop_back();
      if (std::exchange(seen_by[node], rule) == rule) continue;
      budget_->step();
      for (const uint32_t target : by_empty.of(node)) pending.push_back(target);
      for (const uint32_t index : by_call.of(node)) {
        const RuleCall& call = calls_[index];
        found[rule].push_back(call.rule);
        if (call.min == 0 || nullable[start(call.rule)]) pending.push_back(call.target);
      }
    }
  }
  return found;
}

// Looks for a circle, depth first, with a stack of its own because rules may be many.
void ProgramBuilder::refuse_left_recursion() const {
  const std::vector<std::vector<uint32_t>> calls = first_calls();
  enum : uint8_t { Unseen, Open, Done };
  std::vector<uint8_t> state(rules_.size(), Unseen);
  std::vector<std::pair<uint32_t, size_t>> path;  // a rule, and how many of its calls have been followed
  for (uint32_t root = 0; root < rules_.size(); ++root) {
    if (state[root] == Unseen) path.emplace_back(root, 0);
    while (!path.empty()) {
      auto& [rule, followed] = path.back();
      state[rule] = Open;
      if (followed == calls[rule].size()) {
        state[rule] = Done;
        path.pop_back();
        continue;
      }
      const uint32_t next = calls[rule][followed++];
      if (state[next] == Open)
        fail(ErrorKind::Unsupported, "the rule {} refers to itself before it has taken a character (left recursion)",
             in_quotes(rules_[next].name));
      if (state[next] == Unseen) path.emplace_back(next, 0);
    }
  }
}

// Rules that take a byte at least and call no other rule.
std::vector<bool> ProgramBuilder::leaf_rules() const {
  const size_t count = json_nodes_.size();
  const std::vector<bool> nullable = reach_end(Way::Empty);
  const auto from = [](const auto& item) { return item.from; };
  const ByNode by_call = indices_by(count, calls_, from);
  const ByNode by_empty(count, empty_, from, [](const Empty& edge) { return edge.target; });
  const ByNode by_byte(count, edges_, from, [](const Edge& edge) { return edge.edge.target; });
  std::vector<uint32_t> seen_by(count, UINT32_MAX);
  std::vector<bool> leaf(rules_.size());
  for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
    leaf[rule] = !nullable[start(rule)];
    std::vector<uint32_t> pending{start(rule)};
    while (!pending.empty() && leaf[rule]) {
      const uint32_t node = pending.back();
      pending.pop_back();
      if (std::exchange(seen_by[node], rule) == rule) continue;
      leaf[rule] = by_call.of(node).empty();
      for (const auto* targets : {&by_empty, &by_byte})
        for (const uint32_t target : targets->of(node)) pending.push_back(target);
    }
  }
  return leaf;
}

void ProgramBuilder::pack_nodes(Program& program) const {
  const size_t count = json_nodes_.size();
  const auto from = [](const auto& item) { return item.from; };
  const ByNode by_byte = indices_by(count, edges_, from);
  const ByNode by_empty(count, empty_, from, [](const Empty& edge) { return edge.target; });
  const ByNode by_call = indices_by(count, calls_, from);
  program.nodes.resize(count + 1);
  std::array<bool, 257> border{};  // [byte]: whether an edge tells it from the byte before
  for (uint32_t node = 0; node <= count; ++node)
    program.nodes[node] = {by_byte.first[node], by_call.first[node], by_empty.first[node], false,
                           node < count && json_nodes_[node]};
  for (const uint32_t index : by_byte.values) {
    program.edges.push_back(edges_[index].edge);
    border[edges_[index].edge.low] = border[edges_[index].edge.high + 1] = true;
  }
  program.empty = by_empty.values;
  for (const Rule& rule : rules_) program.nodes[rule.end].accepts = true;
  for (size_t byte = 0; byte < 256; ++byte) {
    if (byte > 0 && border[byte]) ++program.num_classes;
    program.classes[byte] = static_cast<uint8_t>(program.num_classes);
  }
  ++program.num_classes;
}

void ProgramBuilder::pack_calls(Program& program) const {
  const std::vector<bool> leaf = leaf_rules();
  const ByNode by_call = indices_by(json_nodes_.size(), calls_, [](const RuleCall& call) { return call.from; });
  for (const uint32_t index : by_call.values) {
    const RuleCall& call = calls_[index];
    program.calls.push_back(
        {start(call.rule), call.target, call.min, call.max, leaf[call.rule], rules_[call.rule].character});
  }
}

}  // namespace cleave::grammar
