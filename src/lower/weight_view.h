#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "plan/axes.h"
#include "tensor/tensor_view.h"

namespace cleave::lower {

/// A box of a stored tensor that becomes a box of a parameter. Element (i0, i1, ...) of the box is element
/// `offset + i0 * strides[0] + ...` of the stored tensor, taken as row-major, and stands at (begin[0] + i0, ...) of the
/// parameter.
struct Piece {
  std::string tensor;  // name in the checkpoint
  int64_t offset = 0;  // in elements
  std::vector<int64_t> strides;
  Shape begin;
  Shape extents;

  bool operator==(const Piece&) const = default;
};

/// A function of every element of a weight, such as the exponential that a checkpoint leaves to the model.
using WeightFunction = std::variant<graph::ScaleAttributes, graph::ShiftAttributes, graph::UnaryAttributes>;

/// A parameter as the operations on weights leave it: slices, transposes, reshapes and concatenations of stored
/// tensors, resolved into the boxes of which it consists. No numbers are touched until a loader reads the boxes.
struct WeightView {
  Shape shape;
  std::vector<Piece> pieces;              // disjoint; they cover the shape
  std::vector<WeightFunction> functions;  // applied to every element in this order; of vectors only

  bool operator==(const WeightView&) const = default;
};

/// The view of node `id`, which depends on weights alone; `inputs` are the views of its inputs. Throws
/// Error(Unsupported) for an operation that computes.
WeightView view_of(const graph::Graph& graph, graph::NodeId id, const std::vector<const WeightView*>& inputs);

/// The given ranges of one dimension, one after another.
WeightView take(const WeightView& view, size_t dim, const std::vector<plan::Interval>& ranges);
/// The view with dimensions of extent 1 repeated to `shape`, its innermost dimensions; nothing where it does not fit.
std::optional<WeightView> repeated(const WeightView& view, const Shape& shape);

/// The transpose of a matrix.
WeightView transposed(const WeightView& view);

/// Row `index` of the outermost dimension.
WeightView outermost(const WeightView& view, int64_t index);

}  // namespace cleave::lower
