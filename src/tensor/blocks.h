#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/float16.h"
#include "tensor/dtype.h"

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

/// 2^(e - 128): the scale of an MXFP4 block, halved because kMxfp4Values is doubled. The two smallest are subnormal.
inline float mxfp4_scale(uint8_t e) {
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23);
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
