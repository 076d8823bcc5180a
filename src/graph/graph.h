#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/dims.h"
#include "graph/op.h"
#include "tensor/tensor_view.h"

namespace cleave::graph {

using NodeId = int32_t;

/// The kind of a node's numbers: floating point, whose precision the runtime chooses, or indices.
enum class Element : uint8_t { Real, Index };

/// One operation and its single result.
struct Node {
  Op op;
  Attributes attributes;
  std::vector<NodeId> inputs;
  std::vector<DimId> dims;  // of the result, outermost first
  Element element = Element::Real;
  /// Of a weight its tensor's name, otherwise the path of the module ("model.layers.0.self_attn.q_proj"); may be empty.
  std::string name;

  template <class T>
  const T& as() const {
    return std::get<T>(attributes);
  }
};

/// Dimensions and kind of a result, as a shape function finds them.
struct ResultType {
  std::vector<DimId> dims;
  Element element = Element::Real;
};

/// A result that somebody may ask for: "decode" of a causal language model is its logits.
struct Output {
  std::string name;
  NodeId node;
};

/// A computation for T tokens of one or more sequences, as plain single-device mathematics. Nodes are in execution
/// order: inputs of a node precede it. Several outputs share weights, dimensions and whatever they have in common; a
/// step computes one of them. A graph owns its nodes and dimensions; others hold ids.
class Graph {
 public:
  Graph();

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_.at(static_cast<size_t>(id)); }
  const Dims& dims() const { return dims_; }
  Dims& dims() { return dims_; }
  DimId tokens() const { return tokens_; }            // T, the tokens of a step
  DimId output_rows() const { return output_rows_; }  // R, the tokens of a step whose logits are wanted
  DimId routed() const { return routed_; }            // tokens that an expert gets; each expert another number
  /// In the order in which they were added, which is that of the definition. Causal commands use the first.
  const std::vector<Output>& outputs() const { return outputs_; }
  /// The node of this output. Throws Error(NotFound) naming the outputs that there are.
  NodeId output(std::string_view name) const;

  /// Adds a node whose result the op's shape function determines. Throws Error(InvalidArgument) naming op and shapes
  /// where inputs or attributes do not fit.
  NodeId add(Op op, std::vector<NodeId> inputs, Attributes attributes = {}, std::string name = {});
  /// The node of the runtime's input of this kind; the same one every time.
  NodeId input(InputKind kind);
  /// The node of the checkpoint's tensor of this name; the same one every time, however many layers and outputs use it.
  /// REQUIRES: the same shape every time.
  NodeId weight(const WeightAttributes& attributes, const Shape& shape);
  /// REQUIRES: no output has this name yet.
  void add_output(std::string name, NodeId node) { outputs_.push_back({std::move(name), node}); }

  /// Extents of a node's result; kDynamic for those that a step decides.
  Shape shape(NodeId id) const;
  /// "[tokens, 3*2*8]".
  std::string shape_text(NodeId id) const;

 private:
  NodeId append(Node node);

  Dims dims_;
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  std::map<std::pair<std::string, bool>, NodeId> weights_;        // by name and whether columns are sorted
  std::array<NodeId, kNumInputKinds> inputs_ = {-1, -1, -1, -1};  // by kind
  DimId tokens_, output_rows_, routed_;
};

/// The graph of a model, with an output for each of its uses: "decode" for a causal language model.
struct ModelGraph {
  std::string architecture;
  std::string definition;  // where its definition comes from, for messages
  Graph graph;
};

/// Whether the node attends to another text, of which an output has kept keys and values.
bool is_cross_attention(const Node& node);

/// The attentions whose keys and values are kept by this output for others: those to another text, where the output is
/// the one named "encode".
std::vector<NodeId> kept_by(const Graph& graph, const Output& output);

/// Whether each node is needed to compute an output; by node. What is kept for others counts, what others have kept
/// does not.
std::vector<bool> needed_for(const Graph& graph, const Output& output);

/// The result of `op` on these inputs; unifies dimensions on the way. Throws as Graph::add does.
ResultType infer(Op op, std::span<const NodeId> inputs, const Attributes& attributes, Graph& graph);

/// Throws Error(Internal) naming the node if the graph breaks a rule: inputs precede their users and have the number
/// and kind that the op wants, attributes are the op's, every result has the extents that its shape function gives,
/// weights are unique, attention layers too, outputs exist and have names of their own. Run after every pass.
void verify(const Graph& graph);

/// The same computation with slices of a linear's result turned into linears of slices of its weight, where nothing
/// needs the whole result: a fused query-key-value projection becomes three. Dimensions of activations are then
/// products of factors, and a range of one of them is a range of weights, however the checkpoint interleaves them.
/// Equal functions of weights become one node, so that weights which several layers or outputs use are planned and held
/// once.
Graph push_slices_into_weights(const Graph& graph);

/// The same computation with products of weights whose columns are stored sorted, too (tensor/tensor_table.h), and of
/// the activations' columns in that order. Other uses of such a weight stay. `is_stored` says which names there are.
/// To be called before push_slices_into_weights().
Graph sort_columns(const Graph& graph, const std::function<bool(const std::string&)>& is_stored);

/// Whether an attention's values are the first dimensions of its keys. One cached vector then serves as both.
bool values_in_keys(const Graph& graph, NodeId attention);

/// A line with the names of the outputs, one per node, one per output; for people and golden tests.
std::string text(const Graph& graph);
/// The same of one output and the nodes that it needs. Throws Error(NotFound) where there is none of that name.
std::string text(const Graph& graph, std::string_view output);

}  // namespace cleave::graph
