#pragma once

#include <map>
#include <vector>

#include "lower/program_builder.h"

namespace cleave::lower {

/// The values of nodes on one rank, in every form in which somebody wants them: as the node leaves them (summed over
/// the ranks where the plan wants that), whole, or narrowed to the rank's range of an axis. Exchanges and narrowings
/// are appended to the program. Borrows both.
class Values {
 public:
  Values(const Part& part, ProgramBuilder& program);

  /// As the node leaves it.
  const Operand& own(graph::NodeId id) const { return forms(id).own; }
  void set(graph::NodeId id, Operand own) { forms(id).own = own; }

  /// The value split by `axis` or whole; a sum that is still owed as it is.
  Operand operand(graph::NodeId id, plan::AxisId axis);

  /// What the rank has of a sum where it has none of the summands.
  Operand zero(graph::NodeId id);
  /// From now on the value is the sum over the ranks.
  void sum(graph::NodeId id);
  /// The same of several values, which have been computed, in one exchange.
  void sum_jointly(const std::vector<graph::NodeId>& nodes);
  /// From now on the value is also there whole: on every rank, or on rank 0 alone.
  void gather(graph::NodeId id, Action action);

 private:
  struct Forms {
    Operand own;
    Operand whole;  // where it is gathered
    std::map<plan::AxisId, Operand> narrowed;
  };

  const Forms& forms(graph::NodeId id) const { return forms_[static_cast<size_t>(id)]; }
  Forms& forms(graph::NodeId id) { return forms_[static_cast<size_t>(id)]; }
  Operand narrow(graph::NodeId id, Operand whole, plan::AxisId axis);
  Operand exchange(graph::NodeId id, Action action, plan::AxisId axis);

  const Part& part_;
  ProgramBuilder& program_;
  std::vector<Forms> forms_;  // by node
};

}  // namespace cleave::lower
