#pragma once

#include <string>
#include <vector>

#include "plan/overrides.h"
#include "plan/search.h"

namespace cleave::plan {

/// What a plan depends on, beside the graph.
struct Request {
  std::vector<double> rank_weights = {1};  // one per rank; its size is the number of ranks
  Policy policy = Policy::Auto;
  CostModel cost;
  std::vector<DType> stored;  // by node: types of the weights in the checkpoint (problem.h); empty without one
  std::vector<Override> overrides;
  ModelNames names;
  bool strict = false;  // an override that matches nothing is an error
};

/// A module that overrides can name: a linear (several nodes where it is fused), an embedding, or the experts' linears.
struct Module {
  ModuleInfo info;
  std::vector<graph::NodeId> nodes;
  std::optional<Decision> decision;       // of the user
  std::string remark;                     // where the decision could not be met exactly
  Treatment treatment = Treatment::Keep;  // what has become of it
};

/// How the graph's work and weights are shared among ranks: plain data, a pure function of graph and request. Every
/// rank makes the same plan; hash() tells whether they did. Valid for that graph.
struct Plan {
  int ranks = 1;
  std::vector<double> rank_weights;
  Axes axes;
  Decisions decisions;
  Placed placed;
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

/// Plans the graph, which must be as push_slices_into_weights() leaves it. Throws Error(InvalidArgument) for impossible
/// rank weights or overrides, Error(NotFound) under Request::strict.
Plan make_plan(const graph::Graph& graph, const Request& request);

/// Everything whole on one rank.
Plan single_rank_plan(const graph::Graph& graph);

}  // namespace cleave::plan
