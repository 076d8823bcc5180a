#pragma once

#include "ckpt/checkpoint.h"
#include "graph/graph.h"
#include "inference/log.h"

namespace cleave::inference {

/// Writes a line for an adapter that is applied, and for each thing in which a checkpoint and its configuration
/// disagree and which was decided as Transformers decides it: tensors that its index lists and no file holds, an
/// architecture that model_type has told, and a head of its own where the configuration says that it is the embedding.
/// Reads no numbers but those of a head that may be the embedding. `config` is normalised (define/config.h).
void write_opening_notes(const ckpt::Checkpoint& checkpoint, const graph::ModelGraph& traced, const Json& config,
                         const Log& log);

}  // namespace cleave::inference
