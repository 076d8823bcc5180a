// MLX. Source: mlx 0.29 (mx.quantize) and mlx-lm (utils.py).
#include <algorithm>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/fp4.h"
#include "ckpt/quantized/fp8.h"
#include "ckpt/quantized/grouped.h"

namespace cleave::ckpt {
namespace {

// The shape of scales: that of the weight with groups in place of inputs.
Shape grouped_shape(Shape shape, int64_t group) {
  shape.back() /= group;
  return shape;
}

Tensor affine(Module& module, const IntSettings& settings, const TensorView& words) {
  const int bits = settings.bits;
  if (bits < 2 || bits == 7 || bits > 8)
    fail(ErrorKind::Unsupported, "{}: bits is {} for module {}, wanted 2, 3, 4, 5, 6 or 8", module.quantization().where,
         bits, in_quotes(module.name()));
  Shape shape = words.shape;
  shape.back() = words.shape.back() * 32 / bits;
  const int64_t inputs = shape.back(), group = settings.group > 0 ? settings.group : inputs;
  if (words.shape.back() * 32 % bits != 0 || inputs % group != 0)
    module.wrong(".weight", fmt::format("words of {} bits in groups of {}", bits, group));
  const Shape factors = grouped_shape(shape, group);
  for (const char* suffix : {".scales", ".biases"}) {
    const TensorView& numbers = module.need(suffix);
    if (!is_float(numbers.dtype) || numbers.shape != factors)
      module.wrong(suffix, fmt::format("numbers {}, as {} words, bits {} and group_size {} say", to_string(factors),
                                       to_string(words.shape), bits, settings.group));
  }
  const int64_t rows = num_elements(shape) / inputs, groups = inputs / group;
  const Grid grid{rows, 0, groups, 1};
  return grouped_tensor({.name = module.name(),
                         .shape = shape,
                         .group = group,
                         .levels = std::make_shared<WordInts>(words.bytes, bits, words.shape.back(), 1),
                         .scales = {module.need(".scales"), grid},
                         .offset = {.kind = Offset::Kind::Minimum, .numbers = {module.need(".biases"), grid}},
                         .parts = module.parts()});
}

// Floating-point modes: bytes as other tools store them, of the type that `scales` are not declared as.
Tensor floating(Module& module, const std::string& mode, const TensorView& words) {
  const bool fp8 = mode == "mxfp8", nvidia = mode == "nvfp4";
  Shape shape = words.shape;
  shape.back() *= fp8 ? 4 : 8;
  const int64_t group = nvidia ? 16 : 32;
  if (shape.back() % group != 0) module.wrong(".weight", fmt::format("words in groups of {}", group));
  module.require(".scales", DType::U8, grouped_shape(shape, group));
  TensorView scales = module.need(".scales");
  scales.dtype = nvidia ? DType::F8_E4M3 : DType::F8_E8M0;
  if (!fp8) return fp4_rows(module.name(), shape, words.bytes, scales, 1, module.parts());
  const int64_t rows = num_elements(shape) / shape.back();
  return scaled_fp8({DType::F8_E4M3, shape, words.bytes}, {scales, Grid{rows, 0, shape.back() / group, 1}, 1, group},
                    module.parts());
}

}  // namespace

Tensor join_mlx(Module& module) {
  const TensorView& words = module.need(".weight");
  if (words.shape.size() < 2 || num_elements(words.shape) == 0) module.wrong(".weight", "matrices of U32 words");
  const IntSettings settings = int_settings(module.quantization(), module.name());
  if (settings.mode == "affine") return affine(module, settings, words);
  if (settings.mode != "mxfp4" && settings.mode != "nvfp4" && settings.mode != "mxfp8")
    fail(ErrorKind::Unsupported, "{}: mode is {} for module {}, wanted affine, mxfp4, nvfp4 or mxfp8",
         module.quantization().where, in_quotes(settings.mode), in_quotes(module.name()));
  return floating(module, settings.mode, words);
}

}  // namespace cleave::ckpt
