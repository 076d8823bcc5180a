#pragma once

#include "define/definitions.h"
#include "define/lua_state.h"
#include "graph/graph.h"

namespace cleave::define {

/// Gives a Lua state the functions that build a graph: the global table `graph` and the methods and operators of
/// tensors (docs/models.md lists them). A tensor in Lua is a user datum that holds a node's id and the number of the
/// trace that made it, so that one which a Lua local has kept from an earlier trace is an error and names no other
/// node. Lives at least as long as the state runs.
class Tracer {
 public:
  /// Borrows everything. `tensors` may be null.
  Tracer(LuaState& lua, const TensorTable* tensors);

  /// Begins a trace: the functions add to this graph from now on, all outputs of a model to the same one.
  void begin(graph::Graph& graph);
  /// That graph. Throws Error(InvalidArgument) before the first trace, or where it has grown beyond any model.
  graph::Graph& graph() const;
  /// Number of the trace; 0 before the first.
  int trace() const { return trace_; }

  /// The named tensor; null where the checkpoint has none. A checkpoint saved from the model without its head lacks the
  /// first segment of every name ("transformer."), one saved from a wrapped model has further ones before all names
  /// ("module."), and old ones have endings that Transformers changes as it loads them ("LayerNorm.gamma"); then `name`
  /// is corrected.
  const TensorInfo* find_weight(std::string& name) const;
  bool has_checkpoint() const { return tensors_ != nullptr; }
  std::vector<std::string> weight_names() const;

  int next_attention_layer() { return attention_layers_++; }
  int next_state() { return states_++; }

  static Tracer& of(lua_State* state);

 private:
  const TensorTable* tensors_;
  std::vector<std::string> shared_prefixes_;  // of all names: "a.", "a.b.", ...
  graph::Graph* graph_ = nullptr;
  int trace_ = 0;
  int attention_layers_ = 0;
  int states_ = 0;
};

/// Pushes a tensor of the current trace.
void push_tensor(lua_State* state, graph::NodeId node);
/// The node of the tensor at `index`. Throws Error(InvalidArgument) naming what stands there instead, and for a tensor
/// of an earlier trace.
graph::NodeId to_tensor(lua_State* state, int index);

}  // namespace cleave::define
