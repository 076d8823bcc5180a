#pragma once

#include <vector>

#include "lower/weight_view.h"
#include "plan/plan.h"

namespace cleave::lower {

/// What one rank has of tensors under a plan. Borrows graph and plan.
class Part {
 public:
  Part(const graph::Graph& graph, const plan::Plan& plan, int rank);

  const graph::Graph& graph() const { return graph_; }
  const plan::Plan& plan() const { return plan_; }
  int rank() const { return rank_; }

  /// Whether the node depends on weights alone.
  bool is_parameter(graph::NodeId id) const { return parameters_[static_cast<size_t>(id)]; }
  /// The axis by which the node's work is shared.
  plan::AxisId strategy(graph::NodeId id) const { return plan_.placed[id].strategy; }
  const plan::NodeWork& work(graph::NodeId id) const { return plan_.work[static_cast<size_t>(id)]; }
  /// Whether the rank has no part of the node's work.
  bool is_idle(graph::NodeId id) const { return work(id).idle[static_cast<size_t>(rank_)]; }
  /// The axis by which an input of `user` is split when it works.
  plan::AxisId input_axis(graph::NodeId user, graph::NodeId input) const;

  /// Indices of a dimension, where the tensor is split by `axis`.
  std::vector<plan::Interval> indices(graph::DimId dim, plan::AxisId axis) const {
    return plan_.local(graph_, dim, axis, rank_);
  }
  /// The first of them; 0 where there are none.
  int64_t first_index(graph::DimId dim, plan::AxisId axis) const;

  /// Extents of the part of a node's result that the rank has; kDynamic stays.
  Shape shape(graph::NodeId id, plan::AxisId axis) const;
  /// The same of one row of an activation; of a parameter all of them.
  Shape row_shape(graph::NodeId id, plan::AxisId axis) const;

  /// Whether the rank has nothing of a node's result.
  bool has_nothing(graph::NodeId id, plan::AxisId axis) const;

  /// The part of a parameter, `view`, that node `id` stands for.
  WeightView view(const WeightView& view, graph::NodeId id, plan::AxisId axis) const;

  /// For every rank, the elements of a row that it has.
  std::vector<std::vector<plan::Interval>> shares(graph::NodeId id, plan::AxisId axis) const;

 private:
  size_t num_row_dims(graph::NodeId id) const;

  const graph::Graph& graph_;
  const plan::Plan& plan_;
  int rank_;
  std::vector<bool> parameters_;  // by node
};

}  // namespace cleave::lower
