#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "plan/axes.h"

namespace cleave::plan {

/// What an op does with an axis that occurs in its operands or result.
enum class Role : uint8_t {
  Pass,       // each index of the result needs that index of the operands alone
  Sum,        // the result is a sum over it: a part of the axis gives a partial sum
  Statistic,  // as Pass, once a small statistic over it is known (mean square of a norm)
  Whole,      // must not be split: every index of the result needs all of it
};

/// The operands in which an op is linear. A partial sum may travel through those: f(a) + f(b) = f(a + b), so the sum
/// can be taken behind the op.
enum class Linear : uint8_t {
  No,
  First,   // linear in the first operand, the others fixed
  Either,  // linear in either of two operands, the other fixed
  Both,    // linear in both at once: sums
};

/// One rule per op, written in factors. A string such as "(..,k+),(j,k+)->(..,j)" names every dimension of every
/// operand and of the result by a letter; `..` stands for any leading dimensions. Marks: `+` the op sums over it, `~`
/// it needs a statistic over it, `!` it must be whole; unmarked, it passes. `h*g` is a dimension whose factors are
/// split as one index. Variants for different numbers of dimensions are separated by `;`. (Shardy, "Propagation", calls
/// these op sharding rules; OpenXLA.)
struct Rule {
  graph::Op op;
  std::string_view factors;
  Linear linear;
  /// The op does little work and keeps nothing, so that it is worth splitting only between ops that are split.
  bool light;
  std::string_view labels;  // "v vocabulary,j width": what people call the axis that a letter stands for
};

/// The rule of an op. A test fails where one is missing.
const Rule& rule_of(graph::Op op);

/// An axis that occurs at a node, and its role there.
struct Use {
  AxisId axis;
  Role role;
};

/// The runs of neighbouring factors that rules of the graph's ops want split as one ("h*g").
std::vector<std::vector<graph::DimId>> joined_factors(const graph::Graph& graph);

/// The axes of one node and their roles under its op's rule.
std::vector<Use> uses_of(const graph::Graph& graph, graph::NodeId id, const Axes& axes);

/// Gives axes the labels that rules have for them.
void label_axes(const graph::Graph& graph, Axes& axes);

}  // namespace cleave::plan
