#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inference/loaded.h"
#include "inference/log.h"
#include "inference/opened.h"
#include "inference/options.h"
#include "plan/explain.h"
#include "plan/plan.h"

namespace cleave::inference {

/// A plan and what there is to say about it.
struct PlanReport {
  std::string architecture;
  plan::Plan plan;
  plan::CostModel cost;
  plan::Explanation explanation;
  std::vector<plan::Prediction> predictions;  // for 1, 2, 4, ... ranks and those of the plan
};

/// The planner's request for `ranks` ranks. Notes about overrides go to the log. Throws as plan_request() does.
plan::PlanOptions request_for(const OpenedModel& opened, const SplitOptions& split, const NumberOptions& numbers,
                              int ranks, const Log& log);

/// Plans the split and explains it. `context`: tokens of cache that a generated token reads; nothing: the cost model's
/// default. Warnings of the plan go to the log. Throws Error.
PlanReport plan_report(const OpenedModel& opened, const SplitOptions& split, const NumberOptions& numbers, int ranks,
                       const Log& log, std::optional<int64_t> context = {});

/// The same of a model that is loaded, about the plan that its ranks have.
PlanReport plan_report(const OpenedModel& opened, const LoadedModel& loaded);

/// A table of modules, of exchanges, of memory and of predictions, for people.
std::string text(const PlanReport& report);
/// The same for programs; `cleave plan --diff` compares two of them.
Json to_json(const PlanReport& report);

}  // namespace cleave::inference
