#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lower/parameter_table.h"
#include "lower/part.h"

namespace cleave::lower {

/// The weights of a graph as one rank reads them: what depends on weights alone is resolved into views of stored
/// tensors, and each part that an instruction wants becomes a parameter of the table. Borrows both.
class Weights {
 public:
  /// Throws Error(Unsupported) where an output needs a function of weights that computes.
  Weights(const Part& part, ParameterTable& table);

  /// Input number `i` of `user`, which is a parameter.
  Operand operand(graph::NodeId user, size_t i);

  /// Whether the node multiplies with a matrix for each expert or each block.
  bool is_batched(graph::NodeId user) const;
  /// Those matrices, outermost index first.
  std::vector<int32_t> matrices(graph::NodeId user);

 private:
  const graph::Node& node(graph::NodeId id) const { return part_.graph().node(id); }
  const WeightView& view(graph::NodeId id) const { return *views_[static_cast<size_t>(id)]; }
  WeightView wanted(graph::NodeId user, size_t i) const;
  Parameter parameter(graph::WeightUse use, graph::NodeId id, WeightView view) const;

  const Part& part_;
  ParameterTable& table_;
  std::vector<std::optional<WeightView>> views_;  // by node; of parameters that some output needs
  std::vector<bool> deciding_;                    // by node: a choice of experts depends on it
  graph::NodeId head_;
};

}  // namespace cleave::lower
