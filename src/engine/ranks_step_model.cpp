#include "engine/ranks_step_model.h"

namespace cleave::engine {

StepLimits RanksStepModel::limits() const {
  const runtime::Options& options = ranks_.options();
  return {ranks_.vocab_size(), options.max_tokens,    options.max_output_rows,
          ranks_.num_blocks(), runtime::kKvBlockSize, ranks_.num_state_slots()};
}

}  // namespace cleave::engine
