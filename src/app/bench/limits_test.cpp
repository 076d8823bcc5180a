#include "app/bench/limits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_directory.h"

namespace cleave::app {
namespace {

constexpr Limits kLimits{.read = 10, .peak = {100, 200, 400}};

TEST(Bound, IsTheLargerOfMemoryAndArithmetic) {
  plan::StepWork work{.weight_bytes = 30, .cache_bytes = 10, .flops = {{DType::BF16, 200}}, .attention_flops = 0};
  EXPECT_EQ(bound_of(work, kLimits, false).seconds, 4);
  EXPECT_EQ(bound_of(work, kLimits, false).by, "memory");
  work.flops[DType::BF16] = 2000;
  EXPECT_EQ(bound_of(work, kLimits, false).seconds, 10);
  EXPECT_EQ(bound_of(work, kLimits, false).by, "arithmetic");
}

TEST(Bound, CountsEveryTypeByItsArithmetic) {
  const plan::StepWork work{.flops = {{DType::F32, 100}, {DType::F16, 200}, {DType::Q4_K, 400}},
                            .attention_flops = 100};
  EXPECT_EQ(bound_of(work, kLimits, false).seconds, 1 + 1 + 1 + 0.5);
  EXPECT_EQ(bound_of(work, kLimits, true).seconds, 1 + 2 + 4 + 1);
}

TEST(MeasureFiles, GivesARateForFilesOfAnySize) {
  const TemporaryDirectory directory;
  std::vector<std::filesystem::path> files;
  for (const size_t size : {size_t{0}, size_t{1}, (size_t{65} << 20) + 7}) {  // of more pieces than one
    files.push_back(directory.write(std::to_string(size), std::string(size, 'x')));
  }
  EXPECT_GT(measure_files(files, 3), 0);
  EXPECT_EQ(measure_files({}, 3), 0);
}

TEST(MeasureFiles, SaysWhichFileCannotBeRead) {
  const TemporaryDirectory directory;
  EXPECT_THROW(measure_files({directory.path() / "gone"}, 1), Error);
}

}  // namespace
}  // namespace cleave::app
