#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "tensor/tensor_table.h"

namespace cleave::inference {

/// Tensors of the checkpoint that the graph does not read, such as buffers that older versions of Transformers saved or
/// the vision part of a model of text and images. Names that differ in numbers alone are one entry with a * for each
/// number and their count: "model.layers.*.self_attn.rotary_emb.inv_freq (32)". Sorted.
std::vector<std::string> unused_tensors(const TensorTable& tensors, const graph::Graph& graph);

}  // namespace cleave::inference
