// HQQ. Source: hqq's core/quantize.py and core/bitpack.py, revision e0b1d00.
#include <cstring>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/grouped.h"

namespace cleave::ckpt {
namespace {

// Integers that a stored element holds, by bits.
int integers_of(int64_t bits) {
  switch (bits) {
    case 8:
      return 1;
    case 4:
      return 2;
    case 3:
      return 10;  // of 32 bits
    case 2:
      return 4;
    case 1:
      return 8;
    default:
      return 0;
  }
}

// A tensor of one whole number, of whatever width.
int64_t integer(Module& module, std::string_view suffix) {
  const TensorView& view = module.need(suffix);
  int64_t number = 0;
  if (view.bytes.empty() || view.bytes.size() > sizeof number || num_elements(view.shape) != 1)
    module.wrong(suffix, "one whole number");
  std::memcpy(&number, view.bytes.data(), view.bytes.size());
  return number;
}

Shape shape_of(Module& module) {
  const TensorView& view = module.need(".shape");
  if (view.dtype != DType::I64 || view.shape != Shape{2}) module.wrong(".shape", "I64 [2]");
  Shape shape(2);
  std::memcpy(shape.data(), view.bytes.data(), 2 * sizeof(int64_t));
  for (const int64_t extent : shape)
    if (extent < 1 || extent > (int64_t{1} << 30))
      fail(ErrorKind::Corrupt, "tensor {} says {}, wanted outputs and inputs", in_quotes(module.name() + ".shape"),
           extent);
  return shape;
}

GroupNumbers numbers_of(Module& module, std::string_view suffix, int64_t count, const Grid& grid) {
  const TensorView& view = module.need(suffix);
  if (!is_float(view.dtype) || num_elements(view.shape) != count)
    module.wrong(suffix, fmt::format("{} numbers", count));
  return {view, grid};
}

}  // namespace

Tensor join_hqq(Module& module) {
  const TensorView& codes = module.need(".W_q");
  const Shape shape = shape_of(module);
  const int64_t bits = integer(module, ".nbits"), group = integer(module, ".group_size"),
                axis = integer(module, ".axis");
  const int parts = integers_of(bits);
  if (parts == 0)
    fail(ErrorKind::Unsupported, "tensor {} is {}, wanted 1, 2, 3, 4 or 8", in_quotes(module.name() + ".nbits"), bits);
  for (const char* suffix : {".quant_scale", ".quant_zero"})
    if (module.find(suffix) != nullptr && integer(module, suffix) != 0)
      fail(ErrorKind::Unsupported, "tensor {} says that scales or zeros are quantised themselves, which is not read",
           in_quotes(module.name() + suffix));
  const int64_t along = axis == 1 ? shape[1] : shape[0];
  if ((axis != 0 && axis != 1) || group < 1 || along % group != 0)
    module.wrong(".group_size", fmt::format("groups along axis 0 or 1 that divide {}", to_string(shape)));
  const int64_t groups = num_elements(shape) / group;
  const int64_t lines = axis == 1 ? groups : group;  // rows of the matrix that was packed, each of `width` integers
  const int64_t width = axis == 1 ? group : groups, word = bits == 3 ? 4 : 1;
  if (static_cast<int64_t>(codes.bytes.size()) != (lines + parts - 1) / parts * width * word)
    module.wrong(".W_q", fmt::format("{} codes of {} bits", num_elements(shape), bits));
  module.ignore({".channel_wise", ".compute_dtype", ".encoded_state_dict", ".offload_meta", ".optimize", ".packing",
                 ".round_zero", ".stores_quant_config", ".unpack_view_dtype", ".view_as_float"});
  // Along axis 0 input i of row r has the group (r % (outputs / group)) * inputs + i: each input has one of its own.
  const Grid grid = axis == 1 ? Grid{shape[0], 0, shape[1] / group, 1} : Grid{shape[0] / group, 0, shape[1], 1};
  return grouped_tensor(
      {.name = module.name(),
       .shape = shape,
       .group = axis == 1 ? group : 1,
       .levels =
           std::make_shared<HqqInts>(codes.bytes, static_cast<int>(bits), parts, static_cast<size_t>(word), shape[1]),
       .scales = numbers_of(module, ".scale", groups, grid),
       .offset = {.kind = Offset::Kind::FloatZero, .numbers = numbers_of(module, ".zero", groups, grid)},
       .parts = module.parts()});
}

}  // namespace cleave::ckpt
