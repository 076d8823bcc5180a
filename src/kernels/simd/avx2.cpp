// The shared kernels, compiled with the flags that src/kernels/CMakeLists.txt gives this file.
#define CLEAVE_SIMD_TABLE kAvx2Table
#include "kernels/simd/kernels-inl.h"
