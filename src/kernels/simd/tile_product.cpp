#include "kernels/simd/tile_product.h"

#include "kernels/simd/tile_product-inl.h"
#include "kernels/simd/tiles.h"

namespace cleave::kernels::simd {
namespace {

// Assembly, because the intrinsics of g++ 12 take the configuration for 8 bytes long and do not say that they read and
// write memory, so that stores before them may be dropped.
struct AmxTiles {
  AmxTiles() {
    const TileConfig config;
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;
  ~AmxTiles() { asm volatile("tilerelease"); }

  template <int kTile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kSum, int kA, int kB>
  void multiply_bfloat16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kA), "i"(kB));
  }
};

}  // namespace

void amx_panel_product(const PanelTile& tile) {
  AmxTiles tiles;
  tile_product(tiles, tile);
}

}  // namespace cleave::kernels::simd
