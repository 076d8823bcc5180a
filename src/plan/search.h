#pragma once

#include <vector>

#include "plan/cost.h"

namespace cleave::plan {

/// What the planner is after.
enum class Policy : uint8_t {
  Auto,   // least time per token: an axis is split where that saves more than its exchanges cost
  Split,  // least memory per rank: every axis is split that makes weights or caches smaller
};

/// What users have decided about axes, by axis: which must be split and which must not. `forbidden` prevails.
struct AxisRules {
  std::vector<bool> required, forbidden;
};

/// Chooses which axes to split, by steepest descent. Axes that occur in the same way (the heads of identical layers)
/// form a class and are decided together, so that a deeper model has no more to decide. Two axes of one weight exclude
/// one another. Deterministic. `forced` is as in Decisions.
Decisions search(const Problem& problem, const NodeCosts& costs, Policy policy,
                 std::vector<std::optional<AxisId>> forced, const AxisRules& rules);

}  // namespace cleave::plan
