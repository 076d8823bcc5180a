#include "define/config.h"

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
