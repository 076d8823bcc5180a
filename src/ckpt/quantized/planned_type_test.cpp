#include "ckpt/quantized/planned_type.h"

#include <gtest/gtest.h>

namespace cleave::ckpt {
namespace {

std::optional<DType> type_of(const Json& settings, const std::string& name, const Shape& shape = {64, 256},
                             const char* key = "quantization_config") {
  return planned_type(find_quantization({{key, settings}}, "", ""), name, shape);
}

TEST(PlannedType, IsThatOfTheMethod) {
  EXPECT_EQ(type_of({{"quant_method", "fp8"}}, "a.q_proj.weight"), DType::FP8_G128);
  EXPECT_EQ(type_of({{"quant_method", "fp8"}}, "a.q_proj.weight", {64, 96}), DType::F8_E4M3) << "no whole blocks";
  EXPECT_EQ(type_of({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 128}}, "a.weight"), DType::INT4_G128);
  EXPECT_EQ(type_of({{"quant_method", "awq"}, {"bits", 4}, {"group_size", 64}}, "a.weight"), DType::UINT4_G64);
  EXPECT_EQ(type_of({{"quant_algo", "NVFP4"}}, "a.weight"), DType::NVFP4);
  EXPECT_EQ(type_of({{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}}, "a.weight"), DType::NF4_G64);
  EXPECT_EQ(type_of({{"bits", 4}, {"group_size", 64}}, "model.embed_tokens.weight", {64, 256}, "quantization"),
            DType::UINT4_G64);
}

TEST(PlannedType, ListsAndHeadsAreLeftOut) {
  const Json fp8 = {{"quant_method", "fp8"}, {"modules_to_not_convert", {"self_attn", "*.router", "re:.*gate$"}}};
  EXPECT_EQ(type_of(fp8, "l.0.mlp.up_proj.weight"), DType::FP8_G128);
  for (const char* name : {"l.0.self_attn.q_proj.weight", "l.0.router.weight", "l.0.mlp.gate.weight",
                           "l.0.feed_forward.router.weight", "lm_head.weight", "model.embed_tokens.weight"})
    EXPECT_EQ(type_of(fp8, name), std::nullopt) << name;
  EXPECT_EQ(type_of({{"quant_method", "fp8"}}, "l.0.mlp.gate.weight"), std::nullopt) << "a router, which no list names";
  EXPECT_EQ(type_of({{"quant_method", "fp8"}}, "l.0.mlp.gate_proj.weight"), DType::FP8_G128);
  EXPECT_EQ(type_of({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 32}, {"lm_head", true}}, "lm_head.weight"),
            DType::INT4_G32);
}

TEST(PlannedType, VectorsAndRowsThatNoBlockDividesStayAsTheyAre) {
  EXPECT_EQ(type_of({{"quant_method", "fp8"}}, "norm.weight", {64}), std::nullopt);
  EXPECT_EQ(type_of({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 128}}, "a.weight", {64, 80}), std::nullopt);
}

}  // namespace
}  // namespace cleave::ckpt
