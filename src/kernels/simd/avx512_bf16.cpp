// The shared kernels, compiled with the flags that src/kernels/CMakeLists.txt gives this file.
#define CLEAVE_SIMD_TABLE kAvx512Bf16Table
#include "kernels/simd/kernels-inl.h"
