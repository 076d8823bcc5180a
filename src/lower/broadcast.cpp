#include "lower/broadcast.h"

#include <optional>

#include "base/error.h"
#include "graph/rows.h"

namespace cleave::lower {

using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

using Repeat = Elementwise::Repeat;

// Whether `b` is a part of the innermost dimensions of `a`, but for dimensions of extent 1.
bool is_repeated(const Shape& a, const Shape& b) {
  bool fits = b.size() <= a.size();
  for (size_t i = 1; fits && i <= b.size(); ++i) fits = b[b.size() - i] == 1 || b[b.size() - i] == a[a.size() - i];
  return fits;
}

std::optional<Elementwise> of_parameter(bool routed, const Shape& a, const Shape& b) {
  if (routed && b.size() == 3) return Elementwise{b[0] > 1 ? Repeat::ExpertRow : Repeat::Row, num_elements(a)};
  if (is_suffix(a, b)) return Elementwise{Repeat::Row, num_elements(b)};
  if (routed || !is_repeated(a, b)) return std::nullopt;
  return Elementwise{Repeat::Row, num_elements(Shape(a.end() - static_cast<long>(b.size()), a.end()))};
}

std::optional<Elementwise> of_activation(const Shape& a, const Shape& b) {
  if (a == b) return Elementwise{Repeat::None, num_elements(a)};
  if (a.size() == b.size() && b.back() == 1 && std::equal(a.begin(), a.end() - 1, b.begin()))
    return Elementwise{Repeat::Column, a.back()};
  if (num_elements(b) == 1) return Elementwise{Repeat::Column, num_elements(a)};
  return std::nullopt;
}

}  // namespace

bool is_elementwise(Op op) {
  return op == Op::Add || op == Op::Mul || op == Op::Div;
}

bool is_suffix(const Shape& a, const Shape& b) {
  const int64_t count_b = num_elements(b);
  bool suffix = count_b <= num_elements(a) && b.size() <= a.size() + 1;
  for (size_t i = 1; suffix && i <= b.size(); ++i)
    suffix = b[b.size() - i] == 1 ? count_b == 1 || i > a.size() : i <= a.size() && b[b.size() - i] == a[a.size() - i];
  return suffix;
}

Elementwise broadcast_of(const Part& part, NodeId id, const Shape& a, const Shape& b) {
  const graph::Graph& graph = part.graph();
  const Node& n = graph.node(id);
  const bool routed = graph::rows_of(graph, n.inputs[0]) == graph::Rows::Routed;
  const bool parameter = part.is_parameter(n.inputs[1]);
  if (!parameter && (graph::rows_of(graph, n.inputs[1]) == graph::Rows::Routed) != routed)
    fail(ErrorKind::Unsupported, "{} of {} and {}", graph::op_info(n.op).name, graph.shape_text(n.inputs[0]),
         graph.shape_text(n.inputs[1]));
  if (const std::optional<Elementwise> found = parameter ? of_parameter(routed, a, b) : of_activation(a, b))
    return *found;
  fail(ErrorKind::Unsupported, "{} cannot repeat {} over {}", graph::op_info(n.op).name, graph.shape_text(n.inputs[1]),
       graph.shape_text(n.inputs[0]));
}

}  // namespace cleave::lower
