#include "define/architecture.h"

#include <gtest/gtest.h>

#include "define/definitions.h"

namespace cleave::define {
namespace {

class Architecture : public testing::Test {
 protected:
  // The served architecture of a configuration with these keys; "" for none.
  std::string of(const std::string& keys) const {
    return served_architecture(parse_json("{" + keys + "}", "config"), served_).value_or("");
  }
  std::string of_type(const std::string& type) const { return of("\"model_type\": \"" + type + "\""); }

 private:
  static std::vector<std::string> all_served() {
    const Definitions all = Definitions::load();
    std::vector<std::string> names;
    for (const Definition& definition : all.all())
      names.insert(names.end(), definition.architectures.begin(), definition.architectures.end());
    return names;
  }
  const std::vector<std::string> served_ = all_served();
};

TEST_F(Architecture, IsTheNamedOneWhereItIsServed) {
  EXPECT_EQ(of(R"("architectures": ["MistralForCausalLM", "X"], "model_type": "llama")"), "MistralForCausalLM");
  EXPECT_EQ(of(R"("architectures": ["ChatGLMModel"])"), "ChatGLMModel");
}

// Rows of MODEL_FOR_CAUSAL_LM_MAPPING_NAMES of Transformers 5.24.
TEST_F(Architecture, IsToldByTheModelTypeAsInTransformers) {
  const std::pair<const char*, const char*> rows[] = {
      {"llama", "LlamaForCausalLM"},
      {"gpt2", "GPT2LMHeadModel"},
      {"gpt-sw3", "GPT2LMHeadModel"},
      {"openai-gpt", "OpenAIGPTLMHeadModel"},
      {"ctrl", "CTRLLMHeadModel"},
      {"gpt_neox_japanese", "GPTNeoXJapaneseForCausalLM"},
      {"gpt_bigcode", "GPTBigCodeForCausalLM"},
      {"qwen2_moe", "Qwen2MoeForCausalLM"},
      {"qwen3_5_text", "Qwen3_5ForCausalLM"},
      {"qwen3_5_moe_text", "Qwen3_5MoeForCausalLM"},
      {"gemma3_text", "Gemma3ForCausalLM"},
      {"gemma4_text", "Gemma4ForCausalLM"},
      {"llama4_text", "Llama4ForCausalLM"},
      {"hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM"},
      {"hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM"},
      {"internlm3", "LlamaForCausalLM"},
      {"ernie4_5_moe", "Ernie4_5_MoeForCausalLM"},
      {"glm4_moe_lite", "Glm4MoeLiteForCausalLM"},
      {"mimo_v2_flash", "MiMoV2FlashForCausalLM"},
      {"mistral3", "Mistral3ForConditionalGeneration"},
      {"xglm", "XGLMForCausalLM"},
      {"RefinedWeb", "FalconForCausalLM"},
      {"deepseek_v3", "DeepseekV3ForCausalLM"},
  };
  for (const auto& [type, architecture] : rows) EXPECT_EQ(of_type(type), architecture);
  EXPECT_EQ(of_type("bert"), "BertModel");
  EXPECT_EQ(of_type("vit"), "");
  EXPECT_EQ(of(""), "");
}

TEST_F(Architecture, IsToldByTheModelTypeBehindABareModel) {
  EXPECT_EQ(of(R"("architectures": ["LlamaModel"], "model_type": "llama")"), "LlamaForCausalLM");
  EXPECT_EQ(of(R"("architectures": ["Gemma3TextModel"], "model_type": "gemma3_text")"), "Gemma3ForCausalLM");
  EXPECT_EQ(of(R"("architectures": ["InternLM3ForCausalLM"], "model_type": "internlm3")"), "LlamaForCausalLM");
  EXPECT_EQ(of(R"("architectures": [], "model_type": "llama")"), "LlamaForCausalLM");
  EXPECT_EQ(of(R"("architectures": null, "model_type": "llama")"), "LlamaForCausalLM");
}

TEST_F(Architecture, IsNoneWhereAnotherTaskOrFamilyIsNamed) {
  EXPECT_EQ(of(R"("architectures": ["LlamaForSequenceClassification"], "model_type": "llama")"), "");
  EXPECT_EQ(of(R"("architectures": ["MistralModel"], "model_type": "llama")"), "");
  EXPECT_EQ(of(R"("architectures": ["LlamaModel"])"), "");
  EXPECT_EQ(of(R"("architectures": ["LlamaModel"], "model_type": 3)"), "");
}

}  // namespace
}  // namespace cleave::define
