#include "ckpt/tensor_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "ckpt/random_weights.h"

namespace cleave::ckpt {
namespace {

using ::testing::ElementsAre;

// What an adapter does: a source over another one that has some tensors of its own.
class Overlay final : public TensorSource {
 public:
  Overlay(const TensorSource& base, NamedTensors own) : base_(base), own_(std::move(own)) {}
  const Tensor* find(std::string_view name) const override {
    const Tensor* own = ckpt::find(own_, name);
    return own != nullptr ? own : base_.find(name);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> all = base_.names();
    for (const std::string& name : names_of(own_))
      if (base_.find(name) == nullptr) all.push_back(name);
    std::ranges::sort(all);
    return all;
  }
  void release(const TensorView& view) const override { base_.release(view); }
  void release_all() const override { base_.release_all(); }

 private:
  const TensorSource& base_;
  NamedTensors own_;
};

TEST(TensorSource, ATableTellsTypesAndShapesOfMadeUpWeights) {
  const RandomWeights weights({{"b", DType::Q8_0, {4, 64}}, {"a", DType::F32, {7}}}, 1);
  const TensorTable wanted = {{"a", {DType::F32, {7}}}, {"b", {DType::Q8_0, {4, 64}}}};
  EXPECT_EQ(weights.table(), wanted);
  EXPECT_THAT(weights.names(), ElementsAre("a", "b"));
  EXPECT_EQ(weights.find("c"), nullptr);
}

TEST(TensorSource, TablesDifferWhereATypeOrAShapeDoes) {
  const TensorTable table = RandomWeights({{"a", DType::F32, {7}}}, 1).table();
  EXPECT_EQ(table, RandomWeights({{"a", DType::F32, {7}}}, 2).table()) << "numbers are no part of it";
  EXPECT_NE(table, RandomWeights({{"a", DType::BF16, {7}}}, 1).table());
  EXPECT_NE(table, RandomWeights({{"a", DType::F32, {7, 1}}}, 1).table());
}

TEST(TensorSource, NumbersThatWereReleasedAreThereAgain) {
  const RandomWeights weights({{"a", DType::F32, {1 << 20}}}, 1);
  const TensorView& view = weights.find("a")->view;
  const std::vector<std::byte> before(view.bytes.begin(), view.bytes.end());
  weights.release(view);
  weights.release_all();
  EXPECT_TRUE(std::ranges::equal(view.bytes, before));
}

TEST(TensorSource, ASourceOverAnotherChangesAndAddsTensors) {
  const RandomWeights base({{"a", DType::F32, {4}}, {"b", DType::F32, {4}}}, 1);
  const RandomWeights changes({{"b", DType::BF16, {4}}, {"c", DType::F32, {2, 2}}}, 2);
  const Overlay overlay(base, changes.tensors());
  EXPECT_EQ(overlay.find("a"), base.find("a"));
  EXPECT_EQ(overlay.find("b")->view.bytes.data(), changes.find("b")->view.bytes.data());
  const TensorTable wanted = {{"a", {DType::F32, {4}}}, {"b", {DType::BF16, {4}}}, {"c", {DType::F32, {2, 2}}}};
  EXPECT_EQ(overlay.table(), wanted);
}

}  // namespace
}  // namespace cleave::ckpt
