#pragma once

#include <filesystem>
#include <memory>

#include "graph/graph.h"
#include "inference/group.h"
#include "inference/log.h"
#include "inference/model_message.h"
#include "inference/opened.h"
#include "inference/options.h"
#include "plan/plan.h"
#include "runtime/split_model.h"

namespace cleave::inference {

/// A model split over its ranks and ready to compute.
struct LoadedModel {
  const graph::Graph* graph = nullptr;  // the opened model's, which the plan is about
  plan::Plan plan;
  plan::PlanOptions request;  // what it was planned for
  std::unique_ptr<runtime::SplitModel> split;
};

/// Plans the split and tells other processes of it, then reads and packs the weights, all ranks at once. The group may
/// hold other models. What `options` say of precision is overwritten by `numbers`. The opened model and the group must
/// outlive the loaded one. REQUIRES: group.leads(). Throws Error; where that is before weights were read, the group can
/// go on (runtime/rank_group.h).
LoadedModel load(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                 const runtime::Options& options, Group& group, const Log& log = {},
                 const runtime::Progress& progress = {});

/// Loads a model, lets every rank write its packed weights into `directory`, and unloads it. Gives all that is needed
/// to load it from there. As load() otherwise.
ModelMessage load_and_save(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                           const runtime::Options& options, Group& group, const std::filesystem::path& directory,
                           const Log& log = {}, const runtime::Progress& progress = {});

}  // namespace cleave::inference
