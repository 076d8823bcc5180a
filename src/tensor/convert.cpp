#include "tensor/convert.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/check.h"
#include "base/float16.h"
#include "tensor/blocks.h"

// This file is compiled without fused multiply-add (see CMakeLists.txt): its results are compared bit by bit.
namespace cleave {
namespace {

// 1 sign, 4 exponent (bias 7), 3 mantissa bits; no infinities, S1111111 is NaN ("E4M3FN").
float from_f8_e4m3(uint8_t x) {
  const uint32_t magnitude = x & 0x7fu;
  const uint32_t sign = static_cast<uint32_t>(x & 0x80u) << 24;
  if (magnitude == 0x7f) return std::bit_cast<float>(sign | 0x7fc00000u);
  // Shifted into place, the exponent is off by 127 - 7; multiplying corrects it, subnormals included.
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude << 20) * 0x1p120f));
}

// 1 sign, 5 exponent, 2 mantissa bits: the upper half of a binary16.
float from_f8_e5m2(uint8_t x) {
  return to_float(float16{static_cast<uint16_t>(x << 8)});
}

void decode(const BlockQ4_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((block.qs[i] & 15) - 8) * d;
    out[i + 16] = static_cast<float>((block.qs[i] >> 4) - 8) * d;
  }
}

void decode(const BlockQ4_1& block, float* out) {
  const float d = to_float(block.d);
  const float m = to_float(block.m);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(block.qs[i] & 15) * d + m;
    out[i + 16] = static_cast<float>(block.qs[i] >> 4) * d + m;
  }
}

// Five-bit quants of a Q5_0 or Q5_1 block, for i < 32.
template <class Block>
int quant5(const Block& block, int i) {
  const int low = i < 16 ? block.qs[i] & 15 : block.qs[i - 16] >> 4;
  return low | (block.qh[i / 8] >> (i % 8) & 1) << 4;
}

void decode(const BlockQ5_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(quant5(block, i) - 16) * d;
}

void decode(const BlockQ5_1& block, float* out) {
  const float d = to_float(block.d);
  const float m = to_float(block.m);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(quant5(block, i)) * d + m;
}

void decode(const BlockQ8_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(block.qs[i]) * d;
}

void decode(const BlockQ2_K& block, float* out) {
  const float d = to_float(block.d);
  const float dmin = to_float(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const uint8_t scale = block.scales[i / 16];
    const int q = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    out[i] = d * static_cast<float>(scale & 15) * static_cast<float>(q) - dmin * static_cast<float>(scale >> 4);
  }
}

void decode(const BlockQ3_K& block, float* out) {
  const float d = to_float(block.d);
  const std::array<int8_t, 16> scales = unpack_scales_q3_k(block.scales);
  for (int i = 0; i < 256; ++i) {
    const int low = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    const int high = block.hmask[i % 32] >> (i / 32) & 1;
    out[i] = d * static_cast<float>(scales[static_cast<size_t>(i / 16)]) * static_cast<float>((low | high << 2) - 4);
  }
}

void decode(const BlockQ4_K& block, float* out) {
  const float d = to_float(block.d);
  const float dmin = to_float(block.dmin);
  const ScalesK4 scales = unpack_scales_k4(block.scales);
  for (size_t k = 0; k < 8; ++k) {
    const float scale = d * static_cast<float>(scales.scale[k]);
    const float min = dmin * static_cast<float>(scales.min[k]);
    const uint8_t* qs = block.qs + k / 2 * 32;
    for (size_t j = 0; j < 32; ++j)
      out[32 * k + j] = scale * static_cast<float>(k % 2 == 0 ? qs[j] & 15 : qs[j] >> 4) - min;
  }
}

void decode(const BlockQ5_K& block, float* out) {
  const float d = to_float(block.d);
  const float dmin = to_float(block.dmin);
  const ScalesK4 scales = unpack_scales_k4(block.scales);
  for (size_t k = 0; k < 8; ++k) {
    const float scale = d * static_cast<float>(scales.scale[k]);
    const float min = dmin * static_cast<float>(scales.min[k]);
    const uint8_t* qs = block.qs + k / 2 * 32;
    for (size_t j = 0; j < 32; ++j) {
      const int low = k % 2 == 0 ? qs[j] & 15 : qs[j] >> 4;
      out[32 * k + j] = scale * static_cast<float>(low | (block.qh[j] >> k & 1) << 4) - min;
    }
  }
}

void decode(const BlockQ6_K& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int j = i % 128;
    const uint8_t low_byte = block.ql[64 * half + j % 64];
    const int low = j < 64 ? low_byte & 15 : low_byte >> 4;
    const int high = block.qh[32 * half + j % 32] >> (j / 32 * 2) & 3;
    const int8_t scale = block.scales[i / 16];
    out[i] = d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
  }
}

// 32 elements with nibbles as in Q4_0, mapped through a table.
void decode_table(const uint8_t* qs, float scale, const std::array<int8_t, 16>& values, float* out) {
  for (int i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(values[qs[i] & 15]);
    out[i + 16] = scale * static_cast<float>(values[qs[i] >> 4]);
  }
}

void decode(const BlockIQ4_NL& block, float* out) {
  decode_table(block.qs, to_float(block.d), kIq4Values, out);
}

void decode(const BlockIQ4_XS& block, float* out) {
  const float d = to_float(block.d);
  for (int k = 0; k < 8; ++k) {
    const int low = block.scales_l[k / 2] >> (k % 2 * 4) & 15;
    const int high = block.scales_h >> (2 * k) & 3;
    decode_table(block.qs + 16 * k, d * static_cast<float>((low | high << 4) - 32), kIq4Values, out + 32 * k);
  }
}

void decode(const BlockMXFP4& block, float* out) {
  decode_table(block.qs, mxfp4_scale(block.e), kMxfp4Values, out);
}

template <class Block, DType kType>
void convert_blocks(const std::byte* source, std::span<float> output) {
  static_assert(alignof(Block) == 1 && sizeof(Block) == info(kType).block_bytes);
  const auto* blocks = reinterpret_cast<const Block*>(source);
  constexpr auto kElements = static_cast<size_t>(info(kType).block_elements);
  for (size_t i = 0; i < output.size() / kElements; ++i) decode(blocks[i], output.data() + i * kElements);
}

// `element` turns one unaligned T into a float.
template <class T, auto element>
void convert_elements(const std::byte* source, std::span<float> output) {
  for (size_t i = 0; i < output.size(); ++i) {
    T value;
    std::memcpy(&value, source + i * sizeof(T), sizeof(T));
    output[i] = element(value);
  }
}

/// How elements of a type become floats; types without a row are no weights.
struct Conversion {
  DType dtype;
  void (*convert)(const std::byte* source, std::span<float> output);
};

constexpr Conversion kConversions[] = {
    {DType::F64, convert_elements<double, [](double x) { return static_cast<float>(x); }>},
    {DType::F32, convert_elements<float, [](float x) { return x; }>},
    {DType::F16, convert_elements<float16, [](float16 x) { return to_float(x); }>},
    {DType::BF16, convert_elements<bfloat16, [](bfloat16 x) { return to_float(x); }>},
    {DType::F8_E4M3, convert_elements<uint8_t, from_f8_e4m3>},
    {DType::F8_E5M2, convert_elements<uint8_t, from_f8_e5m2>},
    {DType::Q4_0, convert_blocks<BlockQ4_0, DType::Q4_0>},
    {DType::Q4_1, convert_blocks<BlockQ4_1, DType::Q4_1>},
    {DType::Q5_0, convert_blocks<BlockQ5_0, DType::Q5_0>},
    {DType::Q5_1, convert_blocks<BlockQ5_1, DType::Q5_1>},
    {DType::Q8_0, convert_blocks<BlockQ8_0, DType::Q8_0>},
    {DType::Q2_K, convert_blocks<BlockQ2_K, DType::Q2_K>},
    {DType::Q3_K, convert_blocks<BlockQ3_K, DType::Q3_K>},
    {DType::Q4_K, convert_blocks<BlockQ4_K, DType::Q4_K>},
    {DType::Q5_K, convert_blocks<BlockQ5_K, DType::Q5_K>},
    {DType::Q6_K, convert_blocks<BlockQ6_K, DType::Q6_K>},
    {DType::IQ4_NL, convert_blocks<BlockIQ4_NL, DType::IQ4_NL>},
    {DType::IQ4_XS, convert_blocks<BlockIQ4_XS, DType::IQ4_XS>},
    {DType::MXFP4, convert_blocks<BlockMXFP4, DType::MXFP4>},
};

}  // namespace

void convert_to_f32(DType dtype, std::span<const std::byte> source, std::span<float> output) {
  CHECK_EQ(source.size(), static_cast<size_t>(row_bytes(dtype, static_cast<int64_t>(output.size()))));
  const auto* found = std::ranges::find(kConversions, dtype, &Conversion::dtype);
  if (found == std::end(kConversions))
    fail(ErrorKind::Unsupported, "elements of type {} are no weights: expected a floating-point or block type",
         to_string(dtype));
  found->convert(source.data(), output);
}

}  // namespace cleave
