#pragma once

#include "engine/step_model.h"
#include "runtime/ranks.h"

namespace cleave::engine {

/// A loaded model as the engine sees it, on rank 0. The ranks must outlive it.
class LoadedModel final : public StepModel {
 public:
  explicit LoadedModel(runtime::Ranks& ranks) : ranks_(ranks) {}
  StepLimits limits() const override;
  std::span<const float> step(const runtime::StepInput& input) override { return ranks_.step(input); }

 private:
  runtime::Ranks& ranks_;
};

}  // namespace cleave::engine
