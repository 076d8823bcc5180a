#pragma once

#include "kernels/simd/table.h"

namespace cleave::kernels::simd {

// The tables of the instruction sets. Each is defined in the file of its name (avx2.cpp, ...), compiled for that set.
extern const Table kPortableTable;
extern const Table kAvx2Table;
extern const Table kAvx512Table;
extern const Table kAvx512VnniTable;
extern const Table kAvx512Bf16Table;

}  // namespace cleave::kernels::simd
