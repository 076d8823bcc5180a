#pragma once

#include "engine/step_model.h"
#include "runtime/ranks.h"

namespace cleave::engine {

/// The StepModel of a loaded model: hands the engine's steps to its ranks. Used in the process that has rank 0, by one
/// thread. The ranks must outlive it.
class RanksStepModel final : public StepModel {
 public:
  explicit RanksStepModel(runtime::Ranks& ranks) : ranks_(ranks) {}
  StepLimits limits() const override;
  std::span<const float> step(const runtime::StepInput& input) override { return ranks_.step(input); }

 private:
  runtime::Ranks& ranks_;
};

}  // namespace cleave::engine
