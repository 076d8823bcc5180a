#include "define/tracer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "base/strings.h"
#include "define/lua_arguments.h"

namespace cleave::define {

using graph::Attributes;
using graph::kDynamic;
using graph::NodeId;
using graph::Op;

namespace {

constexpr const char* kTensor = "tensor";

graph::Graph& graph_of(lua_State* state) {
  return Tracer::of(state).graph();
}

int64_t extent_at(lua_State* state, NodeId node, int dim) {
  return graph_of(state).shape(node)[static_cast<size_t>(dim)];
}

// A dimension as PyTorch counts it: from 0, negative from the end.
int dimension(lua_State* state, NodeId node, int64_t dim) {
  const auto rank = static_cast<int64_t>(graph_of(state).node(node).dims.size());
  if (dim < -rank || dim >= rank)
    fail(ErrorKind::InvalidArgument, "there is no dimension {} in {}", dim, graph_of(state).shape_text(node));
  return static_cast<int>(dim < 0 ? dim + rank : dim);
}

int give(lua_State* state, NodeId node) {
  push_tensor(state, node);
  return 1;
}

int add_node(lua_State* state, Op op, std::vector<NodeId> inputs, Attributes attributes = {}, std::string name = {}) {
  return give(state, graph_of(state).add(op, std::move(inputs), std::move(attributes), std::move(name)));
}

// ---- inputs and weights

int token_ids(lua_State* state) {
  return give(state, graph_of(state).input(graph::InputKind::TokenIds));
}
int positions(lua_State* state) {
  return give(state, graph_of(state).input(graph::InputKind::Positions));
}
int output_rows(lua_State* state) {
  return give(state, graph_of(state).input(graph::InputKind::OutputRows));
}

// The name of one of several stacked tensors.
std::string nth_name(std::string name, int64_t n) {
  const size_t star = name.find('*');
  if (star == std::string::npos) fail(ErrorKind::InvalidArgument, "{}: stacked weights need a * in their name", name);
  return name.replace(star, 1, std::to_string(n));
}

[[noreturn]] void missing_weight(const Tracer& tracer, const std::string& name) {
  const std::vector<std::string> names = tracer.weight_names();
  const std::vector<std::string> near = nearest_names(name, names);
  fail(ErrorKind::NotFound, "weight {} is not in the checkpoint{}", name,
       near.empty() ? "" : fmt::format(" (nearest: {})", join(near, ", ")));
}

// Shape of the tensor in the checkpoint, checked against the wanted extents (-1 or none: whatever it has).
Shape weight_shape(const Tracer& tracer, std::string& name, const Shape& wanted) {
  if (!tracer.has_checkpoint()) {
    if (wanted.empty() || std::ranges::count(wanted, kDynamic) > 0)
      fail(ErrorKind::InvalidArgument, "{}: without weights its size must stand in the definition", name);
    return wanted;
  }
  const std::optional<Shape> found = tracer.find_weight(name);
  if (!found) missing_weight(tracer, name);
  bool fits = wanted.empty() || wanted.size() == found->size();
  for (size_t i = 0; fits && i < wanted.size(); ++i) fits = wanted[i] == kDynamic || wanted[i] == (*found)[i];
  if (!fits)
    fail(ErrorKind::InvalidArgument,
         "weight {} has shape {} in the checkpoint where configuration and definition want {}", name, to_string(*found),
         to_string(wanted));
  return *found;
}

// weight(name, {extents} or nil, stacked or nil)
int weight(lua_State* state) {
  const Arguments arguments(state);
  Tracer& tracer = Tracer::of(state);
  graph::WeightAttributes attributes{arguments.string(1), arguments.given(3) ? arguments.integer(3) : 0};
  Shape wanted;
  if (arguments.given(2)) wanted = arguments.integers(2);
  Shape shape;
  if (attributes.stacked > 0) {
    for (int64_t i = 0; i < attributes.stacked; ++i) {
      std::string name = nth_name(attributes.name, i);
      const std::string asked = name;
      shape = weight_shape(tracer, name, wanted);
      if (wanted.empty()) wanted = shape;
      if (i == 0 && name != asked) attributes.name = attributes.name.substr(asked.size() - name.size());
    }
    shape.insert(shape.begin(), attributes.stacked);
  } else {
    shape = weight_shape(tracer, attributes.name, wanted);
  }
  return give(state, tracer.graph().weight(attributes, shape));
}

// has_weight(name, fallback): the fallback answers where there is no checkpoint.
int has_weight(lua_State* state) {
  const Arguments arguments(state);
  const Tracer& tracer = Tracer::of(state);
  std::string name = arguments.string(1);
  const bool found = tracer.has_checkpoint() ? tracer.find_weight(name).has_value() : lua_toboolean(state, 2) != 0;
  lua_pushboolean(state, found ? 1 : 0);
  return 1;
}

int has_checkpoint(lua_State* state) {
  lua_pushboolean(state, Tracer::of(state).has_checkpoint() ? 1 : 0);
  return 1;
}

// ---- operations

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
  const int64_t head_dim = extent_at(state, q, dimension(state, q, -1));
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

// ---- methods and operators of tensors

// x:reshape(extents...); of a tensor with a row per token, the extents of one row.
int reshape(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  graph::ReshapeAttributes attributes;
  const Shape shape = graph_of(state).shape(x);
  if (!shape.empty() && shape[0] == kDynamic) attributes.extents.push_back(kDynamic);
  for (int i = 2; i <= arguments.count(); ++i) attributes.extents.push_back(arguments.integer(i));
  if (attributes.extents == shape) return give(state, x);
  return add_node(state, Op::Reshape, {x}, std::move(attributes));
}

// x:split({sizes}, dim or -1) -> tensors
int split(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  const std::vector<int64_t> sizes = arguments.integers(2);
  const int dim = dimension(state, x, arguments.given(3) ? arguments.integer(3) : -1);
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    add_node(state, Op::Slice, {x}, graph::SliceAttributes{dim, begin, begin + size});
    begin += size;
  }
  if (begin != extent_at(state, x, dim))
    fail(ErrorKind::InvalidArgument, "split of {} into [{}] along dimension {}: they add up to {}",
         graph_of(state).shape_text(x), fmt::join(sizes, ", "), dim, begin);
  return static_cast<int>(sizes.size());
}

// x:slice(begin, end, dim or 0): elements [begin, end)
int slice(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  const int dim = dimension(state, x, arguments.given(4) ? arguments.integer(4) : 0);
  return add_node(state, Op::Slice, {x}, graph::SliceAttributes{dim, arguments.integer(2), arguments.integer(3)});
}

// x:transpose(order...), dimensions counted from 0
int transpose(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  graph::TransposeAttributes attributes;
  for (int i = 2; i <= arguments.count(); ++i) attributes.order.push_back(static_cast<int>(arguments.integer(i)));
  return add_node(state, Op::Transpose, {x}, std::move(attributes));
}

// x:size(dim or -1): an extent; -1 where a step decides
int size(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  lua_pushinteger(state, extent_at(state, x, dimension(state, x, arguments.given(2) ? arguments.integer(2) : -1)));
  return 1;
}

// x:rank(): number of dimensions
int number_of_dimensions(lua_State* state) {
  lua_pushinteger(state, static_cast<lua_Integer>(graph_of(state).node(to_tensor(state, 1)).dims.size()));
  return 1;
}

int binary(lua_State* state, Op op) {
  // A smaller right operand is repeated; sums and products may have it on the left as well.
  NodeId a = to_tensor(state, 1), b = to_tensor(state, 2);
  if (op != Op::Div && graph_of(state).node(a).dims.size() < graph_of(state).node(b).dims.size()) std::swap(a, b);
  return add_node(state, op, {a, b});
}

int add(lua_State* state) {
  return binary(state, Op::Add);
}

int mul(lua_State* state) {
  if (lua_isnumber(state, 2) != 0)
    return add_node(state, Op::Scale, {to_tensor(state, 1)}, graph::ScaleAttributes{lua_tonumber(state, 2)});
  if (lua_isnumber(state, 1) != 0)
    return add_node(state, Op::Scale, {to_tensor(state, 2)}, graph::ScaleAttributes{lua_tonumber(state, 1)});
  return binary(state, Op::Mul);
}

int div(lua_State* state) {
  if (lua_isnumber(state, 2) != 0)
    return add_node(state, Op::Scale, {to_tensor(state, 1)}, graph::ScaleAttributes{1 / lua_tonumber(state, 2)});
  return binary(state, Op::Div);
}

int tensor_text(lua_State* state) {
  lua_pushstring(state, ("tensor " + graph_of(state).shape_text(to_tensor(state, 1))).c_str());
  return 1;
}

// Lua calls C functions; our errors travel as exceptions. Each becomes the other at this border. The Lua library is the
// one compiled as C++, so a Lua error unwinds our frames as well.
template <lua_CFunction function>
int guarded(lua_State* state) {
  try {
    return function(state);
  } catch (const Error& error) {
    lua_pushstring(state, error.what());
  }
  return lua_error(state);
}

struct Function {
  const char* name;
  lua_CFunction function;
};

constexpr Function kFunctions[] = {
    {"token_ids", guarded<token_ids>},
    {"positions", guarded<positions>},
    {"output_rows", guarded<output_rows>},
    {"weight", guarded<weight>},
    {"has_weight", guarded<has_weight>},
    {"has_checkpoint", guarded<has_checkpoint>},
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
constexpr Function kMethods[] = {
    {"reshape", guarded<reshape>},     {"split", guarded<split>}, {"slice", guarded<slice>},
    {"transpose", guarded<transpose>}, {"size", guarded<size>},   {"rank", guarded<number_of_dimensions>},
};
constexpr Function kOperators[] = {
    {"__add", guarded<add>}, {"__mul", guarded<mul>}, {"__div", guarded<div>}, {"__tostring", guarded<tensor_text>}};

void set_functions(lua_State* state, std::span<const Function> functions) {
  for (const Function& entry : functions) {
    lua_pushcfunction(state, entry.function);
    lua_setfield(state, -2, entry.name);
  }
}

}  // namespace

void push_tensor(lua_State* state, NodeId node) {
  *static_cast<NodeId*>(lua_newuserdatauv(state, sizeof(NodeId), 0)) = node;
  luaL_setmetatable(state, kTensor);
}

NodeId to_tensor(lua_State* state, int index) {
  const void* datum = luaL_testudata(state, index, kTensor);
  if (datum == nullptr) {
    if (index < 0) index += lua_gettop(state) + 1;
    fail(ErrorKind::InvalidArgument, "operand {} is {}, wanted a tensor", index, luaL_typename(state, index));
  }
  return *static_cast<const NodeId*>(datum);
}

Tracer::Tracer(LuaState& lua, const WeightShapes* weights) : weights_(weights) {
  lua_State* state = lua.get();
  lua_pushlightuserdata(state, this);
  lua_setfield(state, LUA_REGISTRYINDEX, "tracer");
  luaL_newmetatable(state, kTensor);
  set_functions(state, kOperators);
  lua_newtable(state);
  set_functions(state, kMethods);
  lua_setfield(state, -2, "__index");
  lua_pop(state, 1);
  lua_newtable(state);
  set_functions(state, kFunctions);
  lua_setglobal(state, "graph");
}

Tracer& Tracer::of(lua_State* state) {
  lua_getfield(state, LUA_REGISTRYINDEX, "tracer");
  auto* tracer = static_cast<Tracer*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return *tracer;
}

graph::Graph& Tracer::graph() const {
  if (graph_ == nullptr)
    fail(ErrorKind::InvalidArgument, "tensors exist only while a model is traced, not while its file loads");
  return *graph_;
}

std::optional<Shape> Tracer::find_weight(std::string& name) const {
  if (std::optional<Shape> shape = weights_->find(name)) return shape;
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return std::nullopt;
  std::string shorter = name.substr(dot + 1);
  std::optional<Shape> shape = weights_->find(shorter);
  if (shape) name = std::move(shorter);
  return shape;
}

}  // namespace cleave::define
