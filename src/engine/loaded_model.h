#pragma once

#include "engine/step_model.h"
#include "runtime/model.h"

namespace cleave::engine {

/// A runtime::Model as the engine sees it. The model must outlive it.
class LoadedModel final : public StepModel {
 public:
  explicit LoadedModel(runtime::Model& model) : model_(model) {}
  StepLimits limits() const override;
  std::span<const float> step(const runtime::StepInput& input) override { return model_.step(input); }

 private:
  runtime::Model& model_;
};

}  // namespace cleave::engine
