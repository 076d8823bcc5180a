#include "engine/ranks_step_model.h"

namespace cleave::engine {

StepLimits RanksStepModel::limits() const {
  const runtime::Sizes& sizes = model_.options().sizes;
  return {model_.output_width(), sizes.max_tokens,         sizes.max_output_rows,     model_.num_blocks(),
          runtime::kKvBlockSize, model_.num_state_slots(), model_.recompute_lengths()};
}

}  // namespace cleave::engine
