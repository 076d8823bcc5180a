#include "plan/axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace cleave::plan {

using graph::DimId;

namespace {

void append(std::vector<Interval>& intervals, Interval next) {
  if (next.size() <= 0) return;
  if (!intervals.empty() && intervals.back().end == next.begin)
    intervals.back().end = next.end;
  else
    intervals.push_back(next);
}

int64_t product_of_extents(const graph::Dims& dims, std::span<const DimId> atoms) {
  int64_t product = 1;
  for (const DimId atom : atoms) product *= dims.extent(atom);
  return product;
}

// The atoms that a dimension is made of, in its order.
std::vector<DimId> atoms_of(const graph::Dims& dims, DimId dim) {
  std::vector<DimId> atoms;
  const std::vector<DimId> pieces = dims.pieces(dim);
  if (pieces.size() > 1) {
    for (const DimId piece : pieces) {
      const std::vector<DimId> inner = atoms_of(dims, piece);
      atoms.insert(atoms.end(), inner.begin(), inner.end());
    }
    return atoms;
  }
  std::vector<DimId> factors = dims.factors(dim);
  if (factors.size() == 1) return factors;
  for (const DimId factor : factors) {
    const std::vector<DimId> inner = atoms_of(dims, factor);
    atoms.insert(atoms.end(), inner.begin(), inner.end());
  }
  return atoms;
}

}  // namespace

Axes::Axes(const graph::Graph& graph, std::span<const std::vector<DimId>> joined) {
  const graph::Dims& dims = graph.dims();
  const auto add = [&](std::vector<DimId> atoms) {
    for (const DimId atom : atoms) {
      if (static_cast<size_t>(atom) >= of_atom_.size()) of_atom_.resize(static_cast<size_t>(atom) + 1, kNoAxis);
      of_atom_[static_cast<size_t>(atom)] = static_cast<AxisId>(axes_.size());
    }
    Axis axis;
    axis.atoms = std::move(atoms);
    axis.extent = product_of_extents(dims, axis.atoms);
    axis.can_split = std::ranges::none_of(axis.atoms, [&](DimId atom) { return dims.is_whole(atom); });
    axes_.push_back(std::move(axis));
  };
  for (const std::vector<DimId>& run : joined) {
    const bool fresh = std::ranges::all_of(run, [&](DimId atom) { return axis_of(atom) == kNoAxis; });
    if (fresh && run.size() > 1) add(run);
  }
  for (const graph::Node& node : graph.nodes())
    for (const DimId dim : node.dims)
      for (const DimId atom : atoms_of(dims, dim))
        if (axis_of(atom) == kNoAxis && dims.extent(atom) > 1) add({atom});
}

AxisId Axes::axis_of(DimId atom) const {
  return static_cast<size_t>(atom) < of_atom_.size() ? of_atom_[static_cast<size_t>(atom)] : kNoAxis;
}

std::vector<AxisId> Axes::in_dim(const graph::Dims& dims, DimId dim) const {
  std::vector<AxisId> found;
  for (const DimId atom : atoms_of(dims, dim)) {
    const AxisId axis = axis_of(atom);
    if (axis != kNoAxis && std::ranges::count(found, axis) == 0) found.push_back(axis);
  }
  return found;
}

std::vector<Interval> Axes::local(const graph::Dims& dims, DimId dim, AxisId id, Interval range) const {
  std::vector<Interval> result;
  const std::vector<DimId> pieces = dims.pieces(dim);
  if (pieces.size() > 1) {
    int64_t begin = 0;
    for (const DimId piece : pieces) {
      for (const Interval& i : local(dims, piece, id, range)) append(result, {begin + i.begin, begin + i.end});
      begin += dims.extent(piece);
    }
    return result;
  }
  // One factor, or a run of factors, is restricted; what lies around it is there in full.
  const Axis& axis = (*this)[id];
  const std::vector<DimId> factors = dims.factors(dim);
  std::vector<Interval> inner_range;
  size_t first = factors.size(), count = 0;
  for (size_t i = 0; i < factors.size() && count == 0; ++i) {
    if (factors[i] == axis.atoms[0]) {
      while (count < axis.atoms.size() && i + count < factors.size() && factors[i + count] == axis.atoms[count])
        ++count;
      const int64_t rest = product_of_extents(dims, std::span(axis.atoms).subspan(count));
      if (range.size() > 0) inner_range = {{range.begin / rest, (range.end + rest - 1) / rest}};
      first = i;
    } else if (factors.size() > 1 && dims.pieces(factors[i]).size() > 1 &&
               std::ranges::count(in_dim(dims, factors[i]), id) > 0) {
      inner_range = local(dims, factors[i], id, range);
      first = i;
      count = 1;
    }
  }
  if (count == 0) return {{0, dims.extent(dim)}};
  const std::span all(factors);
  const int64_t outer = product_of_extents(dims, all.first(first));
  const int64_t middle = product_of_extents(dims, all.subspan(first, count));
  const int64_t inner = product_of_extents(dims, all.subspan(first + count));
  for (int64_t o = 0; o < outer; ++o)
    for (const Interval& i : inner_range)
      append(result, {(o * middle + i.begin) * inner, (o * middle + i.end) * inner});
  return result;
}

int64_t Axes::local_extent(const graph::Dims& dims, DimId dim, AxisId axis, Interval range) const {
  int64_t count = 0;
  for (const Interval& i : local(dims, dim, axis, range)) count += i.size();
  return count;
}

bool Axes::restricts(const graph::Dims& dims, DimId dim, AxisId axis) const {
  return local_extent(dims, dim, axis, {0, 1}) < dims.extent(dim);
}

bool Axes::partitions(const graph::Dims& dims, DimId dim, AxisId id) const {
  const Axis& axis = (*this)[id];
  const std::vector<DimId> factors = dims.factors(dim);
  if (std::search(factors.begin(), factors.end(), axis.atoms.begin(), axis.atoms.end()) != factors.end()) return true;
  int64_t sum = 0;  // together the ranks have every index at least once, so the sum tells
  for (int rank = 0; rank < axis.ranks(); ++rank) sum += local_extent(dims, dim, id, axis.range(rank));
  return sum == dims.extent(dim);
}

int64_t Axes::unit_for(const graph::Dims& dims, std::span<const DimId> tensor, AxisId id) const {
  const Axis& axis = (*this)[id];
  // Atoms that stand behind the outermost one in its dimension, and atoms that stand anywhere in the tensor.
  size_t together = 0, anywhere = 0;
  for (const DimId dim : tensor) {
    const std::vector<DimId> atoms = atoms_of(dims, dim);
    const auto first = std::ranges::find(atoms, axis.atoms[0]);
    size_t run = 0;
    while (run < axis.atoms.size() && static_cast<size_t>(atoms.end() - first) > run &&
           first[static_cast<long>(run)] == axis.atoms[run])
      ++run;
    together = std::max(together, run);
    for (const DimId atom : axis.atoms) anywhere += std::ranges::count(atoms, atom) > 0 ? 1 : 0;
  }
  if (together == 0 || anywhere <= together) return 1;
  return product_of_extents(dims, std::span(axis.atoms).subspan(together));
}

std::vector<int64_t> split_in_proportion(int64_t extent, int64_t unit, std::span<const double> weights) {
  CHECK(!weights.empty());
  const int64_t units = (extent + unit - 1) / unit;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<int64_t> borders = {0};
  double sum = 0;
  for (size_t r = 0; r < weights.size(); ++r) {
    sum += weights[r];
    const auto border = static_cast<int64_t>(std::floor(static_cast<double>(units) * sum / total + 0.5));
    borders.push_back(r + 1 == weights.size() ? extent : std::min(extent, border * unit));
  }
  return borders;
}

}  // namespace cleave::plan
