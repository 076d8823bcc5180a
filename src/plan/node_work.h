#pragma once

#include <vector>

#include "plan/placement.h"

namespace cleave::plan {

/// How the work of one node is shared, decided once for everybody who reads a plan: lowering, loading, explanation.
struct NodeWork {
  std::vector<AxisId> inputs;  // by operand: the axis by which it is split when the node works; kNoAxis: it is whole
  std::vector<bool> idle;      // by rank: it has nothing to do here, for its range is empty
  bool added_once = false;     // adds something to a sum that is still owed, which rank 0 alone does
  bool statistic = false;      // takes a statistic over a dimension that is split
};

/// By node; of nodes that are no work, as they stand above.
std::vector<NodeWork> share_work(const Problem& problem, const Placed& placed);

}  // namespace cleave::plan
