#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cleave {

/// Element types of stored tensors: plain ones, and block types, in which a group of consecutive elements of a row
/// shares its scales.
enum class DType : uint8_t {
  F64,
  F32,
  F16,
  BF16,
  F8_E4M3,
  F8_E5M2,
  F8_E8M0,
  I64,
  I32,
  I16,
  I8,
  U64,
  U32,
  U16,
  U8,
  Bool,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q8_0,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS,
  MXFP4,
  IQ1_S,
  IQ1_M,
  IQ2_XXS,
  IQ2_XS,
  IQ2_S,
  IQ3_XXS,
  IQ3_S,
  TQ1_0,
  TQ2_0,
  NVFP4,
  Q1_0,
  Q2_0,
  // Blocks that no file holds: readers of other formats make them. Integers with a scale (INT) or a scale and a minimum
  // (UINT) for a group of neighbouring elements, FP4 numbers with two scales, the 4-bit floats of bitsandbytes, and
  // E4M3 numbers with a scale.
  INT2_G32,
  INT2_G64,
  INT2_G128,
  INT3_G32,
  INT3_G64,
  INT3_G128,
  INT4_G32,
  INT4_G64,
  INT4_G128,
  INT8_G32,
  INT8_G64,
  INT8_G128,
  UINT2_G32,
  UINT2_G64,
  UINT2_G128,
  UINT3_G32,
  UINT3_G64,
  UINT3_G128,
  UINT4_G32,
  UINT4_G64,
  UINT4_G128,
  UINT8_G32,
  UINT8_G64,
  UINT8_G128,
  NVFP4_G16,
  NF4_G64,
  FP4_G64,
  FP8_G128,
};

/// A block is the smallest unit that can be read on its own; for plain types it is one element.
struct DTypeInfo {
  std::string_view name;   // as safetensors or GGML spell it: "BF16", "Q4_K"
  int64_t block_elements;  // elements in a block
  int64_t block_bytes;     // bytes of a block
};

/// In the order of the enumeration. Block layouts: see tensor/blocks.h.
inline constexpr std::array kDTypes = {
    DTypeInfo{"F64", 1, 8},
    DTypeInfo{"F32", 1, 4},
    DTypeInfo{"F16", 1, 2},
    DTypeInfo{"BF16", 1, 2},
    DTypeInfo{"F8_E4M3", 1, 1},
    DTypeInfo{"F8_E5M2", 1, 1},
    DTypeInfo{"F8_E8M0", 1, 1},
    DTypeInfo{"I64", 1, 8},
    DTypeInfo{"I32", 1, 4},
    DTypeInfo{"I16", 1, 2},
    DTypeInfo{"I8", 1, 1},
    DTypeInfo{"U64", 1, 8},
    DTypeInfo{"U32", 1, 4},
    DTypeInfo{"U16", 1, 2},
    DTypeInfo{"U8", 1, 1},
    DTypeInfo{"BOOL", 1, 1},
    DTypeInfo{"Q4_0", 32, 18},
    DTypeInfo{"Q4_1", 32, 20},
    DTypeInfo{"Q5_0", 32, 22},
    DTypeInfo{"Q5_1", 32, 24},
    DTypeInfo{"Q8_0", 32, 34},
    DTypeInfo{"Q2_K", 256, 84},
    DTypeInfo{"Q3_K", 256, 110},
    DTypeInfo{"Q4_K", 256, 144},
    DTypeInfo{"Q5_K", 256, 176},
    DTypeInfo{"Q6_K", 256, 210},
    DTypeInfo{"IQ4_NL", 32, 18},
    DTypeInfo{"IQ4_XS", 256, 136},
    DTypeInfo{"MXFP4", 32, 17},
    DTypeInfo{"IQ1_S", 256, 50},
    DTypeInfo{"IQ1_M", 256, 56},
    DTypeInfo{"IQ2_XXS", 256, 66},
    DTypeInfo{"IQ2_XS", 256, 74},
    DTypeInfo{"IQ2_S", 256, 82},
    DTypeInfo{"IQ3_XXS", 256, 98},
    DTypeInfo{"IQ3_S", 256, 110},
    DTypeInfo{"TQ1_0", 256, 54},
    DTypeInfo{"TQ2_0", 256, 66},
    DTypeInfo{"NVFP4", 64, 36},
    DTypeInfo{"Q1_0", 128, 18},
    DTypeInfo{"Q2_0", 64, 18},
    DTypeInfo{"INT2_G32", 32, 12},
    DTypeInfo{"INT2_G64", 64, 20},
    DTypeInfo{"INT2_G128", 128, 36},
    DTypeInfo{"INT3_G32", 32, 16},
    DTypeInfo{"INT3_G64", 64, 28},
    DTypeInfo{"INT3_G128", 128, 52},
    DTypeInfo{"INT4_G32", 32, 20},
    DTypeInfo{"INT4_G64", 64, 36},
    DTypeInfo{"INT4_G128", 128, 68},
    DTypeInfo{"INT8_G32", 32, 36},
    DTypeInfo{"INT8_G64", 64, 68},
    DTypeInfo{"INT8_G128", 128, 132},
    DTypeInfo{"UINT2_G32", 32, 16},
    DTypeInfo{"UINT2_G64", 64, 24},
    DTypeInfo{"UINT2_G128", 128, 40},
    DTypeInfo{"UINT3_G32", 32, 20},
    DTypeInfo{"UINT3_G64", 64, 32},
    DTypeInfo{"UINT3_G128", 128, 56},
    DTypeInfo{"UINT4_G32", 32, 24},
    DTypeInfo{"UINT4_G64", 64, 40},
    DTypeInfo{"UINT4_G128", 128, 72},
    DTypeInfo{"UINT8_G32", 32, 40},
    DTypeInfo{"UINT8_G64", 64, 72},
    DTypeInfo{"UINT8_G128", 128, 136},
    DTypeInfo{"NVFP4_G16", 16, 13},
    DTypeInfo{"NF4_G64", 64, 36},
    DTypeInfo{"FP4_G64", 64, 36},
    DTypeInfo{"FP8_G128", 128, 132},
};
static_assert(kDTypes.size() == static_cast<size_t>(DType::FP8_G128) + 1);

constexpr const DTypeInfo& info(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)];
}
inline std::string_view to_string(DType dtype) {
  return info(dtype).name;
}
inline bool is_block(DType dtype) {
  return info(dtype).block_elements > 1;
}
bool is_float(DType dtype);  // F64 ... F8, block types not included

/// The type of that name, if there is one.
std::optional<DType> dtype_from_name(std::string_view name);

/// Bytes of a row of `elements`. REQUIRES: elements is a multiple of the block's.
int64_t row_bytes(DType dtype, int64_t elements);

}  // namespace cleave
