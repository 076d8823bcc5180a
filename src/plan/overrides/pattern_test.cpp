#include "plan/overrides/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/testing/modules.h"

namespace cleave::plan {
namespace {

using Syntax = Override::Syntax;

bool matches(const std::string& pattern, const std::string& path, Syntax syntax = Syntax::Name,
             Treatment treatment = Treatment::Keep) {
  Override override;
  override.pattern = pattern;
  override.syntax = syntax;
  override.treatment = treatment;
  override.origin.where = "test";
  return Pattern(override).matches(ModulePath(path));
}

Specificity specificity(const std::string& pattern) {
  Override override;
  override.pattern = pattern;
  return Pattern(override).specificity();
}

TEST(Pattern, MatchesWholeSegmentsAnywhere) {
  const std::string path = "model.layers.3.mlp.down_proj";
  EXPECT_TRUE(matches("down_proj", path));
  EXPECT_TRUE(matches("mlp.down_proj", path));
  EXPECT_TRUE(matches("mlp", path));
  EXPECT_TRUE(matches("layers.3", path));
  EXPECT_TRUE(matches(path, path));
  EXPECT_FALSE(matches("down", path));
  EXPECT_FALSE(matches("proj", path));
  EXPECT_FALSE(matches("layers.mlp", path));
  EXPECT_FALSE(matches("x.model.layers.3.mlp.down_proj", path));
  EXPECT_FALSE(matches("gate", "model.layers.0.mlp.gate_proj"));
  EXPECT_FALSE(matches("layers.3", "model.layers.33.mlp.gate"));
}

TEST(Pattern, StarsTakeAnythingWithinASegment) {
  const std::string path = "model.layers.3.mlp.down_proj";
  EXPECT_TRUE(matches("*_proj", path));
  EXPECT_TRUE(matches("d*n*proj", path));
  EXPECT_TRUE(matches("layers.*.mlp", path));
  EXPECT_TRUE(matches("*", path));
  EXPECT_FALSE(matches("layers*down_proj", path));
  EXPECT_FALSE(matches("layers.*.down_proj", path));
  EXPECT_FALSE(matches("*_projection", path));
}

TEST(Pattern, AStarPatternOfAnyShapeIsFast) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", "model." + std::string(2000, 'a')));
}

TEST(Pattern, ExpertsAreNamedWithOrWithoutTheirNumber) {
  const std::string path = "model.layers.0.mlp.experts.*.down_proj";
  EXPECT_TRUE(matches("experts.*.down_proj", path));
  EXPECT_TRUE(matches("experts.down_proj", path));
  EXPECT_TRUE(matches("mlp.experts", path));
  EXPECT_FALSE(matches("experts.3.down_proj", path));  // they are treated alike
}

TEST(Pattern, RegularExpressionsMatchTheWholePath) {
  const std::string path = "model.layers.3.mlp.down_proj";
  EXPECT_TRUE(matches(R"(re:.*\.down_proj)", path));
  EXPECT_TRUE(matches(R"(re:model\.layers\.[0-3]\.mlp\.\w+)", path));
  EXPECT_FALSE(matches("re:down_proj", path));
  EXPECT_FALSE(matches(R"(re:.*\.down)", path));
  EXPECT_TRUE(matches(R"(re:.*\.experts\.\d+\.w2)", "model.layers.0.experts.*.w2"));
}

TEST(Pattern, LayerSpecsMatchTheBeginningOfTheWeightsName) {
  const std::string path = "model.layers.3.self_attn.o_proj";
  EXPECT_TRUE(matches(R"(.*\.o_proj\.weight$)", path, Syntax::LayerSpec));
  EXPECT_TRUE(matches(R"(.*\.o_proj)", path, Syntax::LayerSpec));
  EXPECT_TRUE(matches(R"(.*\.o_proj$)", path, Syntax::LayerSpec));  // as DeepSpeed's own examples are written
  EXPECT_TRUE(matches(R"(.*\.[qkvo]_proj\.weight$)", path, Syntax::LayerSpec));
  EXPECT_TRUE(matches("model", path, Syntax::LayerSpec));
  EXPECT_FALSE(matches("o_proj", path, Syntax::LayerSpec));
  EXPECT_FALSE(matches(R"(.*\.o_proj\.bias$)", path, Syntax::LayerSpec));
  EXPECT_TRUE(matches(R"(.*\.experts\.\d+\.w[13]\.weight$)", "model.layers.0.experts.*.w3", Syntax::LayerSpec));
}

TEST(Pattern, PlanKeysStandAtTheEndOfThePathWithNumbersForStars) {
  EXPECT_TRUE(matches("layers.*.self_attn.q_proj", "model.layers.11.self_attn.q_proj", Syntax::PlanKey));
  EXPECT_TRUE(matches("layers.*.mlp.experts.*.w2", "model.layers.1.mlp.experts.*.w2", Syntax::PlanKey));
  EXPECT_TRUE(matches("lm_head", "lm_head", Syntax::PlanKey));
  EXPECT_FALSE(matches("layers.*.mlp", "model.layers.0.mlp.down_proj", Syntax::PlanKey));
  EXPECT_FALSE(matches("layers.*.q_proj", "model.layers.self_attn.q_proj", Syntax::PlanKey));
}

TEST(Pattern, WhatIsSaidOfAMixtureReachesInside) {
  const std::string path = "model.layers.0.mlp.experts.*.down_proj";
  EXPECT_TRUE(matches("layers.*.mlp.experts", path, Syntax::PlanKey, Treatment::ByExpert));
  EXPECT_FALSE(matches("layers.*.mlp.experts", path, Syntax::PlanKey, Treatment::Column));
}

TEST(Pattern, MoreSegmentsAreMoreSpecificThenFewerStars) {
  EXPECT_LT(specificity("down_proj"), specificity("mlp.down_proj"));
  EXPECT_LT(specificity("layers.*.mlp.down_proj"), specificity("layers.3.mlp.down_proj"));
  EXPECT_LT(specificity("mlp.down_proj"), specificity("layers.*.mlp.down_proj"));
  EXPECT_LT(specificity("layers.*.mlp.experts.*.w2"), specificity("layers.3.mlp.experts.*.w2"));
  EXPECT_LT(specificity("re:.*"), specificity("*"));
  EXPECT_LT(specificity(R"(re:.*\.down_proj)"), specificity("down_proj"));
  EXPECT_LT(specificity("down_proj"), specificity(R"(re:.*\.mlp\.down_proj)"));
  EXPECT_EQ(specificity("gate"), specificity("down_proj"));
}

TEST(Pattern, RegularExpressionsThatDoNotCompileSayWhere) {
  EXPECT_EQ(test::error_of([] { specificity("re:.*(gate"); }),
            ": the regular expression '.*(gate' is not valid: missing closing parenthesis at column 8");
}

TEST(Pattern, NoRegularExpressionHangs) {
  const std::string error = test::error_of([] { matches("re:(a|aa)+[bc]", std::string(60, 'a')); });
  EXPECT_THAT(error, testing::HasSubstr("match limit exceeded; simplify it"));
}

TEST(Pattern, ARegularExpressionCannotAskForUtf8) {
  EXPECT_THAT(test::error_of([] { specificity("re:(*UTF)x"); }), testing::HasSubstr("is not valid"));
}

}  // namespace
}  // namespace cleave::plan
