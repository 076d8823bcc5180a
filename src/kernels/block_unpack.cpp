#include "kernels/block_unpack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "tensor/blocks.h"

namespace cleave::kernels {
namespace {

constexpr uint16_t kSign = 0x8000;

// Levels with element i in the low and i + 16 in the high nibble of byte i, as the types of 32 elements have them.
void unpack_nibbles(const uint8_t* qs, uint8_t* levels) {
  for (int i = 0; i < 16; ++i) {
    levels[i] = qs[i] & 15;
    levels[i + 16] = qs[i] >> 4;
  }
}

void add_fifth_bits(const uint8_t* qh, uint8_t* levels) {
  for (int i = 0; i < 32; ++i) levels[i] = static_cast<uint8_t>(levels[i] | (qh[i / 8] >> (i % 8) & 1) << 4);
}

void unpack(const BlockQ4_0& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  unpack_nibbles(block.qs, out.levels);
}

void unpack(const BlockQ4_1& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  out.minimum = block.m.bits;
  unpack_nibbles(block.qs, out.levels);
}

void unpack(const BlockQ5_0& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  unpack_nibbles(block.qs, out.levels);
  add_fifth_bits(block.qh, out.levels);
}

void unpack(const BlockQ5_1& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  out.minimum = block.m.bits;
  unpack_nibbles(block.qs, out.levels);
  add_fifth_bits(block.qh, out.levels);
}

void unpack(const BlockQ8_0& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  for (int i = 0; i < 32; ++i) out.levels[i] = static_cast<uint8_t>(block.qs[i] + 128);
}

void unpack(const BlockIQ4_NL& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  unpack_nibbles(block.qs, out.levels);
}

void unpack(const BlockMXFP4& block, UnpackedBlock& out) {
  out.scale = static_cast<uint16_t>(std::bit_cast<uint32_t>(mxfp4_scale(block.e)) >> 16);  // a power of two: exact
  unpack_nibbles(block.qs, out.levels);
}

void unpack(const BlockIQ4_XS& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  for (int k = 0; k < 8; ++k) {
    const int low = block.scales_l[k / 2] >> (k % 2 * 4) & 15;
    const int high = block.scales_h >> (2 * k) & 3;
    out.scales[k] = static_cast<uint8_t>((low | high << 4) - 32);
    unpack_nibbles(block.qs + 16 * k, out.levels + 32 * k);
  }
}

void unpack(const BlockQ2_K& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  out.minimum = block.dmin.bits ^ kSign;
  std::copy_n(block.scales, 16, out.scales);
  for (int i = 0; i < 256; ++i) out.levels[i] = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

// What Q4_K and Q5_K share.
template <class Block>
void unpack_k4(const Block& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  out.minimum = block.dmin.bits ^ kSign;
  const ScalesK4 scales = unpack_scales_k4(block.scales);
  std::copy(scales.scale.begin(), scales.scale.end(), out.scales);
  std::copy(scales.min.begin(), scales.min.end(), out.minima);
  for (int i = 0; i < 256; ++i) {
    const uint8_t byte = block.qs[i / 64 * 32 + i % 32];
    out.levels[i] = i % 64 < 32 ? byte & 15 : byte >> 4;
  }
}

void unpack(const BlockQ4_K& block, UnpackedBlock& out) {
  unpack_k4(block, out);
}

void unpack(const BlockQ5_K& block, UnpackedBlock& out) {
  unpack_k4(block, out);
  for (int i = 0; i < 256; ++i)
    out.levels[i] = static_cast<uint8_t>(out.levels[i] | (block.qh[i % 32] >> (i / 32) & 1) << 4);
}

void unpack(const BlockQ6_K& block, UnpackedBlock& out) {
  out.scale = block.d.bits;
  for (int g = 0; g < 16; ++g) out.scales[g] = static_cast<uint8_t>(block.scales[g]);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int j = i % 128;
    const uint8_t low_byte = block.ql[64 * half + j % 64];
    const int low = j < 64 ? low_byte & 15 : low_byte >> 4;
    const int high = block.qh[32 * half + j % 32] >> (j / 32 * 2) & 3;
    out.levels[i] = static_cast<uint8_t>(low | high << 4);
  }
}

template <class Block>
void unpack_as(const std::byte* block, UnpackedBlock& out) {
  unpack(*reinterpret_cast<const Block*>(block), out);  // packed and of bytes: no alignment needed
}

struct Unpacker {
  DType dtype;
  LayoutId layout;
  void (*unpack)(const std::byte*, UnpackedBlock&);
};

constexpr std::array kUnpackers = {
    Unpacker{DType::Q4_0, LayoutId::Q4_0, unpack_as<BlockQ4_0>},
    Unpacker{DType::Q4_1, LayoutId::Q4_1, unpack_as<BlockQ4_1>},
    Unpacker{DType::Q5_0, LayoutId::Q5_0, unpack_as<BlockQ5_0>},
    Unpacker{DType::Q5_1, LayoutId::Q5_1, unpack_as<BlockQ5_1>},
    Unpacker{DType::Q8_0, LayoutId::Q8_0, unpack_as<BlockQ8_0>},
    Unpacker{DType::Q2_K, LayoutId::Q2_K, unpack_as<BlockQ2_K>},
    Unpacker{DType::Q4_K, LayoutId::Q4_K, unpack_as<BlockQ4_K>},
    Unpacker{DType::Q5_K, LayoutId::Q5_K, unpack_as<BlockQ5_K>},
    Unpacker{DType::Q6_K, LayoutId::Q6_K, unpack_as<BlockQ6_K>},
    Unpacker{DType::IQ4_NL, LayoutId::IQ4_NL, unpack_as<BlockIQ4_NL>},
    Unpacker{DType::IQ4_XS, LayoutId::IQ4_XS, unpack_as<BlockIQ4_XS>},
    Unpacker{DType::MXFP4, LayoutId::MXFP4, unpack_as<BlockMXFP4>},
};

const Unpacker* find(DType dtype) {
  const auto found =
      std::find_if(kUnpackers.begin(), kUnpackers.end(), [=](const Unpacker& u) { return u.dtype == dtype; });
  return found == kUnpackers.end() ? nullptr : found;
}

// Adds the levels of one group to the vectors of its strip; `out` points at the group's first vector and holds zeros
// for this row. See block_layout.h.
void pack_levels(const BlockLayout& layout, const uint8_t* levels, int row, uint8_t* out) {
  const int half = layout.group / 8;
  for (int i = 0; i < layout.group; ++i) {
    const int j = i / 4;
    const int byte = row * 4 + i % 4;
    const auto put = [&](int vector, int bits) { out[vector * 64 + byte] |= static_cast<uint8_t>(bits); };
    if (layout.bits == 8) {
      put(j, levels[i]);
    } else if (layout.bits == 2) {
      put(0, levels[i] << (2 * j));
    } else {
      put(j % half, (levels[i] & 15) << (j < half ? 0 : 4));
      if (layout.bits == 5) put(half, (levels[i] >> 4) << j);
      if (layout.bits == 6) put(half, (levels[i] >> 4) << (2 * j));
    }
  }
}

}  // namespace

std::optional<LayoutId> layout_of(DType dtype) {
  const Unpacker* unpacker = find(dtype);
  if (unpacker == nullptr) return std::nullopt;
  return unpacker->layout;
}

void unpack_block(DType dtype, const std::byte* block, UnpackedBlock& out) {
  const Unpacker* unpacker = find(dtype);
  CHECK(unpacker != nullptr);
  unpacker->unpack(block, out);
}

void pack_block(const BlockLayout& layout, const UnpackedBlock& block, int row, std::byte* record) {
  auto* out = reinterpret_cast<uint8_t*>(record);
  std::memcpy(out + row * 2, &block.scale, 2);
  if (layout.minimum) std::memcpy(out + kStripRows * 2 + row * 2, &block.minimum, 2);
  out += layout.header_bytes();
  for (int g = 0; g < layout.groups; ++g) {
    if (layout.small_scales()) out[row] = block.scales[g];
    if (layout.minimum && layout.scale == ScaleKind::Small) out[kStripRows + row] = block.minima[g];
    out += layout.scale_bytes();
    pack_levels(layout, block.levels + g * layout.group, row, out);
    out += layout.level_bytes();
  }
}

}  // namespace cleave::kernels
