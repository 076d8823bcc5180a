#pragma once

#include <fmt/ranges.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"

namespace cleave::graph {

/// The inputs of a node that is to be made, for its shape function: dimensions, and errors that name op and shapes.
/// Borrows everything.
class Operands {
 public:
  Operands(Op op, std::span<const NodeId> inputs, const Attributes& attributes, Graph& graph)
      : op_(op), inputs_(inputs), attributes_(attributes), graph_(graph) {}

  size_t size() const { return inputs_.size(); }
  const std::vector<DimId>& dims(size_t i) const { return graph_.node(inputs_[i]).dims; }
  size_t rank(size_t i) const { return dims(i).size(); }
  int64_t extent(DimId dim) const { return graph_.dims().extent(dim); }
  Element element(size_t i) const { return graph_.node(inputs_[i]).element; }
  Dims& table() { return graph_.dims(); }
  Graph& graph() { return graph_; }
  template <class T>
  const T& as() const {
    return std::get<T>(attributes_);
  }

  template <class... Args>
  void want(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (condition) return;
    std::vector<std::string> shapes;
    for (const NodeId input : inputs_) {
      const Node& node = graph_.node(input);
      shapes.push_back(graph_.shape_text(input) + (node.op == Op::Weight ? " (" + node.name + ")" : ""));
    }
    fail(ErrorKind::InvalidArgument, "{} of {}: {}", op_info(op_).name, fmt::join(shapes, " and "),
         fmt::format(format, std::forward<Args>(args)...));
  }
  void want_real(size_t i) const {
    want(element(i) == Element::Real, "input {} must hold numbers, not indices", i + 1);
  }
  void want_index(size_t i) const { want(element(i) == Element::Index, "input {} must hold indices", i + 1); }

  /// Makes two dimensions one after checking that they can be.
  void same(DimId a, DimId b, std::string_view what) {
    if (table().same(a, b)) return;
    want(extent(a) != kDynamic && extent(a) == extent(b), "{} differ: {} and {}", what, table().text(a),
         table().text(b));
    table().unify(a, b);
  }

  /// Makes `heads` the product of `groups` and what shares one of them. REQUIRES: it is a multiple.
  void group(DimId heads, DimId groups) {
    const int64_t count = extent(groups);
    if (extent(heads) == count) return table().unify(heads, groups);
    const std::vector<int64_t> extents = {count, extent(heads) / count};
    const std::vector<DimId> parts = table().split_product(heads, extents);
    if (count > 1) table().unify(parts[0], groups);
  }

 private:
  Op op_;
  std::span<const NodeId> inputs_;
  const Attributes& attributes_;
  Graph& graph_;
};

}  // namespace cleave::graph
