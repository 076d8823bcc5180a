#pragma once

#include "engine/step_model.h"
#include "runtime/split_model.h"

namespace cleave::engine {

/// The StepModel of a loaded model: hands the engine's steps to its ranks. Used in the process that has rank 0, by one
/// thread. The split model must outlive it.
class RanksStepModel final : public StepModel {
 public:
  explicit RanksStepModel(runtime::SplitModel& model) : model_(model) {}
  StepLimits limits() const override;
  runtime::StepOutput step(const runtime::StepInput& input) override { return model_.step(input); }
  std::span<const runtime::RowLogits> logits(std::span<const int32_t> rows) override { return model_.logits(rows); }
  double exchange_seconds() const override { return model_.exchange_seconds(); }
  int num_workers() const override { return model_.num_workers(); }
  void share_out(int64_t count, FunctionRef<void(int64_t index, int worker)> task) override {
    model_.share_out(count, task);
  }

 private:
  runtime::SplitModel& model_;
};

}  // namespace cleave::engine
