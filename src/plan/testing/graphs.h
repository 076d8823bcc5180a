#pragma once

#include <string>

#include "graph/graph.h"

namespace cleave::plan {

/// A decoder of two layers, for tests.
struct TransformerShape {
  int64_t width = 48, heads = 6, kv_heads = 3, head_dim = 8, intermediate = 88;
  int64_t experts = 0;  // > 0: instead of a plain MLP
  bool shared_expert = false, parallel = false, fused_qkv = false;
  bool hidden_output = false;  // "hidden": what goes into the head
};

class TransformerBuilder {
 public:
  explicit TransformerBuilder(const TransformerShape& shape) : s_(shape) {}

  graph::Graph build() {
    using graph::Op;
    graph::NodeId x = add(Op::Embedding,
                          {graph_.input(graph::InputKind::TokenIds), graph_.weight({"embed.weight"}, {131, s_.width})});
    for (layer_ = 0; layer_ < 2; ++layer_) {
      if (s_.parallel) {
        const graph::NodeId h = norm(x);
        x = add(Op::Add, {x, add(Op::Add, {attention(h), feed_forward(h)})});
        continue;
      }
      x = add(Op::Add, {x, attention(norm(x))});
      x = add(Op::Add, {x, feed_forward(norm(x))});
    }
    x = add(Op::GatherRows, {x, graph_.input(graph::InputKind::OutputRows)});
    x = norm(x);
    graph_.add_output("decode", add(Op::Matmul, {x, graph_.weight({"head.weight"}, {131, s_.width})}, {}, "head"));
    if (s_.hidden_output) graph_.add_output("hidden", x);
    return graph::push_slices_into_weights(graph_);
  }

 private:
  graph::NodeId add(graph::Op op, std::vector<graph::NodeId> inputs, graph::Attributes attributes = {},
                    std::string name = {}) {
    return graph_.add(op, std::move(inputs), std::move(attributes), std::move(name));
  }
  std::string name(const std::string& module) const { return "layers." + std::to_string(layer_) + "." + module; }
  graph::NodeId linear(graph::NodeId x, const std::string& module, int64_t out) {
    const graph::NodeId w = graph_.weight({name(module) + ".weight"}, {out, graph_.shape(x).back()});
    return add(graph::Op::Matmul, {x, w}, {}, name(module));
  }
  graph::NodeId expert_linear(graph::NodeId x, const std::string& module, int64_t out) {
    const std::string path = name("experts.*." + module);
    const graph::NodeId w = graph_.weight({path + ".weight", s_.experts}, {s_.experts, out, graph_.shape(x).back()});
    return add(graph::Op::Matmul, {x, w}, {}, path);
  }
  graph::NodeId norm(graph::NodeId x) {
    const graph::NodeId w = graph_.weight({"norm" + std::to_string(norms_++)}, {s_.width});
    return add(graph::Op::RmsNorm, {x, w}, graph::NormAttributes{1e-5});
  }
  graph::NodeId heads(graph::NodeId x, int64_t count) {
    return add(graph::Op::Reshape, {x}, graph::ReshapeAttributes{{graph::kDynamic, count, s_.head_dim}});
  }

  graph::NodeId attention(graph::NodeId x) {
    graph::NodeId q = -1, k = -1, v = -1;
    const int64_t q_width = s_.heads * s_.head_dim, kv_width = s_.kv_heads * s_.head_dim;
    if (s_.fused_qkv) {
      const graph::NodeId y = linear(x, "qkv", q_width + 2 * kv_width);
      q = add(graph::Op::Slice, {y}, graph::SliceAttributes{1, 0, q_width});
      k = add(graph::Op::Slice, {y}, graph::SliceAttributes{1, q_width, q_width + kv_width});
      v = add(graph::Op::Slice, {y}, graph::SliceAttributes{1, q_width + kv_width, q_width + 2 * kv_width});
    } else {
      q = linear(x, "q", q_width);
      k = linear(x, "k", kv_width);
      v = linear(x, "v", kv_width);
    }
    graph::AttentionAttributes attributes;
    attributes.layer = layer_;
    const graph::NodeId y =
        add(graph::Op::Attention, {heads(q, s_.heads), heads(k, s_.kv_heads), heads(v, s_.kv_heads)}, attributes);
    return linear(add(graph::Op::Reshape, {y}, graph::ReshapeAttributes{{graph::kDynamic, q_width}}), "o", s_.width);
  }

  graph::NodeId gated(graph::NodeId gate, graph::NodeId up) {
    return add(graph::Op::Mul, {add(graph::Op::Unary, {gate}, graph::UnaryAttributes{}), up});
  }

  graph::NodeId feed_forward(graph::NodeId x) {
    if (s_.experts == 0)
      return linear(gated(linear(x, "gate", s_.intermediate), linear(x, "up", s_.intermediate)), "down", s_.width);
    const graph::NodeId scores = add(graph::Op::Softmax, {linear(x, "gate", s_.experts)});
    const graph::NodeId chosen = add(graph::Op::TopK, {scores}, graph::TopKAttributes{2});
    const graph::NodeId rows = add(graph::Op::Dispatch, {x, chosen}, graph::DispatchAttributes{s_.experts});
    const graph::NodeId h =
        gated(expert_linear(rows, "gate", s_.intermediate), expert_linear(rows, "up", s_.intermediate));
    const graph::NodeId y =
        add(graph::Op::Combine, {expert_linear(h, "down", s_.width), chosen, add(graph::Op::Take, {scores, chosen})});
    if (!s_.shared_expert) return y;
    const graph::NodeId shared =
        gated(linear(x, "shared_gate", s_.intermediate), linear(x, "shared_up", s_.intermediate));
    return add(graph::Op::Add, {y, linear(shared, "shared_down", s_.width)});
  }

  TransformerShape s_;
  graph::Graph graph_;
  int layer_ = 0, norms_ = 0;
};

inline graph::Graph transformer(const TransformerShape& shape) {
  return TransformerBuilder(shape).build();
}

}  // namespace cleave::plan
