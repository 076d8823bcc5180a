#include "tensor/dtype.h"

#include <array>

#include "base/check.h"

namespace cleave {
namespace {

// In the order of the enumeration. Block layouts: see tensor/blocks.h.
constexpr std::array kInfo = {
    DTypeInfo{"F64", 1, 8},       DTypeInfo{"F32", 1, 4},       DTypeInfo{"F16", 1, 2},      DTypeInfo{"BF16", 1, 2},
    DTypeInfo{"F8_E4M3", 1, 1},   DTypeInfo{"F8_E5M2", 1, 1},   DTypeInfo{"I64", 1, 8},      DTypeInfo{"I32", 1, 4},
    DTypeInfo{"I16", 1, 2},       DTypeInfo{"I8", 1, 1},        DTypeInfo{"U64", 1, 8},      DTypeInfo{"U32", 1, 4},
    DTypeInfo{"U16", 1, 2},       DTypeInfo{"U8", 1, 1},        DTypeInfo{"BOOL", 1, 1},     DTypeInfo{"Q4_0", 32, 18},
    DTypeInfo{"Q4_1", 32, 20},    DTypeInfo{"Q5_0", 32, 22},    DTypeInfo{"Q5_1", 32, 24},   DTypeInfo{"Q8_0", 32, 34},
    DTypeInfo{"Q2_K", 256, 84},   DTypeInfo{"Q3_K", 256, 110},  DTypeInfo{"Q4_K", 256, 144}, DTypeInfo{"Q5_K", 256, 176},
    DTypeInfo{"Q6_K", 256, 210},  DTypeInfo{"IQ4_NL", 32, 18},  DTypeInfo{"IQ4_XS", 256, 136}, DTypeInfo{"MXFP4", 32, 17},
};
static_assert(kInfo.size() == static_cast<size_t>(DType::MXFP4) + 1);

}  // namespace

const DTypeInfo& info(DType dtype) { return kInfo[static_cast<size_t>(dtype)]; }

bool is_float(DType dtype) { return dtype <= DType::F8_E5M2; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < kInfo.size(); ++i)
    if (kInfo[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

int64_t row_bytes(DType dtype, int64_t elements) {
  CHECK_EQ(elements % info(dtype).block_elements, 0);
  return elements / info(dtype).block_elements * info(dtype).block_bytes;
}

}  // namespace cleave
