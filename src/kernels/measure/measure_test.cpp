#include "kernels/measure/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/matrix/pack.h"

namespace cleave::kernels {
namespace {

TEST(MeasurableTypes, AreAllOfFilesThatHaveKernelsOfTheirOwn) {
  for (size_t i = 0; i < kDTypes.size(); ++i) {
    const auto type = static_cast<DType>(i);
    const bool has_kernel = type == DType::F32 || type == DType::BF16 || (is_block(type) && has_layout(type));
    const bool of_files =
        type < DType::INT2_G32 || type == DType::INT4_G128 || type == DType::UINT4_G128 || type == DType::FP8_G128;
    EXPECT_EQ(std::ranges::count(measurable_types(), type), has_kernel && of_files ? 1 : 0) << to_string(type);
  }
}

}  // namespace
}  // namespace cleave::kernels
