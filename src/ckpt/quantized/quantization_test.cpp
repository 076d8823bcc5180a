#include "ckpt/quantized/quantization.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

Quantization found(const Json& settings, const char* key = "quantization_config") {
  return find_quantization({{key, settings}}, "", "");
}

TEST(Quantization, IsFoundInEveryPlaceWhereToolsPutIt) {
  EXPECT_EQ(find_quantization(Json::object(), "", "").method, QuantMethod::None);
  EXPECT_EQ(found({{"quant_method", "awq"}}).method, QuantMethod::Awq);
  EXPECT_EQ(found({{"quant_method", "compressed-tensors"}}, "compression_config").method,
            QuantMethod::CompressedTensors);
  EXPECT_EQ(found({{"group_size", 64}, {"bits", 4}}, "quantization").method, QuantMethod::Mlx);
  EXPECT_EQ(found({{"quantization_config", {{"quant_method", "fp8"}}}}, "text_config").method, QuantMethod::Fp8);
}

TEST(Quantization, IsFoundInFilesBesideTheConfiguration) {
  const TemporaryDirectory folder;
  folder.write("hf_quant_config.json",
               R"({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}})");
  EXPECT_EQ(find_quantization(Json::object(), folder.path(), "").method, QuantMethod::ModelOpt);
  folder.write("quant_config.json", R"({"w_bit": 4, "q_group_size": 32})");
  const Quantization awq = find_quantization(Json::object(), folder.path(), "");
  EXPECT_EQ(awq.method, QuantMethod::Awq);
  EXPECT_EQ(int_settings(awq, "m").group, 32);
  folder.write("quantize_config.json", R"({"bits": 4, "group_size": -1})");
  const Quantization gptq = find_quantization(Json::object(), folder.path(), "");
  EXPECT_EQ(gptq.method, QuantMethod::Gptq);
  EXPECT_EQ(int_settings(gptq, "m").group, 0);
}

TEST(Quantization, MethodsWithoutANameAreKnownByTheirKeys) {
  EXPECT_EQ(found({{"quant_algo", "FP8"}}).method, QuantMethod::ModelOpt);
  EXPECT_EQ(found({{"load_in_4bit", true}}).method, QuantMethod::BitsAndBytes);
  EXPECT_EQ(found({{"config_groups", Json::object()}}).method, QuantMethod::CompressedTensors);
}

TEST(Quantization, RefusesAnUnreadMethodNamingItAndATensor) {
  const Json config = {{"quantization_config", {{"quant_method", "quad9"}}}};
  expect_error([&] { find_quantization(config, "", "m.qweight"); }, ErrorKind::Unsupported,
               {"quantization_config.quant_method", "\"quad9\"", "\"m.qweight\""});
  expect_error([&] { find_quantization(config, "", ""); }, ErrorKind::Unsupported, {"\"quad9\""});
}

TEST(Quantization, RefusesLayoutsOfOneGpuAndRotations) {
  expect_error(
      [] {
        found({{"quant_method", "gptq"}, {"checkpoint_format", "marlin"}});
      },
      ErrorKind::Unsupported, {"checkpoint_format", "marlin"});
  expect_error(
      [] {
        found({{"quant_method", "awq"}, {"version", "gemv_fast"}});
      },
      ErrorKind::Unsupported, {"version", "gemv_fast"});
  expect_error(
      [] {
        found({{"quant_method", "compressed-tensors"}, {"transform_config", {{"a", 1}}}});
      },
      ErrorKind::Unsupported, {"transform_config"});
}

TEST(Quantization, AutoRoundWritesOtherToolsLayouts) {
  EXPECT_EQ(found({{"quant_method", "auto-round"}, {"packing_format", "auto_round:auto_awq"}}).method,
            QuantMethod::Awq);
  EXPECT_EQ(found({{"quant_method", "intel/auto-round"}}).method, QuantMethod::Gptq);
  expect_error(
      [] {
        found({{"quant_method", "auto-round"}, {"packing_format", "auto_round:fp9"}});
      },
      ErrorKind::Unsupported, {"packing_format", "auto_round:fp9"});
}

TEST(Quantization, ModulesHaveSettingsOfTheirOwn) {
  const Quantization gptq =
      found({{"quant_method", "gptq"},
             {"bits", 4},
             {"group_size", 128},
             {"dynamic", {{R"(+:.*\.down_proj$)", {{"bits", 8}}}, {"-:.*k_proj", Json::object()}}}});
  EXPECT_EQ(int_settings(gptq, "layers.0.mlp.down_proj").bits, 8);
  EXPECT_EQ(int_settings(gptq, "layers.0.mlp.down_proj").group, 128);
  EXPECT_EQ(int_settings(gptq, "layers.0.mlp.up_proj").bits, 4);
  const Quantization round = found({{"quant_method", "auto-round"},
                                    {"bits", 4},
                                    {"extra_config", {{"a.b", {{"bits", 3}}}, {"mlp.*up", {{"bits", 2}}}}}});
  EXPECT_EQ(int_settings(round, "a.b").bits, 3);
  EXPECT_EQ(int_settings(round, "layers.0.mlp.up_proj").bits, 2);
  const Quantization mlx =
      found({{"bits", 4}, {"group_size", 64}, {"lm_head", {{"bits", 6}}}, {"v", false}}, "quantization");
  EXPECT_EQ(int_settings(mlx, "lm_head").bits, 6);
  EXPECT_EQ(int_settings(mlx, "v").bits, 4);
}

TEST(Quantization, TheNearestTargetOfCompressedTensorsCounts) {
  const auto group = [](const char* target, int bits) {
    return Json{{"targets", {target}}, {"weights", {{"num_bits", bits}}}};
  };
  const Quantization q = found(
      {{"quant_method", "compressed-tensors"},
       {"config_groups",
        {{"group_0", group("Linear", 4)}, {"group_1", group("re:.*mlp", 8)}, {"group_2", group("a.mlp.up", 2)}}}});
  EXPECT_EQ(weights_settings(q, "a.attn")["num_bits"], 4);
  EXPECT_EQ(weights_settings(q, "a.mlp.down")["num_bits"], 8);
  EXPECT_EQ(weights_settings(q, "a.mlp.up")["num_bits"], 2);
}

}  // namespace
}  // namespace cleave::ckpt
