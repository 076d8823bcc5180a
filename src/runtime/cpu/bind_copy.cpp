#include "runtime/cpu/bind_copy.h"

#include <utility>

#include "base/error.h"
#include "kernels/rows/copy.h"

namespace cleave::runtime::cpu {

using lower::Instruction;
using lower::Operand;

namespace {

std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

// Copies `extents` of each row from `source_offset` with the given strides to `target_offset`; dimension 0 of the copy
// is the rows.
BoundInstruction bind_copy(const Instruction& i, const Workspace& w, const Operand& input, int64_t source_row,
                           int64_t source_offset, const std::vector<int64_t>& source_strides, int64_t target_offset,
                           const std::vector<int64_t>& target_strides, const Shape& extents) {
  kernels::StridedCopy copy;
  if (extents.size() + 1 > copy.extent.size())
    fail(ErrorKind::Unsupported, "{} of rows with {} dimensions, at most {} are supported", graph::op_info(i.op).name,
         extents.size(), copy.extent.size() - 1);
  copy.source_stride[0] = source_row;
  copy.target_stride[0] = num_elements(i.output_shape);
  for (size_t d = 0; d < extents.size(); ++d) {
    copy.extent[d + 1] = extents[d];
    copy.source_stride[d + 1] = source_strides[d];
    copy.target_stride[d + 1] = target_strides[d];
  }
  const float* x = w.numbers(input) + source_offset;
  float* y = w.value(i.output) + target_offset;
  return [&w, &i, x, y, copy]() mutable {
    copy.extent[0] = w.rows(i);
    if (copy.extent[0] > 0) kernels::copy_strided(x, y, copy, w.pool);
  };
}

// The dimension of a row that dimension `dim` of the graph is.
size_t row_dimension(const Instruction& i, int dim) {
  const int leading = i.routing >= 0 ? 2 : 1;
  if (dim < leading) fail(ErrorKind::Unsupported, "{} along tokens is not supported", graph::op_info(i.op).name);
  return static_cast<size_t>(dim - leading);
}

}  // namespace

BoundInstruction bind_slice(const Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::SliceAttributes>(i.attributes);
  const Shape& from = i.input_shapes[0];
  const std::vector<int64_t> strides = strides_of(from);
  return bind_copy(i, w, i.inputs[0], num_elements(from), a.begin * strides[row_dimension(i, a.dim)], strides, 0,
                   strides_of(i.output_shape), i.output_shape);
}

BoundInstruction bind_transpose(const Instruction& i, const Workspace& w) {
  const auto& order = std::get<graph::TransposeAttributes>(i.attributes).order;
  const Shape& from = i.input_shapes[0];
  const std::vector<int64_t> strides = strides_of(from);
  std::vector<int64_t> source;
  for (size_t d = order.size() - from.size(); d < order.size(); ++d)
    source.push_back(strides[row_dimension(i, order[d])]);
  return bind_copy(i, w, i.inputs[0], num_elements(from), 0, source, 0, strides_of(i.output_shape), i.output_shape);
}

BoundInstruction bind_concat(const Instruction& i, const Workspace& w) {
  const size_t dim = row_dimension(i, std::get<graph::ConcatAttributes>(i.attributes).dim);
  const std::vector<int64_t> target = strides_of(i.output_shape);
  std::vector<BoundInstruction> copies;
  int64_t begin = 0;
  for (size_t n = 0; n < i.inputs.size(); ++n) {
    const Shape& from = i.input_shapes[n];
    copies.push_back(
        bind_copy(i, w, i.inputs[n], num_elements(from), 0, strides_of(from), begin * target[dim], target, from));
    begin += from[dim];
  }
  return [copies = std::move(copies)] {
    for (const BoundInstruction& copy : copies) copy();
  };
}

}  // namespace cleave::runtime::cpu
