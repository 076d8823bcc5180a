#include "lower/part.h"

#include <algorithm>

#include "graph/rows.h"

namespace cleave::lower {

using graph::DimId;
using graph::NodeId;
using plan::AxisId;
using plan::Interval;

namespace {

int64_t count(const std::vector<Interval>& intervals) {
  int64_t total = 0;
  for (const Interval& interval : intervals) total += interval.size();
  return total;
}

// Elements of rows of `extent`, of which `inside` are wanted, in the given rows.
std::vector<Interval> refine(const std::vector<Interval>& rows, int64_t extent, const std::vector<Interval>& inside) {
  std::vector<Interval> result;
  const auto append = [&](int64_t begin, int64_t end) {
    if (!result.empty() && result.back().end == begin)
      result.back().end = end;
    else
      result.push_back({begin, end});
  };
  const bool all = inside.size() == 1 && inside[0].size() == extent;
  for (const Interval& row : rows) {
    if (all) {
      append(row.begin * extent, row.end * extent);
      continue;
    }
    for (int64_t r = row.begin; r < row.end; ++r)
      for (const Interval& i : inside) append(r * extent + i.begin, r * extent + i.end);
  }
  return result;
}

}  // namespace

Part::Part(const graph::Graph& graph, const plan::Plan& plan, int rank)
    : graph_(graph), plan_(plan), rank_(rank), parameters_(graph::find_parameters(graph)) {}

AxisId Part::input_axis(NodeId user, NodeId input) const {
  const std::vector<NodeId>& inputs = graph_.node(user).inputs;
  return work(user).inputs.at(static_cast<size_t>(std::ranges::find(inputs, input) - inputs.begin()));
}

int64_t Part::first_index(DimId dim, AxisId axis) const {
  const std::vector<Interval> local = indices(dim, axis);
  return local.empty() ? 0 : local.front().begin;
}

Shape Part::row_shape(NodeId id, AxisId axis) const {
  const Shape whole = shape(id, axis);
  return {whole.begin() + static_cast<long>(num_row_dims(id)), whole.end()};
}

size_t Part::num_row_dims(NodeId id) const {
  return is_parameter(id) ? 0 : graph::num_row_dims(graph::rows_of(graph_, id));
}

Shape Part::shape(NodeId id, AxisId axis) const {
  Shape shape = graph_.shape(id);
  if (axis == plan::kNoAxis) return shape;
  const std::vector<DimId>& dims = graph_.node(id).dims;
  for (size_t d = 0; d < shape.size(); ++d)
    if (shape[d] != graph::kDynamic) shape[d] = count(indices(dims[d], axis));
  return shape;
}

bool Part::has_nothing(NodeId id, AxisId axis) const {
  return std::ranges::count(shape(id, axis), 0) > 0;
}

WeightView Part::view(const WeightView& view, NodeId id, AxisId axis) const {
  WeightView part = view;
  if (axis == plan::kNoAxis) return part;
  const std::vector<DimId>& dims = graph_.node(id).dims;
  for (size_t d = 0; d < dims.size(); ++d) {
    const std::vector<Interval> wanted = indices(dims[d], axis);
    if (count(wanted) != view.shape[d]) part = take(part, d, wanted);
  }
  return part;
}

std::vector<std::vector<Interval>> Part::shares(NodeId id, AxisId axis) const {
  const std::vector<DimId>& dims = graph_.node(id).dims;
  std::vector<std::vector<Interval>> shares;
  for (int rank = 0; rank < plan_.ranks; ++rank) {
    std::vector<Interval> elements = {{0, 1}};
    for (size_t d = num_row_dims(id); d < dims.size(); ++d)
      elements = refine(elements, graph_.dims().extent(dims[d]), plan_.local(graph_, dims[d], axis, rank));
    shares.push_back(std::move(elements));
  }
  return shares;
}

}  // namespace cleave::lower
