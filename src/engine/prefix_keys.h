#pragma once

#include <cstdint>

#include "engine/sequence.h"

namespace cleave::engine {

/// Makes keys for the full blocks of a sequence's tokens, of which nothing counts as computed yet. Keys that are there
/// stay, unless the model would turn what is computed now otherwise, or compute the prompt in another way. Does nothing
/// where the sequence shares nothing.
void renew_keys(Sequence& sequence, const SequenceLimits& limits);

/// Makes the key of block `block`, the next one, where it is not there, as it was computed by the step at hand, which
/// has begun at position `before`.
void complete_key(Sequence& sequence, int64_t block, int64_t before, const SequenceLimits& limits);

/// Notes how the block at hand has been begun by that step.
void note_turning(Sequence& sequence, int64_t before, const SequenceLimits& limits);

}  // namespace cleave::engine
