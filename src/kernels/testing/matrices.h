#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/float16.h"
#include "base/thread_pool.h"
#include "kernels/matrix/pack.h"
#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

/// Matrices of every stored type for tests, with their values.
namespace cleave::kernels {

/// Block types whose products round activations to levels: all but FP8_G128, which lies in panels as floats do.
inline constexpr DType kBlockTypes[] = {
    DType::Q4_0,       DType::Q4_1,      DType::Q5_0,      DType::Q5_1,       DType::Q8_0,      DType::Q2_K,
    DType::Q3_K,       DType::Q4_K,      DType::Q5_K,      DType::Q6_K,       DType::IQ4_NL,    DType::IQ4_XS,
    DType::MXFP4,      DType::IQ1_S,     DType::IQ1_M,     DType::IQ2_XXS,    DType::IQ2_XS,    DType::IQ2_S,
    DType::IQ3_XXS,    DType::IQ3_S,     DType::TQ1_0,     DType::TQ2_0,      DType::NVFP4,     DType::Q1_0,
    DType::Q2_0,       DType::INT2_G32,  DType::INT2_G64,  DType::INT2_G128,  DType::INT3_G32,  DType::INT3_G64,
    DType::INT3_G128,  DType::INT4_G32,  DType::INT4_G64,  DType::INT4_G128,  DType::INT8_G32,  DType::INT8_G64,
    DType::INT8_G128,  DType::UINT2_G32, DType::UINT2_G64, DType::UINT2_G128, DType::UINT3_G32, DType::UINT3_G64,
    DType::UINT3_G128, DType::UINT4_G32, DType::UINT4_G64, DType::UINT4_G128, DType::UINT8_G32, DType::UINT8_G64,
    DType::UINT8_G128, DType::NVFP4_G16, DType::NF4_G64,   DType::FP4_G64};

/// Whether the layout of a type rounds its levels: by up to 0.4% of a group's largest number.
inline bool is_approximate(DType dtype) {
  return dtype == DType::NF4_G64 || dtype == DType::FP4_G64;
}

/// Where a block keeps numbers that scale it.
struct ScaleFields {
  std::vector<size_t> halves, floats;  // byte offsets of f16 and f32
};

inline ScaleFields scale_fields(DType dtype) {
  switch (dtype) {
    case DType::Q4_1:
    case DType::Q5_1:
    case DType::Q4_K:
    case DType::Q5_K:
      return {{0, 2}, {}};
    case DType::Q2_K:
      return {{offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)}, {}};
    case DType::Q3_K:
      return {{offsetof(BlockQ3_K, d)}, {}};
    case DType::Q6_K:
      return {{offsetof(BlockQ6_K, d)}, {}};
    case DType::TQ1_0:
      return {{offsetof(BlockTQ1_0, d)}, {}};
    case DType::TQ2_0:
      return {{offsetof(BlockTQ2_0, d)}, {}};
    case DType::MXFP4:
    case DType::NVFP4:
    case DType::NVFP4_G16:
    case DType::IQ1_M:
      return {};
    case DType::NF4_G64:
    case DType::FP4_G64:
    case DType::FP8_G128:
      return {{}, {0}};
    default:
      if (dtype < DType::INT2_G32) return {{0}, {}};
      return dtype < DType::UINT2_G32 ? ScaleFields{{}, {0}} : ScaleFields{{}, {0, 4}};
  }
}

/// Sets the scales of a block of one of the types that scale_fields() does not know, and what else must not be random.
inline void set_small_scales(DType dtype, std::byte* block, std::mt19937& generator) {
  const auto byte = [](uint32_t x) { return static_cast<std::byte>(x); };
  if (dtype == DType::MXFP4) block[0] = byte(120 + generator() % 8);
  if (dtype == DType::NVFP4)  // E4M3, some of them subnormal
    for (int i = 0; i < 4; ++i) block[i] = byte(3 + generator() % 24);
  if (dtype == DType::NVFP4_G16) {
    const float factor = 0.3f;  // one for all
    std::memcpy(block, &factor, sizeof factor);
    block[4] = byte(3 + generator() % 24);
  }
  if (dtype == DType::FP8_G128)
    for (std::byte* code = block + 4; code < block + sizeof(BlockFP8); ++code)
      if ((*code & byte(127)) == byte(127)) *code &= byte(254);  // stands for no number
  if (dtype == DType::IQ1_M)  // an f16 of about 0.01 in the upper nibbles of four words
    for (int i = 0; i < 4; ++i) {
      const uint32_t nibble = (0x2100 + generator() % 256) >> (4 * i) & 15;
      std::byte& upper = block[offsetof(BlockIQ1_M, scales) + static_cast<size_t>(2 * i + 1)];
      upper = (upper & std::byte{15}) | byte(nibble << 4);
    }
}

/// A stored matrix with its values in f32. Its bytes begin at an odd address, since files promise no alignment.
struct Stored {
  DType dtype;
  int64_t n, k;
  std::vector<std::byte> bytes;
  std::vector<float> values;

  std::span<const std::byte> row(int64_t r) const {
    const auto stride = static_cast<size_t>(row_bytes(dtype, k));
    return std::span(bytes).subspan(1 + static_cast<size_t>(r) * stride, stride);
  }
  std::unique_ptr<Matrix> pack(const PackOptions& options, ThreadPool& pool) const {
    return pack_matrix(
        dtype, n, k, [this](int64_t r, std::span<std::byte>) { return row(r); }, options, pool);
  }
};

inline void read_values(Stored& stored) {
  stored.values.resize(static_cast<size_t>(stored.n * stored.k));
  convert_to_f32(stored.dtype, std::span(stored.bytes).subspan(1), stored.values);
}

/// Blocks of random bits, with scales of either sign around 0.01.
inline Stored random_blocks(DType dtype, int64_t n, int64_t k, uint32_t seed) {
  std::mt19937 generator(seed);
  Stored stored{dtype, n, k, std::vector<std::byte>(1 + static_cast<size_t>(n * row_bytes(dtype, k))), {}};
  for (std::byte& byte : stored.bytes) byte = static_cast<std::byte>(generator());
  const ScaleFields fields = scale_fields(dtype);
  const auto random_scale = [&] { return (static_cast<float>(generator() % 1000) / 1000 - 0.3f) * 0.02f; };
  for (size_t block = 1; block < stored.bytes.size(); block += static_cast<size_t>(info(dtype).block_bytes)) {
    for (const size_t offset : fields.halves) {
      const float16 scale = to_float16(random_scale());
      std::memcpy(stored.bytes.data() + block + offset, &scale, 2);
    }
    for (const size_t offset : fields.floats) {
      const float scale = to_float(to_float16(random_scale()));  // as packed
      std::memcpy(stored.bytes.data() + block + offset, &scale, 4);
    }
    set_small_scales(dtype, stored.bytes.data() + block, generator);
  }
  read_values(stored);
  return stored;
}

/// Normally distributed weights, stored as a float type.
inline Stored random_weights(DType dtype, int64_t n, int64_t k, uint32_t seed) {
  const std::vector<float> values = random_floats(n * k, seed, 0.05f);
  const auto size = static_cast<size_t>(info(dtype).block_bytes);
  Stored stored{dtype, n, k, std::vector<std::byte>(1 + values.size() * size), {}};
  for (size_t i = 0; i < values.size(); ++i) {
    const bfloat16 b = to_bfloat16(values[i]);
    const float16 h = to_float16(values[i]);
    const double d = values[i];
    const void* source = dtype == DType::BF16  ? static_cast<const void*>(&b)
                         : dtype == DType::F16 ? static_cast<const void*>(&h)
                         : dtype == DType::F64 ? static_cast<const void*>(&d)
                                               : static_cast<const void*>(&values[i]);
    std::memcpy(stored.bytes.data() + 1 + i * size, source, size);
  }
  read_values(stored);
  return stored;
}

/// y[m, n] by a matrix, with x and y at addresses that are multiples of 4 only; numbers around y must stay.
inline std::vector<float> multiply(const Matrix& matrix, const std::vector<float>& x, int64_t m, ThreadPool& pool,
                                   Form form = {}) {
  Buffer scratch(matrix.scratch_bytes(m, pool.size()));
  std::vector<float> y(static_cast<size_t>(m * matrix.n()) + 2, -12345);
  const std::vector<float> shifted = [&] {
    std::vector<float> copy(x.size() + 1);
    std::copy(x.begin(), x.end(), copy.begin() + 1);
    return copy;
  }();
  matrix.multiply(shifted.data() + 1, m, y.data() + 1, scratch.bytes(), pool, Prepared::No, form);
  EXPECT_EQ(y.front(), -12345);
  EXPECT_EQ(y.back(), -12345);
  return {y.begin() + 1, y.end() - 1};
}

/// y[m, n] by the reference.
inline std::vector<float> reference_product(const Stored& stored, const std::vector<float>& x, int64_t m) {
  std::vector<float> y(static_cast<size_t>(m * stored.n));
  reference::matmul(x.data(), stored.values.data(), m, stored.n, stored.k, y.data());
  return y;
}

}  // namespace cleave::kernels
