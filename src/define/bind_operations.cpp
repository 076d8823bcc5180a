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

// Appends the tensor in a field of the option table at `index` to `inputs`; false where there is none.
bool add_tensor_field(lua_State* state, int index, const char* field, std::vector<NodeId>& inputs) {
  if (!lua_istable(state, index)) return false;
  const bool given = lua_getfield(state, index, field) != LUA_TNIL;
  if (given) inputs.push_back(to_tensor(state, -1));
  lua_pop(state, 1);
  return given;
}

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
  a.recomputed = a.length_rule == LengthRule::Switch && arguments.boolean(2, "recomputed");
  if (a.length_rule == LengthRule::Switch && a.long_inverse_frequencies.size() != a.inverse_frequencies.size())
    fail(ErrorKind::InvalidArgument, "rope has {} short and {} long factors", a.inverse_frequencies.size(),
         a.long_inverse_frequencies.size());
  return add_node(state, Op::Rope, {to_tensor(state, 1), graph_of(state).input(graph::InputKind::Positions)},
                  std::move(a));
}

// attention(q, k, v, {scale=, window=, chunk=, softcap=, sinks=, alibi_slopes=, alibi_scale=, alibi_bfloat16=,
//                    bidirectional=, cross=, distance_rows=, biases=, position_keys=, position_queries=, angle_power=})
int attention(lua_State* state) {
  const Arguments arguments(state);
  const NodeId q = to_tensor(state, 1), k = to_tensor(state, 2), v = to_tensor(state, 3);
  graph::AttentionAttributes a;
  const int64_t head_dim = graph_of(state).shape(q).back();
  a.scale = arguments.number(4, "scale", 1 / std::sqrt(static_cast<double>(head_dim)));
  a.window = arguments.integer(4, "window", 0);
  a.chunk = arguments.integer(4, "chunk", 0);
  a.softcap = arguments.number(4, "softcap", 0);
  a.alibi_slopes = arguments.numbers(4, "alibi_slopes");
  a.alibi_scale = arguments.number(4, "alibi_scale", 1);
  a.alibi_bfloat16 = arguments.boolean(4, "alibi_bfloat16");
  a.cross = arguments.boolean(4, "cross");
  a.causal = !a.cross && !arguments.boolean(4, "bidirectional");
  if (a.cached()) a.layer = Tracer::of(state).next_attention_layer();
  for (const double row : arguments.numbers(4, "distance_rows")) a.distance_rows.push_back(static_cast<int64_t>(row));
  a.angle_power = arguments.integer(4, "angle_power", 0);
  std::vector<NodeId> inputs = {q, k, v};
  add_tensor_field(state, 4, "sinks", inputs);
  a.biases = add_tensor_field(state, 4, "biases", inputs);
  a.position_keys = add_tensor_field(state, 4, "position_keys", inputs);
  a.position_queries = add_tensor_field(state, 4, "position_queries", inputs);
  return add_node(state, Op::Attention, std::move(inputs), std::move(a));
}

// top_k(x, k, {groups=, kept_groups=, best_of_group=})
int top_k(lua_State* state) {
  const Arguments arguments(state);
  return add_node(
      state, Op::TopK, {to_tensor(state, 1)},
      graph::TopKAttributes{arguments.integer(2), arguments.integer(3, "groups", 1),
                            arguments.integer(3, "kept_groups", 1), arguments.integer(3, "best_of_group", 1)});
}

// clamp(x, min, max)
int clamp(lua_State* state) {
  const Arguments arguments(state);
  const graph::ClampAttributes range{arguments.number(2), arguments.number(3)};
  if (!(range.min <= range.max)) fail(ErrorKind::InvalidArgument, "clamp to [{}, {}]", range.min, range.max);
  return add_node(state, Op::Clamp, {to_tensor(state, 1)}, range);
}

int to_real(lua_State* state) {
  return add_node(state, Op::ToReal, {to_tensor(state, 1)});
}

// sinusoid(indices, {frequencies=, offset=})
int sinusoid(lua_State* state) {
  const Arguments arguments(state);
  return add_node(state, Op::Sinusoid, {to_tensor(state, 1)},
                  graph::SinusoidAttributes{arguments.numbers(2, "frequencies"), arguments.integer(2, "offset", 0)});
}

// block_matmul(x, w, module path or nil)
int block_matmul(lua_State* state) {
  const Arguments arguments(state);
  return add_node(state, Op::BlockMatmul, {to_tensor(state, 1), to_tensor(state, 2)}, {},
                  arguments.given(3) ? arguments.string(3) : "");
}

// causal_conv(x, w), of [tokens, channels] and [channels, width]
int causal_conv(lua_State* state) {
  const graph::StateAttributes a{Tracer::of(state).next_state()};
  return add_node(state, Op::CausalConv, {to_tensor(state, 1), to_tensor(state, 2)}, a);
}

// centered_conv(x, w), of [tokens, heads, d] and [heads, width]
int centered_conv(lua_State* state) {
  return add_node(state, Op::CenteredConv, {to_tensor(state, 1), to_tensor(state, 2)});
}

// linear_attention(q, k, v, a, {rate=, beta=})
int linear_attention(lua_State* state) {
  std::vector<NodeId> inputs = {to_tensor(state, 1), to_tensor(state, 2), to_tensor(state, 3), to_tensor(state, 4)};
  graph::LinearAttentionAttributes a{Tracer::of(state).next_state()};
  a.rate = add_tensor_field(state, 5, "rate", inputs);
  a.delta = add_tensor_field(state, 5, "beta", inputs);
  return add_node(state, Op::LinearAttention, std::move(inputs), a);
}

// linear_recurrence(a, b)
int linear_recurrence(lua_State* state) {
  const graph::StateAttributes a{Tracer::of(state).next_state()};
  return add_node(state, Op::LinearRecurrence, {to_tensor(state, 1), to_tensor(state, 2)}, a);
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
    {"clamp", guarded<clamp>},
    {"to_real", guarded<to_real>},
    {"sinusoid", guarded<sinusoid>},
    {"block_matmul", guarded<block_matmul>},
    {"causal_conv", guarded<causal_conv>},
    {"centered_conv", guarded<centered_conv>},
    {"linear_attention", guarded<linear_attention>},
    {"linear_recurrence", guarded<linear_recurrence>},
};

}  // namespace

std::span<const LuaFunction> operation_functions() {
  return kFunctions;
}

}  // namespace cleave::define
