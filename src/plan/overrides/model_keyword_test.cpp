#include "plan/overrides/model_keyword.h"

#include <gtest/gtest.h>

namespace cleave::plan {
namespace {

TEST(ModelKeyword, MeansTheModelsThatDeepSpeedUsersMean) {
  EXPECT_TRUE(keyword_means_model("mixtral", "MixtralForCausalLM"));
  EXPECT_TRUE(keyword_means_model("Mixtral", "mixtral"));
  EXPECT_TRUE(keyword_means_model("GPTNeoX", "GPTNeoXForCausalLM"));
  EXPECT_TRUE(keyword_means_model("GPTNeoX", "gpt_neox"));
  EXPECT_TRUE(keyword_means_model("gpt_neox", "GPTNeoXForCausalLM"));
  EXPECT_TRUE(keyword_means_model("falcon", "FalconForCausalLM"));
  EXPECT_TRUE(keyword_means_model("ChatGLM", "ChatGLMForConditionalGeneration"));
  EXPECT_TRUE(keyword_means_model("ChatGLM", "chatglm"));
  EXPECT_TRUE(keyword_means_model("Phi", "PhiForCausalLM"));
  EXPECT_TRUE(keyword_means_model("qwen2_moe", "Qwen2MoeForCausalLM"));
  EXPECT_TRUE(keyword_means_model("qwen2-moe", "qwen2_moe"));
  EXPECT_TRUE(keyword_means_model("Yuan", "YuanForCausalLM"));
  EXPECT_TRUE(keyword_means_model("MixtralForCausalLM", "MixtralForCausalLM"));
}

TEST(ModelKeyword, MeansRelativesWhoseNameContinuesWithAnotherWord) {
  EXPECT_TRUE(keyword_means_model("qwen2", "qwen2_moe"));
  EXPECT_TRUE(keyword_means_model("deepseek", "DeepseekV3ForCausalLM"));
}

TEST(ModelKeyword, DoesNotMeanModelsThatOnlyContainIt) {
  EXPECT_FALSE(keyword_means_model("Yuan", "HunYuanDenseV1ForCausalLM"));
  EXPECT_FALSE(keyword_means_model("yuan", "hunyuan_v1_dense"));
  EXPECT_FALSE(keyword_means_model("GLM", "ChatGLMModel"));
  EXPECT_FALSE(keyword_means_model("phi", "Phi3ForCausalLM"));
  EXPECT_FALSE(keyword_means_model("llama", "llama4_text"));
  EXPECT_FALSE(keyword_means_model("mix", "MixtralForCausalLM"));
  EXPECT_FALSE(keyword_means_model("MixtralForCausalLM2", "MixtralForCausalLM"));
  EXPECT_FALSE(keyword_means_model("", "mixtral"));
  EXPECT_FALSE(keyword_means_model("_", "mixtral"));
  EXPECT_FALSE(keyword_means_model("mixtral", ""));
}

}  // namespace
}  // namespace cleave::plan
