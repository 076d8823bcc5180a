#include "define/lua_arguments.h"

#include <cmath>

#include "base/error.h"

namespace cleave::define {

void Arguments::wrong(const std::string& which, int index, const char* wanted) const {
  std::string seen = luaL_typename(state_, index);
  if (lua_type(state_, index) == LUA_TNUMBER) seen = fmt::format("the number {}", lua_tonumber(state_, index));
  fail(ErrorKind::InvalidArgument, "{} is {}, wanted {}", which, seen, wanted);
}

int64_t Arguments::integer(int index) const {
  int exact = 0;
  const lua_Integer value = lua_tointegerx(state_, index, &exact);
  if (exact == 0) wrong(fmt::format("argument {}", index), index, "a whole number");
  return value;
}

double Arguments::number(int index) const {
  int converted = 0;
  const double value = lua_tonumberx(state_, index, &converted);
  if (converted == 0) wrong(fmt::format("argument {}", index), index, "a number");
  return value;
}

std::string Arguments::string(int index) const {
  if (lua_type(state_, index) != LUA_TSTRING) wrong(fmt::format("argument {}", index), index, "a string");
  return lua_tostring(state_, index);
}

std::vector<int64_t> Arguments::integers(int index) const {
  if (!is_table(index)) wrong(fmt::format("argument {}", index), index, "an array of whole numbers");
  lua_pushvalue(state_, index);
  std::vector<int64_t> values;
  for (const double value : numbers_at_top(fmt::format("argument {}", index))) {
    if (value != std::floor(value) || std::abs(value) > 0x1p52)
      fail(ErrorKind::InvalidArgument, "argument {} holds {}, wanted whole numbers", index, value);
    values.push_back(static_cast<int64_t>(value));
  }
  return values;
}

bool Arguments::push_field(int index, const char* field) const {
  if (!given(index)) return false;
  if (!is_table(index)) wrong(fmt::format("argument {}", index), index, "a table of options");
  lua_getfield(state_, index, field);
  if (!lua_isnil(state_, -1)) return true;
  lua_pop(state_, 1);
  return false;
}

double Arguments::number(int index, const char* field, double fallback) const {
  if (!push_field(index, field)) return fallback;
  int converted = 0;
  const double value = lua_tonumberx(state_, -1, &converted);
  if (converted == 0) wrong(field, -1, "a number");
  lua_pop(state_, 1);
  return value;
}

int64_t Arguments::integer(int index, const char* field, int64_t fallback) const {
  if (!push_field(index, field)) return fallback;
  int exact = 0;
  const lua_Integer value = lua_tointegerx(state_, -1, &exact);
  if (exact == 0) wrong(field, -1, "a whole number");
  lua_pop(state_, 1);
  return value;
}

bool Arguments::boolean(int index, const char* field) const {
  if (!push_field(index, field)) return false;
  const bool value = lua_toboolean(state_, -1) != 0;
  lua_pop(state_, 1);
  return value;
}

std::string Arguments::string(int index, const char* field, const char* fallback) const {
  if (!push_field(index, field)) return fallback;
  if (lua_type(state_, -1) != LUA_TSTRING) wrong(field, -1, "a string");
  std::string value = lua_tostring(state_, -1);
  lua_pop(state_, 1);
  return value;
}

std::vector<double> Arguments::numbers(int index, const char* field) const {
  if (!push_field(index, field)) return {};
  return numbers_at_top(field);
}

std::vector<double> Arguments::numbers_at_top(const std::string& which) const {
  if (!lua_istable(state_, -1)) wrong(which, -1, "an array of numbers");
  std::vector<double> values;
  const auto length = static_cast<lua_Integer>(lua_rawlen(state_, -1));
  for (lua_Integer i = 1; i <= length; ++i) {
    lua_rawgeti(state_, -1, i);
    int converted = 0;
    values.push_back(lua_tonumberx(state_, -1, &converted));
    if (converted == 0) wrong(fmt::format("element {} of {}", i, which), -1, "a number");
    lua_pop(state_, 1);
  }
  lua_pop(state_, 1);
  return values;
}

}  // namespace cleave::define
