// compressed-tensors' integers. Source: its compressors pack_quantized and int_quantized, versions 0.13 and 0.20.
#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/json_field.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/formats.h"
#include "ckpt/quantized/grouped.h"

namespace cleave::ckpt {
namespace {

/// What a config group says of integer weights.
struct IntWeights {
  std::optional<int> bits;
  std::optional<int64_t> group;
  bool symmetric = true;
};

IntWeights int_weights(const Module& module) {
  const Json json = weights_settings(module.quantization(), module.name());
  IntWeights weights;
  if (json.is_null()) return weights;
  const JsonField settings(json, module.quantization().where + ".config_groups: weights");
  if (const auto bits = settings.find("num_bits"))
    weights.bits = static_cast<int>(std::min<uint64_t>(bits->count(), 64));
  if (const auto group = settings.find("group_size"); group && group->json() != Json(-1))
    weights.group = static_cast<int64_t>(std::min<uint64_t>(group->count(), uint64_t{1} << 40));
  weights.symmetric = settings.boolean_or("symmetric", true);
  return weights;
}

// Outputs and inputs, of the tensor that says them.
Shape stored_shape(Module& module) {
  const TensorView& view = module.need(".weight_shape");
  if ((view.dtype != DType::I64 && view.dtype != DType::I32) || view.shape != Shape{2})
    module.wrong(".weight_shape", "I64 [2]");
  Shape shape(2);
  for (size_t i = 0; i < 2; ++i) {
    // Little-endian and not negative: the lower half is the number.
    const size_t size = view.dtype == DType::I64 ? sizeof(int64_t) : sizeof(int32_t);
    std::memcpy(&shape[i], view.bytes.data() + i * size, size);
    if (shape[i] < 1 || shape[i] > (int64_t{1} << 40))
      fail(ErrorKind::Corrupt, "tensor {} says {}, wanted outputs and inputs",
           in_quotes(module.name() + ".weight_shape"), shape[i]);
  }
  return shape;
}

// The scales of a matrix and the inputs that share one: for the tensor, each row or each group of a row.
GroupNumbers scales_of(Module& module, int64_t outputs, int64_t inputs, const IntWeights& weights, int64_t& group) {
  const TensorView& scales = module.need(".weight_scale");
  const int64_t count = num_elements(scales.shape);
  const auto refuse = [&] {
    module.wrong(".weight_scale",
                 fmt::format("one scale for the tensor, each of {} rows, or each group of its {} inputs{}", outputs,
                             inputs, weights.group ? fmt::format(" (group_size {})", *weights.group) : ""));
  };
  if (!is_float(scales.dtype)) refuse();
  group = inputs;
  if (count == 1) return {scales, Grid{outputs, 0, 0, 0}};
  if (scales.shape.empty() || scales.shape[0] != outputs || count % outputs != 0 || scales.shape.size() > 2) refuse();
  const int64_t groups = count / outputs;
  if (groups > 1) group = weights.group.value_or(inputs / groups);
  if (group < 1 || groups != (inputs + group - 1) / group) refuse();
  if (groups == 1 && weights.group && *weights.group > 0 && *weights.group < inputs) refuse();
  return {scales, Grid{outputs, 0, groups, 1}};
}

// The offset of signed codes: zero points are packed like codes, along the outputs, or signed bytes.
Offset offset_of(Module& module, int bits, int64_t outputs, int64_t groups, bool symmetric) {
  const TensorView* zeros = symmetric ? module.find(".weight_zero_point") : &module.need(".weight_zero_point");
  if (zeros == nullptr) return {};
  if (zeros->dtype == DType::I8 && num_elements(zeros->shape) == outputs * groups)
    return {.kind = Offset::Kind::PackedZero,
            .zeros = std::make_shared<SignedBytes>(zeros->bytes, groups),
            .more = (1 << (bits - 1)) - 128};
  const int64_t words = (outputs * bits + 31) / 32;
  if (zeros->dtype != DType::I32 || zeros->shape != Shape{words, groups})
    module.wrong(".weight_zero_point", fmt::format("I32 [{}, {}] or I8 [{}, {}]", words, groups, outputs, groups));
  return {.kind = Offset::Kind::PackedZero,
          .zeros = std::make_shared<WordInts>(zeros->bytes, bits, 1, groups),
          .zeros_by_group = true};
}

// The group of each input. -1 anywhere says that there is no order.
std::vector<int32_t> groups_of(Module& module, int64_t inputs, int64_t groups) {
  const TensorView* stored = module.find(".weight_g_idx");
  if (stored == nullptr) return {};
  if (stored->dtype != DType::I32 || stored->shape != Shape{inputs})
    module.wrong(".weight_g_idx", fmt::format("I32 [{}]", inputs));
  std::vector<int32_t> group_of(static_cast<size_t>(inputs));
  std::memcpy(group_of.data(), stored->bytes.data(), stored->bytes.size());
  if (std::ranges::count(group_of, -1) > 0) return {};
  for (const int32_t group : group_of)
    if (group < 0 || group >= groups)
      fail(ErrorKind::Corrupt, "tensor {} names group {}, wanted 0 to {}", in_quotes(module.name() + ".weight_g_idx"),
           group, groups - 1);
  return group_of;
}

// Bits of packed codes. Those of 3, 5, 6 and 7 were packed in two ways that files do not tell apart.
int packed_bits(const Module& module, const TensorView& packed, const Shape& shape, const IntWeights& weights) {
  const int64_t stored = packed.shape[1] * 32 / shape[1];
  const int bits = weights.bits.value_or(static_cast<int>(std::min<int64_t>(stored, 64)));
  if (bits != 2 && bits != 4 && bits != 8)
    fail(ErrorKind::Unsupported, "{}: num_bits is {} for module {}, wanted 2, 4 or 8", module.quantization().where,
         bits, in_quotes(module.name()));
  if (packed.shape != Shape{shape[0], (shape[1] * bits + 31) / 32})
    module.wrong(".weight_packed", fmt::format("I32 [{}, {}]: weight_shape says {} with {} bits", shape[0],
                                               (shape[1] * bits + 31) / 32, to_string(shape), bits));
  return bits;
}

Tensor join_packed_ints(Module& module, const TensorView& packed) {
  const Shape shape = stored_shape(module);
  const IntWeights weights = int_weights(module);
  const int bits = packed_bits(module, packed, shape, weights);
  int64_t group = 0;
  GroupNumbers scales = scales_of(module, shape[0], shape[1], weights, group);
  const int64_t groups = (shape[1] + group - 1) / group;
  Offset offset = offset_of(module, bits, shape[0], groups, weights.symmetric);
  std::vector<int32_t> group_of = groups_of(module, shape[1], groups);
  return grouped_tensor({.name = module.name(),
                         .shape = shape,
                         .group = group,
                         .levels = std::make_shared<WordInts>(packed.bytes, bits, packed.shape[1], 1),
                         .scales = std::move(scales),
                         .offset = std::move(offset),
                         .group_of = std::move(group_of),
                         .parts = module.parts()});
}

}  // namespace

Tensor join_packed(Module& module) {
  const TensorView& packed = module.need(".weight_packed");
  if (packed.dtype == DType::U8) return join_fp4(module);
  if (packed.dtype != DType::I32 || packed.shape.size() != 2 || num_elements(packed.shape) == 0)
    module.wrong(".weight_packed", "a matrix of I32 words or of U8 pairs");
  return join_packed_ints(module, packed);
}

Tensor join_int8(Module& module) {
  const TensorView& codes = module.need(".weight");
  if (codes.shape.size() != 2 || num_elements(codes.shape) == 0) module.wrong(".weight", "a matrix of I8");
  const int64_t outputs = codes.shape[0], inputs = codes.shape[1];
  const IntWeights weights = int_weights(module);
  int64_t group = 0;
  GroupNumbers scales = scales_of(module, outputs, inputs, weights, group);
  Offset offset = offset_of(module, 8, outputs, (inputs + group - 1) / group, weights.symmetric);
  return grouped_tensor({.name = module.name(),
                         .shape = codes.shape,
                         .group = group,
                         .levels = std::make_shared<SignedBytes>(codes.bytes, inputs),
                         .scales = std::move(scales),
                         .offset = std::move(offset),
                         .parts = module.parts()});
}

}  // namespace cleave::ckpt
