#pragma once

#include "kernels/simd/table.h"

namespace cleave::kernels::simd {

// One per file of that name.
extern const Table kPortableTable;
extern const Table kAvx2Table;
extern const Table kAvx512Table;
extern const Table kAvx512VnniTable;
extern const Table kAvx512Bf16Table;

}  // namespace cleave::kernels::simd
