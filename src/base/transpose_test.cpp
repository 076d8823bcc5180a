#include "base/transpose.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace cleave {
namespace {

// Rows at odd addresses, of which some columns are taken; what lies around the result stays.
template <class T, class Transpose>
void check(int64_t count, int64_t columns, int64_t stride, Transpose transpose) {
  std::vector<std::vector<std::byte>> stored(static_cast<size_t>(count));
  std::vector<const std::byte*> rows;
  const auto value = [](int64_t r, int64_t c) { return static_cast<T>(r * 1000 + c + 1); };
  for (int64_t r = 0; r < count; ++r) {
    stored[static_cast<size_t>(r)].resize(static_cast<size_t>(columns) * sizeof(T) + 1);
    for (int64_t c = 0; c < columns; ++c) {
      const T v = value(r, c);
      std::memcpy(stored[static_cast<size_t>(r)].data() + 1 + static_cast<size_t>(c) * sizeof(T), &v, sizeof v);
    }
    rows.push_back(stored[static_cast<size_t>(r)].data() + 1);
  }
  std::vector<T> out(static_cast<size_t>(columns * stride));
  transpose(rows.data(), count, columns, reinterpret_cast<std::byte*>(out.data()), stride);
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < stride; ++r)
      EXPECT_EQ(out[static_cast<size_t>(c * stride + r)], r < count ? value(r, c) : T{0})
          << count << " x " << columns << " at " << r << ", " << c;
}

TEST(Transpose, TakesEveryTail) {
  for (const int64_t count : {1, 3, 4, 8, 13, 16, 20})
    for (const int64_t columns : {1, 4, 7, 8, 16, 33, 70})
      for (const int64_t stride : {count, count + 5}) {
        check<uint16_t>(count, columns, stride, transpose_16);
        check<uint32_t>(count, columns, stride, transpose_32);
      }
}

}  // namespace
}  // namespace cleave
