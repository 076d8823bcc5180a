#include "ckpt/quantized/join.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ckpt/testing/bytes.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

// fp8 (E4M3) of 1, 1.5, 2, -1.
constexpr char kOne = 0x38, kOneAndAHalf = 0x3c, kTwo = 0x40, kMinusOne = static_cast<char>(0xb8);

Tensor tensor(DType dtype, Shape shape, const std::string& bytes) {
  return {{dtype, std::move(shape), bytes_of(bytes)}};
}

std::string floats(std::initializer_list<float> values) {
  ByteWriter bytes;
  for (const float value : values) bytes.number(value);
  return bytes.text();
}

std::vector<float> read(const Tensor& tensor, int64_t element, size_t count) {
  std::vector<float> values(count);
  read_elements(tensor, element, std::as_writable_bytes(std::span(values)));
  return values;
}

class JoinQuantized : public testing::Test {
 protected:
  // w [2, 5] of fp8 with these scales.
  const Tensor& join(const Shape& shape, const std::string& scales, const std::string& suffix = "_scale_inv",
                     const Json& config = Json::object()) {
    tensors_.emplace("w", tensor(DType::F8_E4M3, {2, 5}, bytes_));
    tensors_.emplace("w" + suffix, tensor(DType::F32, shape, scales));
    join_quantized(tensors_, find_quantization(config, "", ""));
    EXPECT_EQ(tensors_.size(), 1u) << "scales are no tensor of their own";
    return tensors_.at("w");
  }

  const std::string bytes_{kOne, kTwo, kMinusOne, kOneAndAHalf, kOne, kTwo, kTwo, kTwo, kTwo, kMinusOne};
  const std::string four_ = floats({10, 100, 3, 5});
  NamedTensors tensors_;
};

TEST_F(JoinQuantized, BlocksAreThoseOfTheConfigurationAndMayBeCutOffAtTheEdge) {
  const Json config = {{"quantization_config", {{"weight_block_size", {1, 3}}}}};
  const Tensor& w = join({2, 2}, four_, "_scale_inv", config);
  EXPECT_EQ(w.dtype(), DType::F32);
  EXPECT_EQ(w.view.dtype, DType::F8_E4M3) << "what planning counts with";
  EXPECT_EQ(read(w, 0, 5), (std::vector<float>{10, 20, -10, 150, 100}));
  EXPECT_EQ(read(w, 6, 4), (std::vector<float>{6, 6, 10, -5}));
}

TEST_F(JoinQuantized, OneScaleServesATensorAndOneColumnOfThemItsRows) {
  const std::string one = floats({2}), two = floats({2, 3});
  EXPECT_EQ(read(join({}, one, "_scale"), 0, 3), (std::vector<float>{2, 4, -2}));
  tensors_.clear();
  EXPECT_EQ(read(join({2, 1}, two, "_scale"), 4, 1), (std::vector<float>{2}));
  EXPECT_EQ(read(tensors_.at("w"), 5, 2), (std::vector<float>{6, 6}));
}

TEST_F(JoinQuantized, RefusesScalesThatDoNotFitNamingBoth) {
  expect_error([&] { join({2, 2}, four_); }, ErrorKind::Corrupt, {"\"w\"", "[2, 5]", "\"w_scale_inv\"", "[2, 2]"});
}

TEST_F(JoinQuantized, Fp8WithoutScalesStaysAsItIsWhereNothingSpeaksOfAny) {
  tensors_.emplace("w", tensor(DType::F8_E4M3, {2, 5}, bytes_));
  join_quantized(tensors_, {});
  EXPECT_EQ(tensors_.at("w").reader, nullptr);
}

TEST_F(JoinQuantized, RefusesFp8WithoutAScaleWhereAConfigurationOrAnotherWeightHasThem) {
  tensors_.emplace("w", tensor(DType::F8_E4M3, {2, 5}, bytes_));
  const Quantization fp8 = find_quantization({{"quantization_config", {{"quant_method", "fp8"}}}}, "", "");
  expect_error([&] { join_quantized(tensors_, fp8); }, ErrorKind::Corrupt, {"\"w\"", "no scale"});
  const std::string one = floats({2});
  tensors_.emplace("v", tensor(DType::F8_E4M3, {2, 5}, bytes_));
  tensors_.emplace("v_scale", tensor(DType::F32, {}, one));
  expect_error([&] { join_quantized(tensors_, {}); }, ErrorKind::Corrupt, {"\"w\"", "no scale"});
}

TEST_F(JoinQuantized, RefusesPackedWeightsThatNothingExplains) {
  const std::string words(32, '\0');
  tensors_.emplace("m.qweight", tensor(DType::I32, {2, 4}, words));
  expect_error([&] { join_quantized(tensors_, {}); }, ErrorKind::Unsupported, {"\"m.qweight\"", "I32 [2, 4]"});
  tensors_.clear();
  tensors_.emplace("position_ids", tensor(DType::I32, {2, 4}, words));
  join_quantized(tensors_, {});
  EXPECT_EQ(tensors_.size(), 1u) << "a buffer";
}

// A linear of 32 outputs and 32 inputs of 4 bits, all levels 9, stored as GPTQ does.
class Gptq : public testing::Test {
 protected:
  void SetUp() override {
    tensors_["m.qweight"] = tensor(DType::I32, {4, 32}, levels_);
    tensors_["m.scales"] = tensor(DType::F16, {1, 32}, scales_);
  }
  void zeros(char byte) {
    zeros_.assign(16, byte);
    tensors_["m.qzeros"] = tensor(DType::I32, {1, 4}, zeros_);
  }
  const Tensor& join(const Json& settings) {
    Json all = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 32}};
    if (settings.is_object()) all.update(settings);
    join_quantized(tensors_, find_quantization({{"quantization_config", all}}, "", ""));
    return tensors_.at("m.weight");
  }
  static float first_number(const Tensor& weight) {
    std::vector<std::byte> block(static_cast<size_t>(info(weight.dtype()).block_bytes));
    read_elements(weight, 0, block);
    std::vector<float> numbers(static_cast<size_t>(info(weight.dtype()).block_elements));
    convert_to_f32(weight.dtype(), block, numbers);
    return numbers[0];
  }

  const std::string levels_ = std::string(4 * 32 * 4, '\x99');
  const std::string scales_ = [] {
    ByteWriter halves;
    for (int i = 0; i < 32; ++i) halves.number<uint16_t>(0x3c00);  // 1
    return halves.text();
  }();
  std::string zeros_;
  NamedTensors tensors_;
};

TEST_F(Gptq, SymmetricGroupsBecomeBlocksWithoutMinimum) {
  zeros(0x77);  // 7, and 1 more by version 1
  const Tensor& weight = join({});
  EXPECT_EQ(weight.dtype(), DType::INT4_G32);
  EXPECT_EQ(weight.view.shape, (Shape{32, 32}));
  EXPECT_EQ(first_number(weight), 1);
  EXPECT_EQ(tensors_.size(), 1u);
}

TEST_F(Gptq, ZeroPointsInTheMiddleAreTakenAsTheyAreWhateverTheLabelSays) {
  zeros('\x88');
  EXPECT_EQ(first_number(join({{"checkpoint_format", "gptq"}})), 1);
}

TEST_F(Gptq, ZeroPointsOfVersion1InTheMiddleCountAsSuchUnderTheOtherLabel) {
  zeros(0x77);
  EXPECT_EQ(first_number(join({{"checkpoint_format", "gptq_v2"}})), 1);
}

TEST_F(Gptq, LabelsCountWhereAModelIsNotSymmetric) {
  zeros('\x88');
  const Tensor& weight = join({{"sym", false}});
  EXPECT_EQ(weight.dtype(), DType::UINT4_G32);
  EXPECT_EQ(first_number(weight), 0) << "9 - (8 + 1)";
}

TEST_F(Gptq, GroupsInAnyOrderBecomeNumbers) {
  zeros(0x77);
  ByteWriter order;
  for (int i = 0; i < 32; ++i) order.number<int32_t>(i == 5 ? 1 : 0);
  const std::string two_scales = scales_ + scales_, two_zeros(32, 0x77);
  tensors_["m.scales"] = tensor(DType::F16, {2, 32}, two_scales);
  tensors_["m.qzeros"] = tensor(DType::I32, {2, 4}, two_zeros);
  tensors_["m.g_idx"] = tensor(DType::I32, {32}, order.text());
  EXPECT_EQ(join({{"group_size", 16}}).dtype(), DType::F32);
}

TEST_F(Gptq, ScalesThatHalfPrecisionDoesNotHoldMakeNumbers) {
  zeros(0x77);
  ByteWriter tiny;
  for (int i = 0; i < 32; ++i) tiny.number(1e-12f);
  tensors_["m.scales"] = tensor(DType::F32, {1, 32}, tiny.text());
  const Tensor& weight = join({});
  EXPECT_EQ(weight.dtype(), DType::F32);
  EXPECT_FLOAT_EQ(first_number(weight), 1e-12f);
}

TEST_F(Gptq, TheFirstDynamicExpressionThatMatchesCounts) {
  zeros(0x77);
  const Json dynamic = {{"+:m$", {{"bits", 8}}}};
  expect_error([&] { join({{"dynamic", dynamic}}); }, ErrorKind::Corrupt, {"m.qzeros", "bits 8"});
}

TEST_F(JoinQuantized, Mxfp4BlocksComeAsGgmlLaysThemOut) {
  std::string blocks(16, '\0');
  blocks[0] = 0x21;  // elements 0 and 1 are 1 and 2
  blocks[8] = 0x43;  // elements 16 and 17 are 3 and 4
  const std::string scales(1, '\x7f');
  tensors_.emplace("e_blocks", tensor(DType::U8, {1, 1, 1, 16}, blocks));
  tensors_.emplace("e_scales", tensor(DType::U8, {1, 1, 1}, scales));
  join_quantized(tensors_, {});
  const Tensor& e = tensors_.at("e_blocks");
  EXPECT_EQ(tensors_.size(), 1u);
  EXPECT_EQ(e.view.shape, (Shape{1, 1, 32}));
  EXPECT_EQ(e.dtype(), DType::MXFP4);
  std::vector<std::byte> block(17);
  read_elements(e, 0, block);
  EXPECT_EQ(block[0], std::byte{0x7f});
  EXPECT_EQ(block[1], std::byte{0x31});
  EXPECT_EQ(block[2], std::byte{0x42});
  EXPECT_EQ(block[3], std::byte{0});
}

TEST_F(JoinQuantized, RefusesMxfp4BlocksWithTooFewScales) {
  const std::string blocks(32, '\0'), scales(1, '\0');
  tensors_.emplace("e_blocks", tensor(DType::U8, {1, 2, 16}, blocks));
  tensors_.emplace("e_scales", tensor(DType::U8, {1, 1}, scales));
  expect_error([&] { join_quantized(tensors_, {}); }, ErrorKind::Corrupt, {"[1, 2, 16]", "\"e_scales\""});
}

}  // namespace
}  // namespace cleave::ckpt
