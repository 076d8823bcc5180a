#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>
#include <vector>

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

  /// The line outside of the library that runs or that called it, as "file:line"; only the file where there is none.
  std::string where() const;

  /// Compiles and runs a chunk, leaving its `results` values on the stack. Text only, no bytecode. With `own_globals`,
  /// what it assigns to globals stays its own. Throws Error(InvalidArgument) with "file:line: what".
  void run(std::string_view text, const std::string& chunk_name, int results, bool own_globals);

  /// Calls the function below its `arguments` on the stack. Throws as run() does.
  void call(int arguments, int results);

  /// Pushes a JSON value: objects and arrays become tables, null becomes nil. Throws Error(InvalidArgument) where it
  /// takes more memory than there is.
  void push(const Json& value);

 private:
  /// A running function. Lua forgets the caller in `return f(x)`, so the line of that call is remembered here.
  struct Frame {
    bool outside_library;
    int line;       // that runs
    int tail_line;  // outside of the library, of a function that this one has replaced; 0 for none
  };

  static void* allocate(void* self, void* block, size_t old_size, size_t new_size);
  static void observe(lua_State* state, lua_Debug* event);
  static bool is_outside_library(lua_State* state, lua_Debug* event);
  static int push_protected(lua_State* state);

  size_t memory_ = 0;  // these two come first: making the state counts
  int64_t steps_ = 0;
  lua_State* state_ = nullptr;
  std::string definition_;  // name of the last chunk outside of the library
  std::vector<Frame> frames_;
};

}  // namespace cleave::define
