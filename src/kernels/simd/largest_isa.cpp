#include "kernels/simd/largest_isa.h"

#include "kernels/simd/tiles.h"

namespace cleave::kernels::simd {
namespace {

// __builtin_cpu_supports also asks whether the operating system keeps the wide registers. It is not asked for F16C,
// which clang's version does not know and every processor with AVX2 has.
Isa detect() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::Portable;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return Isa::Avx2;
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::Avx512;
  // Kernels with bf16 also permute bytes, as every such processor can but Cooper Lake.
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vbmi")) return Isa::Avx512Vnni;
  return has_tiles(TileNumbers::Bf16) ? Isa::Amx : Isa::Avx512Bf16;
}

}  // namespace

Isa largest_isa() {
  static const Isa largest = detect();
  return largest;
}

}  // namespace cleave::kernels::simd
