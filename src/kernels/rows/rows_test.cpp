// Kernels that move rows: embedding, experts, strided copies, rotations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "kernels/reference/reference.h"
#include "kernels/rows/copy.h"
#include "kernels/rows/embedding.h"
#include "kernels/rows/experts.h"
#include "kernels/rows/rope.h"
#include "kernels/rows/rows.h"
#include "kernels/testing/values.h"
#include "tensor/convert.h"

namespace cleave::kernels {
namespace {

TEST(Embed, ConvertsRowsOfAnyType) {
  ThreadPool pool(3);
  std::vector<std::byte> bytes(7 * 68);  // seven rows of two Q8_0 blocks
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 % 61);
  const TensorView table{DType::Q8_0, {7, 64}, bytes};
  std::vector<float> all(7 * 64);
  convert_to_f32(DType::Q8_0, bytes, all);
  const std::vector<int32_t> ids = {6, 0, 3, 3};
  std::vector<float> out(4 * 64);
  embed(table, ids.data(), 4, out.data(), pool);
  for (size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], all[static_cast<size_t>(ids[i / 64]) * 64 + i % 64]);
}

TEST(Embed, RefusesIdsOutsideTheTableWithBothNumbers) {
  ThreadPool pool(1);
  const std::vector<float> values(10);
  const TensorView table{DType::F32, {5, 2}, std::as_bytes(std::span(values))};
  std::vector<float> out(2);
  for (const int32_t id : {5, -1}) {
    try {
      embed(table, &id, 1, out.data(), pool);
      ADD_FAILURE() << "id " << id << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
      EXPECT_NE(std::string(error.what()).find("id " + std::to_string(id)), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("5 rows"), std::string::npos);
    }
  }
}

TEST(GatherRows, CopiesTheChosenRows) {
  ThreadPool pool(2);
  const auto x = random_floats(9 * 3000, 1);
  const std::vector<int32_t> rows = {8, 0, 8, 4, 5};
  std::vector<float> out(5 * 3000);
  gather_rows(x.data(), rows.data(), 5, 3000, out.data(), pool);
  for (size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], x[static_cast<size_t>(rows[i / 3000]) * 3000 + i % 3000]);
}

TEST(Experts, RoutedRowsAreSortedByExpertAndComeBack) {
  ThreadPool pool(3);
  const int64_t tokens = 50, slots = 3, experts = 7, n = 130;
  std::mt19937 generator(5);
  std::vector<int32_t> indices(tokens * slots);
  for (int32_t& index : indices)
    index = static_cast<int32_t>(generator() % 5 + (generator() % 2 == 0 ? 0 : 2));  // some get none
  std::vector<int32_t> offsets(experts + 1), order(tokens * slots), position(tokens * slots);
  route(indices.data(), tokens, slots, 0, experts, offsets.data(), order.data(), position.data());
  EXPECT_EQ(offsets[0], 0);
  EXPECT_EQ(offsets[experts], tokens * slots);
  for (int32_t expert = 0; expert < experts; ++expert)
    for (int32_t row = offsets[expert]; row < offsets[expert + 1]; ++row) {
      EXPECT_EQ(indices[order[row]], expert);
      EXPECT_EQ(position[order[row]], row);
      if (row > offsets[expert]) {
        EXPECT_LT(order[row - 1], order[row]);
      }
    }
  const auto x = random_floats(tokens * n, 6);
  const auto weights = random_floats(tokens * slots, 7);
  std::vector<float> rows(tokens * slots * n), out(tokens * n, 99);
  dispatch(x.data(), order.data(), tokens * slots, slots, n, rows.data(), pool);
  for (int64_t row = 0; row < tokens * slots; ++row)  // an "expert" that multiplies with 1 + expert
    for (int64_t i = 0; i < n; ++i) rows[row * n + i] *= static_cast<float>(1 + indices[order[row]]);
  combine(rows.data(), position.data(), weights.data(), tokens, slots, n, out.data(), pool);
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = 0; i < n; ++i) {
      float factor = 0;
      for (int64_t s = 0; s < slots; ++s)
        factor += weights[t * slots + s] * static_cast<float>(1 + indices[t * slots + s]);
      ASSERT_NEAR(out[t * n + i], factor * x[t * n + i], 1e-4) << t << " " << i;
    }
}

TEST(Experts, ARangeOfExpertsLeavesOtherChoicesOut) {
  ThreadPool pool(1);
  const std::vector<int32_t> indices = {0, 3, 2, 1};  // two tokens, two slots
  std::vector<int32_t> offsets(3), order(4), position(4);
  route(indices.data(), 2, 2, 2, 2, offsets.data(), order.data(), position.data());
  EXPECT_EQ(offsets, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(position, (std::vector<int32_t>{-1, 1, 0, -1}));
  const std::vector<float> x = {10, 20}, weights = {1, 2, 3, 4};
  std::vector<float> rows(2), out(2);
  dispatch(x.data(), order.data(), 2, 2, 1, rows.data(), pool);
  EXPECT_EQ(rows, (std::vector<float>{20, 10}));
  combine(rows.data(), position.data(), weights.data(), 2, 2, 1, out.data(), pool);
  EXPECT_EQ(out, (std::vector<float>{20, 60}));
}

TEST(Embed, PartsOfATableAddUpToIt) {
  ThreadPool pool(2);
  const std::vector<float> values = random_floats(7 * 5, 3);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(values));
  const TensorView table{DType::F32, {7, 5}, bytes};
  const TensorView head{DType::F32, {3, 5}, bytes.first(60)}, tail{DType::F32, {4, 5}, bytes.subspan(60)};
  const std::vector<int32_t> ids = {6, 0, 2, 3};
  std::vector<float> whole(20), first(20), second(20);
  embed(table, ids.data(), 4, whole.data(), pool);
  embed(head, ids.data(), 4, first.data(), pool, 0, 7);
  embed(tail, ids.data(), 4, second.data(), pool, 3, 7);
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(whole[i], first[i] + second[i]);
  const int32_t outside = 7;
  EXPECT_THROW(embed(head, &outside, 1, first.data(), pool, 0, 7), Error);
}

TEST(CopyStrided, TransposesAndSlices) {
  ThreadPool pool(3);
  const auto x = random_floats(20 * 6 * 70, 8);
  std::vector<float> y(x.size());
  // [20, 6, 70] -> [6, 70, 20]
  copy_strided(x.data(), y.data(), {{1, 1, 20, 6, 70}, {0, 0, 420, 70, 1}, {0, 0, 1, 1400, 20}}, pool);
  for (int64_t a = 0; a < 20; ++a)
    for (int64_t b = 0; b < 6; ++b)
      for (int64_t c = 0; c < 70; ++c) ASSERT_EQ(y[b * 1400 + c * 20 + a], x[a * 420 + b * 70 + c]);
  // columns 10 ... 29 of each row into the middle of rows of 40
  std::vector<float> slice(120 * 40, 7);
  copy_strided(x.data() + 10, slice.data() + 5, {{1, 1, 1, 120, 20}, {0, 0, 0, 70, 1}, {0, 0, 0, 40, 1}}, pool);
  for (int64_t r = 0; r < 120; ++r)
    for (int64_t i = 0; i < 40; ++i) ASSERT_EQ(slice[r * 40 + i], i >= 5 && i < 25 ? x[r * 70 + 10 + i - 5] : 7);
}

TEST(CopyStrided, AStrideOfZeroRepeatsAndAnEmptyExtentCopiesNothing) {
  ThreadPool pool(1);
  const std::vector<float> x = {1, 2, 3};
  std::vector<float> y(6);
  copy_strided(x.data(), y.data(), {{1, 1, 1, 2, 3}, {0, 0, 0, 0, 1}, {0, 0, 0, 3, 1}}, pool);
  EXPECT_EQ(y, (std::vector<float>{1, 2, 3, 1, 2, 3}));
  copy_strided(x.data(), y.data(), {{1, 1, 0, 2, 3}, {0, 0, 0, 0, 1}, {0, 0, 0, 3, 1}}, pool);
  copy_strided(nullptr, nullptr, {{1, 1, 2, 2, 0}, {0, 0, 0, 0, 1}, {0, 0, 0, 3, 1}}, pool);
}

TEST(Rows, SumAddDivideAndTakeMatchLoops) {
  ThreadPool pool(3);
  const int64_t rows = 300, n = 61;
  const auto x = random_floats(rows * n, 10);
  const auto row = random_floats(n, 11);
  const auto column = random_floats(rows, 12);
  std::vector<float> sums(rows), added(x.size()), by_row(x.size()), by_column(x.size()), quotient(x.size());
  sum_rows(x.data(), rows, n, sums.data(), pool);
  add_column(x.data(), column.data(), rows, n, added.data(), pool);
  div_row(x.data(), row.data(), rows, n, by_row.data(), pool);
  div_column(x.data(), column.data(), rows, n, by_column.data(), pool);
  div(x.data(), added.data(), rows * n, quotient.data(), pool);
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = r * n + i;
      sum += x[at];
      ASSERT_EQ(added[at], x[at] + column[r]);
      ASSERT_EQ(by_row[at], x[at] / row[i]);
      ASSERT_EQ(by_column[at], x[at] / column[r]);
      ASSERT_EQ(quotient[at], x[at] / added[at]);
    }
    ASSERT_NEAR(sums[r], sum, 1e-4);
  }
  std::vector<int32_t> indices(rows * 2);
  for (int64_t i = 0; i < rows * 2; ++i) indices[i] = static_cast<int32_t>(i * 17 % n);
  std::vector<float> taken(rows * 2);
  take(x.data(), indices.data(), rows, n, 2, taken.data(), pool);
  for (int64_t i = 0; i < rows * 2; ++i) ASSERT_EQ(taken[i], x[i / 2 * n + indices[i]]);
}

TEST(Rows, GatherColumnsTakesThemInTheOrderOfTheirPlaces) {
  ThreadPool pool(3);
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::vector<int32_t> places = {2, 0, 2, 1};
  std::vector<float> y(8);
  gather_columns(x.data(), places.data(), 2, 3, 4, y.data(), pool);
  EXPECT_EQ(y, (std::vector<float>{3, 1, 3, 2, 6, 4, 6, 5}));
}

TEST(Rows, ShiftClampAndNumbersOfIndices) {
  ThreadPool pool(3);
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-inf, -3, -0.5f, 0, 2, inf};
  std::vector<float> y(6);
  clamp(x.data(), -1, 1, 6, y.data(), pool);
  EXPECT_EQ(y, (std::vector<float>{-1, -1, -0.5f, 0, 1, 1}));
  clamp(x.data(), -inf, 1, 6, y.data(), pool);
  EXPECT_EQ(y, (std::vector<float>{-inf, -3, -0.5f, 0, 1, 1}));
  shift(x.data(), 2, 6, y.data(), pool);
  EXPECT_EQ(y, (std::vector<float>{-inf, -1, 1.5f, 2, 4, inf}));
  const std::vector<int32_t> indices = {0, 7, 65536};
  to_real(indices.data(), 3, y.data(), pool);
  EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 3), (std::vector<float>{0, 7, 65536}));
}

TEST(Rows, SinusoidGivesAllSinesThenAllCosines) {
  ThreadPool pool(2);
  const std::vector<int32_t> indices = {0, 5, 999};
  const std::vector<float> frequencies = {1, 0.125f};
  std::vector<float> y(12);
  sinusoid(indices.data(), 3, 2, frequencies.data(), 2, y.data(), pool);
  for (size_t r = 0; r < 3; ++r)
    for (size_t i = 0; i < 2; ++i) {
      const float angle = static_cast<float>(indices[r] + 2) * frequencies[i];
      EXPECT_FLOAT_EQ(y[r * 4 + i], std::sin(angle));
      EXPECT_FLOAT_EQ(y[r * 4 + 2 + i], std::cos(angle));
    }
}

TEST(Rope, MatchesReferenceInBothStylesAndInPlace) {
  ThreadPool pool(3);
  for (const bool interleaved : {false, true})
    for (const int64_t rotary : {2, 6, 20}) {
      const RopeParams params{5, 20, rotary, interleaved};
      const int64_t rows = 70;
      std::vector<int32_t> positions(rows);
      for (int64_t i = 0; i < rows; ++i) positions[i] = static_cast<int32_t>(i * 31 % 1000);
      std::vector<float> inv_freq(rotary / 2);
      for (int64_t i = 0; i < rotary / 2; ++i)
        inv_freq[i] = std::pow(10000.0f, -2.0f * static_cast<float>(i) / static_cast<float>(rotary));
      std::vector<float> cos(rows * rotary / 2), sin(cos);
      rope_table(positions.data(), rows, inv_freq.data(), rotary / 2, 1.5f, cos.data(), sin.data(), pool);
      for (int64_t i = 0; i < rows * rotary / 2; ++i) {
        const float angle = static_cast<float>(positions[i / (rotary / 2)]) * inv_freq[i % (rotary / 2)];
        ASSERT_FLOAT_EQ(cos[i], 1.5f * std::cos(angle));
        ASSERT_FLOAT_EQ(sin[i], 1.5f * std::sin(angle));
      }
      auto x = random_floats(rows * 100, 9);
      std::vector<float> y(x.size()), wanted(x.size());
      reference::rope(x.data(), rows, params, cos.data(), sin.data(), wanted.data());
      rope(x.data(), rows, params, cos.data(), sin.data(), y.data(), pool);
      EXPECT_LT(relative_error(y, wanted), 1e-6);
      rope(x.data(), rows, params, cos.data(), sin.data(), x.data(), pool);
      EXPECT_EQ(x, y);
    }
}

}  // namespace
}  // namespace cleave::kernels
