#include <gtest/gtest.h>

#include <cstring>
#include <optional>
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

// Blocks of the types that have no file here, with the values of gguf-py and of ggml's own to_float, which agree:
// TYPE.blocks [blocks, bytes of a block] and TYPE.values [blocks, elements of a block].
class GgufBlocks : public testing::TestWithParam<const char*> {};

TEST_P(GgufBlocks, DequantiseBitEqualToTheRecordedValues) {
  const SafetensorsFile file(CLEAVE_TEST_DATA "/gguf/blocks.safetensors");
  const TensorView* blocks = file.find(std::string(GetParam()) + ".blocks");
  const TensorView* recorded = file.find(std::string(GetParam()) + ".values");
  const std::optional<DType> dtype = dtype_from_name(GetParam());
  ASSERT_TRUE(blocks != nullptr && recorded != nullptr && dtype);
  ASSERT_EQ(blocks->shape, (Shape{recorded->shape[0], info(*dtype).block_bytes}));
  ASSERT_EQ(recorded->shape[1], info(*dtype).block_elements);
  std::vector<float> values(static_cast<size_t>(num_elements(recorded->shape)));
  convert_to_f32(*dtype, blocks->bytes, values);
  EXPECT_EQ(std::memcmp(values.data(), recorded->bytes.data(), recorded->bytes.size()), 0);
}

INSTANTIATE_TEST_SUITE_P(OtherTypes, GgufBlocks,
                         testing::Values("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0",
                                         "TQ2_0", "NVFP4", "Q1_0", "Q2_0"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace cleave::ckpt
