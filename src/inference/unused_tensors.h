#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "tensor/tensor_table.h"

namespace cleave::inference {

/// Tensors of the checkpoint that the graph does not read, such as buffers that older versions of Transformers saved or
/// the vision part of a model of text and images. Names that differ in numbers alone are one entry with a * for each
/// number and their count: "model.layers.*.self_attn.rotary_emb.inv_freq (32)". Sorted.
std::vector<std::string> unused_tensors(const TensorTable& tensors, const graph::Graph& graph);

/// A warning about those among them that may be missed, such as a shared expert that a definition forgot; nothing where
/// there are none. Left out is what is known not to matter: tables of rotary frequencies and masks, layers beyond
/// `num_layers` and others that predict several tokens, towers for images and sound, scales of activations and of
/// cached keys and values, a head that is the embedding, and of an encoder poolers and the heads of tasks.
std::optional<std::string> forgotten_tensors_warning(const TensorTable& tensors, const graph::Graph& graph,
                                                     int64_t num_layers);

}  // namespace cleave::inference
