#pragma once

#include <memory>
#include <optional>

#include "ckpt/tensor_source.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "runtime/device/options.h"
#include "runtime/device/packed_part.h"

namespace cleave::runtime {

/// The graph, plan, options and tensors that a process loads its ranks' parts of a model from. All processes of a group
/// make the same graph, plan and options, each from what it has.
struct ModelSource {
  const graph::Graph* graph = nullptr;  // needed while the model is loaded
  const plan::Plan* plan = nullptr;     // of that graph; needed while the model is loaded
  Options options;
  /// Where weights are read, as long as the model is loaded; null: rank 0 sends them. Never null on rank 0.
  const ckpt::TensorSource* tensors = nullptr;
  /// Where weights are packed already: tensors are not needed then. Each rank reads its own file.
  std::optional<PackedParts> packed = {};
  /// Where each rank writes its packed weights once it has loaded them.
  std::optional<PackedParts> save = {};
  /// Kept as long as the model is loaded, for a maker that wants it to own what the pointers point to.
  std::shared_ptr<const void> owner = nullptr;
};

}  // namespace cleave::runtime
