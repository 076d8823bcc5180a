#pragma once

#include <vector>

#include "plan/cost.h"

namespace cleave::plan {

/// What the planner is after.
enum class Policy : uint8_t {
  Auto,   // least time per token: an axis is split where that saves more than its exchanges cost
  Split,  // least memory per rank: every axis is split that makes weights or caches smaller
};

/// What users have decided about axes; by axis. What is forbidden is not required.
struct AxisRules {
  std::vector<bool> required, forbidden;
};

/// Chooses which axes to split, by steepest descent over classes of axes: axes that occur in the same way (the heads of
/// identical layers) are decided together, so the effort does not grow with the depth of a model. Two axes of one
/// weight exclude one another. Deterministic. `forced` is as in Decisions.
Decisions search(const Problem& problem, const CostTable& costs, Policy policy,
                 std::vector<std::optional<AxisId>> forced, const AxisRules& rules);

}  // namespace cleave::plan
