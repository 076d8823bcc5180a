#pragma once

#include <cstdint>

namespace cleave::kernels {

// How weights of block types lie in memory for our kernels. A weight is scale * (level - zero) or scale * level +
// minimum, with a small unsigned integer as its level; elements of a group share scale and minimum. Levels stay as
// narrow as in the file. The zero level is not subtracted from them, but from products, as a multiple of the
// activations' sum.
//
// Sixteen rows form a strip. A vector of 64 bytes holds four consecutive elements of each of the sixteen rows, so that
// an 8-bit dot product adds up four elements of sixteen outputs at once and nothing is summed across a vector.
//
// A strip is a sequence of records, one for each `group * groups` elements. A unit of a record is what is unpacked at a
// time: a group, or two groups of 16 elements where half a vector would be left over.
//   scale    [16] 16-bit                 Minifloats: 32-bit
//   minimum  [16] 16-bit                 with minima; its sign is the one with which it is added
//   for each unit:
//     scales [groups of the unit][16] 8-bit   with small scales, by which the record's scale is multiplied
//     minima [16] 8-bit                  with small scales and minima (Nibbles: both in one byte, scale low)
//     levels [bits * elements * 2] bytes      element 4j + i of row r is byte 4r + i of vector j:
//       8 bits  vector j
//       4 bits  vector t has j = t in the low nibble, j = t + group / 8 in the high nibble
//       5 bits  as 4, then one vector of which bit j is bit 4 of vector j
//       6 bits  as 4, then one vector of which bit pair j is bits 4 and 5 of vector j (groups of 16)
//       2 bits  vectors t of which bit pair i is vector j = 4t + i
//       3 bits  as 2, then one vector of which bit j is bit 2 of vector j (units of 32 elements)
//       1 bit   one vector of which bit j is vector j (groups of 32); levels are 0 and 2
// Levels of grids (tensor/grids.h) stay indices. A unit has 32 elements, in four parts of eight; byte 4r + p of a
// vector belongs to part p of row r:
//     indices [2 or 1][64]   lower bits; with four elements to an index, those of the first and of the second in a part
//     signs   [64]           a bit for each element; where seven do, bit 7 is a bit of the scale or of the index
//     (IQ2_XS) high    [16][1 or 2]   upper bits of the indices of a row (IQ1: and whether 1/8 is taken off, and
//     scales)
inline constexpr int kStripRows = 16;

/// How the scales of a layout are stored.
enum class ScaleKind : uint8_t {
  Half,        // one f16 per record
  Bfloat16,    // one bf16 per record (MXFP4, whose powers of two exceed f16)
  Small,       // f16 times a signed byte per group; minima are unsigned bytes
  Nibbles,     // f16 times four bits per group
  OddNibbles,  // f16 times 2s + 1 with four bits s for each of the two groups of a unit
  OddBits,     // f16 times 2s + 1 with bits s of a unit that stand among its levels
  Minifloats,  // f32 times the upper bits of a positive f16 per group: five bits of exponent, three of mantissa
};

/// Tables in which levels are looked up.
enum class Codebook : uint8_t { None, Iq4, Mxfp4, Nf4, Fp4, Iq1S, Iq1M, Iq2Xxs, Iq2Xs, Iq2S, Iq3Xxs, Iq3S };

/// BlockLayout::groups of layouts in which it depends on the matrix. Kernels are told it, and serve every number.
inline constexpr int kAnyGroups = 0;

/// The layout of a block type's weights.
struct BlockLayout {
  int bits;    // of a level; 0 with a grid
  int group;   // elements that share a scale; activations are quantised in such groups, too
  int groups;  // groups in a record
  ScaleKind scale;
  bool minimum;
  int zero;  // level that stands for 0, without minima
  Codebook codebook = Codebook::None;

  constexpr bool small_scales() const { return scale != ScaleKind::Half && scale != ScaleKind::Bfloat16; }
  constexpr bool wide_levels() const {  // whether some exceed 127
    return bits == 8 || codebook == Codebook::Iq4 || codebook == Codebook::Nf4 || codebook == Codebook::Fp4;
  }
  constexpr bool long_groups() const {  // whether a record may have one scale for more than a group
    return groups == kAnyGroups && group == 32 && scale == ScaleKind::Half;
  }
  constexpr int elements() const { return group * groups; }
  constexpr bool grid() const { return codebook >= Codebook::Iq1S; }
  constexpr int unit() const { return (bits == 3 || grid()) && group == 16 ? 2 : 1; }
  constexpr int unit_elements() const { return group * unit(); }
  constexpr int header_bytes() const {
    return kStripRows * (scale == ScaleKind::Minifloats ? 4 : 2) + (minimum ? kStripRows * 2 : 0);
  }
  constexpr int scale_bytes() const {  // of a unit
    if (scale == ScaleKind::OddNibbles) return kStripRows;
    return !small_scales() || scale == ScaleKind::OddBits
               ? 0
               : unit() * kStripRows * (minimum && scale == ScaleKind::Small ? 2 : 1);
  }
  constexpr int level_bytes() const {  // of a unit
    return grid() ? kStripRows * grid_bytes() : kStripRows * unit_elements() * bits / 8;
  }
  constexpr int grid_bytes() const {  // of indices and signs of a unit, of each row
    constexpr int kBytes[] = {6, 6, 8, 8, 9, 12, 13};
    return kBytes[static_cast<int>(codebook) - static_cast<int>(Codebook::Iq1S)];
  }
  constexpr int unit_bytes() const { return scale_bytes() + level_bytes(); }
  constexpr int record_bytes() const { return header_bytes() + groups / unit() * unit_bytes(); }
  constexpr int64_t strip_bytes(int64_t k) const { return k / elements() * record_bytes(); }  // of rows of k elements
  constexpr BlockLayout with_groups(int count) const {
    BlockLayout layout = *this;
    layout.groups = count;
    return layout;
  }
};

/// Layouts, named by the block type for which they are made.
enum class LayoutId : uint8_t {
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  IQ4_NL,
  MXFP4,
  IQ4_XS,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  Q1_0,
  Ternary,  // TQ1_0, TQ2_0, Q2_0
  NVFP4,
  Nf4,
  Fp4,
  Int2,
  Int3,
  Int4,
  Int8,
  Uint2,
  Uint3,
  Uint4,
  Uint8,
  IQ1_S,
  IQ1_M,
  IQ2_XXS,
  IQ2_XS,
  IQ2_S,
  IQ3_XXS,
  IQ3_S,
};

/// What the levels of bitsandbytes' 4-bit floats, from -1 to 1, are multiplied by and rounded. Multiples of 1/12 become
/// exact; a normal quantile is off by up to 0.4% of the largest.
inline constexpr int kNf4Unit = 127;
inline constexpr int kFp4Unit = 120;

inline constexpr BlockLayout kLayouts[] = {
    {4, 32, 1, ScaleKind::Half, false, 8},
    {4, 32, 1, ScaleKind::Half, true, 0},
    {5, 32, 1, ScaleKind::Half, false, 16},
    {5, 32, 1, ScaleKind::Half, true, 0},
    {8, 32, 1, ScaleKind::Half, false, 128},
    {4, 32, 1, ScaleKind::Half, false, 128, Codebook::Iq4},
    {4, 32, 1, ScaleKind::Bfloat16, false, 12, Codebook::Mxfp4},
    {4, 32, 8, ScaleKind::Small, false, 128, Codebook::Iq4},
    {2, 16, 16, ScaleKind::Nibbles, true, 0},
    {3, 16, 16, ScaleKind::Small, false, 4},
    {4, 32, 8, ScaleKind::Small, true, 0},
    {5, 32, 8, ScaleKind::Small, true, 0},
    {6, 16, 16, ScaleKind::Small, false, 32},
    {1, 32, 4, ScaleKind::Half, false, 1},
    {2, 32, kAnyGroups, ScaleKind::Half, false, 1},
    {4, 16, kAnyGroups, ScaleKind::Minifloats, false, 12, Codebook::Mxfp4},
    {4, 32, kAnyGroups, ScaleKind::Half, false, kNf4Unit, Codebook::Nf4},
    {4, 32, kAnyGroups, ScaleKind::Half, false, kFp4Unit, Codebook::Fp4},
    {2, 32, kAnyGroups, ScaleKind::Half, false, 2},
    {3, 32, kAnyGroups, ScaleKind::Half, false, 4},
    {4, 32, kAnyGroups, ScaleKind::Half, false, 8},
    {8, 32, kAnyGroups, ScaleKind::Half, false, 128},
    {2, 32, kAnyGroups, ScaleKind::Half, true, 0},
    {3, 32, kAnyGroups, ScaleKind::Half, true, 0},
    {4, 32, kAnyGroups, ScaleKind::Half, true, 0},
    {8, 32, kAnyGroups, ScaleKind::Half, true, 0},
    {0, 32, 8, ScaleKind::OddBits, false, 9, Codebook::Iq1S},
    {0, 16, 16, ScaleKind::OddNibbles, false, 9, Codebook::Iq1M},
    {0, 32, 8, ScaleKind::OddBits, false, 43, Codebook::Iq2Xxs},
    {0, 16, 16, ScaleKind::OddNibbles, false, 43, Codebook::Iq2Xs},
    {0, 16, 16, ScaleKind::OddNibbles, false, 43, Codebook::Iq2S},
    {0, 32, 8, ScaleKind::OddBits, false, 62, Codebook::Iq3Xxs},
    {0, 32, 8, ScaleKind::Small, false, 15, Codebook::Iq3S},
};
inline constexpr int kNumLayouts = sizeof(kLayouts) / sizeof(kLayouts[0]);
static_assert(kNumLayouts == static_cast<int>(LayoutId::IQ3_S) + 1);

constexpr const BlockLayout& layout(LayoutId id) {
  return kLayouts[static_cast<int>(id)];
}

}  // namespace cleave::kernels
