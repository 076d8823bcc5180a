#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor_view.h"

namespace cleave {

/// A stored tensor without its bytes.
struct TensorInfo {
  DType dtype = DType::BF16;
  Shape shape;  // outermost first, in Hugging Face's order ([out, in] for a linear)
  /// Where not empty, the stored type, which is not read, and dtype means nothing: the tensor is there, but using it is
  /// an error.
  std::string unread_type = {};
  bool operator==(const TensorInfo&) const = default;
};

/// The tensors of a model by Hugging Face name, sorted. All that tracing and planning want to know of a checkpoint:
/// plain data, which can be compared and sent to a process that has no files.
using TensorTable = std::map<std::string, TensorInfo, std::less<>>;

/// A matrix whose groups of columns, which share a scale, lie dispersed is there three times: under its name, with
/// numbers in place of groups; with columns that are sorted by group, as blocks, under its name and kSortedColumns; and
/// with kColumnOrder numbers that say which column each of the sorted ones is. (GPTQ quantises columns in the order of
/// their weight in the result, "act order".)
inline constexpr std::string_view kSortedColumns = ".sorted", kColumnOrder = ".order";

}  // namespace cleave
