#pragma once

#include <memory>

#include "graph/graph.h"
#include "inference/group.h"
#include "inference/log.h"
#include "inference/opened.h"
#include "inference/options.h"
#include "plan/plan.h"
#include "runtime/ranks.h"

namespace cleave::inference {

/// A model split over its ranks and ready to compute.
struct LoadedModel {
  const graph::Graph* graph = nullptr;  // the opened model's, which the plan is about
  plan::Plan plan;
  std::unique_ptr<runtime::Ranks> ranks;
};

/// Plans the split and tells other processes of it, then reads and packs the weights, all ranks at once. `sizes` are
/// options of which `numbers` overwrites all that concerns precision. The opened model and the group must outlive the
/// loaded one. REQUIRES: group.leads(); once for a group. Throws Error.
LoadedModel load(const OpenedModel& opened, const NumberOptions& numbers, const SplitOptions& split,
                 runtime::Options sizes, Group& group, const Log& log = {}, const runtime::Progress& progress = {});

}  // namespace cleave::inference
