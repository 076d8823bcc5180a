#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"
#include "tensor/dtype.h"
#include "tensor/grids.h"

/// The block layouts of GGML's quantised types, as they lie in a GGUF file (little-endian, no alignment). Source: the
/// GGUF specification (docs/gguf.md) and ggml/src/ggml-common.h of ggml; names follow the latter. x[i] is element i of
/// the block.
///
/// Types with 32 elements keep one scale. Elements i and i + 16 share byte i: the first in the low nibble.
/// Types named _K keep 256 elements in sub-blocks of 16 or 32, whose small integer scales are multiplied by one f16.
namespace cleave {

#pragma pack(push, 1)

/// x[i] = d * (q - 8).
struct BlockQ4_0 {
  float16 d;
  uint8_t qs[16];
};

/// x[i] = d * q + m.
struct BlockQ4_1 {
  float16 d;
  float16 m;
  uint8_t qs[16];
};

/// x[i] = d * (q - 16); bit 4 of element i is bit i of qh (little-endian).
struct BlockQ5_0 {
  float16 d;
  uint8_t qh[4];
  uint8_t qs[16];
};

/// x[i] = d * q + m; bit 4 of element i is bit i of qh (little-endian).
struct BlockQ5_1 {
  float16 d;
  float16 m;
  uint8_t qh[4];
  uint8_t qs[16];
};

/// x[i] = d * q.
struct BlockQ8_0 {
  float16 d;
  int8_t qs[32];
};

/// Sub-blocks of 16: x = d * (scale & 15) * q - dmin * (scale >> 4). Byte j of the half h (32 bytes, 128 elements)
/// holds elements 128h + j, + 32, + 64, + 96 in its four bit pairs, lowest first.
struct BlockQ2_K {
  uint8_t scales[16];
  uint8_t qs[64];
  float16 d;
  float16 dmin;
};

/// Sub-blocks of 16: x = d * (scale - 32) * (q - 4), 6-bit scales (unpack_scales_q3_k). The low two bits of q lie as in
/// Q2_K, bit 2 of element 32k + j is bit k of hmask[j].
struct BlockQ3_K {
  uint8_t hmask[32];
  uint8_t qs[64];
  uint8_t scales[12];
  float16 d;
};

/// Sub-blocks of 32: x = d * scale * q - dmin * min, 6-bit scales and minima (unpack_scales_k4). Byte j of quarter k
/// (32 bytes, 64 elements) holds elements 64k + j (low nibble) and 64k + 32 + j.
struct BlockQ4_K {
  float16 d;
  float16 dmin;
  uint8_t scales[12];
  uint8_t qs[128];
};

/// As Q4_K; bit 4 of element 32k + j is bit k of qh[j].
struct BlockQ5_K {
  float16 d;
  float16 dmin;
  uint8_t scales[12];
  uint8_t qh[32];
  uint8_t qs[128];
};

/// Sub-blocks of 16: x = d * scale * (q - 32). In each half h (128 elements): element 128h + j has its low four bits in
/// the low nibble of ql[64h + j], + 64 in the high nibble (j < 64); its upper two bits are pair (j / 32) of qh[32h + j
/// % 32], j < 128.
struct BlockQ6_K {
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  float16 d;
};

/// x[i] = d * kIq4Values[q].
struct BlockIQ4_NL {
  float16 d;
  uint8_t qs[16];
};

/// Sub-blocks of 32, each with nibbles as in Q4_0: x = d * (scale - 32) * kIq4Values[q]. Scale k has its low four bits
/// in nibble k of scales_l and its upper two in pair k of scales_h.
struct BlockIQ4_XS {
  float16 d;
  uint16_t scales_h;
  uint8_t scales_l[4];
  uint8_t qs[128];
};

/// Sub-blocks of 32, in four parts of eight elements: x = d / 8 * (2 * scale + 1) * value of the grid, with a sign.
/// Sub-block k has its four indices into kGridIq2Xxs in bytes 8k ... 8k + 3 of qs; of the next four, a little-endian
/// word, 7 bits are the signs of each part (signs_of()), and the upper 4 bits are the scale.
struct BlockIQ2_XXS {
  float16 d;
  uint8_t qs[64];
};

/// As IQ2_XXS, with a scale for each half of a sub-block: low and high nibble of scales[k]. Of a part's 16 bits, the
/// low 9 are its index into kGridIq2Xs, the upper 7 its signs.
struct BlockIQ2_XS {
  float16 d;
  uint16_t qs[32];
  uint8_t scales[8];
};

/// As IQ2_XS, with a byte of signs for each part, one bit for each element. Part p of sub-block k has the low eight
/// bits of its index into kGridIq2S in qs[4k + p] and the upper two in pair p of qh[k].
struct BlockIQ2_S {
  float16 d;
  uint8_t qs[32];
  uint8_t signs[32];
  uint8_t qh[8];
  uint8_t scales[8];
};

/// Sub-blocks of 32: x = d / 4 * (2 * scale + 1) * value of the grid, with a sign. Byte j of qs is the index into
/// kGridIq3Xxs of elements 4j ... 4j + 3. Word k (little-endian) of signs holds signs and scale as in IQ2_XXS.
struct BlockIQ3_XXS {
  float16 d;
  uint8_t qs[64];
  uint8_t signs[32];
};

/// Sub-blocks of 32: x = d * (2 * scale + 1) * value of the grid, with a sign. The index into kGridIq3S of elements
/// 4j ... 4j + 3 has its low eight bits in qs[j] and the upper one in bit j % 8 of qh[j / 8]; signs has a bit for each
/// element. Scale k is nibble k of scales.
struct BlockIQ3_S {
  float16 d;
  uint8_t qs[64];
  uint8_t qh[8];
  uint8_t signs[32];
  uint8_t scales[4];
};

/// Sub-blocks of 32, in four parts of eight elements: x = d * (2 * scale + 1) * (value of the grid +- 1/8). Part p of
/// sub-block k has the low eight bits of its index into kGridIq1 in qs[4k + p] and the upper three in bits 3p ... 3p +
/// 2 of qh[k]; bits 12 to 14 are the scale, and bit 15 says that 1/8 is taken off.
struct BlockIQ1_S {
  float16 d;
  uint8_t qs[32];
  uint16_t qh[8];
};

/// As IQ1_S, with a scale for each half of a sub-block and a sign of 1/8 for each part. Part p of sub-block k has the
/// upper bits of its index in bits 0 to 2, and the sign in bit 3, of nibble p of the word of qh[2k] and qh[2k + 1].
/// Each of four little-endian words of scales has four scales of three bits; their upper nibbles are the bits of d,
/// lowest first.
struct BlockIQ1_M {
  uint8_t qs[32];
  uint8_t qh[16];
  uint16_t scales[4];
};

/// x = d * (q - 1). Bytes hold five digits of base 3, as byte * 3^n modulo 256 times 3 / 256 for digit n: those of
/// qs[j] are elements j, j + 32, ... (j < 32) and 160 + j - 32, + 16, ... (j >= 32), four of qh[j] elements 240 + j, +
/// 4, ...
struct BlockTQ1_0 {
  uint8_t qs[48];
  uint8_t qh[4];
  float16 d;
};

/// x = d * (q - 1); pairs lie as in Q2_K.
struct BlockTQ2_0 {
  uint8_t qs[64];
  float16 d;
};

/// Sub-blocks of 16: x = scale * kMxfp4Values[q] / 2 with a scale of eight bits (nvfp4_scale()). Element i of sub-block
/// s is the low nibble of qs[8s + i], element i + 8 the high one.
struct BlockNVFP4 {
  uint8_t scales[4];
  uint8_t qs[32];
};

/// x[i] = d if bit i of qs is set (little-endian), else -d.
struct BlockQ1_0 {
  float16 d;
  uint8_t qs[16];
};

/// x[i] = d * (q - 1); pair i of qs is element i.
struct BlockQ2_0 {
  float16 d;
  uint8_t qs[16];
};

/// x[i] = scale * (q - 2^(kBits - 1)); bits kBits * i ... of levels are element i (little-endian).
template <int kBits, int kGroup>
struct BlockInt {
  float scale;
  uint8_t levels[kGroup * kBits / 8];
};

/// x[i] = scale * q + minimum; levels lie as in BlockInt.
template <int kBits, int kGroup>
struct BlockUint {
  float scale;
  float minimum;
  uint8_t levels[kGroup * kBits / 8];
};

/// As a sub-block of NVFP4, multiplied by `factor`, which is the same for a whole row or tensor.
struct BlockNVFP4_G16 {
  float factor;
  uint8_t scale;
  uint8_t qs[8];
};

/// x[i] = scale * kNf4Values[q], or kBnbFp4Values[q]: element 2i is the high nibble of qs[i], element 2i + 1 the low
/// one.
struct BlockFloat4 {
  float scale;
  uint8_t qs[32];
};

/// x[i] = scale * code i as a number of OCP FP8 (E4M3).
struct BlockFP8 {
  float scale;
  uint8_t codes[128];
};

/// x[i] = 2^(e - 128) * kMxfp4Values[q]: OCP MX floating point, FP4 (E2M1) elements with an E8M0 scale.
struct BlockMXFP4 {
  uint8_t e;
  uint8_t qs[16];
};

#pragma pack(pop)

/// The sixteen levels of IQ4_NL and IQ4_XS.
inline constexpr std::array<int8_t, 16> kIq4Values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                      1,    13,   25,  38,  53,  69,  89,  113};

/// Twice the values of FP4 (E2M1), so that they are integers; index 8 is minus zero.
inline constexpr std::array<int8_t, 16> kMxfp4Values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// The 4-bit floats of bitsandbytes (the quant_map of its checkpoints): quantiles of the normal distribution, and FP4.
inline constexpr std::array<float, 16> kNf4Values = {-1.0f,
                                                     -0.6961928009986877f,
                                                     -0.5250730514526367f,
                                                     -0.39491748809814453f,
                                                     -0.28444138169288635f,
                                                     -0.18477343022823334f,
                                                     -0.09105003625154495f,
                                                     0.0f,
                                                     0.07958029955625534f,
                                                     0.16093020141124725f,
                                                     0.24611230194568634f,
                                                     0.33791524171829224f,
                                                     0.44070982933044434f,
                                                     0.5626170039176941f,
                                                     0.7229568362236023f,
                                                     1.0f};
inline constexpr std::array<float, 16> kBnbFp4Values = {0.0f,
                                                        0.0052083334885537624f,
                                                        0.6666666865348816f,
                                                        1.0f,
                                                        0.3333333432674408f,
                                                        0.5f,
                                                        0.1666666716337204f,
                                                        0.25f,
                                                        0.0f,
                                                        -0.0052083334885537624f,
                                                        -0.6666666865348816f,
                                                        -1.0f,
                                                        -0.3333333432674408f,
                                                        -0.5f,
                                                        -0.1666666716337204f,
                                                        -0.25f};

/// 2^(e - 128): the scale of an MXFP4 block, halved because kMxfp4Values is doubled. The two smallest are subnormal.
inline float mxfp4_scale(uint8_t e) {
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23);
}

/// The scale of a sub-block of NVFP4, halved because kMxfp4Values is doubled: E4M3 of OCP FP8, whose sign is not used.
/// As in ggml 0x7f, not a number, is 0.
inline float nvfp4_scale(uint8_t scale) {
  if (scale == 0x7f) return 0;
  return std::bit_cast<float>((scale & 0x7fu) << 20) * 0x1p119f;  // the exponent's bias is 7 instead of 127
}

/// The f16 of an IQ1_M block.
inline float16 scale_of(const BlockIQ1_M& block) {
  const int bits = block.scales[0] >> 12 | (block.scales[1] >> 8 & 0xf0) | (block.scales[2] >> 4 & 0xf00) |
                   (block.scales[3] & 0xf000);
  return float16{static_cast<uint16_t>(bits)};
}

/// The signs of eight elements from seven bits: the last one makes the number of signs even.
constexpr uint8_t signs_of(uint32_t seven_bits) {
  const uint32_t bits = seven_bits & 127;
  return static_cast<uint8_t>(bits | (static_cast<uint32_t>(std::popcount(bits)) & 1) << 7);
}

/// The eight 6-bit scales and minima of a Q4_K or Q5_K block.
struct ScalesK4 {
  std::array<uint8_t, 8> scale;
  std::array<uint8_t, 8> min;
};

/// Bytes 0-3 hold scales 0-3 and bytes 4-7 minima 0-3 in their low six bits; bytes 8-11 hold the low nibbles of scales
/// (low) and minima (high) 4-7, whose upper two bits are the upper two of bytes 0-3 and 4-7.
inline ScalesK4 unpack_scales_k4(const uint8_t (&packed)[12]) {
  ScalesK4 scales;
  for (size_t i = 0; i < 4; ++i) {
    scales.scale[i] = packed[i] & 63;
    scales.min[i] = packed[i + 4] & 63;
    scales.scale[i + 4] = static_cast<uint8_t>((packed[i + 8] & 15) | (packed[i] >> 6) << 4);
    scales.min[i + 4] = static_cast<uint8_t>((packed[i + 8] >> 4) | (packed[i + 4] >> 6) << 4);
  }
  return scales;
}

/// The sixteen scales of a Q3_K block, 32 already taken off. Nibble k of bytes 0-7 (low nibbles first) holds the low
/// four bits of scale k; bytes 8-11 hold the upper two: scale k in pair k / 4 of byte 8 + k % 4.
inline std::array<int8_t, 16> unpack_scales_q3_k(const uint8_t (&packed)[12]) {
  std::array<int8_t, 16> scales;
  for (size_t k = 0; k < 16; ++k) {
    const int low = k < 8 ? packed[k] & 15 : packed[k - 8] >> 4;
    const int high = packed[8 + k % 4] >> (2 * (k / 4)) & 3;
    scales[k] = static_cast<int8_t>((low | high << 4) - 32);
  }
  return scales;
}

}  // namespace cleave
