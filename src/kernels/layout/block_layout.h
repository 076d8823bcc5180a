#pragma once

#include <cstdint>

namespace cleave::kernels {

// How weights of GGML's block types lie in memory for our kernels. A weight is scale * (level - zero) or scale * level
// + minimum, with a small unsigned integer as its level; elements of a group share scale and minimum. Levels stay as
// narrow as in the file. The zero level is not subtracted from them, but from products, as a multiple of the
// activations' sum.
//
// Sixteen rows form a strip. A vector of 64 bytes holds four consecutive elements of each of the sixteen rows, so that
// an 8-bit dot product adds up four elements of sixteen outputs at once and nothing is summed across a vector.
//
// A strip is a sequence of records, one for each block of `group * groups` elements:
//   scale    [16] 16-bit
//   minimum  [16] 16-bit                 with minima; its sign is the one with which it is added
//   for each group of `group` elements:
//     scales [16] 8-bit                  with small scales, by which the record's scale is multiplied
//     minima [16] 8-bit                  with small scales and minima (Nibbles: both in one byte, scale low)
//     levels [bits * group * 2] bytes    element 4j + i of row r is byte 4r + i of vector j:
//       8 bits  vector j
//       4 bits  vector t has j = t in the low nibble, j = t + group / 8 in the high nibble
//       5 bits  as 4, then one vector of which bit j is bit 4 of vector j
//       6 bits  as 4, then one vector of which bit pair j is bits 4 and 5 of vector j (groups of 16)
//       2 bits  one vector of which bit pair j is vector j (groups of 16)
inline constexpr int kStripRows = 16;

/// How the scales of a layout are stored.
enum class ScaleKind : uint8_t {
  Half,      // one f16 per group
  Bfloat16,  // one bf16 per group (MXFP4, whose powers of two exceed f16)
  Small,     // f16 times a signed byte per group; minima are unsigned bytes
  Nibbles,   // f16 times four bits per group
};

/// Tables in which levels are looked up.
enum class Codebook : uint8_t { None, Iq4, Mxfp4 };

/// The layout of a block type's weights.
struct BlockLayout {
  int bits;    // of a level
  int group;   // elements that share a scale; activations are quantised in such groups, too
  int groups;  // groups in a record
  ScaleKind scale;
  bool minimum;
  int zero;  // level that stands for 0, without minima
  Codebook codebook = Codebook::None;

  constexpr bool small_scales() const { return scale == ScaleKind::Small || scale == ScaleKind::Nibbles; }
  constexpr int elements() const { return group * groups; }
  constexpr int header_bytes() const { return kStripRows * 2 * (minimum ? 2 : 1); }
  constexpr int scale_bytes() const {
    return !small_scales() ? 0 : kStripRows * (minimum && scale == ScaleKind::Small ? 2 : 1);
  }
  constexpr int level_bytes() const { return kStripRows * group * bits / 8; }
  constexpr int record_bytes() const { return header_bytes() + groups * (scale_bytes() + level_bytes()); }
};

/// Layouts, named by the block type for which they are made.
enum class LayoutId : uint8_t { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4, IQ4_XS, Q2_K, Q4_K, Q5_K, Q6_K };

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
    {4, 32, 8, ScaleKind::Small, true, 0},
    {5, 32, 8, ScaleKind::Small, true, 0},
    {6, 16, 16, ScaleKind::Small, false, 32},
};
inline constexpr int kNumLayouts = sizeof(kLayouts) / sizeof(kLayouts[0]);
static_assert(kNumLayouts == static_cast<int>(LayoutId::Q6_K) + 1);

}  // namespace cleave::kernels
