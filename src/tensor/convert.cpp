#include "tensor/convert.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/check.h"
#include "base/float16.h"
#include "tensor/blocks.h"
#include "tensor/convert_grids.h"

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

// 8 exponent bits (bias 127) alone: a power of two; 255 is NaN. 2^-127 is subnormal.
float from_f8_e8m0(uint8_t x) {
  const auto bits = static_cast<uint32_t>(x);
  return std::bit_cast<float>(x == 0 ? 0x00400000u : x == 255 ? 0x7fc00000u : bits << 23);
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

void decode(const BlockTQ1_0& block, float* out) {
  constexpr std::array<uint8_t, 5> kPowers = {1, 3, 9, 27, 81};
  const float d = to_float(block.d);
  const auto number = [&](uint8_t digits, int n) {
    const auto moved = static_cast<uint8_t>(digits * kPowers[static_cast<size_t>(n)]);
    return static_cast<float>((moved * 3 >> 8) - 1) * d;
  };
  for (int i = 0; i < 160; ++i) out[i] = number(block.qs[i % 32], i / 32);
  for (int i = 0; i < 80; ++i) out[160 + i] = number(block.qs[32 + i % 16], i / 16);
  for (int i = 0; i < 16; ++i) out[240 + i] = number(block.qh[i % 4], i / 4);
}

void decode(const BlockTQ2_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 256; ++i)
    out[i] = static_cast<float>((block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) - 1) * d;
}

// 16 elements of FP4 in 8 bytes, with a scale of eight bits.
void decode_fp4(const uint8_t* qs, float scale, float* out) {
  for (int i = 0; i < 8; ++i) {
    out[i] = scale * static_cast<float>(kMxfp4Values[qs[i] & 15]);
    out[i + 8] = scale * static_cast<float>(kMxfp4Values[qs[i] >> 4]);
  }
}

void decode(const BlockNVFP4& block, float* out) {
  for (int s = 0; s < 4; ++s) decode_fp4(block.qs + 8 * s, nvfp4_scale(block.scales[s]), out + 16 * s);
}

void decode(const BlockNVFP4_G16& block, float* out) {
  decode_fp4(block.qs, nvfp4_scale(block.scale), out);
  for (int i = 0; i < 16; ++i) out[i] *= block.factor;
}

void decode(const BlockQ1_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 128; ++i) out[i] = (block.qs[i / 8] >> (i % 8) & 1) != 0 ? d : -d;
}

void decode(const BlockQ2_0& block, float* out) {
  const float d = to_float(block.d);
  for (int i = 0; i < 64; ++i) out[i] = static_cast<float>((block.qs[i / 4] >> (i % 4 * 2) & 3) - 1) * d;
}

// Calls use(i, level) for each element of a little-endian stream of bits. Eight levels are kBits bytes.
template <int kBits, int kGroup, class Use>
void for_levels(const uint8_t (&levels)[kGroup * kBits / 8], Use use) {
  for (int i = 0; i < kGroup; i += 8) {
    uint64_t bits = 0;
    std::memcpy(&bits, levels + i / 8 * kBits, kBits);
    for (int j = 0; j < 8; ++j) use(i + j, static_cast<int>(bits >> (kBits * j) & ((1u << kBits) - 1)));
  }
}

template <int kBits, int kGroup>
void decode(const BlockInt<kBits, kGroup>& block, float* out) {
  constexpr int kZero = 1 << (kBits - 1);
  for_levels<kBits, kGroup>(block.levels, [&](int i, int q) { out[i] = block.scale * static_cast<float>(q - kZero); });
}

template <int kBits, int kGroup>
void decode(const BlockUint<kBits, kGroup>& block, float* out) {
  for_levels<kBits, kGroup>(block.levels,
                            [&](int i, int q) { out[i] = block.scale * static_cast<float>(q) + block.minimum; });
}

// A block of bitsandbytes with the codebook of its type.
struct BlockNF4 : BlockFloat4 {};
struct BlockFP4 : BlockFloat4 {};

void decode_float4(const BlockFloat4& block, const std::array<float, 16>& values, float* out) {
  for (int i = 0; i < 32; ++i) {
    out[2 * i] = block.scale * values[block.qs[i] >> 4];
    out[2 * i + 1] = block.scale * values[block.qs[i] & 15];
  }
}

void decode(const BlockNF4& block, float* out) {
  decode_float4(block, kNf4Values, out);
}

void decode(const BlockFP4& block, float* out) {
  decode_float4(block, kBnbFp4Values, out);
}

void decode(const BlockFP8& block, float* out) {
  for (const uint8_t code : block.codes) *out++ = block.scale * from_f8_e4m3(code);
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
    {DType::F8_E8M0, convert_elements<uint8_t, from_f8_e8m0>},
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
    {DType::IQ1_S, convert_blocks<BlockIQ1_S, DType::IQ1_S>},
    {DType::IQ1_M, convert_blocks<BlockIQ1_M, DType::IQ1_M>},
    {DType::IQ2_XXS, convert_blocks<BlockIQ2_XXS, DType::IQ2_XXS>},
    {DType::IQ2_XS, convert_blocks<BlockIQ2_XS, DType::IQ2_XS>},
    {DType::IQ2_S, convert_blocks<BlockIQ2_S, DType::IQ2_S>},
    {DType::IQ3_XXS, convert_blocks<BlockIQ3_XXS, DType::IQ3_XXS>},
    {DType::IQ3_S, convert_blocks<BlockIQ3_S, DType::IQ3_S>},
    {DType::TQ1_0, convert_blocks<BlockTQ1_0, DType::TQ1_0>},
    {DType::TQ2_0, convert_blocks<BlockTQ2_0, DType::TQ2_0>},
    {DType::NVFP4, convert_blocks<BlockNVFP4, DType::NVFP4>},
    {DType::Q1_0, convert_blocks<BlockQ1_0, DType::Q1_0>},
    {DType::Q2_0, convert_blocks<BlockQ2_0, DType::Q2_0>},
    {DType::INT2_G32, convert_blocks<BlockInt<2, 32>, DType::INT2_G32>},
    {DType::INT2_G64, convert_blocks<BlockInt<2, 64>, DType::INT2_G64>},
    {DType::INT2_G128, convert_blocks<BlockInt<2, 128>, DType::INT2_G128>},
    {DType::INT3_G32, convert_blocks<BlockInt<3, 32>, DType::INT3_G32>},
    {DType::INT3_G64, convert_blocks<BlockInt<3, 64>, DType::INT3_G64>},
    {DType::INT3_G128, convert_blocks<BlockInt<3, 128>, DType::INT3_G128>},
    {DType::INT4_G32, convert_blocks<BlockInt<4, 32>, DType::INT4_G32>},
    {DType::INT4_G64, convert_blocks<BlockInt<4, 64>, DType::INT4_G64>},
    {DType::INT4_G128, convert_blocks<BlockInt<4, 128>, DType::INT4_G128>},
    {DType::INT8_G32, convert_blocks<BlockInt<8, 32>, DType::INT8_G32>},
    {DType::INT8_G64, convert_blocks<BlockInt<8, 64>, DType::INT8_G64>},
    {DType::INT8_G128, convert_blocks<BlockInt<8, 128>, DType::INT8_G128>},
    {DType::UINT2_G32, convert_blocks<BlockUint<2, 32>, DType::UINT2_G32>},
    {DType::UINT2_G64, convert_blocks<BlockUint<2, 64>, DType::UINT2_G64>},
    {DType::UINT2_G128, convert_blocks<BlockUint<2, 128>, DType::UINT2_G128>},
    {DType::UINT3_G32, convert_blocks<BlockUint<3, 32>, DType::UINT3_G32>},
    {DType::UINT3_G64, convert_blocks<BlockUint<3, 64>, DType::UINT3_G64>},
    {DType::UINT3_G128, convert_blocks<BlockUint<3, 128>, DType::UINT3_G128>},
    {DType::UINT4_G32, convert_blocks<BlockUint<4, 32>, DType::UINT4_G32>},
    {DType::UINT4_G64, convert_blocks<BlockUint<4, 64>, DType::UINT4_G64>},
    {DType::UINT4_G128, convert_blocks<BlockUint<4, 128>, DType::UINT4_G128>},
    {DType::UINT8_G32, convert_blocks<BlockUint<8, 32>, DType::UINT8_G32>},
    {DType::UINT8_G64, convert_blocks<BlockUint<8, 64>, DType::UINT8_G64>},
    {DType::UINT8_G128, convert_blocks<BlockUint<8, 128>, DType::UINT8_G128>},
    {DType::NVFP4_G16, convert_blocks<BlockNVFP4_G16, DType::NVFP4_G16>},
    {DType::NF4_G64, convert_blocks<BlockNF4, DType::NF4_G64>},
    {DType::FP4_G64, convert_blocks<BlockFP4, DType::FP4_G64>},
    {DType::FP8_G128, convert_blocks<BlockFP8, DType::FP8_G128>},
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
