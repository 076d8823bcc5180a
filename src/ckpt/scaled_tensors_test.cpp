#include "ckpt/scaled_tensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ckpt/testing/bytes.h"

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

class ScaledTensors : public testing::Test {
 protected:
  // w [2, 5] of fp8 with these scales.
  const Tensor& join(const Shape& shape, const std::string& scales, const std::string& suffix = "_scale_inv",
                     const Json& config = Json::object()) {
    tensors_.emplace("w", tensor(DType::F8_E4M3, {2, 5}, bytes_));
    tensors_.emplace("w" + suffix, tensor(DType::F32, shape, scales));
    join_scales(tensors_, config);
    EXPECT_EQ(tensors_.size(), 1u) << "scales are no tensor of their own";
    return tensors_.at("w");
  }

  const std::string bytes_{kOne, kTwo, kMinusOne, kOneAndAHalf, kOne, kTwo, kTwo, kTwo, kTwo, kMinusOne};
  const std::string four_ = floats({10, 100, 3, 5});
  NamedTensors tensors_;
};

TEST_F(ScaledTensors, BlocksAreThoseOfTheConfigurationAndMayBeCutOffAtTheEdge) {
  const Json config = {{"quantization_config", {{"weight_block_size", {1, 3}}}}};
  const Tensor& w = join({2, 2}, four_, "_scale_inv", config);
  EXPECT_EQ(w.dtype(), DType::F32);
  EXPECT_EQ(w.view.dtype, DType::F8_E4M3) << "what planning counts with";
  EXPECT_EQ(read(w, 0, 5), (std::vector<float>{10, 20, -10, 150, 100}));
  EXPECT_EQ(read(w, 6, 4), (std::vector<float>{6, 6, 10, -5}));
}

TEST_F(ScaledTensors, OneScaleServesATensorAndOneColumnOfThemItsRows) {
  const std::string one = floats({2}), two = floats({2, 3});
  EXPECT_EQ(read(join({}, one, "_scale"), 0, 3), (std::vector<float>{2, 4, -2}));
  tensors_.clear();
  EXPECT_EQ(read(join({2, 1}, two, "_scale"), 4, 1), (std::vector<float>{2}));
  EXPECT_EQ(read(tensors_.at("w"), 5, 2), (std::vector<float>{6, 6}));
}

TEST_F(ScaledTensors, RefusesScalesThatDoNotFitNamingBoth) {
  expect_error([&] { join({2, 2}, four_); }, ErrorKind::Corrupt, {"\"w\"", "[2, 5]", "\"w_scale_inv\"", "[2, 2]"});
}

TEST_F(ScaledTensors, Fp8WithoutScalesStaysAsItIs) {
  tensors_.emplace("w", tensor(DType::F8_E4M3, {2, 5}, bytes_));
  join_scales(tensors_, Json::object());
  EXPECT_EQ(tensors_.at("w").reader, nullptr);
}

TEST_F(ScaledTensors, Mxfp4BlocksComeAsGgmlLaysThemOut) {
  std::string blocks(16, '\0');
  blocks[0] = 0x21;  // elements 0 and 1 are 1 and 2
  blocks[8] = 0x43;  // elements 16 and 17 are 3 and 4
  const std::string scales(1, '\x7f');
  tensors_.emplace("e_blocks", tensor(DType::U8, {1, 1, 1, 16}, blocks));
  tensors_.emplace("e_scales", tensor(DType::U8, {1, 1, 1}, scales));
  join_scales(tensors_, Json::object());
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

TEST_F(ScaledTensors, RefusesMxfp4BlocksWithTooFewScales) {
  const std::string blocks(32, '\0'), scales(1, '\0');
  tensors_.emplace("e_blocks", tensor(DType::U8, {1, 2, 16}, blocks));
  tensors_.emplace("e_scales", tensor(DType::U8, {1, 1}, scales));
  expect_error([&] { join_scales(tensors_, Json::object()); }, ErrorKind::Corrupt, {"[1, 2, 16]", "\"e_scales\""});
}

}  // namespace
}  // namespace cleave::ckpt
