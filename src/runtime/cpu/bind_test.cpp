#include "runtime/cpu/bind.h"

#include <gtest/gtest.h>

#include "runtime/cpu/unary_kernel.h"

namespace cleave::runtime::cpu {
namespace {

TEST(Bind, HasAKernelForEveryOpThatComputes) {
  for (const graph::OpInfo& info : graph::op_table()) {
    const bool resolved = info.op == graph::Op::Input || info.op == graph::Op::Weight || info.op == graph::Op::Reshape;
    EXPECT_NE(has_kernel(info.op), resolved) << info.name;
  }
}

TEST(Bind, KnowsTheKernelOfEveryFunction) {
  for (int kind = 0; kind <= static_cast<int>(graph::UnaryKind::Sqrt); ++kind) {
    const auto function = static_cast<graph::UnaryKind>(kind);
    EXPECT_EQ(kernels::to_string(unary_kernel(function)), graph::unary_names()[static_cast<size_t>(kind)]);
  }
}

}  // namespace
}  // namespace cleave::runtime::cpu
