#include "kernels/matrix/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "base/error.h"
#include "kernels/layout/block_layout.h"
#include "kernels/matrix/block_matrix.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/simd/table.h"
#include "kernels/testing/matrices.h"

namespace cleave::kernels {
namespace {

// Activations that quantise without error: integers in [-127, 127] with 127 in every group of 16.
std::vector<float> integer_activations(int64_t m, int64_t k, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> x(static_cast<size_t>(m * k));
  for (size_t i = 0; i < x.size(); ++i) x[i] = i % 16 == 5 ? 127.0f : static_cast<float>(generator() % 255) - 127.0f;
  return x;
}

// How far a product may be from exact arithmetic because of the layout: single sums may cancel, and levels of some
// codebooks are rounded.
double layout_error(DType dtype) {
  return is_approximate(dtype) ? 2e-2 : 1e-5;
}

class MatrixOn : public testing::TestWithParam<Isa> {
 protected:
  PackOptions options(bool exact = false) const { return {.exact = exact, .isa = GetParam()}; }
  ThreadPool pool_{3};
};

TEST_P(MatrixOn, BlockProductsMatchReferenceForEveryTail) {
  for (const DType dtype : kBlockTypes)
    for (const int64_t n : {1, 7, 16, 17, 150})
      for (const int64_t k : {int64_t{1}, int64_t{3}}) {
        const Stored stored = random_blocks(dtype, n, k * info(dtype).block_elements, static_cast<uint32_t>(n));
        const auto matrix = stored.pack(options(), pool_);
        for (const int64_t m : {1, 2, 3, 5, 8, 19}) {
          const auto x = integer_activations(m, stored.k, static_cast<uint32_t>(m));
          const auto wanted = reference_product(stored, x, m);
          EXPECT_LT(relative_error(multiply(*matrix, x, m, pool_), wanted), layout_error(dtype))
              << matrix->kind() << " m " << m << " n " << n << " k " << stored.k;
        }
      }
}

TEST_P(MatrixOn, BlockProductsStayCloseForRealActivations) {
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 96, 1024, 9);
    const auto x = random_floats(4 * 1024, 10);
    const auto wanted = reference_product(stored, x, 4);
    EXPECT_LT(relative_error(multiply(*stored.pack(options(), pool_), x, 4, pool_), wanted),
              std::max(2e-4, layout_error(dtype)))
        << to_string(dtype);
  }
}

// Of many rows only numbers that stand out have two digits. The error of normal numbers grows with the largest of those
// that share a scale: 32, or 256 where levels are unpacked into bytes.
TEST_P(MatrixOn, BlockProductsOfManyRowsStayClose) {
  const bool bytes = GetParam() != Isa::Amx && simd::table(GetParam()).split_digits != nullptr;
  const double tolerance = bytes ? 1.5e-2 : 1e-2;
  for (const DType dtype : kBlockTypes)
    for (const int64_t n : {7, 80, 150}) {
      const int64_t k = 2560 + info(dtype).block_elements;
      const Stored stored = random_blocks(dtype, n, k, static_cast<uint32_t>(n));
      const auto matrix = stored.pack(options(), pool_);
      const auto x = random_floats(131 * k, 131);
      auto wanted = reference_product(stored, x, 131);
      for (const int64_t m : {131, 64}) {
        wanted.resize(static_cast<size_t>(m * n));
        const auto got = multiply(*matrix, {x.begin(), x.begin() + m * k}, m, pool_);
        EXPECT_LT(relative_error(got, wanted), tolerance) << matrix->kind() << " m " << m << " n " << n;
      }
    }
}

// Of activations that one digit holds, what is left is the error of summing.
TEST_P(MatrixOn, BlockProductsOfManyRowsSumWell) {
  const bool rounds = GetParam() == Isa::Amx;  // weights to bf16; else sums are off by about a unit
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 40, 2560 + info(dtype).block_elements, 29);
    const auto x = integer_activations(70, stored.k, 30);
    const auto got = multiply(*stored.pack(options(), pool_), x, 70, pool_);
    EXPECT_LT(relative_error(got, reference_product(stored, x, 70)),
              std::max(rounds ? 1e-2 : 2e-3, layout_error(dtype)))
        << to_string(dtype);
  }
}

// What an outlier adds is the same for all rows of activations here, so the differences between rows show what is left
// of the others: with one digit, whose step is 8, nothing.
TEST_P(MatrixOn, BlockProductsSeeSmallNumbersBesideLargeOnes) {
  constexpr int64_t kRows = 64;
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 40, 1024, 27);
    auto x = random_floats(kRows * stored.k, 28);
    for (int64_t row = 0; row < kRows; ++row) x[static_cast<size_t>(row * stored.k + 5 + row % 2 * 256)] = 1000;
    const auto wanted = reference_product(stored, x, kRows);
    const auto got = multiply(*stored.pack(options(), pool_), x, kRows, pool_);
    std::vector<float> wanted_differences, differences;
    for (size_t i = 0; i + 2 * 40 < wanted.size(); ++i) {
      wanted_differences.push_back(wanted[i + 2 * 40] - wanted[i]);
      differences.push_back(got[i + 2 * 40] - got[i]);
    }
    EXPECT_LT(relative_error(differences, wanted_differences), 2e-2) << to_string(dtype);
  }
}

TEST_P(MatrixOn, PlainProductsMatchReferenceForEveryTail) {
  for (const DType dtype : {DType::BF16, DType::F16, DType::F32, DType::F64})
    for (const int64_t n : {1, 15, 64, 65, 200})
      for (const int64_t k : {1, 2, 31, 32, 97}) {
        const Stored stored = random_weights(dtype, n, k, static_cast<uint32_t>(n + k));
        const auto matrix = stored.pack(options(), pool_);
        for (const int64_t m : {1, 2, 5, 6, 13, 16, 40}) {
          const auto x = random_floats(m * k, static_cast<uint32_t>(m));
          const auto wanted = reference_product(stored, x, m);
          const double tolerance = dtype == DType::F32 || dtype == DType::F64 ? 1e-6 : 1.5e-2;
          EXPECT_LT(relative_error(multiply(*matrix, x, m, pool_), wanted), tolerance)
              << matrix->kind() << " m " << m << " n " << n << " k " << k;
        }
      }
}

TEST_P(MatrixOn, ExactProductsAreAsGoodAsF32) {
  std::vector<Stored> all;
  for (const DType dtype : {DType::BF16, DType::F16, DType::F32}) all.push_back(random_weights(dtype, 37, 201, 11));
  for (const DType dtype : kBlockTypes) all.push_back(random_blocks(dtype, 37, 256, 12));
  all.push_back(random_blocks(DType::FP8_G128, 37, 256, 12));
  for (const Stored& stored : all) {
    const auto matrix = stored.pack(options(true), pool_);
    const auto x = random_floats(7 * stored.k, 13);
    const auto wanted = reference_product(stored, x, 7);
    EXPECT_LT(relative_error(multiply(*matrix, x, 7, pool_), wanted), 1e-6) << matrix->kind();
    EXPECT_EQ(matrix->bytes(), stored.bytes.size() - 1);
  }
}

// Products of rows [first, first + count) by themselves equal those that they have among `together`.
void expect_same_alone(const Matrix& matrix, const std::vector<float>& x, int64_t first, int64_t count,
                       const std::vector<float>& together) {
  ThreadPool single(1);
  const auto alone =
      multiply(matrix, {x.begin() + first * matrix.k(), x.begin() + (first + count) * matrix.k()}, count, single);
  EXPECT_EQ(std::memcmp(alone.data(), together.data() + first * matrix.n(), alone.size() * sizeof(float)), 0)
      << matrix.kind() << " rows from " << first;
}

TEST_P(MatrixOn, RowsDoNotDependOnOtherRowsOrThreads) {
  std::vector<std::pair<Stored, bool>> all;
  all.emplace_back(random_weights(DType::BF16, 150, 333, 14), true);
  all.emplace_back(random_weights(DType::F32, 150, 333, 14), false);
  for (const DType dtype : kBlockTypes) all.emplace_back(random_blocks(dtype, 150, 512, 15), true);
  for (const auto& [stored, exact] : all) {
    const auto matrix = stored.pack(options(exact), pool_);
    const auto x = random_floats(21 * stored.k, 16);
    const auto together = multiply(*matrix, x, 21, pool_);
    for (int64_t row = 0; row < 21; ++row) expect_same_alone(*matrix, x, row, 1, together);
  }
}

// Where products are in f32, those of many rows go another way than those of few, to the same bits.
TEST_P(MatrixOn, FloatRowsDoNotDependOnOtherRowsOrThreads) {
  std::vector<DType> dtypes = {DType::F32};
  if (!bf16_panel_kernel(GetParam())) dtypes.insert(dtypes.end(), {DType::BF16, DType::FP8_G128});
  for (const DType dtype : dtypes)
    for (const int64_t k : {384, 333, 2100}) {
      if (k % info(dtype).block_elements != 0) continue;
      const Stored stored = is_block(dtype) ? random_blocks(dtype, 150, k, 17) : random_weights(dtype, 150, k, 17);
      const auto matrix = stored.pack(options(), pool_);
      const auto x = random_floats(61 * k, 18);
      const auto together = multiply(*matrix, x, 61, pool_);
      for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 1}, {13, 30}, {20, 7}, {60, 1}})
        expect_same_alone(*matrix, x, first, count, together);
    }
}

// Few rows among few, many among many: between the two the rounding of activations differs.
TEST_P(MatrixOn, BlockRowsDoNotDependOnOtherRowsOrThreads) {
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 150, 512, 15);
    const auto matrix = stored.pack(options(), pool_);
    auto x = random_floats(80 * stored.k, 16);
    for (size_t i = 0; i < x.size(); i += 700) x[i] = 100;  // some groups stand out
    const auto few = multiply(*matrix, {x.begin(), x.begin() + 21 * stored.k}, 21, pool_);
    for (int64_t row = 0; row < 21; ++row) expect_same_alone(*matrix, x, row, 1, few);
    const auto many = multiply(*matrix, x, 80, pool_);
    for (const int64_t first : {0, 3, 13}) expect_same_alone(*matrix, x, first, 65, many);
  }
}

// The rows of an expert are rounded as those of the step are of which they are a part.
TEST_P(MatrixOn, ExpertsRoundFewRowsAsOthersRoundMany) {
  for (const DType dtype : kBlockTypes) {
    const Stored stored = random_blocks(dtype, 150, 512, 15);
    PackOptions expert = options();
    expert.expert = true;
    const auto x = random_floats(64 * stored.k, 36);
    const auto many = multiply(*stored.pack(options(), pool_), x, 64, pool_);
    const auto few = stored.pack(expert, pool_);
    for (const int64_t first : {0, 5}) expect_same_alone(*few, x, first, 17, many);
    const auto fewest = multiply(*few, x, 15, pool_);
    for (int64_t row = 0; row < 15; ++row) expect_same_alone(*few, x, row, 1, fewest);
  }
}

TEST_P(MatrixOn, MatricesOfOnePreparationShareWhatTheyMakeOfRows) {
  const Stored stored[] = {random_weights(DType::BF16, 700, 256, 29), random_weights(DType::BF16, 150, 256, 30),
                           random_blocks(DType::Q4_K, 150, 256, 31),  random_blocks(DType::Q4_1, 70, 256, 32),
                           random_blocks(DType::Q8_0, 70, 256, 33),   random_blocks(DType::Q6_K, 70, 256, 34)};
  for (const int64_t m : {1, 40, 100}) {
    const auto x = random_floats(m * 256, 35);
    Buffer scratch(1 << 20);
    for (const Stored& first : stored)
      for (const Stored& second : stored) {
        const auto a = first.pack(options(), pool_), b = second.pack(options(), pool_);
        if (a->preparation(m) == 0 || a->preparation(m) != b->preparation(m)) continue;
        std::vector<float> y(static_cast<size_t>(m * 700)), again(y.size());
        b->multiply(x.data(), m, y.data(), scratch.bytes(), pool_);
        a->multiply(x.data(), m, again.data(), scratch.bytes(), pool_);
        b->multiply(x.data(), m, again.data(), scratch.bytes(), pool_, Prepared::Yes);
        EXPECT_TRUE(std::equal(y.begin(), y.begin() + m * b->n(), again.begin())) << a->kind() << ", " << b->kind();
      }
  }
}

TEST_P(MatrixOn, BytesAreKnownBeforehand) {
  std::vector<Stored> all;
  for (const DType dtype : {DType::BF16, DType::F16, DType::F32, DType::F64})
    for (const int64_t k : {33, 96}) all.push_back(random_weights(dtype, 70, k, 37));
  for (const DType dtype : kBlockTypes) all.push_back(random_blocks(dtype, 70, 512, 38));
  all.push_back(random_blocks(DType::FP8_G128, 70, 512, 38));
  for (const Stored& stored : all)
    for (const bool exact : {false, true})
      for (const WeightFormat format : {WeightFormat::AsStored, WeightFormat::Int8, WeightFormat::Int4}) {
        PackOptions wanted = options(exact);
        wanted.format = format;
        EXPECT_EQ(packed_bytes(stored.dtype, stored.n, stored.k, wanted), stored.pack(wanted, pool_)->bytes())
            << to_string(stored.dtype);
      }
}

TEST_P(MatrixOn, Int8QuantisesFloatWeights) {
  const Stored stored = random_weights(DType::BF16, 100, 640, 17);
  PackOptions int8 = options();
  int8.format = WeightFormat::Int8;
  const auto matrix = stored.pack(int8, pool_);
  const auto x = random_floats(9 * 640, 18);
  EXPECT_LT(relative_error(multiply(*matrix, x, 9, pool_), reference_product(stored, x, 9)), 2e-2);
  EXPECT_LT(matrix->bytes(), stored.bytes.size() * 6 / 10);
}

TEST_P(MatrixOn, Int4QuantisesFloatWeights) {
  for (const DType dtype : {DType::BF16, DType::F16, DType::F32})
    for (const int64_t n : {1, 17, 100})
      for (const int64_t k : {32, 288, 640}) {
        const Stored stored = random_weights(dtype, n, k, 26);
        PackOptions int4 = options();
        int4.format = WeightFormat::Int4;
        const auto matrix = stored.pack(int4, pool_);
        // Rows of the unit matrix give back the weights. Their error is about a range of 4 deviations over 15 levels.
        std::vector<float> unit(static_cast<size_t>(k * k));
        for (int64_t i = 0; i < k; ++i) unit[static_cast<size_t>(i * k + i)] = 1;
        const auto got = multiply(*matrix, unit, k, pool_);
        const auto wanted = reference_product(stored, unit, k);
        double error = 0, power = 0;
        for (size_t i = 0; i < got.size(); ++i) {
          error += (got[i] - wanted[i]) * (got[i] - wanted[i]);
          power += wanted[i] * wanted[i];
        }
        EXPECT_LT(std::sqrt(error / power), 0.085) << matrix->kind() << " n " << n << " k " << k;
        EXPECT_LE(matrix->bytes(), static_cast<size_t>((n + 15) / 16 * 16 * k * 5 / 8));
      }
}

TEST_P(MatrixOn, QuantisesConstantAndTinyGroups) {
  for (const WeightFormat format : {WeightFormat::Int8, WeightFormat::Int4})
    for (const float value : {0.0f, 0.75f, -2.0f}) {
      Stored stored = random_weights(DType::F32, 20, 64, 27);
      for (int64_t i = 0; i < 20 * 64; ++i) std::memcpy(stored.bytes.data() + 1 + i * 4, &value, 4);
      read_values(stored);
      PackOptions packing = options();
      packing.format = format;
      const auto x = random_floats(2 * 64, 28);
      const auto wanted = reference_product(stored, x, 2);
      const auto got = multiply(*stored.pack(packing, pool_), x, 2, pool_);
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 0.02) << value;
    }
}

TEST_P(MatrixOn, LeavesWhatDoesNotFallIntoGroupsAsStored) {
  const Stored stored = random_weights(DType::BF16, 20, 48, 29);
  PackOptions int4 = options();
  int4.format = WeightFormat::Int4;
  EXPECT_THAT(std::string(stored.pack(int4, pool_)->kind()), testing::StartsWith("bf16"));
}

TEST_P(MatrixOn, ZeroActivationsGiveZeros) {
  const Stored stored = random_blocks(DType::Q4_1, 20, 64, 19);
  for (const float y : multiply(*stored.pack(options(), pool_), std::vector<float>(64), 1, pool_)) EXPECT_EQ(y, 0);
}

INSTANTIATE_TEST_SUITE_P(Isas, MatrixOn, testing::ValuesIn(available_isas()));

// Bytes that a file has for a block: groups of other formats have scales and minima of 16 bits, not of 32.
double file_bytes(DType dtype) {
  const auto bytes = static_cast<double>(info(dtype).block_bytes);
  if (dtype == DType::NVFP4_G16) return 9;
  return bytes - 2 * static_cast<double>(scale_fields(dtype).floats.size());
}

TEST(Matrix, BlocksTakeAtMostSixPercentMoreThanTheFile) {
  ThreadPool pool(2);
  std::vector<DType> types(std::begin(kBlockTypes), std::end(kBlockTypes));
  types.push_back(DType::FP8_G128);
  for (const DType dtype : types) {
    ASSERT_TRUE(has_layout(dtype)) << to_string(dtype);
    const Stored stored = random_blocks(dtype, 128, 512, 20);
    const double blocks = static_cast<double>(stored.n * stored.k / info(dtype).block_elements);
    const double most = dtype == DType::TQ1_0 ? 1.23 : 1.06;  // five digits of base 3 in a byte become ten bits
    EXPECT_LE(static_cast<double>(stored.pack({}, pool)->bytes()), most * blocks * file_bytes(dtype))
        << to_string(dtype);
  }
}

TEST(Matrix, RowsThatEndInsideABlockOfALayoutStayAsStored) {
  ThreadPool pool(2);
  const Stored stored = random_blocks(DType::NVFP4_G16, 20, 48, 21);
  const auto matrix = stored.pack({}, pool);
  EXPECT_THAT(std::string(matrix->kind()), testing::StartsWith("exact"));
  const auto x = random_floats(2 * 48, 22);
  EXPECT_LT(relative_error(multiply(*matrix, x, 2, pool), reference_product(stored, x, 2)), 1e-6);
}

TEST(Matrix, OfAnArenaGivesTheSameProducts) {
  ThreadPool pool(2);
  WeightArena arena;
  PackOptions in_arena;
  in_arena.arena = &arena;
  for (const DType dtype : {DType::BF16, DType::Q4_1}) {
    const Stored stored = dtype == DType::BF16 ? random_weights(dtype, 70, 96, 22) : random_blocks(dtype, 70, 96, 22);
    const auto x = random_floats(3 * 96, 23);
    const size_t before = arena.used();
    const auto borrowed = stored.pack(in_arena, pool);
    EXPECT_EQ(multiply(*borrowed, x, 3, pool), multiply(*stored.pack({}, pool), x, 3, pool));
    EXPECT_GE(arena.used() - before, borrowed->bytes());
  }
}

TEST(Matrix, RefusesWhatItCannotMultiply) {
  ThreadPool pool(2);
  const auto rows = [](int64_t, std::span<std::byte> buffer) { return std::span<const std::byte>(buffer).first(3); };
  const auto kind_of = [&](DType dtype, int64_t n, int64_t k) {
    try {
      pack_matrix(dtype, n, k, rows, {}, pool);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::Internal;
  };
  EXPECT_EQ(kind_of(DType::I32, 4, 32), ErrorKind::Unsupported);
  EXPECT_EQ(kind_of(DType::Q4_0, 4, 33), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of(DType::BF16, 4, 32), ErrorKind::InvalidArgument) << "rows of three bytes";
}

TEST(Matrix, RefusesToQuantiseWhatIsNotFinite) {
  ThreadPool pool(1);
  Stored stored = random_weights(DType::F32, 2, 32, 21);
  const float infinity = INFINITY;
  std::memcpy(stored.bytes.data() + 1 + 40 * 4, &infinity, 4);
  EXPECT_THROW(stored.pack({.format = WeightFormat::Int8}, pool), Error);
  EXPECT_THROW(stored.pack({.format = WeightFormat::Int4}, pool), Error);
}

}  // namespace
}  // namespace cleave::kernels
