#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "ckpt/checkpoint.h"
#include "ckpt/safetensors.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

class GgufFixture : public testing::TestWithParam<const char*> {};

TEST_P(GgufFixture, DequantisesBitEqualToTheRecordedValues) {
  const std::string base = std::string(CLEAVE_TEST_DATA "/gguf/") + GetParam();
  const Checkpoint checkpoint = Checkpoint::open(base + ".gguf");
  const SafetensorsFile expected(base + ".safetensors");
  const Tensor* stored = checkpoint.find("model.layers.0.mlp.down_proj.weight");
  const TensorView* recorded = expected.find("ffn_down");
  ASSERT_NE(stored, nullptr);
  ASSERT_NE(recorded, nullptr);
  EXPECT_EQ(to_string(stored->view.dtype), GetParam());
  ASSERT_EQ(stored->view.shape, recorded->shape);
  std::vector<float> values(static_cast<size_t>(num_elements(recorded->shape)));
  convert_to_f32(stored->view.dtype, stored->view.bytes, values);
  EXPECT_EQ(std::memcmp(values.data(), recorded->bytes.data(), recorded->bytes.size()), 0);
}

TEST_P(GgufFixture, OpensAsAHuggingFaceLlama) {
  const Checkpoint checkpoint = Checkpoint::open(std::string(CLEAVE_TEST_DATA "/gguf/") + GetParam() + ".gguf");
  const Json wanted = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"hidden_size", 256},
                       {"intermediate_size", 512},
                       {"num_hidden_layers", 1},
                       {"num_attention_heads", 4},
                       {"num_key_value_heads", 2},
                       {"head_dim", 64},
                       {"max_position_embeddings", 128},
                       {"rms_norm_eps", 1e-5},
                       {"rope_theta", 10000.0},
                       {"vocab_size", 160},
                       {"tie_word_embeddings", false},
                       {"attention_bias", false},
                       {"mlp_bias", false},
                       {"hidden_act", "silu"}};
  EXPECT_EQ(checkpoint.config(), wanted);
  EXPECT_EQ(checkpoint.names().size(), 12u);
  EXPECT_NE(checkpoint.find("model.layers.0.self_attn.q_proj.weight")->reader, nullptr);
  EXPECT_NE(checkpoint.find("model.layers.0.self_attn.k_proj.weight")->reader, nullptr);
  EXPECT_EQ(checkpoint.find("model.layers.0.self_attn.v_proj.weight")->reader, nullptr);
  EXPECT_EQ(checkpoint.find("lm_head.weight")->view.shape, (Shape{160, 256}));
  ASSERT_NE(checkpoint.gguf(), nullptr);
  EXPECT_EQ(checkpoint.gguf()->strings("tokenizer.ggml.tokens")->at(159), "<159>");
}

INSTANTIATE_TEST_SUITE_P(AllTypes, GgufFixture,
                         testing::Values("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K",
                                         "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace cleave::ckpt
