#include "kernels/simd/isa.h"

#include "kernels/simd/largest_isa.h"

namespace cleave::kernels {
namespace {

// Of the sets up to `largest` the fastest. Where Intel has dot products of bf16 pairs, a core reaches 84 GFLOP/s with
// them and 151 with f32 (Sapphire Rapids, 512 x 2,048 x 2,048). Tiles are faster, but virtual machines may hide them.
Isa fastest(Isa largest) {
  return largest == Isa::Avx512Bf16 && __builtin_cpu_is("intel") ? Isa::Avx512Vnni : largest;
}

}  // namespace

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::Portable:
      return "portable";
    case Isa::Avx2:
      return "avx2";
    case Isa::Avx512:
      return "avx512";
    case Isa::Avx512Vnni:
      return "avx512 vnni";
    case Isa::Avx512Bf16:
      return "avx512 bf16";
    case Isa::Amx:
      return "amx";
  }
  return "unknown";
}

Isa best_isa() {
  static const Isa best = fastest(simd::largest_isa());
  return best;
}

bool wants_prefetch(int64_t rows) {
  static const bool is_amd = __builtin_cpu_is("amd");
  return rows > 1 || !is_amd;
}

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Avx512Vnni, Isa::Avx512Bf16, Isa::Amx})
    if (isa <= simd::largest_isa()) isas.push_back(isa);
  return isas;
}

}  // namespace cleave::kernels
