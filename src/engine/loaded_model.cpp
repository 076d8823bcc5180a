#include "engine/loaded_model.h"

namespace cleave::engine {

StepLimits LoadedModel::limits() const {
  const runtime::Options& options = model_.options();
  return {model_.vocab_size(), options.max_tokens,         options.max_output_rows,
          model_.num_blocks(), runtime::Model::kBlockSize, model_.num_state_slots()};
}

}  // namespace cleave::engine
