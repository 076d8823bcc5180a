// Methods and operators of tensors for Lua. Comments show the arguments.
#include <fmt/ranges.h>

#include <utility>

#include "define/bindings.h"
#include "define/lua_arguments.h"

namespace cleave::define {

using graph::kDynamic;
using graph::NodeId;
using graph::Op;

namespace {

int64_t extent_at(lua_State* state, NodeId node, int dim) {
  return graph_of(state).shape(node)[static_cast<size_t>(dim)];
}

// x:reshape(extents...); of a tensor with a row per token, the extents of one row.
int reshape(lua_State* state) {
  const Arguments arguments(state);
  const NodeId x = to_tensor(state, 1);
  graph::ReshapeAttributes attributes;
  const Shape shape = graph_of(state).shape(x);
  if (!shape.empty() && shape[0] == kDynamic) attributes.extents.push_back(kDynamic);
  for (int i = 2; i <= arguments.count(); ++i) attributes.extents.push_back(arguments.integer(i));
  if (attributes.extents == shape) {
    push_tensor(state, x);
    return 1;
  }
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

// x:num_dims(): number of dimensions
int num_dims(lua_State* state) {
  lua_pushinteger(state, static_cast<lua_Integer>(graph_of(state).node(to_tensor(state, 1)).dims.size()));
  return 1;
}

int scaled(lua_State* state, int index, double factor) {
  return add_node(state, Op::Scale, {to_tensor(state, index)}, graph::ScaleAttributes{factor});
}

int shifted(lua_State* state, int index, double offset) {
  return add_node(state, Op::Shift, {to_tensor(state, index)}, graph::ShiftAttributes{offset});
}

// Whether `a` lacks dimensions of `b` or has extents of 1 in their place.
bool is_repeated(const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] == 1 && b[i] != 1) return true;
  return false;
}

int binary(lua_State* state, Op op, NodeId a, NodeId b) {
  // A smaller right operand is repeated; sums and products may have it on the left as well.
  if (op != Op::Div && is_repeated(graph_of(state).shape(a), graph_of(state).shape(b))) std::swap(a, b);
  return add_node(state, op, {a, b});
}

int add(lua_State* state) {
  if (lua_isnumber(state, 2) != 0) return shifted(state, 1, lua_tonumber(state, 2));
  if (lua_isnumber(state, 1) != 0) return shifted(state, 2, lua_tonumber(state, 1));
  return binary(state, Op::Add, to_tensor(state, 1), to_tensor(state, 2));
}

int negate(lua_State* state) {
  return scaled(state, 1, -1);
}

// a - b = a + (-b); the negated operand, pushed last, takes b's place.
int subtract(lua_State* state) {
  if (lua_isnumber(state, 2) != 0) return shifted(state, 1, -lua_tonumber(state, 2));
  scaled(state, 2, -1);
  if (lua_isnumber(state, 1) != 0) return shifted(state, -1, lua_tonumber(state, 1));
  return binary(state, Op::Add, to_tensor(state, 1), to_tensor(state, -1));
}

int mul(lua_State* state) {
  if (lua_isnumber(state, 2) != 0) return scaled(state, 1, lua_tonumber(state, 2));
  if (lua_isnumber(state, 1) != 0) return scaled(state, 2, lua_tonumber(state, 1));
  return binary(state, Op::Mul, to_tensor(state, 1), to_tensor(state, 2));
}

int div(lua_State* state) {
  if (lua_isnumber(state, 2) != 0) return scaled(state, 1, 1 / lua_tonumber(state, 2));
  return binary(state, Op::Div, to_tensor(state, 1), to_tensor(state, 2));
}

int tensor_text(lua_State* state) {
  lua_pushstring(state, ("tensor " + graph_of(state).shape_text(to_tensor(state, 1))).c_str());
  return 1;
}

constexpr LuaFunction kMethods[] = {
    {"reshape", guarded<reshape>},     {"split", guarded<split>}, {"slice", guarded<slice>},
    {"transpose", guarded<transpose>}, {"size", guarded<size>},   {"num_dims", guarded<num_dims>},
};
constexpr LuaFunction kOperators[] = {
    {"__add", guarded<add>}, {"__sub", guarded<subtract>}, {"__unm", guarded<negate>},
    {"__mul", guarded<mul>}, {"__div", guarded<div>},      {"__tostring", guarded<tensor_text>},
};

}  // namespace

std::span<const LuaFunction> tensor_methods() {
  return kMethods;
}

std::span<const LuaFunction> tensor_operators() {
  return kOperators;
}

}  // namespace cleave::define
