#include "kernels/simd/tiles.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cleave::kernels {

bool has_tiles(TileNumbers numbers) {
  constexpr unsigned kTiles = 1u << 24, kBf16 = 1u << 22, kInt8 = 1u << 25;  // EDX of leaf 7
  const unsigned wanted = kTiles | (numbers == TileNumbers::Bf16 ? kBf16 : kInt8);
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & wanted) != wanted) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace cleave::kernels
