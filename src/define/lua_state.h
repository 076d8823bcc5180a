#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cleave::define {

/// A Lua 5.4 interpreter for model definitions: no io, os, debug, load, coroutines or patterns, so nothing outside is
/// reached and no call runs unbounded; at most kMaxSteps virtual-machine steps and kMaxMemory bytes. One thread.
///
/// Chunks are named; chunks named "lib/..." are library code, and an error is reported at the line outside of it from
/// which the library was called.
class LuaState {
 public:
  LuaState();
  LuaState(const LuaState&) = delete;
  LuaState& operator=(const LuaState&) = delete;
  ~LuaState();

  lua_State* get() { return state_; }
  /// The object that made `state`.
  static LuaState& of(lua_State* state);

  /// Name of the last chunk with globals of its own; errors in the library that no line outside of it called name it.
  const std::string& definition() const { return definition_; }

  /// Compiles and runs a chunk, leaving its `results` values on the stack. Text only, no bytecode. With `own_globals`,
  /// what it assigns to globals stays its own. Throws Error(InvalidArgument) with "file:line: what".
  void run(std::string_view text, const std::string& chunk_name, int results, bool own_globals);

  /// Calls the function below its `arguments` on the stack. Throws as run() does.
  void call(int arguments, int results);

  /// Pushes a JSON value: objects and arrays become tables, null becomes nil. Throws Error(InvalidArgument) where it
  /// takes more memory than there is.
  void push(const Json& value);

 private:
  static void* allocate(void* self, void* block, size_t old_size, size_t new_size);
  static void count_steps(lua_State* state, lua_Debug* debug);
  static int push_protected(lua_State* state);

  size_t memory_ = 0;  // these two come first: making the state counts
  int64_t steps_ = 0;
  lua_State* state_ = nullptr;
  std::string definition_;
};

}  // namespace cleave::define
