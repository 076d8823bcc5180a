#include "ckpt/tensors/layout.h"

#include <algorithm>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {

int64_t checked_tensor_bytes(DType dtype, const Shape& shape, const std::string& file, std::string_view tensor) {
  const DTypeInfo& type = info(dtype);
  int64_t elements = 1;
  bool fits = true;
  for (const int64_t extent : shape) fits = fits && extent >= 0 && !__builtin_mul_overflow(elements, extent, &elements);
  int64_t bytes = 0;
  if (!fits || __builtin_mul_overflow(elements, type.block_bytes, &bytes))
    fail(ErrorKind::Corrupt, "{}: tensor {} has the impossible shape {}", file, in_quotes(tensor), to_string(shape));
  const int64_t row = shape.empty() ? 1 : shape.back();
  if (row % type.block_elements != 0)
    fail(ErrorKind::Corrupt, "{}: tensor {} of type {} has rows of {} elements, not a multiple of {}", file,
         in_quotes(tensor), type.name, row, type.block_elements);
  return elements / type.block_elements * type.block_bytes;
}

void check_no_overlap(std::vector<Extent> extents, const std::string& file) {
  std::erase_if(extents, [](const Extent& extent) { return extent.begin == extent.end; });
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    const Extent& a = extents[i - 1];
    const Extent& b = extents[i];
    if (b.begin < a.end)
      fail(ErrorKind::Corrupt, "{}: tensors {} (bytes {} to {}) and {} (bytes {} to {}) overlap", file,
           in_quotes(a.tensor), a.begin, a.end, in_quotes(b.tensor), b.begin, b.end);
  }
}

}  // namespace cleave::ckpt
