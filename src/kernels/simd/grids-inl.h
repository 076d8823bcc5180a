// Levels of the types whose elements stand in codebooks of vectors (tensor/grids.h), four or eight at a time.
//
// An index is looked up for sixteen rows at once, which gives small codes of 8 or 4 elements. A code and the sign of
// its element together are an index into a table of sixteen levels: zero +- value. In IQ1 the "sign" says that an
// eighth is taken off instead of added.
#pragma once

#include "kernels/layout/block_layout.h"
#include "kernels/simd/grid_halves.h"
#include "kernels/simd/vector-inl.h"
#include "tensor/grids.h"

namespace cleave::kernels::simd {
namespace {

// Levels by code and sign: of two bits and the sign in bit 2, or of three bits and the sign in bit 3.
alignas(16) constexpr uint8_t kIq2Levels[16] = {51, 68, 86, 43, 35, 18, 0, 43, 51, 68, 86, 43, 35, 18, 0, 43};
alignas(16) constexpr uint8_t kIq1Levels[16] = {2, 10, 18, 0, 0, 8, 16, 0, 2, 10, 18, 0, 0, 8, 16, 0};
alignas(16) constexpr uint8_t kIq3XxsLevels[16] = {66, 74, 82, 90, 98, 106, 114, 124, 58, 50, 42, 34, 26, 18, 10, 0};
alignas(16) constexpr uint8_t kIq3SLevels[16] = {16, 18, 20, 22, 24, 26, 28, 30, 14, 12, 10, 8, 6, 4, 2, 0};

// What a record's scale is multiplied by: levels of IQ1 are eighths.
template <Codebook kGrid>
constexpr float kGridUnit = kGrid == Codebook::Iq3S     ? 1.0f
                            : kGrid == Codebook::Iq3Xxs ? 0.25f
                                                        : 0.125f;

// What a grid's unit is made of.
struct GridForm {
  const uint16_t* grid;
  const uint8_t* levels;
  int code_bits;   // of an element: 2 where an index stands for eight elements, 3 where it stands for four
  bool parity;     // whether signs have seven bits, the eighth of which makes their number even
  int high_bytes;  // of upper bits of indices, of each row
  int high_step;   // of which those of the next index begin
  uint32_t high_mask;
};

template <Codebook kGrid>
constexpr GridForm grid_form() {
  switch (kGrid) {
    case Codebook::Iq2Xxs:
      return {kGridIq2Xxs, kIq2Levels, 2, true, 0, 0, 0};
    case Codebook::Iq2Xs:
      return {kGridIq2Xs, kIq2Levels, 2, true, 0, 8, 0x100};
    case Codebook::Iq2S:
      return {kGridIq2S, kIq2Levels, 2, false, 1, 2, 0x300};
    case Codebook::Iq3Xxs:
      return {kGridIq3Xxs, kIq3XxsLevels, 3, true, 0, 0, 0};
    case Codebook::Iq3S:
      return {kGridIq3S, kIq3SLevels, 3, false, 1, 1, 0x100};
    case Codebook::Iq1S:
      return {kGridIq1, kIq1Levels, 2, false, 2, 3, 0x700};
    default:
      return {kGridIq1, kIq1Levels, 2, false, 2, 4, 0x700};
  }
}

// A unit of kLanes rows as it is packed: low bytes of indices, signs, and upper bits of indices.
struct GridUnit {
  U32 indices[2], signs, high;
};

// Sets bit 7 of each byte so that the number of bits is even.
CLEAVE_INLINE U32 with_parity(U32 signs) {
  const U32 seven = signs & 0x7f7f7f7fu;
  U32 odd = seven ^ seven >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return seven | (odd & 0x01010101u) << 7;
}

template <Codebook kGrid>
CLEAVE_INLINE GridUnit load_grid(const uint8_t* p, int lane) {
  constexpr GridForm kForm = grid_form<kGrid>();
  constexpr bool kFours = kForm.code_bits == 3, kSigns = kForm.levels != kIq1Levels;
  GridUnit unit = {};
  const auto vector = [&p, lane] {
    const U32 v = load_as<U32>(p + lane * 4);
    p += 64;
    return v;
  };
  unit.indices[0] = vector();
  if constexpr (kFours) unit.indices[1] = vector();
  if constexpr (kSigns) unit.signs = vector();
  if constexpr (kForm.high_bytes == 1) unit.high = bits<U32>(load_unsigned_bytes(p + lane));
  if constexpr (kForm.high_bytes == 2) unit.high = __builtin_convertvector(load_as<U16>(p + lane * 2), U32);
  if constexpr (kGrid == Codebook::Iq2Xs) unit.high = unit.signs >> 7;
  if constexpr (kForm.parity) unit.signs = with_parity(unit.signs);
  return unit;
}

// The codes of index kIndex of kLanes rows, in the lower half of each lane.
template <Codebook kGrid, int kIndex>
CLEAVE_INLINE U32 look_up_codes(const GridUnit& unit) {
  constexpr GridForm kForm = grid_form<kGrid>();
  constexpr bool kFours = kForm.code_bits == 3;
  constexpr int kByte = kFours ? kIndex / 2 : kIndex, kShift = kForm.high_step * kIndex - 8;
  U32 index = (unit.indices[kFours ? kIndex % 2 : 0] >> (8 * kByte)) & 0xffu;
  if constexpr (kForm.high_mask != 0)
    index |= (kShift < 0 ? unit.high << (kShift < 0 ? -kShift : 0) : unit.high >> (kShift < 0 ? 0 : kShift)) &
             kForm.high_mask;
#if defined(__AVX512F__)  // entries of 16 bits, of which 32 are read
  return bits<U32>(_mm512_mask_i32gather_epi32(__m512i{}, 0xffff, bits<__m512i>(index), kForm.grid, 2));
#elif defined(__AVX2__)
  return bits<U32>(_mm256_i32gather_epi32(reinterpret_cast<const int*>(kForm.grid), bits<__m256i>(index), 2));
#else
  for (int i = 0; i < kLanes; ++i) index[i] = kForm.grid[index[i]];
  return index;
#endif
}

// Where signs of quad kQuad begin among the bits of a lane, and how many bits later the next one is.
template <Codebook kGrid, int kQuad>
constexpr int kSignAt = kGrid == Codebook::Iq1S   ? 15
                        : kGrid == Codebook::Iq1M ? kQuad / 2 * 4 + 3
                                                  : 4 * kQuad;
template <Codebook kGrid>
constexpr int kSignStep = kGrid == Codebook::Iq1S || kGrid == Codebook::Iq1M ? 0 : 1;

#if defined(__AVX512VBMI__)

// Numbers of the bits of a pair of lanes at which the bytes of a result begin: byte i of a lane has those from kFirst +
// kStep * i on.
struct alignas(64) BitPlaces {
  uint8_t of[64];
};
template <int kFirst, int kStep>
constexpr BitPlaces bit_places() {
  BitPlaces places{};
  for (int i = 0; i < 64; ++i) places.of[i] = static_cast<uint8_t>((i / 4 % 2 * 32 + kFirst + kStep * (i % 4)) & 63);
  return places;
}
template <int kFirst, int kStep>
constexpr BitPlaces kBitPlaces = bit_places<kFirst, kStep>();

template <int kFirst, int kStep>
CLEAVE_INLINE __m512i take_bits(U32 v) {
  return _mm512_maskz_multishift_epi64_epi8(~0ull, load_as<__m512i>(kBitPlaces<kFirst, kStep>.of), bits<__m512i>(v));
}

// Grids that are small enough to be looked up in registers, 64 indices at a time. One row, weights in a cache, 10^9
// weights per second of a Sapphire Rapids core, gathered and looked up so: IQ2_XXS 23 and 31, IQ2_XS 20 and 22, IQ3_XXS
// 15 and 23, IQ3_S 16 and 18.
template <Codebook kGrid>
constexpr int kGridEntries = kGrid == Codebook::Iq2Xxs || kGrid == Codebook::Iq3Xxs ? 256
                             : kGrid == Codebook::Iq2Xs || kGrid == Codebook::Iq3S  ? 512
                                                                                    : 0;
template <Codebook kGrid>
constexpr const GridHalves& grid_halves() {
  if (kGrid == Codebook::Iq2Xxs) return kHalvesIq2Xxs;
  if (kGrid == Codebook::Iq2Xs) return kHalvesIq2Xs;
  return kGrid == Codebook::Iq3Xxs ? kHalvesIq3Xxs : kHalvesIq3S;
}

// Bytes of a table of 256, for 64 indices; `above` tells which of them are 128 or more.
CLEAVE_INLINE __m512i look_up_256(const uint8_t* table, __m512i index, __mmask64 above) {
  const auto entries = [table](int i) { return load_as<__m512i>(table + i * 64); };
  return _mm512_mask_blend_epi8(above, _mm512_permutex2var_epi8(entries(0), index, entries(1)),
                                _mm512_permutex2var_epi8(entries(2), index, entries(3)));
}

// The codes of half `half` of the elements of each of 64 indices, a byte each. `upper` tells which indices are of the
// second 256.
template <Codebook kGrid>
CLEAVE_INLINE __m512i look_up_half(U32 indices, __mmask64 upper, int half) {
  const uint8_t* table = grid_halves<kGrid>().of[half];
  const auto index = bits<__m512i>(indices);
  const __mmask64 above = _mm512_movepi8_mask(index);
  const __m512i codes = look_up_256(table, index, above);
  if constexpr (kGridEntries<kGrid> == 256) return codes;
  return _mm512_mask_blend_epi8(upper, codes, look_up_256(table + 256, index, above));
}

// The levels of quad kQuad from its codes, a byte each. Bytes of codes and signs have other bits above, which the
// table, repeated four times, ignores.
template <Codebook kGrid, int kQuad>
CLEAVE_INLINE U8 join_levels(__m512i code, U32 signs) {
  constexpr GridForm kForm = grid_form<kGrid>();
  constexpr int kBits = kForm.code_bits;
  const __m512i sign = take_bits<kSignAt<kGrid, kQuad> - kBits, kSignStep<kGrid>>(signs);
  const __m512i mask = _mm512_set1_epi8((1 << kBits) - 1);
  const __m512i index = _mm512_ternarylogic_epi32(mask, code, sign, 0xca);  // mask ? code : sign
  const __m512i table = _mm512_maskz_broadcast_i32x4(0xffff, load_as<__m128i>(kForm.levels));
  return bits<U8>(_mm512_maskz_permutexvar_epi8(~0ull, index, table));
}

// The levels of quad kQuad, whose codes begin at bit kFirst.
template <Codebook kGrid, int kQuad, int kFirst>
CLEAVE_INLINE U8 grid_levels(U32 codes, U32 signs) {
  return join_levels<kGrid, kQuad>(take_bits<kFirst, grid_form<kGrid>().code_bits>(codes), signs);
}

// All levels of a unit of a grid that is looked up in registers. halves[v][h]: codes of half h of the indices v.
template <Codebook kGrid, int kQuad>
CLEAVE_INLINE U8 levels_of_halves(const __m512i (&halves)[2][2], U32 signs) {
  constexpr int kPart = kQuad / 2;
  if constexpr (grid_form<kGrid>().code_bits == 2)
    return join_levels<kGrid, kQuad>(take_bits<8 * kPart, 2>(bits<U32>(halves[0][kQuad % 2])), signs);
  // Two elements of each half: bytes 2 and 3 come from the second.
  const __m512i first = take_bits<8 * kPart, 3>(bits<U32>(halves[kQuad % 2][0]));
  const __m512i second = take_bits<8 * kPart - 6, 3>(bits<U32>(halves[kQuad % 2][1]));
  return join_levels<kGrid, kQuad>(_mm512_mask_blend_epi16(0xaaaaaaaa, first, second), signs);
}

template <Codebook kGrid>
CLEAVE_INLINE void unpack_in_registers(const GridUnit& unit, U8 (&levels)[8]) {
  constexpr bool kFours = grid_form<kGrid>().code_bits == 3;
  __m512i halves[2][2];
#pragma GCC unroll 2
  for (int v = 0; v < (kFours ? 2 : 1); ++v) {
    __mmask64 upper = 0;  // bit 7 of bytes says which indices are of the second 256
    if constexpr (kGrid == Codebook::Iq2Xs) upper = _mm512_movepi8_mask(bits<__m512i>(unit.high << 7));
    if constexpr (kGrid == Codebook::Iq3S)
      upper = _mm512_movepi8_mask(v == 0 ? take_bits<-7, 2>(unit.high) : take_bits<-6, 2>(unit.high));
    for (int h = 0; h < 2; ++h) halves[v][h] = look_up_half<kGrid>(unit.indices[v], upper, h);
  }
  levels[0] = levels_of_halves<kGrid, 0>(halves, unit.signs);
  levels[1] = levels_of_halves<kGrid, 1>(halves, unit.signs);
  levels[2] = levels_of_halves<kGrid, 2>(halves, unit.signs);
  levels[3] = levels_of_halves<kGrid, 3>(halves, unit.signs);
  levels[4] = levels_of_halves<kGrid, 4>(halves, unit.signs);
  levels[5] = levels_of_halves<kGrid, 5>(halves, unit.signs);
  levels[6] = levels_of_halves<kGrid, 6>(halves, unit.signs);
  levels[7] = levels_of_halves<kGrid, 7>(halves, unit.signs);
}

#else

// A byte for each of four numbers of kBits bits, or of one bit kStep apart.
template <int kBits>
CLEAVE_INLINE U32 spread_codes(U32 codes) {
  if constexpr (kBits == 2) {
    const U32 four = codes & 0xffu, two = (four | four << 12) & 0x000f000fu;
    return (two | two << 6) & 0x03030303u;
  } else {
    const U32 four = codes & 0xfffu, two = (four | four << 10) & 0x003f003fu;
    return (two | two << 5) & 0x07070707u;
  }
}
template <int kStep>
CLEAVE_INLINE U32 spread_signs(U32 signs) {
  return kStep == 0 ? (signs & 1u) * 0x01010101u : ((signs & 15u) * 0x00204081u) & 0x01010101u;
}

template <Codebook kGrid, int kQuad, int kFirst>
CLEAVE_INLINE U8 grid_levels(U32 codes, U32 signs) {
  constexpr GridForm kForm = grid_form<kGrid>();
  const U32 sign = spread_signs<kSignStep<kGrid>>(signs >> kSignAt<kGrid, kQuad>);
  return look_up_16(kForm.levels, bits<U8>(spread_codes<kForm.code_bits>(codes >> kFirst) | sign << kForm.code_bits));
}

#endif

// The levels of quads 2 * kPart and 2 * kPart + 1.
template <Codebook kGrid, int kPart>
CLEAVE_INLINE void unpack_grid_part(const GridUnit& unit, U8 (&levels)[8]) {
  constexpr bool kFours = grid_form<kGrid>().code_bits == 3;
  const U32 signs = kSignStep<kGrid> == 0 ? unit.high : unit.signs;
  if constexpr (kFours) {
    levels[2 * kPart] = grid_levels<kGrid, 2 * kPart, 0>(look_up_codes<kGrid, 2 * kPart>(unit), signs);
    levels[2 * kPart + 1] = grid_levels<kGrid, 2 * kPart + 1, 0>(look_up_codes<kGrid, 2 * kPart + 1>(unit), signs);
  } else {
    const U32 codes = look_up_codes<kGrid, kPart>(unit);
    levels[2 * kPart] = grid_levels<kGrid, 2 * kPart, 0>(codes, signs);
    levels[2 * kPart + 1] = grid_levels<kGrid, 2 * kPart + 1, 8>(codes, signs);
  }
}

// The levels of a unit, which begins at `p`, of the rows from `lane` on.
template <Codebook kGrid>
CLEAVE_INLINE void unpack_grid(const uint8_t* p, int lane, U8 (&levels)[8]) {
  const GridUnit unit = load_grid<kGrid>(p, lane);
#if defined(__AVX512VBMI__)
  if constexpr (kGridEntries<kGrid> != 0) return unpack_in_registers<kGrid>(unit, levels);
#endif
  unpack_grid_part<kGrid, 0>(unit, levels);
  unpack_grid_part<kGrid, 1>(unit, levels);
  unpack_grid_part<kGrid, 2>(unit, levels);
  unpack_grid_part<kGrid, 3>(unit, levels);
}

// The small scale of a unit whose bits stand among those of signs or indices: s of the scale 2s + 1.
template <Codebook kGrid>
CLEAVE_INLINE I32 scale_bits(const uint8_t* p, int lane) {
  if constexpr (kGrid == Codebook::Iq1S)
    return bits<I32>(__builtin_convertvector(load_as<U16>(p + 64 + lane * 2), U32) >> 12 & 7u);
  // Bit 7 of each byte of the signs; the product moves them to the upper four.
  const U32 signs = load_as<U32>(p + (kGrid == Codebook::Iq3Xxs ? 128 : 64) + lane * 4);
  return bits<I32>(((signs & 0x80808080u) * 0x00204081u) >> 28);
}

}  // namespace
}  // namespace cleave::kernels::simd
