#pragma once

#include <cstdint>

/// The codebooks of GGML's IQ1, IQ2 and IQ3 types: the vectors of 8 or 4 neighbouring numbers that an index stands for.
/// Source: the grids of ggml/src/ggml-common.h. A vector is kept as one small code per element, element e in the bits
/// from e * (2 or 3) on; what number a code stands for is told below. A zero follows the last, so that 32 bits can be
/// read at each.
namespace cleave {

// 8 elements of 2 bits: codes 0, 1, 2 are kIq2Values.
extern const uint16_t kGridIq2Xxs[256 + 1];
extern const uint16_t kGridIq2Xs[512 + 1];
extern const uint16_t kGridIq2S[1024 + 1];

// 8 elements of 2 bits: codes 0, 1, 2 are -1, 0, 1. For IQ1_S and IQ1_M.
extern const uint16_t kGridIq1[2048 + 1];

// 4 elements of 3 bits: codes are kIq3XxsValues, or for IQ3_S 2 * code + 1.
extern const uint16_t kGridIq3Xxs[256 + 1];
extern const uint16_t kGridIq3S[512 + 1];

/// What codes of two and three bits stand for, before the sign.
inline constexpr uint8_t kIq2Values[4] = {8, 25, 43, 0};
inline constexpr uint8_t kIq3XxsValues[8] = {4, 12, 20, 28, 36, 44, 52, 62};

}  // namespace cleave
