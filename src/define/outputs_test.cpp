// Several outputs of one model, and tensors that must not outlive the graph that they are of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "define/definitions.h"
#include "define/tracer.h"

namespace cleave::define {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

graph::ModelGraph trace(const std::string& text) {
  const Json config = parse_json(R"({"architectures": ["Mine"], "hidden_size": 48, "vocab_size": 131})", "config");
  return Definitions::of({"mine.lua", "test", text, {"Mine"}}).trace(config, nullptr);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of(const std::string& outputs) {
  return message_of([&] { trace("return { architectures = { 'Mine' }, outputs = " + outputs + " }"); });
}

TEST(DefinedOutputs, HaveTheOrderOfTheDefinition) {
  // Names of which no hash order would have all in this order.
  std::string outputs;
  for (const char* name : {"zeta", "alpha", "encode", "decode", "b", "a", "c"})
    outputs += fmt::format("{{ '{}', function(c) return positions_as_numbers() end }},", name);
  const graph::ModelGraph model = trace(
      "local function positions_as_numbers() return graph.to_real(positions()) end\n"
      "return { architectures = { 'Mine' }, outputs = {" +
      outputs + "} }");
  std::vector<std::string> names;
  for (const graph::Output& output : model.graph.outputs()) names.push_back(output.name);
  EXPECT_THAT(names, ElementsAre("zeta", "alpha", "encode", "decode", "b", "a", "c"));
}

TEST(DefinedOutputs, ShareWeightsAndWhatALocalHandsOn) {
  const graph::ModelGraph model = trace(R"(
local hidden
local function encode(c)
  local m = module("model")
  hidden = m.up(embedding(token_ids(), m.embed, c.vocab_size, c.hidden_size), c.hidden_size)
  return hidden
end
local function decode(c)
  return module("model").up(hidden, c.hidden_size)
end
return { architectures = { "Mine" }, outputs = { { "encode", encode }, { "decode", decode } } })");
  EXPECT_EQ(graph::text(model.graph),
            "graph encode, decode\n"
            "%0 = input() token_ids : [tokens]\n"
            "%1 = weight() model.embed.weight : [131, 48]\n"
            "%2 = embedding(%0, %1) : [tokens, 48]\n"
            "%3 = weight() model.up.weight : [48, 48]\n"
            "%4 = matmul(%2, %3) : [tokens, 48]  # model.up\n"
            "%5 = matmul(%4, %3) : [tokens, 48]  # model.up\n"
            "output %4\n"
            "output %5\n");
}

TEST(DefinedOutputs, AreAnErrorWhereTheyAreNoList) {
  const std::string malformed = "outputs must be a list such as";
  EXPECT_THAT(error_of("nil"), HasSubstr("mine.lua has no outputs"));
  EXPECT_THAT(error_of("{ decode = function(c) return positions() end }"), HasSubstr(malformed));
  EXPECT_THAT(error_of("{ function(c) return positions() end }"), HasSubstr(malformed));
  EXPECT_THAT(error_of("{ { 'decode', 3 } }"), HasSubstr(malformed));
  EXPECT_THAT(error_of("{ { 7, function(c) return positions() end } }"), HasSubstr(malformed));
  const std::string twice = "{ 'decode', function(c) return positions() end }";
  EXPECT_THAT(error_of("{ " + twice + ", " + twice + " }"), HasSubstr(malformed));
  EXPECT_THAT(error_of("{ { 'decode', function(c) end } }"), HasSubstr("wanted a tensor"));
}

TEST(Tensors, AreNotMadeWhileAFileLoads) {
  EXPECT_THAT(message_of([] { trace("local ids = graph.token_ids()\nreturn {}"); }),
              HasSubstr("tensors exist only while a model is traced"));
}

TEST(Tensors, OfAnEarlierTraceAreAnError) {
  LuaState lua;
  Tracer tracer(lua, nullptr);
  graph::Graph first, second;
  tracer.begin(first);
  lua.run("kept = graph.to_real(graph.positions())", "first.lua", 0, false);
  lua.run("local y = kept + kept", "same.lua", 0, false);
  tracer.begin(second);
  lua.run("local x = graph.to_real(graph.positions())", "second.lua", 0, false);  // its node has the number of `kept`
  EXPECT_THAT(message_of([&] { lua.run("local y = kept + kept", "third.lua", 0, false); }),
              testing::AllOf(HasSubstr("third.lua:1:"), HasSubstr("a tensor of an earlier trace")));
  EXPECT_EQ(second.nodes().size(), size_t{2});
}

}  // namespace
}  // namespace cleave::define
