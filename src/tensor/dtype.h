#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cleave {

/// Element types of stored tensors: plain ones, and GGML's block types, in which a group of consecutive elements of a
/// row shares its scales.
enum class DType : uint8_t {
  F64,
  F32,
  F16,
  BF16,
  F8_E4M3,
  F8_E5M2,
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
};

/// A block is the smallest unit that can be read on its own; for plain types it is one element.
struct DTypeInfo {
  std::string_view name;   // as safetensors or GGML spell it: "BF16", "Q4_K"
  int64_t block_elements;  // elements in a block
  int64_t block_bytes;     // bytes of a block
};

/// In the order of the enumeration. Block layouts: see tensor/blocks.h.
inline constexpr std::array kDTypes = {
    DTypeInfo{"F64", 1, 8},      DTypeInfo{"F32", 1, 4},      DTypeInfo{"F16", 1, 2},
    DTypeInfo{"BF16", 1, 2},     DTypeInfo{"F8_E4M3", 1, 1},  DTypeInfo{"F8_E5M2", 1, 1},
    DTypeInfo{"I64", 1, 8},      DTypeInfo{"I32", 1, 4},      DTypeInfo{"I16", 1, 2},
    DTypeInfo{"I8", 1, 1},       DTypeInfo{"U64", 1, 8},      DTypeInfo{"U32", 1, 4},
    DTypeInfo{"U16", 1, 2},      DTypeInfo{"U8", 1, 1},       DTypeInfo{"BOOL", 1, 1},
    DTypeInfo{"Q4_0", 32, 18},   DTypeInfo{"Q4_1", 32, 20},   DTypeInfo{"Q5_0", 32, 22},
    DTypeInfo{"Q5_1", 32, 24},   DTypeInfo{"Q8_0", 32, 34},   DTypeInfo{"Q2_K", 256, 84},
    DTypeInfo{"Q3_K", 256, 110}, DTypeInfo{"Q4_K", 256, 144}, DTypeInfo{"Q5_K", 256, 176},
    DTypeInfo{"Q6_K", 256, 210}, DTypeInfo{"IQ4_NL", 32, 18}, DTypeInfo{"IQ4_XS", 256, 136},
    DTypeInfo{"MXFP4", 32, 17},
};
static_assert(kDTypes.size() == static_cast<size_t>(DType::MXFP4) + 1);

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
