#include "tensor/convert_grids.h"

#include <cstring>

// This file is compiled without fused multiply-add (see CMakeLists.txt): its results are compared bit by bit.
namespace cleave {
namespace {

uint32_t load_word(const uint8_t* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Eight numbers of a grid of two-bit codes, scaled; bit i of `signs` is the sign of the i-th.
void decode_eight(uint16_t codes, uint8_t signs, float scale, float* out) {
  for (int i = 0; i < 8; ++i) {
    const auto value = static_cast<float>(kIq2Values[codes >> (2 * i) & 3]);
    out[i] = scale * value * ((signs >> i & 1) != 0 ? -1.0f : 1.0f);
  }
}

// Four numbers of a grid of three-bit codes.
template <class ValueOf>
void decode_four(uint16_t codes, int signs, float scale, ValueOf value_of, float* out) {
  for (int i = 0; i < 4; ++i)
    out[i] = scale * static_cast<float>(value_of(codes >> (3 * i) & 7)) * ((signs >> i & 1) != 0 ? -1.0f : 1.0f);
}

// Eight numbers of IQ1's grid.
void decode_ternary(uint16_t codes, float delta, float scale, float* out) {
  for (int i = 0; i < 8; ++i) out[i] = scale * (static_cast<float>((codes >> (2 * i) & 3) - 1) + delta);
}

float nibble_scale(float d, int nibble, float unit) {
  return d * (0.5f + static_cast<float>(nibble)) * unit;
}

}  // namespace

void decode(const BlockIQ2_XXS& block, float* out) {
  const float d = to_float(block.d);
  for (int k = 0; k < 8; ++k) {
    const uint8_t* indices = block.qs + 8 * k;
    const uint32_t signs = load_word(indices + 4);
    const float scale = nibble_scale(d, static_cast<int>(signs >> 28), 0.25f);
    for (int p = 0; p < 4; ++p)
      decode_eight(kGridIq2Xxs[indices[p]], signs_of(signs >> (7 * p)), scale, out + 32 * k + 8 * p);
  }
}

void decode(const BlockIQ2_XS& block, float* out) {
  const float d = to_float(block.d);
  for (int p = 0; p < 32; ++p) {
    const float scale = nibble_scale(d, block.scales[p / 4] >> (p % 4 / 2 * 4) & 15, 0.25f);
    decode_eight(kGridIq2Xs[block.qs[p] & 511], signs_of(static_cast<uint32_t>(block.qs[p] >> 9)), scale, out + 8 * p);
  }
}

void decode(const BlockIQ2_S& block, float* out) {
  const float d = to_float(block.d);
  for (int p = 0; p < 32; ++p) {
    const float scale = nibble_scale(d, block.scales[p / 4] >> (p % 4 / 2 * 4) & 15, 0.25f);
    const int index = block.qs[p] | (block.qh[p / 4] >> (p % 4 * 2) & 3) << 8;
    decode_eight(kGridIq2S[index], block.signs[p], scale, out + 8 * p);
  }
}

void decode(const BlockIQ3_XXS& block, float* out) {
  const float d = to_float(block.d);
  const auto value_of = [](int code) { return kIq3XxsValues[code]; };
  for (int k = 0; k < 8; ++k) {
    const uint32_t word = load_word(block.signs + 4 * k);
    const float scale = nibble_scale(d, static_cast<int>(word >> 28), 0.5f);
    for (int q = 0; q < 8; ++q) {
      const int signs = signs_of(word >> (q / 2 * 7)) >> (q % 2 * 4);
      decode_four(kGridIq3Xxs[block.qs[8 * k + q]], signs, scale, value_of, out + 32 * k + 4 * q);
    }
  }
}

void decode(const BlockIQ3_S& block, float* out) {
  const float d = to_float(block.d);
  const auto value_of = [](int code) { return 2 * code + 1; };
  for (int q = 0; q < 64; ++q) {
    const int nibble = block.scales[q / 16] >> (q / 8 % 2 * 4) & 15;
    const int index = block.qs[q] | (block.qh[q / 8] >> (q % 8) & 1) << 8;
    decode_four(kGridIq3S[index], block.signs[q / 2] >> (q % 2 * 4), d * static_cast<float>(1 + 2 * nibble), value_of,
                out + 4 * q);
  }
}

void decode(const BlockIQ1_S& block, float* out) {
  const float d = to_float(block.d);
  for (int p = 0; p < 32; ++p) {
    const int high = block.qh[p / 4];
    const float scale = d * static_cast<float>(2 * (high >> 12 & 7) + 1);
    const int index = block.qs[p] | (high >> (p % 4 * 3) & 7) << 8;
    decode_ternary(kGridIq1[index], (high & 0x8000) != 0 ? -0.125f : 0.125f, scale, out + 8 * p);
  }
}

void decode(const BlockIQ1_M& block, float* out) {
  const float d = to_float(scale_of(block));
  for (int p = 0; p < 32; ++p) {
    const int high = block.qh[p / 2] >> (p % 2 * 4);
    const int small = block.scales[p / 8] >> (p % 8 / 2 * 3) & 7;
    const int index = block.qs[p] | (high & 7) << 8;
    decode_ternary(kGridIq1[index], (high & 8) != 0 ? -0.125f : 0.125f, d * static_cast<float>(2 * small + 1),
                   out + 8 * p);
  }
}

}  // namespace cleave
