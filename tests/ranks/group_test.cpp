// Two reference models in one group of ranks that are threads; those of several processes are in mpi_group.cpp.
#include <gtest/gtest.h>

#include "two_models.h"

namespace cleave {
namespace {

const std::filesystem::path kModels = std::filesystem::path(CLEAVE_TEST_DATA) / "models";

class TwoModels : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Ranks, TwoModels, testing::Values(1, 3, 5), testing::PrintToStringParamName());

TEST_P(TwoModels, AreLoadedSteppedUnloadedAndLoadedAgainInOneGroup) {
  inference::Group group({.ranks = GetParam()});
  FedModel attention(kModels / "llama", group), states(kModels / "jamba", group);
  check_two_models(attention, states);
}

TEST_P(TwoModels, TakeTheMemoryOfBothAndGiveItBack) {
  inference::Group group({.ranks = GetParam()});
  FedModel a(kModels / "llama", group), b(kModels / "jamba", group);
  const auto weights = [](const FedModel& model) {
    int64_t bytes = 0;
    for (const runtime::RankReport& report : model.split().reports()) bytes += report.memory.weights;
    return bytes;
  };
  a.load();
  const int64_t alone = weights(a);
  b.load();
  EXPECT_EQ(weights(a), alone);
  a.unload();
  a.load();
  EXPECT_EQ(weights(a), alone);
}

}  // namespace
}  // namespace cleave
