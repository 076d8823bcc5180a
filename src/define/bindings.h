#pragma once

#include <lua.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/tracer.h"

namespace cleave::define {

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

struct LuaFunction {
  const char* name;
  lua_CFunction function;
};

/// The functions of the global table `graph`: those that give inputs and weights of a model, and one for each
/// operation.
std::span<const LuaFunction> weight_functions();
std::span<const LuaFunction> operation_functions();
/// Methods (x:reshape) and metamethods (a + b) of tensors.
std::span<const LuaFunction> tensor_methods();
std::span<const LuaFunction> tensor_operators();

/// The graph that is being traced.
inline graph::Graph& graph_of(lua_State* state) {
  return Tracer::of(state).graph();
}

/// Adds a node and pushes its tensor. Gives the number of results for Lua, 1.
int add_node(lua_State* state, graph::Op op, std::vector<graph::NodeId> inputs, graph::Attributes attributes = {},
             std::string name = {});

/// The index from 0 of a dimension of `node` that is counted as in PyTorch: from 0, or from -1 at the end backwards.
/// Throws Error(InvalidArgument) if there is no such dimension.
int dimension(lua_State* state, graph::NodeId node, int64_t dim);

}  // namespace cleave::define
