#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "base/float16.h"
#include "base/thread_pool.h"
#include "kernels/matrix/pack.h"
#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"
#include "tensor/blocks.h"
#include "tensor/convert.h"

/// Matrices of every stored type for tests, with their values.
namespace cleave::kernels {

inline constexpr DType kBlockTypes[] = {DType::Q4_0,   DType::Q4_1,   DType::Q5_0, DType::Q5_1, DType::Q8_0,
                                        DType::Q2_K,   DType::Q3_K,   DType::Q4_K, DType::Q5_K, DType::Q6_K,
                                        DType::IQ4_NL, DType::IQ4_XS, DType::MXFP4};

/// Byte offsets of the f16 scales in a block.
inline std::vector<size_t> scale_offsets(DType dtype) {
  switch (dtype) {
    case DType::Q4_1:
    case DType::Q5_1:
    case DType::Q4_K:
    case DType::Q5_K:
      return {0, 2};
    case DType::Q2_K:
      return {offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)};
    case DType::Q3_K:
      return {offsetof(BlockQ3_K, d)};
    case DType::Q6_K:
      return {offsetof(BlockQ6_K, d)};
    case DType::MXFP4:
      return {};
    default:
      return {0};
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
  for (size_t block = 1; block < stored.bytes.size(); block += static_cast<size_t>(info(dtype).block_bytes)) {
    for (const size_t offset : scale_offsets(dtype)) {
      const float16 scale = to_float16((static_cast<float>(generator() % 1000) / 1000 - 0.3f) * 0.02f);
      std::memcpy(stored.bytes.data() + block + offset, &scale, 2);
    }
    if (dtype == DType::MXFP4) stored.bytes[block] = static_cast<std::byte>(120 + generator() % 8);
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

/// y[m, n] by the reference.
inline std::vector<float> reference_product(const Stored& stored, const std::vector<float>& x, int64_t m) {
  std::vector<float> y(static_cast<size_t>(m * stored.n));
  reference::matmul(x.data(), stored.values.data(), m, stored.n, stored.k, y.data());
  return y;
}

}  // namespace cleave::kernels
