#pragma once

#include <lua.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cleave::define {

/// Arguments of a function that Lua called. Errors say which argument is wrong, what it is and what was wanted.
class Arguments {
 public:
  explicit Arguments(lua_State* state) : state_(state) {}

  int count() const { return lua_gettop(state_); }
  bool given(int index) const { return !lua_isnoneornil(state_, index); }
  bool is_table(int index) const { return lua_istable(state_, index); }
  int64_t integer(int index) const;
  double number(int index) const;
  std::string string(int index) const;
  std::vector<int64_t> integers(int index) const;  // of an array

  /// Fields of the option table at `index`; the fallback where table or field is absent.
  double number(int index, const char* field, double fallback) const;
  int64_t integer(int index, const char* field, int64_t fallback) const;
  bool boolean(int index, const char* field) const;
  std::string string(int index, const char* field, const char* fallback) const;
  std::vector<double> numbers(int index, const char* field) const;

 private:
  [[noreturn]] void wrong(const std::string& which, int index, const char* wanted) const;
  bool push_field(int index, const char* field) const;  // false, and nothing pushed, where it is absent
  std::vector<double> numbers_at_top(const std::string& which) const;

  lua_State* state_;
};

}  // namespace cleave::define
