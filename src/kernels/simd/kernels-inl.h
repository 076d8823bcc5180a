// The body of every file of an instruction set (avx2.cpp, ...), which includes it once and names its table in
// CLEAVE_SIMD_TABLE.
#include <utility>

#include "kernels/simd/attention-inl.h"
#include "kernels/simd/blocks-inl.h"
#include "kernels/simd/float_panels-inl.h"
#include "kernels/simd/fp8-inl.h"
#include "kernels/simd/kv-inl.h"
#include "kernels/simd/levels-inl.h"
#include "kernels/simd/packed_levels-inl.h"
#include "kernels/simd/packing-inl.h"
#include "kernels/simd/panels-inl.h"
#include "kernels/simd/products-inl.h"
#include "kernels/simd/quantize-inl.h"
#include "kernels/simd/recurrent-inl.h"
#include "kernels/simd/rows-inl.h"
#include "kernels/simd/sets.h"

namespace cleave::kernels::simd {
namespace {

template <int... kKinds, int... kIds>
constexpr Table make_table(std::integer_sequence<int, kKinds...>, std::integer_sequence<int, kIds...>) {
  return {
      .rms_norm = rms_norm,
      .layer_norm = layer_norm,
      .softmax = softmax,
      .add = add,
      .mul = mul,
      .scale = scale,
      .unary = {unary<static_cast<UnaryKind>(kKinds)>...},
      .gate = {gate<static_cast<UnaryKind>(kKinds)>...},
      .attend = attend,
      .exact_product = exact_product,
      .f32_product = f32_product,
      .bf16_product = bf16_product,
      .fp8_product = fp8_product,
      .quantize = quantize,
      .block_product = {block_product<product_layout(kLayouts[kIds])>...},
      .to_bfloat16 = to_bfloat16,
      .panel_product = PanelKernels::product,
      .unpack_panel = {PanelKernels::unpack<kLayouts[kIds]>...},
      .float_panel_product = float_panel_product,
      .widen_panel = widen_panel,
      .widen_fp8_panel = widen_fp8_panel,
      .fp8_to_bfloat16_panel = Fp8Panels::widen_to_bfloat16,
      .split_digits = LevelKernels::split,
      .level_product = {LevelKernels::product<kLayouts[kIds]>...},
      .unpack_levels = {LevelKernels::unpack<kLayouts[kIds]>...},
      .long_level_product = {LevelKernels::long_product<false>, LevelKernels::long_product<true>},
      .unpack_long_levels = {LevelKernels::long_unpack<kLayouts[kIds]>()...},
      .packed_level_product = {PackedLevelKernels::product<product_layout(kLayouts[kIds])>...},
      .packed_long_level_product = {PackedLevelKernels::long_product<product_layout(kLayouts[kIds])>()...},
      .causal_conv = causal_conv,
      .linear_attention_channels = linear_attention_channels,
      .linear_attention_head = linear_attention_head,
      .linear_recurrence = linear_recurrence,
      .merge_part = merge_part,
      .finish_part = finish_part,
      .store_kv = store_kv,
      .load_keys = load_keys,
      .widen_bfloat16 = widen_bfloat16,
      .widen_half = widen_half,
      .quantize_int8 = quantize_int8,
      .quantize_int4 = quantize_int4,
  };
}

}  // namespace

constinit const Table CLEAVE_SIMD_TABLE =
    make_table(std::make_integer_sequence<int, kUnaryKinds>{}, std::make_integer_sequence<int, kNumLayouts>{});

}  // namespace cleave::kernels::simd
