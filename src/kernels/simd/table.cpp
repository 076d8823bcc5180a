#include "kernels/simd/table.h"

#include "base/check.h"
#include "kernels/simd/sets.h"

namespace cleave::kernels::simd {

const Table& table(Isa isa) {
  CHECK(isa <= best_isa());
  switch (isa) {
    case Isa::Avx2:
      return kAvx2Table;
    case Isa::Avx512:
      return kAvx512Table;
    case Isa::Avx512Vnni:
      return kAvx512VnniTable;
    case Isa::Avx512Bf16:
      return kAvx512Bf16Table;
    case Isa::Portable:
      break;
  }
  return kPortableTable;
}

int64_t attention_tile_floats(const KvCache& cache) {
  const int64_t scores = (cache.block_size + 15) / 16 * 16;
  const int64_t sums = (cache.value_dim + 15) / 16 * 16;
  return kMaxQueries * (scores + sums);
}

}  // namespace cleave::kernels::simd
