#include "ckpt/random_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tensor/convert.h"

namespace cleave::ckpt {
namespace {

struct Statistics {
  double mean = 0, deviation = 0;
};

Statistics statistics_of(const Tensor& tensor) {
  std::vector<float> numbers(static_cast<size_t>(num_elements(tensor.view.shape)));
  convert_to_f32(tensor.view.dtype, tensor.view.bytes, numbers);
  Statistics s;
  for (const float x : numbers) s.mean += static_cast<double>(x) / static_cast<double>(numbers.size());
  for (const float x : numbers)
    s.deviation += std::pow(static_cast<double>(x) - s.mean, 2) / static_cast<double>(numbers.size());
  s.deviation = std::sqrt(s.deviation);
  return s;
}

TEST(RandomWeights, AreAroundZeroWithTheWantedDeviationInEveryType) {
  std::vector<RandomTensor> list;
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    const auto type = static_cast<DType>(i);
    if (is_block(type) || type == DType::F32 || type == DType::BF16 || type == DType::F16)
      list.push_back({std::string(to_string(type)), type, {64, 1024}});
  }
  ASSERT_GE(list.size(), 16u);
  const RandomWeights weights(list, 1);
  for (const auto& [name, tensor] : weights.tensors()) {
    const Statistics s = statistics_of(tensor);
    // Signed integers of 2 and 3 bits have one more number below zero than above.
    EXPECT_NEAR(s.mean, 0, name.starts_with("INT") ? 0.01 : 0.003) << name;
    EXPECT_NEAR(s.deviation, 0.02, 0.005) << name;
  }
}

TEST(RandomWeights, OfNormsAreAroundOne) {
  const RandomWeights weights({{"norm.weight", DType::F32, {512}}, {"proj.bias", DType::F32, {512}}}, 1);
  EXPECT_NEAR(statistics_of(weights.tensors().at("norm.weight")).mean, 1, 0.01);
  EXPECT_NEAR(statistics_of(weights.tensors().at("proj.bias")).mean, 0, 0.01);
}

TEST(RandomWeights, DependOnTheSeedAlone) {
  const std::vector<RandomTensor> list = {{"a", DType::Q4_K, {8, 256}}};
  const auto bytes = [&](uint64_t seed) {
    const RandomWeights weights(list, seed);
    const auto view = weights.tensors().at("a").view.bytes;
    return std::vector<std::byte>(view.begin(), view.end());
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

TEST(RandomWeights, OfLayersOfTheSameSizeDiffer) {
  const RandomWeights weights({{"a", DType::BF16, {2048, 2048}}, {"b", DType::BF16, {2048, 2048}}}, 1);
  EXPECT_FALSE(std::ranges::equal(weights.tensors().at("a").view.bytes, weights.tensors().at("b").view.bytes));
}

TEST(RandomWeights, RefuseCutBlocksAndIntegers) {
  EXPECT_THROW(RandomWeights({{"a", DType::Q8_0, {4, 48}}}, 1), Error);
  EXPECT_THROW(RandomWeights({{"a", DType::I32, {4, 48}}}, 1), Error);
}

}  // namespace
}  // namespace cleave::ckpt
