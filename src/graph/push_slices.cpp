#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "graph/graph.h"
#include "graph/rows.h"

namespace cleave::graph {
namespace {

/// A value that is some part of the result of a linear, [lead..., part...]: of matmul(x, w) + bias, where the
/// parameters w [lead..., part..., k] and bias [lead..., part...] (or none) have been reshaped and sliced instead of
/// the result.
struct Part {
  NodeId x = -1, weight = -1, bias = -1;                   // in the new graph
  size_t result_lead = 0, weight_lead = 0, bias_lead = 0;  // dimensions before `part`
  Shape part = {};
  bool sliced = false;
  std::string name = {};
};

class Pusher {
 public:
  explicit Pusher(const Graph& from) : from_(from) {
    const size_t count = from.nodes().size();
    new_.assign(count, -1);
    parts_.resize(count);
    parameter_ = find_parameters(from);
    find_uses();
  }

  Graph run() {
    const auto count = static_cast<NodeId>(from_.nodes().size());
    for (NodeId id = 0; id < count; ++id) visit(id);
    for (const Output& output : from_.outputs()) to_.add_output(output.name, value(output.node));
    return std::move(to_);
  }

 private:
  const Node& node(NodeId id) const { return from_.node(id); }
  static size_t index(NodeId id) { return static_cast<size_t>(id); }

  bool is_linear_step(const Node& n) const {
    return n.op == Op::Reshape || (n.op == Op::Add && parameter_[index(n.inputs[1])]);
  }

  // A result is wanted whole unless only slices, directly or behind biases and reshapes, use it.
  void find_uses() {
    const auto count = static_cast<NodeId>(from_.nodes().size());
    whole_.assign(from_.nodes().size(), false);
    for (const Output& output : from_.outputs()) whole_[index(output.node)] = true;
    for (NodeId id = count; id-- > 0;) {
      const Node& n = node(id);
      for (const NodeId input : n.inputs) {
        if (n.op == Op::Slice) continue;
        if (!is_linear_step(n) || whole_[index(id)]) whole_[index(input)] = true;
      }
    }
  }

  void visit(NodeId id) {
    const Node& n = node(id);
    if (!parameter_[index(id)] && !whole_[index(id)] && start_or_extend(id)) return;
    if (n.op == Op::Slice && !parameter_[index(id)] && slice(id)) return;
    if ((n.op == Op::Reshape || n.op == Op::Add) && !parameter_[index(id)] && extend_sliced(id)) return;
    copy(id);
  }

  void copy(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Weight) {
      new_[index(id)] = to_.weight(n.as<WeightAttributes>(), from_.shape(id));
    } else if (n.op == Op::Input) {
      new_[index(id)] = to_.input(n.as<InputAttributes>().kind);
    } else {
      std::vector<NodeId> inputs;
      for (const NodeId input : n.inputs) inputs.push_back(value(input));
      new_[index(id)] = parameter_[index(id)] ? of_parameters(n.op, std::move(inputs), n.attributes)
                                              : to_.add(n.op, std::move(inputs), n.attributes, n.name);
    }
  }

  // A function of weights: the same node every time, so that a weight which several layers use in the same way is one
  // to the planner, and is held once.
  NodeId of_parameters(Op op, std::vector<NodeId> inputs, const Attributes& attributes) {
    std::vector<NodeId>& known = functions_[{op, inputs}];
    for (const NodeId id : known)
      if (to_.node(id).attributes == attributes) return id;
    return known.emplace_back(to_.add(op, std::move(inputs), attributes));
  }

  // Matmuls that only slices use, and the biases and reshapes behind them. Nothing is added to the new graph.
  bool start_or_extend(NodeId id) {
    const Node& n = node(id);
    if (n.op == Op::Matmul && parameter_[index(n.inputs[1])]) {
      const Shape w = from_.shape(n.inputs[1]);
      parts_[index(id)] = Part{.x = value(n.inputs[0]),
                               .weight = value(n.inputs[1]),
                               .result_lead = n.dims.size() - 1,
                               .weight_lead = w.size() - 2,
                               .part = {w[w.size() - 2]},
                               .name = n.name};
      return true;
    }
    return is_linear_step(n) && extend(id);
  }

  bool extend_sliced(NodeId id) {
    const Node& n = node(id);
    const std::optional<Part>& before = parts_[index(n.inputs[0])];
    return before && before->sliced && is_linear_step(n) && extend(id);
  }

  bool extend(NodeId id) {
    const Node& n = node(id);
    const std::optional<Part>& before = parts_[index(n.inputs[0])];
    if (!before) return false;
    Part part = *before;
    const Shape shape = from_.shape(id);
    if (n.op == Op::Reshape) {
      const Shape old = from_.shape(n.inputs[0]);
      if (shape.size() < part.result_lead ||
          !std::equal(old.begin(), old.begin() + static_cast<long>(part.result_lead), shape.begin()))
        return false;
      part.part.assign(shape.begin() + static_cast<long>(part.result_lead), shape.end());
      part.weight = reshaped(part.weight, part.weight_lead, part.part, true);
      if (part.bias >= 0) part.bias = reshaped(part.bias, part.bias_lead, part.part, false);
    } else {
      const Shape b = from_.shape(n.inputs[1]);
      if (part.bias >= 0 || b.size() < part.part.size() ||
          !std::equal(part.part.begin(), part.part.end(), b.end() - static_cast<long>(part.part.size())))
        return false;
      part.bias = value(n.inputs[1]);
      part.bias_lead = b.size() - part.part.size();
    }
    parts_[index(id)] = std::move(part);
    return true;
  }

  bool slice(NodeId id) {
    const Node& n = node(id);
    const std::optional<Part>& before = parts_[index(n.inputs[0])];
    const auto& a = n.as<SliceAttributes>();
    if (!before || whole_[index(n.inputs[0])] || static_cast<size_t>(a.dim) < before->result_lead) return false;
    Part part = *before;
    const auto cut = [&](NodeId parameter, size_t lead) {
      const int dim = a.dim - static_cast<int>(part.result_lead) + static_cast<int>(lead);
      return of_parameters(Op::Slice, {parameter}, SliceAttributes{dim, a.begin, a.end});
    };
    part.weight = cut(part.weight, part.weight_lead);
    if (part.bias >= 0) part.bias = cut(part.bias, part.bias_lead);
    part.part[static_cast<size_t>(a.dim) - part.result_lead] = a.end - a.begin;
    part.sliced = true;
    parts_[index(id)] = std::move(part);
    return true;
  }

  NodeId reshaped(NodeId parameter, size_t lead, const Shape& part, bool with_k) {
    const Shape old = to_.shape(parameter);
    Shape shape(old.begin(), old.begin() + static_cast<long>(lead));
    shape.insert(shape.end(), part.begin(), part.end());
    if (with_k) shape.push_back(old.back());
    return shape == old ? parameter : of_parameters(Op::Reshape, {parameter}, ReshapeAttributes{shape});
  }

  // The node in the new graph; a part is computed when something other than a step of its chain asks for it.
  NodeId value(NodeId id) {
    if (new_[index(id)] >= 0) return new_[index(id)];
    CHECK(parts_[index(id)].has_value());
    const Part& part = *parts_[index(id)];
    const Shape flat = {num_elements(part.part)};
    NodeId y = to_.add(Op::Matmul, {part.x, reshaped(part.weight, part.weight_lead, flat, true)}, {}, part.name);
    if (part.bias >= 0) y = to_.add(Op::Add, {y, reshaped(part.bias, part.bias_lead, flat, false)}, {}, part.name);
    const Shape shape = from_.shape(id);
    if (to_.shape(y) != shape) y = to_.add(Op::Reshape, {y}, ReshapeAttributes{shape}, part.name);
    return new_[index(id)] = y;
  }

  const Graph& from_;
  Graph to_;
  std::vector<NodeId> new_;                                                      // by old node; -1: not (yet) there
  std::vector<std::optional<Part>> parts_;                                       // by old node
  std::vector<bool> parameter_, whole_;                                          // by old node
  std::map<std::pair<Op, std::vector<NodeId>>, std::vector<NodeId>> functions_;  // of weights, in the new graph
};

}  // namespace

Graph push_slices_into_weights(const Graph& graph) {
  Graph pushed = Pusher(graph).run();
  verify(pushed);
  pushed.dims().compress();
  return pushed;
}

}  // namespace cleave::graph
