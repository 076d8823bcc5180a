#include "define/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/testing/temporary_directory.h"

namespace cleave::define {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Tensors of these shapes, all of one type.
TensorTable table_of(const std::map<std::string, Shape>& shapes) {
  TensorTable tensors;
  for (const auto& [name, shape] : shapes) tensors[name] = {DType::F32, shape};
  return tensors;
}

// A definition file in a folder of its own, traced with a small configuration.
class UserDefinition : public testing::Test {
 protected:
  fs::path write(const std::string& text, const std::string& name = "mine.lua") const {
    return folder_.write(name, text);
  }

  graph::ModelGraph trace(const std::string& text, const TensorTable* tensors = nullptr) const {
    const fs::path path = write(text);
    return Definitions::load({&path, 1}).trace(config_, tensors);
  }

  std::string error_of(const std::string& text, const TensorTable* tensors = nullptr) const {
    try {
      trace(text, tensors);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryDirectory folder_;
  Json config_ = parse_json(R"({"architectures": ["MineForCausalLM"], "hidden_size": 48, "vocab_size": 131,
    "num_hidden_layers": 1, "num_attention_heads": 6, "intermediate_size": 88, "rms_norm_eps": 1e-6, "tie_word_embeddings": true})",
                            "config");
};

const std::string kMine = R"(return causal_lm {
  architectures = { "MineForCausalLM" },
  layer = function(l, x, c)
    return x + l.down(silu(l.up(x, c.intermediate_size)), c.hidden_size)
  end,
})";

TEST_F(UserDefinition, RunsFromTheConfigurationAlone) {
  const graph::ModelGraph model = trace(kMine);
  EXPECT_EQ(model.architecture, "MineForCausalLM");
  EXPECT_EQ(model.definition, "mine.lua");
  EXPECT_EQ(model.graph.shape(model.graph.output("decode")), (Shape{graph::kDynamic, 131}));
}

TEST_F(UserDefinition, ReplacesTheBuiltInOne) {
  const fs::path path =
      write("return causal_lm { architectures = { 'LlamaForCausalLM' }, layer = function(l, x) return x end }");
  const Definitions definitions = Definitions::load({&path, 1});
  EXPECT_EQ(definitions.find("LlamaForCausalLM")->origin, path.string());
  EXPECT_EQ(definitions.find("MistralForCausalLM")->origin, "built-in");
}

TEST_F(UserDefinition, IsReadFromAFolder) {
  write(kMine, "a.lua");
  write("return causal_lm { architectures = { 'OtherForCausalLM' }, layer = function(l, x) return x end }", "b.lua");
  const Definitions definitions = Definitions::load({&folder_.path(), 1});
  EXPECT_NE(definitions.find("MineForCausalLM"), nullptr);
  EXPECT_NE(definitions.find("OtherForCausalLM"), nullptr);
}

TEST_F(UserDefinition, TakesBiasesOnlyWhereTheCheckpointHasThem) {
  std::map<std::string, Shape> shapes = {{"model.embed_tokens.weight", {131, 48}},
                                         {"model.layers.0.up.weight", {88, 48}},
                                         {"model.layers.0.down.weight", {48, 88}},
                                         {"model.layers.0.up.bias", {88}},
                                         {"model.norm.weight", {48}}};
  const TensorTable weights = table_of(shapes);
  const std::string text = graph::text(trace(kMine, &weights).graph);
  EXPECT_THAT(text, HasSubstr("model.layers.0.up.bias"));
  EXPECT_THAT(text, testing::Not(HasSubstr("model.layers.0.down.bias")));
}

TEST_F(UserDefinition, FindsTensorsOfACheckpointWithoutTheBasePrefix) {
  const TensorTable weights = table_of({{"embed_tokens.weight", {131, 48}},
                                        {"layers.0.up.weight", {88, 48}},
                                        {"layers.0.down.weight", {48, 88}},
                                        {"norm.weight", {48}}});
  EXPECT_THAT(graph::text(trace(kMine, &weights).graph), HasSubstr("weight() layers.0.up.weight"));
}

TEST_F(UserDefinition, NamesTheMissingWeightAndItsNeighbours) {
  const TensorTable weights =
      table_of({{"model.embed_tokens.weight", {131, 48}}, {"model.layers.0.upp.weight", {88, 48}}});
  const std::string message = error_of(kMine, &weights);
  EXPECT_THAT(message, HasSubstr("mine.lua:4:"));
  EXPECT_THAT(message, HasSubstr("weight model.layers.0.up.weight is not in the checkpoint"));
  EXPECT_THAT(message, HasSubstr("model.layers.0.upp.weight"));
}

TEST_F(UserDefinition, ShowsShapesSeenAndWanted) {
  const TensorTable weights =
      table_of({{"model.embed_tokens.weight", {131, 48}}, {"model.layers.0.up.weight", {80, 48}}});
  const std::string message = error_of(kMine, &weights);
  EXPECT_THAT(message, HasSubstr("model.layers.0.up.weight has shape [80, 48]"));
  EXPECT_THAT(message, HasSubstr("want [88, 48]"));
}

TEST_F(UserDefinition, IsNamedWhereTheFrameAroundItFails) {
  const TensorTable weights = table_of({{"model.embed_tokens.weight", {131, 40}}});
  EXPECT_THAT(error_of(kMine, &weights), HasSubstr("mine.lua: weight model.embed_tokens.weight has shape [131, 40]"));
}

TEST_F(UserDefinition, ExplainsCommonMistakes) {
  const auto layer = [](const std::string& body) {
    return "return causal_lm {\n architectures = { 'MineForCausalLM' },\n layer = function(l, x, c)\n" + body +
           "\n end }";
  };
  EXPECT_THAT(error_of(layer("return gated_mpl(l, x)")), HasSubstr("mine.lua:4: unknown name 'gated_mpl'"));
  EXPECT_THAT(error_of(layer("return x + c.nonsense")), HasSubstr("mine.lua:4: operand 2 is nil, wanted a tensor"));
  EXPECT_THAT(error_of(layer("return l.up(x)")), HasSubstr("without weights its size must stand in the definition"));
  EXPECT_THAT(error_of(layer("return x:reshape(5, 5)")), HasSubstr("48 elements against 25"));
  EXPECT_THAT(error_of(layer("return activation('gulu')(x)")),
              HasSubstr("mine.lua:4: unknown activation function 'gulu'"));
  EXPECT_THAT(error_of(layer("while true do end")), HasSubstr("mine.lua:4: stopped after"));
  EXPECT_THAT(error_of(layer("return rms_norm(x, l.norm, c.eps)")), HasSubstr("mine.lua:4: the epsilon of"));
  EXPECT_THAT(error_of(layer("return decoder_layer(l, x, c, { atention = {} })")),
              HasSubstr("mine.lua:4: decoder_layer has no 'atention', but norm, norms, attention"));
  EXPECT_THAT(error_of(layer("return decoder_layer(l, x, c, { attention = { windows = 8 } })")),
              HasSubstr("mine.lua:4: self_attention has no 'windows'"));
  EXPECT_THAT(error_of(layer("x = x + x")), HasSubstr("mine.lua: layer 1 returns nil, wanted a tensor"));
  EXPECT_THAT(error_of(layer("return l.up(x, 7)")), HasSubstr("layer 1 returns 7 numbers for each token, wanted 48"));
  EXPECT_THAT(error_of("return causal_lm { architectures = { 'MineForCausalLM' }, layers = 'h' }"),
              HasSubstr("causal_lm wants a function(l, x, c, i) as its layer"));
  EXPECT_THAT(error_of("return causal_lm { architecture = { 'MineForCausalLM' } }"),
              HasSubstr("mine.lua:1: causal_lm has no 'architecture', but architectures"));
  EXPECT_THAT(error_of("return 3"), HasSubstr("mine.lua returns number"));
  EXPECT_THAT(error_of("return {}"), HasSubstr("names no architectures"));
  EXPECT_THAT(error_of("return causal_lm {"), HasSubstr("mine.lua:1:"));
}

TEST_F(UserDefinition, EndsAtMoreOperationsThanAnyModelHas) {
  config_["num_hidden_layers"] = 1'000'000;
  EXPECT_THAT(error_of(kMine), HasSubstr("mine.lua:4: the model has more than 100000 operations"));
  config_["num_hidden_layers"] = 1000;
  EXPECT_GT(trace(kMine).graph.nodes().size(), 5000u);
}

TEST_F(UserDefinition, AsksAListOfLayers) {
  config_["num_hidden_layers"] = 4;
  config_["sparse"] = {0, 3};
  const std::string text = graph::text(trace(R"(return causal_lm {
    architectures = { "MineForCausalLM" },
    layer = function(l, x, c, i)
      local sparse = in_layers(c.sparse, i) and not in_layers(c.missing, i)
      return sparse and l.sparse(x, c.hidden_size) or l.dense(x, c.hidden_size)
    end,
  })")
                                           .graph);
  EXPECT_THAT(text, HasSubstr("model.layers.0.sparse"));
  EXPECT_THAT(text, HasSubstr("model.layers.1.dense"));
  EXPECT_THAT(text, HasSubstr("model.layers.2.dense"));
  EXPECT_THAT(text, HasSubstr("model.layers.3.sparse"));
}

TEST(Definitions, NamesTheNearestKnownArchitectures) {
  const Json config = parse_json(R"({"architectures": ["LlammaForCausalLM"]})", "config");
  try {
    Definitions::load().trace(config, nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("LlammaForCausalLM"));
    EXPECT_THAT(error.what(), HasSubstr("nearest: LlamaForCausalLM"));
    EXPECT_THAT(error.what(), HasSubstr("--model-def"));
  }
}

TEST(Definitions, RejectsAConfigurationWithoutAnArchitecture) {
  EXPECT_THROW(Definitions::load().trace(parse_json("{}", "config"), nullptr), Error);
  EXPECT_THROW(Definitions::load().trace(parse_json(R"({"architectures": []})", "config"), nullptr), Error);
}

TEST(Definitions, ReportsAMissingPath) {
  const fs::path path = "no/such/file.lua";
  EXPECT_THROW(Definitions::load({&path, 1}), Error);
}

}  // namespace
}  // namespace cleave::define
