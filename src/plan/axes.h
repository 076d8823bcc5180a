#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace cleave::plan {

using AxisId = int32_t;
inline constexpr AxisId kNoAxis = -1;

/// Indices [begin, end).
struct Interval {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

/// A factor that is split as one: an atom of the graph's dimensions, or neighbouring atoms that an op wants taken
/// together (query heads are key-value heads times a group). Wherever these atoms occur, in whatever weight or
/// activation, they are the same axis, and rank r holds the same range of it.
struct Axis {
  std::vector<graph::DimId> atoms;  // outermost first; the axis' index runs over their product
  int64_t extent = 1;
  int64_t unit = 1;        // ranges begin at multiples of it (a head, a quantisation group)
  bool can_split = false;  // more than one unit, and no structure forbids it
  std::string label;       // for people: "heads", "vocabulary", "experts", "columns"
  /// Rank r has [borders[r], borders[r + 1]), should the axis be split.
  std::vector<int64_t> borders;

  int ranks() const { return static_cast<int>(borders.size()) - 1; }
  Interval range(int rank) const {
    return {borders[static_cast<size_t>(rank)], borders[static_cast<size_t>(rank) + 1]};
  }
};

/// The axes of a graph, and where they occur. Does not keep the graph: callers hand in the dimensions of the graph that
/// the axes were made from.
class Axes {
 public:
  Axes() = default;
  /// Every atom becomes an axis of its own, but for the runs of atoms that `joined` lists.
  Axes(const graph::Graph& graph, std::span<const std::vector<graph::DimId>> joined);

  size_t size() const { return axes_.size(); }
  const Axis& operator[](AxisId id) const { return axes_[static_cast<size_t>(id)]; }
  Axis& operator[](AxisId id) { return axes_[static_cast<size_t>(id)]; }

  /// The axes whose atoms occur in a dimension, each once.
  std::vector<AxisId> in_dim(const graph::Dims& dims, graph::DimId dim) const;

  /// The indices of `dim` that belong to `range` of an axis, as ascending intervals that do not touch. If `dim` has
  /// only the axis' outer atoms, these are the indices that the range touches (the key-value heads that some query
  /// heads need). If it lacks the outermost atom, these are all indices.
  std::vector<Interval> local(const graph::Dims& dims, graph::DimId dim, AxisId id, Interval range) const;

  /// Number of those indices.
  int64_t local_extent(const graph::Dims& dims, graph::DimId dim, AxisId axis, Interval range) const;

  /// Whether a range of the axis is a part of `dim`. False if every rank needs all of `dim` although the axis is split,
  /// because `dim` contains only the axis' inner factors.
  bool restricts(const graph::Dims& dims, graph::DimId dim, AxisId axis) const;

  /// Whether every index of `dim` belongs to exactly one rank: what a sum over the dimension needs.
  bool partitions(const graph::Dims& dims, graph::DimId dim, AxisId id) const;

  /// The unit in which the axis must be split so that its ranges are boxes of a tensor of these dimensions. It is more
  /// than 1 where the axis' atoms stand in different dimensions: a range must then leave the inner atoms whole.
  int64_t unit_for(const graph::Dims& dims, std::span<const graph::DimId> tensor, AxisId id) const;

 private:
  AxisId axis_of(graph::DimId atom) const;

  std::vector<Axis> axes_;
  std::vector<AxisId> of_atom_;  // by DimId; kNoAxis for what is no atom
};

/// Borders of the ranges of `ranks` ranks: rank r has [borders[r], borders[r + 1]). Sizes are proportional to the
/// weights, as closely as whole units allow; ranks get nothing where there are too few units.
std::vector<int64_t> split_in_proportion(int64_t extent, int64_t unit, std::span<const double> weights);

}  // namespace cleave::plan
