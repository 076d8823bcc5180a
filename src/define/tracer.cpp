#include "define/tracer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "define/bindings.h"

namespace cleave::define {

using graph::NodeId;

namespace {

constexpr const char* kTensor = "tensor";

// Operations of a graph, far beyond those of any model: the largest known ones have about 6,000. Without a bound a
// mistaken number of layers would take all memory.
constexpr size_t kMaxNodes = 100'000;

/// What a tensor in Lua holds.
struct Tensor {
  int trace;
  NodeId node;
};

// Names that Transformers changes when it loads an old checkpoint.
constexpr std::pair<std::string_view, std::string_view> kOldEndings[] = {
    {"LayerNorm.weight", "LayerNorm.gamma"},
    {"LayerNorm.bias", "LayerNorm.beta"},
    {".embeddings.weight", ".embedding.weight"},
};

// The leading segments that all names have in common, the fewest first. The names are sorted, so the first and the last
// one tell.
std::vector<std::string> shared_prefixes(const TensorTable* tensors) {
  std::vector<std::string> prefixes;
  if (tensors == nullptr || tensors->size() < 2) return prefixes;
  const std::string& first = tensors->begin()->first;
  const std::string& last = tensors->rbegin()->first;
  for (size_t i = 0; i < std::min(first.size(), last.size()) && first[i] == last[i]; ++i)
    if (first[i] == '.') prefixes.push_back(first.substr(0, i + 1));
  return prefixes;
}

void set_functions(lua_State* state, std::span<const LuaFunction> functions) {
  for (const LuaFunction& entry : functions) {
    lua_pushcfunction(state, entry.function);
    lua_setfield(state, -2, entry.name);
  }
}

}  // namespace

int add_node(lua_State* state, graph::Op op, std::vector<NodeId> inputs, graph::Attributes attributes,
             std::string name) {
  push_tensor(state, graph_of(state).add(op, std::move(inputs), std::move(attributes), std::move(name)));
  return 1;
}

int dimension(lua_State* state, NodeId node, int64_t dim) {
  const auto count = static_cast<int64_t>(graph_of(state).node(node).dims.size());
  if (dim < -count || dim >= count)
    fail(ErrorKind::InvalidArgument, "there is no dimension {} in {}", dim, graph_of(state).shape_text(node));
  return static_cast<int>(dim < 0 ? dim + count : dim);
}

void push_tensor(lua_State* state, NodeId node) {
  *static_cast<Tensor*>(lua_newuserdatauv(state, sizeof(Tensor), 0)) = {Tracer::of(state).trace(), node};
  luaL_setmetatable(state, kTensor);
}

NodeId to_tensor(lua_State* state, int index) {
  const void* datum = luaL_testudata(state, index, kTensor);
  if (datum == nullptr)
    fail(ErrorKind::InvalidArgument, "operand {} is {}, wanted a tensor", lua_absindex(state, index),
         luaL_typename(state, index));
  const auto& tensor = *static_cast<const Tensor*>(datum);
  if (tensor.trace != Tracer::of(state).trace())
    fail(ErrorKind::InvalidArgument,
         "operand {} is a tensor of an earlier trace; make it anew, in the function of an output",
         lua_absindex(state, index));
  return tensor.node;
}

Tracer::Tracer(LuaState& lua, const TensorTable* tensors)
    : tensors_(tensors), shared_prefixes_(shared_prefixes(tensors)) {
  lua_State* state = lua.get();
  lua_pushlightuserdata(state, this);
  lua_setfield(state, LUA_REGISTRYINDEX, "tracer");
  luaL_newmetatable(state, kTensor);
  set_functions(state, tensor_operators());
  lua_newtable(state);
  set_functions(state, tensor_methods());
  lua_setfield(state, -2, "__index");
  lua_pop(state, 1);
  lua_newtable(state);
  set_functions(state, weight_functions());
  set_functions(state, operation_functions());
  lua_setglobal(state, "graph");
}

Tracer& Tracer::of(lua_State* state) {
  lua_getfield(state, LUA_REGISTRYINDEX, "tracer");
  auto* tracer = static_cast<Tracer*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return *tracer;
}

void Tracer::begin(graph::Graph& graph) {
  graph_ = &graph;
  ++trace_;
  attention_layers_ = 0;
  states_ = 0;
}

graph::Graph& Tracer::graph() const {
  if (graph_ == nullptr)
    fail(ErrorKind::InvalidArgument, "tensors exist only while a model is traced, not while its file loads");
  if (graph_->nodes().size() >= kMaxNodes)
    fail(
        ErrorKind::InvalidArgument,
        "the model has more than {} operations, wanted at most so many: is the configuration's number of layers right?",
        kMaxNodes);
  return *graph_;
}

std::vector<std::string> Tracer::weight_names() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : *tensors_) names.push_back(name);
  return names;
}

const TensorInfo* Tracer::find_weight(std::string& name) const {
  std::vector<std::string> candidates = {name};
  if (const size_t dot = name.find('.'); dot != std::string::npos) candidates.push_back(name.substr(dot + 1));
  for (const auto& [ending, old_ending] : kOldEndings)
    if (name.ends_with(ending)) candidates.push_back(name.substr(0, name.size() - ending.size()).append(old_ending));
  const size_t unwrapped = candidates.size();
  for (const std::string& prefix : shared_prefixes_)
    for (size_t i = 0; i < unwrapped; ++i) candidates.push_back(prefix + candidates[i]);
  for (std::string& candidate : candidates)
    if (const auto found = tensors_->find(candidate); found != tensors_->end()) {
      name = std::move(candidate);
      return &found->second;
    }
  return nullptr;
}

}  // namespace cleave::define
