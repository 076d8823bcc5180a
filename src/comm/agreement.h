#pragma once

#include <vector>

#include "comm/communicator.h"

namespace cleave::comm {

/// One of the groups that a group is divided into, as Communicator::split() describes it.
struct Part {
  std::vector<int> members;  // their ranks in the group that is divided, ascending; empty for a negative color
  int number = 0;            // the largest one that any rank of that group has proposed
};

/// Tells every rank what all others want: the first step of a split(). Every rank of the group calls it. A number is
/// proposed where groups must be told apart.
Part agree_on_part(Communicator& group, int color, int proposed_number = 0);

}  // namespace cleave::comm
