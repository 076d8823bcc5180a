#include "kernels/matrix/weight_arena.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cleave::kernels {
namespace {

TEST(WeightArena, PiecesAreAlignedZeroedAndApart) {
  WeightArena arena;
  std::vector<std::span<std::byte>> pieces;
  for (const size_t size : {1, 63, 64, 65, 3 << 20, 300 << 20, 10}) pieces.push_back(arena.allocate(size));
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pieces[i].data()) % 64, 0u);
    EXPECT_EQ(pieces[i].front(), std::byte{0});
    EXPECT_EQ(pieces[i].back(), std::byte{0}) << "piece " << i << " overlaps an earlier one";
    pieces[i].front() = pieces[i].back() = static_cast<std::byte>(i + 1);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i].front(), static_cast<std::byte>(i + 1));
    EXPECT_EQ(pieces[i].back(), static_cast<std::byte>(i + 1));
  }
}

}  // namespace
}  // namespace cleave::kernels
