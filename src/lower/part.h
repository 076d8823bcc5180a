#pragma once

#include <vector>

#include "lower/weight_view.h"
#include "plan/plan.h"

namespace cleave::lower {

/// What one rank has of tensors. Borrows graph and plan.
class Part {
 public:
  Part(const graph::Graph& graph, const plan::Plan& plan, int rank) : graph_(graph), plan_(plan), rank_(rank) {}

  int rank() const { return rank_; }

  /// Indices of a dimension, where the tensor is split by `axis`.
  std::vector<plan::Interval> indices(graph::DimId dim, plan::AxisId axis) const {
    return plan_.local(graph_, dim, axis, rank_);
  }

  /// Extents of the part of a node's result that the rank has; kDynamic stays.
  Shape shape(graph::NodeId id, plan::AxisId axis) const;

  /// Whether the rank has nothing of a node's result.
  bool has_nothing(graph::NodeId id, plan::AxisId axis) const;

  /// Whether the rank's range of the axis is empty.
  bool is_empty(plan::AxisId axis) const { return axis != plan::kNoAxis && plan_.axes[axis].range(rank_).size() == 0; }

  /// The part of a parameter, `view`, that node `id` stands for.
  WeightView view(const WeightView& view, graph::NodeId id, plan::AxisId axis) const;

  /// For every rank, the elements of a row that it has; dimensions before `leading` are no part of a row.
  std::vector<std::vector<plan::Interval>> shares(graph::NodeId id, plan::AxisId axis, size_t leading) const;

 private:
  const graph::Graph& graph_;
  const plan::Plan& plan_;
  int rank_;
};

}  // namespace cleave::lower
