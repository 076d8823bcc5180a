#include "ckpt/quantized/number_at.h"

#include <cstring>

#include "base/float16.h"
#include "tensor/convert.h"

namespace cleave::ckpt {

float number_at(const TensorView& stored, int64_t index) {
  const auto size = static_cast<size_t>(info(stored.dtype).block_bytes);
  const std::byte* number = stored.bytes.data() + static_cast<size_t>(index) * size;
  const auto load = [&]<class T>(T value) {
    std::memcpy(&value, number, sizeof value);
    return value;
  };
  switch (stored.dtype) {  // this is done for every group; other types take a slower way
    case DType::F16:
      return to_float(load(float16{}));
    case DType::BF16:
      return to_float(load(bfloat16{}));
    case DType::F32:
      return load(float{});
    default:
      break;
  }
  float value = 0;
  convert_to_f32(stored.dtype, {number, size}, {&value, 1});
  return value;
}

}  // namespace cleave::ckpt
