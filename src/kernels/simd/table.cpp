#include "kernels/simd/table.h"

#include "base/check.h"
#include "kernels/simd/largest_isa.h"
#include "kernels/simd/sets.h"

namespace cleave::kernels::simd {

const Table& table(Isa isa) {
  CHECK(isa <= largest_isa());
  switch (isa) {
    case Isa::Avx2:
      return kAvx2Table;
    case Isa::Avx512:
      return kAvx512Table;
    case Isa::Avx512Vnni:
      return kAvx512VnniTable;
    case Isa::Avx512Bf16:
    case Isa::Amx:  // which differs in simd/tile_product.h alone
      return kAvx512Bf16Table;
    case Isa::Portable:
      break;
  }
  return kPortableTable;
}

}  // namespace cleave::kernels::simd
