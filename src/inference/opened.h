#pragma once

#include <cstdint>
#include <optional>

#include "ckpt/checkpoint.h"
#include "ckpt/random_weights.h"
#include "define/definitions.h"
#include "graph/graph.h"
#include "inference/log.h"
#include "inference/options.h"
#include "inference/packed_description.h"
#include "tensor/tensor_table.h"

namespace cleave::inference {

/// A checkpoint, and the graph that its definition makes of it.
struct OpenedModel {
  ckpt::Checkpoint checkpoint;
  define::Definition definition;  // that serves it
  graph::ModelGraph traced;       // as the definition writes it
  graph::Graph graph;             // the same with slices pushed into weights: what is planned and computed
  Json config;                    // normalised (define/config.h)
  TensorTable tensors;            // of the weights; empty where there are none
  std::optional<ckpt::RandomWeights> random = {};  // in place of a checkpoint's weights
  std::optional<PackedModel> packed = {};          // the same

  /// What weights are loaded from, unless they are packed; borrowed from this object.
  const ckpt::TensorSource& weights() const;
  /// Throws Error(NotFound) where there are none, saying where they were looked for. To be called before loading.
  void require_weights() const;

  /// Tokens that the model was made for; nothing where the configuration does not say.
  std::optional<int64_t> max_positions() const;
  /// Tokens that a sequence can have at most, where positions are learned: the rows of their table.
  std::optional<int64_t> position_limit() const;
  /// Whether it gives vectors of tokens, no logits.
  bool is_encoder() const;
  /// Whether it writes a text that depends on another one, which the output "encode" reads.
  bool is_encoder_decoder() const;
  /// Number of the program for the output "encode". REQUIRES: there is one.
  int encode_program() const;
  /// Throws Error(Unsupported) where it continues no text: an encoder, or a model that writes another one. To be called
  /// before loading.
  void require_logits() const;
  /// Number of tokens that the model knows.
  int64_t vocab_size() const;
  /// Numbers that the model gives for a token: logits, or those of its vector.
  int64_t output_width() const;
};

/// Reads headers and traces the definition; weights are mapped, not read. Throws Error.
OpenedModel open(const ModelOptions& options, const Log& log = {});

/// Length of sequences, in tokens: what the user asked for, otherwise what is needed, up to what the model was made
/// for. Warns where the user goes beyond that; throws Error(InvalidArgument) where the model has no such positions,
/// Error(Unsupported) where it continues no text.
int64_t context_length(const OpenedModel& opened, std::optional<int64_t> asked, int64_t needed, const Log& log = {});

}  // namespace cleave::inference
