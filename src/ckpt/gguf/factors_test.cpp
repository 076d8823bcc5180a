#include "ckpt/gguf/factors.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/error.h"

namespace cleave::ckpt {
namespace {

// A stack of two experts and a plain matrix, both NVFP4, with these factors.
class GgufFactors : public testing::Test {
 protected:
  void put(const std::string& name, std::span<const float> numbers) {
    contents_.tensors[name] = {DType::F32, {static_cast<int64_t>(numbers.size())}, std::as_bytes(numbers)};
  }
  void SetUp() override {
    contents_.tensors["up_exps.weight"] = {DType::NVFP4, {2, 1, 64}, blocks_};
    contents_.tensors["up.weight"] = {DType::NVFP4, {2, 64}, blocks_};
    contents_.tensors["gate.weight"] = {DType::Q8_0, {1, 64}, std::span(blocks_).first(68)};
  }
  GgufContents contents_{GgufMetadata("m.gguf"), {}};
  std::array<std::byte, 72> blocks_{};
};

TEST_F(GgufFactors, BelongToATensorOrToEachExpert) {
  const std::array<float, 2> numbers = {2, 3};
  put("up_exps.scale", numbers);
  put("up.scale", std::span(numbers).first(1));
  EXPECT_EQ(factors_of(contents_, "up_exps.weight"), (std::vector<float>{2, 3}));
  EXPECT_EQ(factors_of(contents_, "up.weight"), std::vector<float>{2});
  EXPECT_TRUE(factors_of(contents_, "gate.weight").empty());
}

TEST_F(GgufFactors, AreNoTensorsOfTheModel) {
  EXPECT_TRUE(is_factor(contents_, "up.scale"));
  EXPECT_TRUE(is_factor(contents_, "up_exps.input_scale"));
  EXPECT_FALSE(is_factor(contents_, "gate.scale"));
  EXPECT_FALSE(is_factor(contents_, "up.weight"));
  EXPECT_FALSE(is_factor(contents_, "elsewhere.scale"));
}

TEST_F(GgufFactors, RefuseOtherCountsAndWhatIsNoNumber) {
  const std::array<float, 2> two = {2, 3};
  put("up.scale", two);
  EXPECT_THROW(factors_of(contents_, "up.weight"), Error);
  const std::array<float, 1> none = {NAN};
  put("up.scale", none);
  EXPECT_THROW(factors_of(contents_, "up.weight"), Error);
}

}  // namespace
}  // namespace cleave::ckpt
