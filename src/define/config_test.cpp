#include "define/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::define {
namespace {

TEST(Config, BothSpellingsOfRotarySettingsMeanTheSame) {
  const Json version_4 = normalize_config(parse_json(
      R"({"rope_theta": 500000.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0}, "partial_rotary_factor": 0.5})",
      "4"));
  const Json version_5 = normalize_config(parse_json(
      R"({"rope_parameters": {"rope_theta": 500000.0, "rope_type": "linear", "factor": 4.0, "partial_rotary_factor": 0.5}})",
      "5"));
  EXPECT_EQ(version_4["rope_parameters"], version_5["rope_parameters"]);
}

TEST(Config, RopeParametersOutrankLeftovers) {
  const Json config = normalize_config(
      parse_json(R"({"rope_theta": 1.0, "rope_parameters": {"rope_theta": 2.0, "rope_type": "default"}})", "c"));
  EXPECT_EQ(config["rope_parameters"]["rope_theta"], 2.0);
}

TEST(Config, OldRopeNamesAreUnderstood) {
  const Json config = normalize_config(parse_json(
      R"({"rotary_emb_base": 5000, "rotary_pct": 0.25, "rope_scaling": {"type": "su"}, "original_max_position_embeddings": 4096})",
      "c"));
  const Json& rope = config["rope_parameters"];
  EXPECT_EQ(rope["rope_theta"], 5000);
  EXPECT_EQ(rope["partial_rotary_factor"], 0.25);
  EXPECT_EQ(rope["rope_type"], "longrope");
  EXPECT_EQ(rope["original_max_position_embeddings"], 4096);
}

TEST(Config, LocalBaseFrequencyBecomesSettingsByLayerType) {
  const Json config = normalize_config(parse_json(R"({"rope_theta": 1e6, "rope_local_base_freq": 10000.0})", "c"));
  EXPECT_EQ(config["rope_parameters"]["full_attention"]["rope_theta"], 1e6);
  EXPECT_EQ(config["rope_parameters"]["sliding_attention"]["rope_theta"], 10000.0);
}

TEST(Config, NullRotarySettingsMeanNone) {
  const auto of = [](const char* text) { return normalize_config(parse_json(text, "c"))["rope_parameters"]; };
  EXPECT_EQ(of(R"({"rope_parameters": null})")["rope_type"], "none");
  EXPECT_EQ(of(R"({})")["rope_type"], "default");
  EXPECT_EQ(of(R"({"rope_parameters": null, "rope_theta": 5000.0})")["rope_theta"], 5000);
  const Json by_type = of(R"({"rope_parameters": {"full_attention": null, "sliding_attention": {"rope_theta": 7.0}}})");
  EXPECT_EQ(by_type["full_attention"]["rope_type"], "none");
  EXPECT_EQ(by_type["sliding_attention"]["rope_type"], "default");
}

TEST(Config, OldSizeNamesFillInTheCommonOnes) {
  const Json config =
      normalize_config(parse_json(R"({"n_embd": 48, "n_layer": 2, "n_head": 6, "n_positions": 128})", "c"));
  EXPECT_EQ(config["hidden_size"], 48);
  EXPECT_EQ(config["num_hidden_layers"], 2);
  EXPECT_EQ(config["num_attention_heads"], 6);
  EXPECT_EQ(config["num_key_value_heads"], 6);
  EXPECT_EQ(config["head_dim"], 8);
  EXPECT_EQ(config["max_position_embeddings"], 128);
}

TEST(Config, AWindowThatIsSwitchedOffIsAbsent) {
  EXPECT_FALSE(normalize_config(parse_json(R"({"sliding_window": 8, "use_sliding_window": false})", "c"))
                   .contains("sliding_window"));
  EXPECT_FALSE(normalize_config(parse_json(R"({"sliding_window": 0})", "c")).contains("sliding_window"));
  EXPECT_EQ(normalize_config(parse_json(R"({"sliding_window": 8})", "c"))["sliding_window"], 8);
}

TEST(Config, TheTextPartOfAMultimodalModelTakesItsPlace) {
  const Json config = normalize_config(
      parse_json(R"({"architectures": ["A"], "text_config": {"architectures": ["B"], "num_hidden_layers": 3}})", "c"));
  EXPECT_EQ(config["num_hidden_layers"], 3);
  EXPECT_EQ(config["architectures"][0], "A");
  const Json with_layers = normalize_config(parse_json(
      R"({"num_hidden_layers": 2, "hidden_size": 8, "text_config": {"hidden_size": 9, "vocab_size": 131}})", "c"));
  const Json undecided = normalize_config(parse_json(
      R"({"tie_word_embeddings": false, "text_config": {"tie_word_embeddings": true, "num_hidden_layers": 3}})", "c"));
  EXPECT_FALSE(undecided.contains("tie_word_embeddings"));
  EXPECT_EQ(with_layers["hidden_size"], 8);
  EXPECT_EQ(with_layers["vocab_size"], 131);
}

Json normalised(const char* text) {
  return normalize_config(parse_json(text, "c"));
}

TEST(Config, WhatIsAbsentHasTheValueOfTheClass) {
  const Json config = normalised(R"({"model_type": "cohere", "hidden_size": 96})");
  EXPECT_EQ(config["logit_scale"], 0.0625);
  EXPECT_EQ(config["hidden_size"], 96);
  EXPECT_EQ(config["rope_parameters"]["rope_theta"], 500000.0);
  EXPECT_EQ(config["head_dim"], 96 / 64);
}

TEST(Config, NullSaysSoItself) {
  EXPECT_EQ(normalised(R"({"model_type": "mistral"})")["sliding_window"], 4096);
  EXPECT_TRUE(normalised(R"({"model_type": "mistral", "sliding_window": null})")["sliding_window"].is_null());
}

TEST(Config, AModelThatNoClassReadsGetsNoDefaults) {
  const Json config = normalised(R"({"architectures": ["LlamaForCausalLM"], "model_type": "other"})");
  EXPECT_FALSE(config.contains("hidden_size"));
  EXPECT_FALSE(config.contains("rms_norm_eps"));
}

TEST(Config, TheArchitectureNamesTheClassWhereThereIsNoModelType) {
  EXPECT_EQ(normalised(R"({"architectures": ["LlamaForCausalLM"]})")["hidden_size"], 4096);
}

TEST(Config, SettingsThatAreHalfThereKeepTheClassesBaseAndPart) {
  const auto rope = [](const char* text) { return normalised(text)["rope_parameters"]; };
  const Json scaled = rope(R"({"model_type": "glm", "rope_scaling": {"type": "linear", "factor": 2.0}})");
  EXPECT_EQ(scaled["rope_type"], "linear");
  EXPECT_EQ(scaled["partial_rotary_factor"], 0.5);
  EXPECT_EQ(rope(R"({"model_type": "gpt_oss"})")["rope_type"], "yarn");
  EXPECT_EQ(rope(R"({"model_type": "gpt_oss", "rope_theta": 7.0})")["rope_theta"], 7.0);
  EXPECT_EQ(rope(R"({"model_type": "gpt_neox", "rotary_pct": 1.0})")["partial_rotary_factor"], 1.0);
  EXPECT_EQ(rope(R"({"model_type": "llama", "rope_parameters": null})")["rope_type"], "default");
}

TEST(Config, KindsOfLayersFollowFromPatterns) {
  const auto types = [](const char* text) { return normalised(text)["layer_types"]; };
  const Json full = "full_attention", slides = "sliding_attention", linear = "linear_attention";
  EXPECT_EQ(types(R"({"model_type": "gemma3_text", "num_hidden_layers": 4, "sliding_window_pattern": 3})"),
            Json::array({slides, slides, full, slides}));
  EXPECT_EQ(types(R"({"model_type": "qwen3_next", "num_hidden_layers": 3, "full_attention_interval": 2})"),
            Json::array({linear, full, linear}));
  EXPECT_EQ(types(R"({"model_type": "gemma4_text", "num_hidden_layers": 2})"), Json::array({slides, full}));
  EXPECT_EQ(types(R"({"model_type": "other", "num_hidden_layers": 3, "sliding_window_pattern": "LG"})"),
            Json::array({slides, full, slides}));
  const char* windows =
      R"({"model_type": "qwen2", "num_hidden_layers": 3, "max_window_layers": 2, "use_sliding_window": true})";
  EXPECT_EQ(types(windows), Json::array({full, full, slides}));
  EXPECT_EQ(normalised(windows)["sliding_window"], 4096);
}

TEST(Config, LettersGiveBlocksAndTheNumberOfLayers) {
  const Json config = normalised(R"({"model_type": "nemotron_h", "hybrid_override_pattern": "M-*E"})");
  EXPECT_EQ(config["num_hidden_layers"], 4);
  EXPECT_EQ(config["layers_block_type"], Json::array({"linear_attention", "mlp", "full_attention", "moe"}));
  EXPECT_THROW(normalised(R"({"model_type": "nemotron_h", "hybrid_override_pattern": "MX"})"), Error);
}

TEST(Config, ATextPartHasTheDefaultsOfItsOwnClass) {
  const Json config = normalised(
      R"({"model_type": "gemma3", "hidden_size": 5, "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 7}})");
  EXPECT_EQ(config["num_hidden_layers"], 7);
  EXPECT_EQ(config["hidden_size"], 2304);
  EXPECT_EQ(config["layer_types"].size(), 7u);
  EXPECT_EQ(config["rope_parameters"]["sliding_attention"]["rope_theta"], 10000.0);
  EXPECT_EQ(config[kTiedByDefault], true);
}

TEST(Config, WhatIsFilledInIsTold) {
  std::vector<std::string> filled;
  normalize_config(parse_json(R"({"model_type": "qwen3", "num_hidden_layers": 2})", "c"), &filled);
  EXPECT_THAT(filled, testing::Contains("hidden_act = \"silu\""));
  EXPECT_THAT(filled, testing::Not(testing::Contains(testing::StartsWith("num_hidden_layers"))));
}

TEST(Config, ListsForAbsurdNumbersOfLayersAreRefused) {
  EXPECT_THROW(normalised(R"({"model_type": "gemma2", "num_hidden_layers": 4000000000})"), Error);
  EXPECT_THROW(normalised(R"({"model_type": "jamba", "hidden_size": "wide"})"), Error);
  EXPECT_THROW(normalised(R"({"model_type": "bamba", "mamba_n_heads": 0})"), Error);
  EXPECT_THROW(normalised(R"({"model_type": "smollm3", "no_rope_layer_interval": 0})"), Error);
}

TEST(Config, RejectsImpossibleSizes) {
  for (const char* text : {R"({"hidden_size": -1})", R"({"num_hidden_layers": "two"})", R"({"vocab_size": 1e30})",
                           R"({"num_attention_heads": 99999999999})", R"([1, 2])", R"({"rope_parameters": 3})"})
    EXPECT_THROW(normalize_config(parse_json(text, "c")), Error) << text;
}

TEST(Config, SurvivesHeadCountsOfZero) {
  EXPECT_NO_THROW(normalize_config(parse_json(R"({"hidden_size": 48, "num_attention_heads": 0})", "c")));
}

}  // namespace
}  // namespace cleave::define
