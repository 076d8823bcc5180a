#pragma once

#include <string>
#include <vector>

#include "lower/part.h"
#include "lower/program.h"

namespace cleave::lower {

/// A program while it is made: each instruction that is appended gets a value of its own to write, and knows which
/// tokens its rows are where they are routed to experts. Borrows `part`.
class ProgramBuilder {
 public:
  ProgramBuilder(const Part& part, std::string output_name, const Limits& limits);

  /// An instruction about node `id`, as yet without inputs, whose rows are the rank's part by `axis`.
  Instruction about(graph::NodeId id, Action action, plan::AxisId axis) const;
  /// Gives what it writes. Throws Error(Unsupported) where that is no rows of tokens, of outputs or of experts.
  Operand append(Instruction instruction);

  /// Rows of `id` are routed as those of its inputs. Throws Error(Unsupported) where inputs are routed differently.
  void inherit_routing(graph::NodeId id);
  /// From this dispatch on rows are routed by `chosen`, the expert numbers of each token.
  void begin_routing(graph::NodeId dispatch, Operand chosen);
  /// Behind this combine there is a row for each token again.
  void end_routing(graph::NodeId combine) { routing_of(combine) = -1; }

  /// The number of the rotary table with these attributes.
  int32_t rope_table(const graph::RopeAttributes& rope);

  /// The program, whose result are rows of `width` numbers.
  Program finish(Operand output, int64_t width);

 private:
  int32_t& routing_of(graph::NodeId id) { return routing_of_node_[static_cast<size_t>(id)]; }
  int32_t add_value(Rows rows, int64_t slots, int64_t width);
  int32_t add_output_value(const Instruction& instruction);

  const Part& part_;
  Program program_;
  std::vector<int32_t> routing_of_node_;  // -1: its rows are not routed
};

}  // namespace cleave::lower
