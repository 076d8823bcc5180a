#include "lower/weight_view.h"

#include <algorithm>

#include "base/check.h"
#include "graph/stored_name.h"
#include "lower/weight_reshape.h"

namespace cleave::lower {
namespace {

using graph::Op;

std::vector<int64_t> row_major_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

WeightView stored(const graph::WeightAttributes& attributes, const Shape& shape) {
  if (attributes.stacked == 0)
    return {
        shape, {{graph::stored_name(attributes, 0), 0, row_major_strides(shape), Shape(shape.size(), 0), shape}}, {}};
  WeightView view{shape, {}, {}};
  Shape extents = shape;
  extents[0] = 1;
  for (int64_t i = 0; i < attributes.stacked; ++i) {
    Shape begin(shape.size(), 0);
    begin[0] = i;
    view.pieces.push_back(
        {graph::stored_name(attributes, i), 0, row_major_strides(extents), std::move(begin), extents});
  }
  return view;
}

WeightView slice(const WeightView& input, size_t dim, int64_t begin, int64_t end) {
  WeightView view{input.shape, {}, input.functions};
  view.shape[dim] = end - begin;
  for (const Piece& whole : input.pieces) {
    const int64_t first = std::max(begin, whole.begin[dim]);
    const int64_t last = std::min(end, whole.begin[dim] + whole.extents[dim]);
    if (first >= last) continue;
    Piece piece = whole;
    piece.offset += (first - piece.begin[dim]) * piece.strides[dim];
    piece.extents[dim] = last - first;
    piece.begin[dim] = first - begin;
    view.pieces.push_back(std::move(piece));
  }
  return view;
}

template <class T>
std::vector<T> permuted(const std::vector<T>& values, const std::vector<int>& order) {
  std::vector<T> result;
  for (const int from : order) result.push_back(values[static_cast<size_t>(from)]);
  return result;
}

WeightView transpose(const WeightView& input, const std::vector<int>& order) {
  WeightView view{permuted(input.shape, order), input.pieces, input.functions};
  for (Piece& piece : view.pieces) {
    piece.strides = permuted(piece.strides, order);
    piece.begin = permuted(piece.begin, order);
    piece.extents = permuted(piece.extents, order);
  }
  return view;
}

WeightView concat(const std::vector<const WeightView*>& inputs, size_t dim) {
  WeightView view{inputs[0]->shape, {}, {}};
  view.shape[dim] = 0;
  for (const WeightView* input : inputs) {
    if (!input->functions.empty())
      fail(ErrorKind::Unsupported, "a function of weights inside of a concatenation is not supported");
    for (Piece piece : input->pieces) {
      piece.begin[dim] += view.shape[dim];
      view.pieces.push_back(std::move(piece));
    }
    view.shape[dim] += input->shape[dim];
  }
  return view;
}

WeightView mapped(WeightView view, WeightFunction function) {
  view.functions.push_back(function);
  return view;
}

}  // namespace

WeightView view_of(const graph::Graph& graph, graph::NodeId id, const std::vector<const WeightView*>& inputs) {
  const graph::Node& node = graph.node(id);
  switch (node.op) {
    case Op::Weight:
      return stored(node.as<graph::WeightAttributes>(), graph.shape(id));
    case Op::Slice: {
      const auto& a = node.as<graph::SliceAttributes>();
      return slice(*inputs[0], static_cast<size_t>(a.dim), a.begin, a.end);
    }
    case Op::Transpose:
      return transpose(*inputs[0], node.as<graph::TransposeAttributes>().order);
    case Op::Reshape:
      return reshape(*inputs[0], graph.shape(id));
    case Op::Concat:
      return concat(inputs, static_cast<size_t>(node.as<graph::ConcatAttributes>().dim));
    case Op::Scale:
      return mapped(*inputs[0], node.as<graph::ScaleAttributes>());
    case Op::Shift:
      return mapped(*inputs[0], node.as<graph::ShiftAttributes>());
    case Op::Unary:
      return mapped(*inputs[0], node.as<graph::UnaryAttributes>());
    default:
      fail(ErrorKind::Unsupported,
           "{} of weights alone is not supported: only slice, reshape, transpose, concat, scale, shift and unary are",
           graph::op_info(node.op).name);
  }
}

WeightView take(const WeightView& view, size_t dim, const std::vector<plan::Interval>& ranges) {
  WeightView result = slice(view, dim, 0, 0);
  for (const plan::Interval& range : ranges) {
    WeightView part = slice(view, dim, range.begin, range.end);
    for (Piece& piece : part.pieces) {
      piece.begin[dim] += result.shape[dim];
      result.pieces.push_back(std::move(piece));
    }
    result.shape[dim] += range.size();
  }
  return result;
}

WeightView transposed(const WeightView& view) {
  return transpose(view, {1, 0});
}

std::optional<WeightView> repeated(const WeightView& view, const Shape& shape) {
  if (view.shape.size() > shape.size()) return std::nullopt;
  WeightView result = view;
  result.shape.assign(shape.end() - static_cast<long>(view.shape.size()), shape.end());
  for (size_t d = 0; d < view.shape.size(); ++d) {
    if (view.shape[d] == result.shape[d]) continue;
    if (view.shape[d] != 1) return std::nullopt;
    for (Piece& piece : result.pieces) {
      piece.extents[d] = result.shape[d];
      piece.strides[d] = 0;
    }
  }
  return result;
}

WeightView outermost(const WeightView& view, int64_t index) {
  WeightView row = slice(view, 0, index, index + 1);
  row.shape.erase(row.shape.begin());
  for (Piece& piece : row.pieces) {
    piece.strides.erase(piece.strides.begin());
    piece.begin.erase(piece.begin.begin());
    piece.extents.erase(piece.extents.begin());
  }
  return row;
}

}  // namespace cleave::lower
