#include "runtime/memory_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace cleave::runtime {
namespace {

using testing::HasSubstr;

constexpr int64_t kMegabyte = 1000000;

MemoryNeed need(const std::string& machine, int64_t weights, int64_t available) {
  MemoryNeed need{.weights = weights * kMegabyte, .available = available * kMegabyte};
  machine.copy(need.machine, sizeof need.machine - 1);
  return need;
}

TEST(MemoryNeed, ComparesWhatRanksOfOneMachineTakeTogether) {
  const std::vector<MemoryNeed> fits = {need("a", 60, 100), need("b", 100, 100), need("a", 40, 101)};
  EXPECT_FALSE(find_shortage(fits));
  const std::vector<MemoryNeed> exceeds = {need("a", 60, 101), need("b", 100, 100), need("a", 41, 100)};
  const std::optional<Error> error = find_shortage(exceeds);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Io);
  EXPECT_THAT(error->what(), HasSubstr("on a, which has"));
}

TEST(MemoryNeed, NamesTheMachineThatLacksMemoryWhereverItIs) {
  const std::vector<MemoryNeed> ranks = {need("a", 1, 100), need("b", 200, 100)};
  const std::optional<Error> error = find_shortage(ranks);
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("the weights take 200.0 MB of memory on b, which has 100.0 MB left"));
}

TEST(MemoryNeed, KnowsThisMachine) {
  const MemoryNeed mine = memory_need(5);
  EXPECT_EQ(mine.weights, 5);
  EXPECT_GT(mine.available, 0);
  EXPECT_GT(std::strlen(mine.machine), 0u);
}

}  // namespace
}  // namespace cleave::runtime
