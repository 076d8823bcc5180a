#pragma once

#include <string>
#include <vector>

#include "plan/node_work.h"
#include "plan/overrides.h"
#include "plan/search.h"

namespace cleave::plan {

/// What a plan depends on, beside the graph.
struct PlanOptions {
  std::vector<double> rank_weights = {1};  // one per rank; its size is the number of ranks
  Policy policy = Policy::Auto;
  CostModel cost;
  std::vector<DType> stored;  // by node: types of the weights in the checkpoint (problem.h); empty without one
  std::vector<Override> overrides;
  ModelNames names;
  bool strict = false;  // an override that matches nothing is an error
};

/// A module that overrides can name: a linear, an embedding, or a linear of every expert. A fused linear is several
/// nodes, and so is one that is applied several times.
struct Module {
  ModuleInfo info;
  std::vector<graph::NodeId> nodes;
  std::optional<Decision> decision;       // of the user
  std::string remark;                     // what of the decision could not be met; may be empty
  Treatment treatment = Treatment::Keep;  // what has become of it
};

/// How the work and the weights of a graph are shared among ranks, for all its outputs at once. Plain data, a pure
/// function of graph and options: every rank makes the same plan, and hash() tells whether they did. Node ids are those
/// of that graph.
struct Plan {
  int ranks = 1;
  std::vector<double> rank_weights;
  Axes axes;
  Decisions decisions;
  Placed placed;
  std::vector<NodeWork> work;  // by node
  std::vector<Module> modules;
  std::vector<Override> overrides;  // those that decisions refer to
  std::vector<std::string> warnings;
  Cost cost;

  /// Indices of a dimension of `node` that a rank works with, where its work is split by `axis`.
  std::vector<Interval> local(const graph::Graph& graph, graph::DimId dim, AxisId axis, int rank) const {
    return axis == kNoAxis ? std::vector<Interval>{{0, graph.dims().extent(dim)}}
                           : axes.local(graph.dims(), dim, axis, axes[axis].range(rank));
  }

  uint64_t hash() const;
};

/// Plans a graph. REQUIRES: it is as push_slices_into_weights() leaves it. Throws Error(InvalidArgument) for impossible
/// rank weights or overrides, Error(NotFound) for an override that matches nothing under PlanOptions::strict.
Plan make_plan(const graph::Graph& graph, const PlanOptions& options);

/// Everything whole on one rank.
Plan single_rank_plan(const graph::Graph& graph);

}  // namespace cleave::plan
