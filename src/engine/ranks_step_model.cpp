#include "engine/ranks_step_model.h"

namespace cleave::engine {

StepLimits RanksStepModel::limits() const {
  const runtime::Sizes& sizes = model_.options().sizes;
  return {.vocab_size = model_.output_width(),
          .max_tokens = sizes.max_tokens,
          .max_output_rows = sizes.max_output_rows,
          .num_blocks = model_.num_blocks(),
          .block_size = runtime::kKvBlockSize,
          .num_state_slots = model_.num_state_slots(),
          .recompute_lengths = model_.recompute_lengths(),
          .num_snapshots = model_.num_snapshots(),
          .turning = model_.turning()};
}

}  // namespace cleave::engine
