#include "define/lua_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::define {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  LuaState lua;
  try {
    lua.run(text, "model.lua", 0, false);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LuaState, ReachesNothingOutside) {
  for (const char* name : {"io", "os", "debug", "load", "loadfile", "dofile", "require", "package", "coroutine",
                           "pcall", "print", "collectgarbage", "string.find", "string.gsub", "string.dump"})
    EXPECT_EQ(error_of(std::string("assert(") + name + " == nil)"), "no error") << name;
}

TEST(LuaState, StopsAnEndlessLoop) {
  EXPECT_THAT(error_of("\nwhile true do end"), HasSubstr("model.lua:2: stopped after"));
}

TEST(LuaState, StopsEndlessRecursion) {
  EXPECT_THAT(error_of("local function f() return 1 + f() end f()"), HasSubstr("stack overflow"));
}

TEST(LuaState, BoundsMemory) {
  EXPECT_THAT(error_of("local s = 'x' while true do s = s .. s end"), HasSubstr("memory"));
  EXPECT_THAT(error_of("return string.rep('x', 1 << 30)"), HasSubstr("memory"));
}

TEST(LuaState, RejectsBytecode) {
  EXPECT_THAT(error_of("\x1bLua"), HasSubstr("binary"));
}

TEST(LuaState, NamesFileAndLineOfSyntaxErrors) {
  EXPECT_THAT(error_of("\n\nlocal = 3"), HasSubstr("model.lua:3:"));
}

TEST(LuaState, NamesTheLineThatCalledTheLibrary) {
  LuaState lua;
  lua.run("function helper(x)\n return x.y.z\nend\nread_global = _G", "lib/helper.lua", 0, false);
  try {
    lua.run("\nhelper({})", "model.lua", 0, true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.lua:2:"));
    EXPECT_THAT(error.what(), HasSubstr("lib/helper.lua:2:"));
  }
}

// Runs `text` after a library with f(g) = g(), where g is the definition's, and fail() that raises an error.
std::string error_with_library(std::string_view text) {
  LuaState lua;
  lua.run("function fail()\n error('failed', 0)\nend\nfunction f(g)\n local y = g()\n return y\nend\nread_global = _G",
          "lib/helper.lua", 0, false);
  try {
    lua.run(text, "model.lua", 0, true);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LuaState, NamesTheLineOfACallThatIsAFunctionsLast) {
  EXPECT_THAT(error_with_library("\n\nreturn fail()"), HasSubstr("model.lua:3: failed"));
  EXPECT_THAT(error_with_library("local function g()\n return fail()\nend\nreturn f(g)"),
              HasSubstr("model.lua:2: failed"));
  EXPECT_THAT(error_with_library("local function g()\n return 1\nend\nlocal function h(x)\n return fail(x)\nend\n"
                                 "return h(f(g))"),
              HasSubstr("model.lua:5: failed"));
}

TEST(LuaState, NamesTheLineThatCalledTheLibraryAfterACallbackHasReturned) {
  EXPECT_THAT(error_with_library("local function g()\n return 1\nend\nlocal function h(x)\n f(g)\n return x.y\nend\n"
                                 "f(g)\nreturn h(nil)"),
              HasSubstr("model.lua:6:"));
}

TEST(LuaState, PushesJsonAsTables) {
  LuaState lua;
  lua.push(parse_json(R"({"a": [1, 2.5, null, "x"], "b": {"c": true}})", "test"));
  lua_setglobal(lua.get(), "c");
  EXPECT_NO_THROW(
      lua.run("assert(c.a[1] == 1 and math.type(c.a[1]) == 'integer' and c.a[2] == 2.5 and c.a[3] == nil and c.a[4] == "
              "'x' and c.b.c)",
              "test", 0, false));
}

}  // namespace
}  // namespace cleave::define
