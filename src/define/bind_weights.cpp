// What a model is fed with, and its weights, for Lua.
#include <fmt/ranges.h>

#include <algorithm>

#include "base/strings.h"
#include "base/untrusted_text.h"
#include "define/bindings.h"
#include "define/lua_arguments.h"
#include "graph/stored_name.h"

namespace cleave::define {

using graph::kDynamic;

namespace {

int token_ids(lua_State* state) {
  push_tensor(state, graph_of(state).input(graph::InputKind::TokenIds));
  return 1;
}
int positions(lua_State* state) {
  push_tensor(state, graph_of(state).input(graph::InputKind::Positions));
  return 1;
}
int token_types(lua_State* state) {
  push_tensor(state, graph_of(state).input(graph::InputKind::TokenTypes));
  return 1;
}
int output_rows(lua_State* state) {
  push_tensor(state, graph_of(state).input(graph::InputKind::OutputRows));
  return 1;
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
  const TensorInfo* found = tracer.find_weight(name);
  if (found == nullptr) missing_weight(tracer, name);
  if (!found->unread_type.empty())
    fail(ErrorKind::Unsupported, "weight {} is stored in type {}, which Cleave does not read", name,
         in_quotes(found->unread_type));
  const Shape& shape = found->shape;
  bool fits = wanted.empty() || wanted.size() == shape.size();
  for (size_t i = 0; fits && i < wanted.size(); ++i) fits = wanted[i] == kDynamic || wanted[i] == shape[i];
  if (!fits)
    fail(ErrorKind::InvalidArgument,
         "weight {} has shape {} in the checkpoint where configuration and definition want {}", name, to_string(shape),
         to_string(wanted));
  return shape;
}

// Renames the pattern of stacked weights as its first name was: `asked` is stored as `found`, and both end alike.
void correct_pattern(std::string& pattern, const std::string& asked, const std::string& found) {
  size_t same = 0;
  while (same < std::min(asked.size(), found.size()) &&
         asked[asked.size() - 1 - same] == found[found.size() - 1 - same])
    ++same;
  pattern = found.substr(0, found.size() - same) + pattern.substr(asked.size() - same);
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
      std::string name = graph::stored_name(attributes, i);
      const std::string asked = name;
      shape = weight_shape(tracer, name, wanted);
      if (wanted.empty()) wanted = shape;
      if (i == 0 && name != asked) correct_pattern(attributes.name, asked, name);
    }
    shape.insert(shape.begin(), attributes.stacked);
  } else {
    shape = weight_shape(tracer, attributes.name, wanted);
  }
  push_tensor(state, tracer.graph().weight(attributes, shape));
  return 1;
}

// has_weight(name, fallback): the fallback answers where there is no checkpoint.
int has_weight(lua_State* state) {
  const Arguments arguments(state);
  const Tracer& tracer = Tracer::of(state);
  std::string name = arguments.string(1);
  const bool found = tracer.has_checkpoint() ? tracer.find_weight(name) != nullptr : lua_toboolean(state, 2) != 0;
  lua_pushboolean(state, found ? 1 : 0);
  return 1;
}

// weight_shape(name): its extents in the checkpoint; nil where there is no checkpoint or it has no such weight.
int weight_shape_or_nil(lua_State* state) {
  const Tracer& tracer = Tracer::of(state);
  std::string name = Arguments(state).string(1);
  const TensorInfo* found = tracer.has_checkpoint() ? tracer.find_weight(name) : nullptr;
  if (found == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  lua_newtable(state);
  for (size_t i = 0; i < found->shape.size(); ++i) {
    lua_pushinteger(state, found->shape[i]);
    lua_rawseti(state, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 1;
}

constexpr LuaFunction kFunctions[] = {
    {"token_ids", guarded<token_ids>},
    {"positions", guarded<positions>},
    {"output_rows", guarded<output_rows>},
    {"token_types", guarded<token_types>},
    {"weight", guarded<weight>},
    {"has_weight", guarded<has_weight>},
    {"weight_shape", guarded<weight_shape_or_nil>},
};

}  // namespace

std::span<const LuaFunction> weight_functions() {
  return kFunctions;
}

}  // namespace cleave::define
