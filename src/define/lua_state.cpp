#include "define/lua_state.h"

#include <array>
#include <cstdlib>

#include "base/check.h"

namespace cleave::define {
namespace {

// A definition of 100 layers with 256 experts takes about 100,000 steps and 1 MB.
constexpr int64_t kMaxSteps = 50'000'000;
constexpr int kStepsPerCount = 10'000;
constexpr size_t kMaxMemory = size_t{256} << 20;

constexpr std::array kRemovedGlobals = {"collectgarbage", "dofile", "load", "loadfile",     "print", "require",
                                        "pcall",          "xpcall", "warn", "getmetatable", "rawset"};
// Pattern matching can backtrack without end inside of one step.
constexpr std::array kRemovedFromString = {"find", "match", "gmatch", "gsub", "dump", "pack", "unpack", "packsize"};

// Message handler: puts the definition's line before a message, in place of the position that Lua itself may have put
// there.
int locate(lua_State* state) {
  const char* text = lua_tostring(state, 1);
  const std::string message = text != nullptr ? text : "an error that is no text";
  const std::string where = LuaState::of(state).where();
  if (where.empty() || message.starts_with(where + ":"))
    lua_pushstring(state, message.c_str());
  else
    lua_pushstring(state, fmt::format("{}: {}", where, message).c_str());
  return 1;
}

void push_json(lua_State* state, const Json& value) {
  luaL_checkstack(state, 8, "configuration nested too deeply");
  if (value.is_boolean()) {
    lua_pushboolean(state, value.get<bool>() ? 1 : 0);
  } else if (value.is_number_integer()) {
    lua_pushinteger(state, value.get<int64_t>());
  } else if (value.is_number()) {
    lua_pushnumber(state, value.get<double>());
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    lua_pushlstring(state, text.data(), text.size());
  } else if (value.is_array()) {
    lua_newtable(state);
    for (size_t i = 0; i < value.size(); ++i) {
      push_json(state, value[i]);
      lua_rawseti(state, -2, static_cast<lua_Integer>(i) + 1);
    }
  } else if (value.is_object()) {
    lua_newtable(state);
    for (const auto& [key, field] : value.items()) {
      lua_pushlstring(state, key.data(), key.size());
      push_json(state, field);
      lua_rawset(state, -3);
    }
  } else {
    lua_pushnil(state);
  }
}

void remove_fields(lua_State* state, std::span<const char* const> names) {
  for (const char* name : names) {
    lua_pushnil(state);
    lua_setfield(state, -2, name);
  }
}

}  // namespace

void* LuaState::allocate(void* self, void* block, size_t old_size, size_t new_size) {
  auto& memory = static_cast<LuaState*>(self)->memory_;
  const size_t released = block == nullptr ? 0 : old_size;
  if (new_size == 0) {
    std::free(block);
    memory -= released;
    return nullptr;
  }
  if (memory - released + new_size > kMaxMemory) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) memory += new_size - released;
  return moved;
}

void LuaState::observe(lua_State* state, lua_Debug* event) {
  LuaState& self = of(state);
  switch (event->event) {
    case LUA_HOOKCALL:
      self.frames_.push_back({is_outside_library(state, event), 0, 0});
      break;
    case LUA_HOOKTAILCALL: {
      // The caller's frame is gone, but not what line of it made the call.
      Frame& frame = self.frames_.back();
      if (frame.outside_library) frame.tail_line = frame.line;
      frame.outside_library = is_outside_library(state, event);
      frame.line = 0;
      break;
    }
    case LUA_HOOKRET:
      self.frames_.pop_back();
      break;
    case LUA_HOOKLINE:
      self.frames_.back().line = event->currentline;
      break;
    default:
      self.steps_ += kStepsPerCount;
      if (self.steps_ <= kMaxSteps) return;
      lua_pushfstring(state, "stopped after %d million steps: an endless loop?",
                      static_cast<int>(kMaxSteps / 1'000'000));
      lua_error(state);
  }
}

bool LuaState::is_outside_library(lua_State* state, lua_Debug* event) {
  lua_getinfo(state, "S", event);
  return *event->what != 'C' && !std::string_view(event->short_src).starts_with("lib/");
}

std::string LuaState::where() const {
  for (size_t i = frames_.size(); i-- > 0;) {
    const Frame& frame = frames_[i];
    const int line = frame.outside_library ? frame.line : frame.tail_line;
    if (line > 0) return fmt::format("{}:{}", definition_, line);
  }
  return definition_;
}

LuaState::LuaState() : state_(lua_newstate(&LuaState::allocate, this)) {
  if (state_ == nullptr) fail(ErrorKind::Internal, "no memory for a Lua interpreter");
  *static_cast<LuaState**>(lua_getextraspace(state_)) = this;
  luaL_requiref(state_, "_G", luaopen_base, 1);
  remove_fields(state_, kRemovedGlobals);
  luaL_requiref(state_, "math", luaopen_math, 1);
  luaL_requiref(state_, "table", luaopen_table, 1);
  luaL_requiref(state_, "string", luaopen_string, 1);
  remove_fields(state_, kRemovedFromString);
  lua_settop(state_, 0);
  lua_sethook(state_, &LuaState::observe, LUA_MASKCOUNT | LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE, kStepsPerCount);
}

LuaState& LuaState::of(lua_State* state) {
  return **static_cast<LuaState**>(lua_getextraspace(state));
}

LuaState::~LuaState() {
  lua_close(state_);
}

void LuaState::run(std::string_view text, const std::string& chunk_name, int results, bool own_globals) {
  // '@' marks a file name: messages then show it as it stands.
  if (luaL_loadbufferx(state_, text.data(), text.size(), ("@" + chunk_name).c_str(), "t") != LUA_OK) {
    const std::string message = lua_tostring(state_, -1);
    lua_pop(state_, 1);
    fail(ErrorKind::InvalidArgument, "model definition {}", message);
  }
  if (!chunk_name.starts_with("lib/")) definition_ = chunk_name;
  if (own_globals) {
    lua_newtable(state_);  // the chunk's environment, which falls back to the shared globals
    lua_newtable(state_);
    lua_getglobal(state_, "read_global");
    lua_setfield(state_, -2, "__index");
    lua_setmetatable(state_, -2);
    lua_setupvalue(state_, -2, 1);
  }
  call(0, results);
}

void LuaState::call(int arguments, int results) {
  const int function = lua_gettop(state_) - arguments;
  lua_pushcfunction(state_, locate);
  lua_insert(state_, function);
  const size_t frames = frames_.size();
  const int status = lua_pcall(state_, arguments, results, function);
  frames_.resize(frames);  // an error leaves frames without a return
  lua_remove(state_, function);
  if (status == LUA_OK) return;
  const char* text = lua_tostring(state_, -1);
  const std::string message = status == LUA_ERRMEM ? "out of the memory that a definition may use"
                              : text != nullptr    ? text
                                                   : "?";
  lua_pop(state_, 1);
  fail(ErrorKind::InvalidArgument, "model definition {}", message);
}

void LuaState::push(const Json& value) {
  lua_pushcfunction(state_, &LuaState::push_protected);
  lua_pushlightuserdata(state_, const_cast<Json*>(&value));
  call(1, 1);
}

int LuaState::push_protected(lua_State* state) {
  push_json(state, *static_cast<const Json*>(lua_touserdata(state, 1)));
  return 1;
}

}  // namespace cleave::define
