// The operations of a graph as functions for Lua. Comments show the arguments.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "define/bindings.h"
#include "define/lua_arguments.h"

namespace cleave::define {

using graph::NodeId;
using graph::Op;

namespace {

int embedding(lua_State* state) {
  return add_node(state, Op::Embedding, {to_tensor(state, 1), to_tensor(state, 2)});
}
int gather_rows(lua_State* state) {
  return add_node(state, Op::GatherRows, {to_tensor(state, 1), to_tensor(state, 2)});
}
int softmax(lua_State* state) {
  return add_node(state, Op::Softmax, {to_tensor(state, 1)});
}
int sum(lua_State* state) {
  return add_node(state, Op::Sum, {to_tensor(state, 1)});
}
int take(lua_State* state) {
  return add_node(state, Op::Take, {to_tensor(state, 1), to_tensor(state, 2)});
}

// matmul(x, w, module path or nil)
int matmul(lua_State* state) {
  const Arguments arguments(state);
  return add_node(state, Op::Matmul, {to_tensor(state, 1), to_tensor(state, 2)}, {},
                  arguments.given(3) ? arguments.string(3) : "");
}

// unary(x, "silu")
int unary(lua_State* state) {
  const std::string name = Arguments(state).string(2);
  const auto names = graph::unary_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    fail(ErrorKind::InvalidArgument, "there is no function '{}', but {}", name, fmt::join(names, ", "));
  return add_node(state, Op::Unary, {to_tensor(state, 1)},
                  graph::UnaryAttributes{static_cast<graph::UnaryKind>(found - names.begin())});
}

int norm(lua_State* state, Op op) {
  const Arguments arguments(state);
  std::vector<NodeId> inputs = {to_tensor(state, 1)};
  for (const int i : {2, 3})
    if (arguments.given(i)) inputs.push_back(to_tensor(state, i));
  return add_node(state, op, std::move(inputs),
                  graph::NormAttributes{arguments.number(4, "eps", 1e-5), arguments.number(4, "offset", 0)});
}

// rms_norm(x, weight or nil, nil, {eps=, offset=}), layer_norm(x, weight or nil, bias or nil, {eps=})
int rms_norm(lua_State* state) {
  return norm(state, Op::RmsNorm);
}
int layer_norm(lua_State* state) {
  return norm(state, Op::LayerNorm);
}

// rope(x, {inverse_frequencies=, interleaved=, attention_scale=, ...})
int rope(lua_State* state) {
  using LengthRule = graph::RopeAttributes::LengthRule;
  const Arguments arguments(state);
  graph::RopeAttributes a;
  a.inverse_frequencies = arguments.numbers(2, "inverse_frequencies");
  a.long_inverse_frequencies = arguments.numbers(2, "long_inverse_frequencies");
  a.interleaved = arguments.boolean(2, "interleaved");
  a.attention_scale = arguments.number(2, "attention_scale", 1);
  a.original_length = arguments.integer(2, "original_length", 0);
  a.base = arguments.number(2, "base", 0);
  a.factor = arguments.number(2, "factor", 1);
  if (arguments.boolean(2, "dynamic")) a.length_rule = LengthRule::Dynamic;
  if (!a.long_inverse_frequencies.empty()) a.length_rule = LengthRule::Switch;
  if (a.length_rule == LengthRule::Switch && a.long_inverse_frequencies.size() != a.inverse_frequencies.size())
    fail(ErrorKind::InvalidArgument, "rope has {} short and {} long factors", a.inverse_frequencies.size(),
         a.long_inverse_frequencies.size());
  return add_node(state, Op::Rope, {to_tensor(state, 1), graph_of(state).input(graph::InputKind::Positions)},
                  std::move(a));
}

// attention(q, k, v, {scale=, window=, softcap=, alibi_slopes=, alibi_scale=, alibi_bfloat16=})
int attention(lua_State* state) {
  const Arguments arguments(state);
  const NodeId q = to_tensor(state, 1), k = to_tensor(state, 2), v = to_tensor(state, 3);
  graph::AttentionAttributes a;
  const int64_t head_dim = graph_of(state).shape(q).back();
  a.scale = arguments.number(4, "scale", 1 / std::sqrt(static_cast<double>(head_dim)));
  a.window = arguments.integer(4, "window", 0);
  a.softcap = arguments.number(4, "softcap", 0);
  a.alibi_slopes = arguments.numbers(4, "alibi_slopes");
  a.alibi_scale = arguments.number(4, "alibi_scale", 1);
  a.alibi_bfloat16 = arguments.boolean(4, "alibi_bfloat16");
  a.layer = Tracer::of(state).next_attention_layer();
  return add_node(state, Op::Attention, {q, k, v}, std::move(a));
}

int top_k(lua_State* state) {
  return add_node(state, Op::TopK, {to_tensor(state, 1)}, graph::TopKAttributes{Arguments(state).integer(2)});
}

// dispatch(x, chosen, number of experts)
int dispatch(lua_State* state) {
  return add_node(state, Op::Dispatch, {to_tensor(state, 1), to_tensor(state, 2)},
                  graph::DispatchAttributes{Arguments(state).integer(3)});
}

// combine(rows, chosen, weights)
int combine(lua_State* state) {
  return add_node(state, Op::Combine, {to_tensor(state, 1), to_tensor(state, 2), to_tensor(state, 3)});
}

// concat({a, b, ...}, dim or -1)
int concat(lua_State* state) {
  const Arguments arguments(state);
  if (!arguments.is_table(1)) fail(ErrorKind::InvalidArgument, "concat takes an array of tensors");
  std::vector<NodeId> inputs;
  const auto count = static_cast<lua_Integer>(lua_rawlen(state, 1));
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(state, 1, i);
    inputs.push_back(to_tensor(state, -1));
    lua_pop(state, 1);
  }
  if (inputs.empty()) fail(ErrorKind::InvalidArgument, "concat takes at least one tensor");
  const int dim = dimension(state, inputs[0], arguments.given(2) ? arguments.integer(2) : -1);
  return add_node(state, Op::Concat, std::move(inputs), graph::ConcatAttributes{dim});
}

constexpr LuaFunction kFunctions[] = {
    {"embedding", guarded<embedding>},
    {"gather_rows", guarded<gather_rows>},
    {"softmax", guarded<softmax>},
    {"sum", guarded<sum>},
    {"take", guarded<take>},
    {"matmul", guarded<matmul>},
    {"unary", guarded<unary>},
    {"rms_norm", guarded<rms_norm>},
    {"layer_norm", guarded<layer_norm>},
    {"rope", guarded<rope>},
    {"attention", guarded<attention>},
    {"top_k", guarded<top_k>},
    {"dispatch", guarded<dispatch>},
    {"combine", guarded<combine>},
    {"concat", guarded<concat>},
};

}  // namespace

std::span<const LuaFunction> operation_functions() {
  return kFunctions;
}

}  // namespace cleave::define
